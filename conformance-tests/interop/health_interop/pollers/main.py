"""The command line: one round of all programs, held against what is expected and against the page."""
import argparse
import pathlib
import signal
import sys
import tempfile

from . import descriptions, install, process
from .page import Page
from .process import RunError
from .round import Round

HERE = pathlib.Path(__file__).resolve().parents[2]
ROOT = HERE.parent.parent
PAGE = ROOT / "docs/load-balancers.md"


def main(description):
    options = _arguments(description)
    signal.signal(signal.SIGTERM, _ended)
    process.places.append(str(options.target.resolve()))
    states, endpoints, described = descriptions.load(HERE / "programs")
    wanted = [one for one in described if not options.only or one.id in options.only]
    try:
        if options.install:
            install.missing(wanted)
        programs, found = _round(options, states, endpoints, wanted)
    except RunError as error:
        sys.exit(f"FAILED: {error}")
    for about in wanted:
        ran = any(one.about is about for one in programs)
        print(f"{about.name}: {'run' if ran else 'NOT RUN: it is not there'}")
    differences = _differences(described, found)
    if differences:
        sys.exit("\n".join([*differences, f"FAILED: {len(differences)} verdicts are not as expected"]))
    print(f"{len(found)} verdicts, all as expected")
    page = Page(HERE, states, described, programs, found)
    if options.check or options.only:
        stale = page.differs_from(PAGE)
        if stale:
            sys.exit("\n".join([*stale, f"FAILED: docs/{PAGE.name} is out of date: run this without --check"]))
    else:
        PAGE.write_text(page.text())


def _arguments(description):
    parser = argparse.ArgumentParser(
        prog="conformance-tests/interop/pollers",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="compare the page, and do not write it")
    parser.add_argument("--install", action="store_true", help="install what is missing, with apt-get")
    names = sorted(path.stem for path in (HERE / "programs").iterdir() if path.stem != "common")
    parser.add_argument(
        "--only",
        action="append",
        choices=names,
        metavar="NAME",
        help=f"run only this one, and write no page: {', '.join(names)}; may be repeated",
    )
    parser.add_argument(
        "--target",
        type=pathlib.Path,
        default=ROOT / "target/debug",
        metavar="DIRECTORY",
        help="where cargo has put the testee programs and health-probe (target/debug)",
    )
    return parser.parse_args()


def _ended(*_):
    process.stop_waiting()
    sys.exit("ended by SIGTERM")


def _round(options, states, endpoints, described):
    with tempfile.TemporaryDirectory(prefix="pollers-") as scratch:
        # Programs that give up being root must still reach what is theirs.
        pathlib.Path(scratch).chmod(0o755)
        try:
            one = Round(
                options.target.resolve() / "examples",
                states,
                endpoints,
                described,
                HERE / "configs",
                pathlib.Path(scratch),
            )
            return one.programs, one.play(lambda line: print(line, flush=True))
        finally:
            process.end_all()


def _differences(described, found):
    expected = {(about.id, setup.id): setup for about in described for setup in about.setups}
    return [
        f"{one.program}, {one.setup}, {one.state}, {one.adapter}: found {', '.join(one.texts)};"
        f" expected {', '.join(expects)}"
        for one in found
        if (expects := expected[one.program, one.setup].expects(one.state, one.adapter)) != one.texts
    ]
