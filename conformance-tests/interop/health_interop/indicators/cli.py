"""The command line of the matrix."""
import argparse
import os
import pathlib
import tempfile

from .. import tools
from ..page import Page
from ..process import Failure, Processes
from . import namespace, report
from .own import PROGRAM
from .run import GROUPS, NOT_INSTALLED, figures, missing, run

PACKAGE = "health-interop"


def main(description):
    options = _options(description)
    if options.install:
        tools.install(missing(options.only))
    is_alone = namespace.enter()
    if not PROGRAM.exists():
        raise Failure(f"{PROGRAM} does not exist: run cargo build -p {PACKAGE} --features indicators --bin indicators")
    with tempfile.TemporaryDirectory(prefix="indicators-", ignore_cleanup_errors=True) as directory, Processes() as processes:
        scratch = pathlib.Path(directory)
        disk = namespace.prepare(processes, scratch) if is_alone else None
        if options.figures or options.idle:
            for work, result in figures(processes, scratch, disk, options.idle):
                print(f"{work}: {result}", flush=True)
            return
        results = run(processes, scratch, options.only, disk)
    for line in report.lines(results):
        print(line)
    not_run = report.not_run(results)
    for line in not_run:
        print(line)
    problems = report.problems(results)
    if os.environ.get("HEALTH_NEEDS_ALL_PROGRAMS") == "1":
        # Not every machine allows namespaces and cgroups.
        problems += [line for line in not_run if line.endswith(NOT_INSTALLED)]
    if problems:
        raise Failure("\n".join(problems))
    page = Page(report.PATH)
    if options.check:
        report.put_into(page, results, keep=True)
        page.check()
    elif options.only == list(GROUPS):
        report.put_into(page, results, keep=False)
        page.write()


def _at_least_2(text):
    """Of the time, the server waits half: Redis counts whole seconds."""
    if (seconds := int(text)) < 2:
        raise ValueError
    return seconds


def _options(description):
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--check", action="store_true", help="compare the page with the results instead of writing it")
    add("--figures", action="store_true", help="measure what the indicators cost instead, for some minutes")
    add("--idle", type=_at_least_2, metavar="SECONDS", help="test only connections that were idle so long instead, at least 2")
    add("--install", action="store_true", help="install missing servers, with apt-get")
    add("--only", type=tools.some_of(GROUPS), default=list(GROUPS), help=f"some of {','.join(GROUPS)} (default: all, and only these are written)")
    return parser.parse_args()
