"""The command line of the rolling restarts."""
import argparse
import json
import pathlib

from .. import tools
from ..page import Page
from ..process import Failure
from ..servers import FRAMEWORKS, TARGET, example
from . import report, selftest
from .proxies import PROXIES
from .run import run
from .scenarios import SCENARIOS


def main(description):
    options = _options(description)
    if options.self_test:
        return selftest.run()
    if options.install:
        tools.install([name for name in options.proxies if not tools.find(PROXIES[name].binary)])
    for name in options.proxies:
        if not tools.find(PROXIES[name].binary):
            raise Failure(f"{name} is not installed; --install installs it, --proxies leaves it out")
    results = {}
    if options.results and options.results.exists():
        results = json.loads(options.results.read_text())
    wrong = []
    for framework, proxy, name in _runs(options):
        scenario = SCENARIOS[name]
        program = example(options.examples, framework, "drain")
        counts = run(scenario, program, PROXIES[proxy], options.requests, options.restarts)
        samples = counts.pop("samples")
        failed = sum(counts["failed"].values())
        line = f"{framework}, {proxy}, {name}: {failed} of {counts['sent']} failed, {counts['restarts']} restarts"
        print(line, counts["failed"] or "", flush=True)
        if scenario.loses is not None and scenario.loses != (failed > 0):
            wrong.append(f"{line}; expected {'some' if scenario.loses else 'none'}")
            print(json.dumps(samples[:3]), flush=True)
        results.setdefault(name, {}).setdefault(framework, {})[proxy] = counts
        if options.results:
            options.results.write_text(json.dumps(results, indent=1))
    if options.write:
        page = Page()
        report.put_into(page, results)
        page.write()
    if wrong:
        raise Failure("\n".join(wrong))


def _runs(options):
    """Yields framework, proxy and scenario of each run; most scenarios run with one framework only."""
    for framework in options.frameworks:
        for proxy in options.proxies:
            for name in options.scenarios:
                scenario = SCENARIOS[name]
                if proxy in scenario.proxies and (scenario.every_framework or framework == options.frameworks[0]):
                    yield framework, proxy, name


def _options(description):
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--requests", type=int, default=100_000, help="requests of a run, at least (default: %(default)s)")
    add("--restarts", type=int, default=4, help="restarts of a run, at least (default: %(default)s)")
    add("--examples", type=pathlib.Path, default=TARGET / "examples", help="where the examples were built")
    add("--results", type=pathlib.Path, help="a JSON file that the results are added to")
    add("--write", action="store_true", help="write all results in that file to docs/load-balancers.md")
    add("--self-test", action="store_true", help="test the load tool, and do nothing else")
    add("--install", action="store_true", help="install missing proxies, with apt-get")
    for what, names in ("frameworks", FRAMEWORKS), ("proxies", PROXIES), ("scenarios", SCENARIOS):
        add(f"--{what}", type=tools.some_of(names), default=list(names), help=f"some of {','.join(names)}")
    return parser.parse_args()
