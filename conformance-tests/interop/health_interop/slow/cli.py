"""The command line of the slow requests."""
import argparse
import json
import pathlib

from .. import tools
from ..page import Page
from ..process import Failure
from ..servers import FRAMEWORKS, TARGET
from . import report
from .requests import KINDS
from .run import run, wrong

PACKAGE = "health-interop"


def main(description):
    options = _options(description)
    program = options.examples / "slow_requests"
    if not program.exists():
        raise Failure(f"{program} does not exist: run cargo build --example slow_requests -p {PACKAGE}")
    results = {}
    contradictions = []
    for framework in options.frameworks:
        results[framework] = run(program, framework, options.kinds, options.at_least, options.at_most)
        for kind, found in results[framework].items():
            name = f"{framework}, {kind}"
            print(
                f"{name}: the request ended after {found['request']:.2f} s, the process after {found['process']:.2f} s"
                f" with {found['code']}",
                flush=True,
            )
            contradictions += (f"{name}: {sentence}" for sentence in wrong(framework, kind, found, options.at_most))
    if options.write:
        page = Page(report.PATH)
        report.put_into(page, results)
        page.write()
    if contradictions:
        raise Failure("\n".join(contradictions))


def _options(description):
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--at-least", type=int, default=500, help="minimum of the drain, in milliseconds (default: %(default)s)")
    add("--at-most", type=int, default=3000, help="maximum of the drain, in milliseconds (default: %(default)s)")
    add("--examples", type=pathlib.Path, default=TARGET / "examples", help="where the example was built")
    add("--write", action="store_true", help=f"write the results to {report.PATH.name}")
    for what, names in ("frameworks", FRAMEWORKS), ("kinds", KINDS):
        add(f"--{what}", type=tools.some_of(names), default=list(names), help=f"some of {','.join(names)}")
    return parser.parse_args()
