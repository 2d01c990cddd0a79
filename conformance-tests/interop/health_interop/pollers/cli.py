"""The command line of the pollers."""
import argparse
import pathlib

from .. import tools
from ..page import HERE, Page
from ..process import Failure
from ..restarts import report as restarts
from ..servers import TARGET
from . import descriptions
from .report import Report
from .run import run


def main(description):
    states, endpoints, known = descriptions.load(HERE / "programs")
    options = _options(description, [one.id for one in known])
    tools.PLACES.append(str(options.target.resolve()))
    wanted = [one for one in known if not options.only or one.id in options.only]
    if options.install:
        tools.install([one.package for one in wanted if one.package and not tools.find(one.binary)])
    found = [one for one in wanted if tools.find(one.binary)]
    if not found:
        raise Failure("none of the programs is installed; --install installs them")
    programs, verdicts = run(
        options.target.resolve() / "examples",
        states,
        endpoints,
        found,
        lambda line: print(line, flush=True),
    )
    for one in wanted:
        print(f"{one.name}: {'run' if one in found else 'NOT RUN: it is not installed'}")
    wrong = _unexpected(found, verdicts)
    if wrong:
        raise Failure("\n".join([f"{len(wrong)} of {len(verdicts)} verdicts are not as expected", *wrong]))
    print(f"{len(verdicts)} verdicts, all as expected")
    page = Page()
    Report(states, known, programs, verdicts).put_into(page)
    restarts.put_settings_into(page)
    if options.check:
        page.check()
    else:
        page.write()


def _options(description, names):
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--check", action="store_true", help="compare the page, and do not write it")
    add("--install", action="store_true", help="install missing programs, with apt-get")
    add(
        "--only",
        action="append",
        choices=names,
        metavar="NAME",
        help=f"run only this program; may be repeated: {', '.join(names)}",
    )
    add(
        "--target",
        type=pathlib.Path,
        default=TARGET,
        metavar="DIRECTORY",
        help="where the examples and health-probe were built (default: %(default)s)",
    )
    return parser.parse_args()


def _unexpected(found, verdicts):
    setups = {(one.id, setup.id): setup for one in found for setup in one.setups}
    return [
        f"{one.program}, {one.setup}, {one.state}, {one.adapter}: found {', '.join(one.texts)};"
        f" expected {', '.join(expected)}"
        for one in verdicts
        if (expected := setups[one.program, one.setup].expects(one.state, one.adapter)) != one.texts
    ]
