"""The command line of the outages."""
import argparse
import json
import pathlib

from .. import tools
from ..page import Page
from ..process import Failure
from ..servers import TARGET
from . import postgres, report
from .counting import KINDS, wrong
from .proxies import PROXIES
from .run import INSTANCES, run

PACKAGE = "health-interop"


def main(description):
    options = _options(description)
    if options.install:
        tools.install(_missing(options.proxies))
    missing = _missing(options.proxies)
    if "postgresql" in missing:
        raise Failure("NOT RUN: postgresql is not installed; --install installs it")
    program = options.examples / "shared_dependency"
    if not program.exists():
        raise Failure(f"{program} does not exist: run cargo build --example shared_dependency -p {PACKAGE}")
    results = {}
    if options.results and options.results.exists():
        results = json.loads(options.results.read_text())
    contradictions = [f"{name}: NOT RUN: it is not installed; --install installs it" for name in missing]
    for name in options.proxies:
        if name in missing:
            continue
        for check in options.checks:
            result = run(program, PROXIES[name], check, options.seconds, options.rate)
            _print(name, result)
            contradictions += (f"{name}, {check}: {sentence}" for sentence in wrong(result, len(INSTANCES)))
            load = "paced" if options.rate else "full"
            results.setdefault(load, {}).setdefault(name, {})[check] = result
            if options.results:
                options.results.write_text(json.dumps(results, indent=1))
    if options.write:
        page = Page(report.PATH)
        report.put_into(page, results)
        page.write()
    if contradictions:
        raise Failure("\n".join(contradictions))


def _missing(proxies):
    """Returns the packages that are not installed."""
    programs = {name: tools.find(PROXIES[name].binary) for name in proxies}
    programs["postgresql"] = postgres.program("postgres")
    return [package for package, path in programs.items() if not path]


def _print(proxy, result):
    for outage in "stopped", "frozen", "cut":
        found = result[outage]
        counts = [f"{name} {found[name]['failed']} of {found[name]['sent']} failed" for name in ("static", "queries")]
        counts.append(f"{len(found['left'])} instances left")
        print(f"{proxy}, {result['check']}, {outage}: {', '.join(counts)}", flush=True)
        for what, figures in found.get("recovery", {}).items():
            print(f"    {what}: {figures}", flush=True)


def _options(description):
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--seconds", type=float, default=60, help="length of each outage (default: %(default)s)")
    rate = "requests per second, half of them queries; 0: as many as get responses (default: %(default)s)"
    add("--rate", type=int, default=2000, help=rate)
    add("--examples", type=pathlib.Path, default=TARGET / "examples", help="where the example was built")
    add("--results", type=pathlib.Path, help="a JSON file that the results are added to")
    add("--write", action="store_true", help="write all results in that file to docs/shared-dependencies.md")
    add("--install", action="store_true", help="install missing programs, with apt-get")
    for what, names in ("proxies", PROXIES), ("checks", KINDS):
        add(f"--{what}", type=tools.some_of(names), default=list(names), help=f"some of {','.join(names)}")
    return parser.parse_args()
