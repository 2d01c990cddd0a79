"""The command line of the scrapes."""
import argparse
import pathlib

from .. import tools
from ..process import Failure
from ..servers import TARGET
from . import formats, rules
from .run import run

PACKAGES = {"prometheus": "prometheus", "promtool": "prometheus"}


def main(description):
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--examples", type=pathlib.Path, default=TARGET / "examples", help="where the examples were built")
    add("--install", action="store_true", help="install Prometheus and the parser of OpenMetrics, as packages of Debian")
    add("--seconds", type=float, default=60, help="how long it scrapes (default: %(default)s)")
    options = parser.parse_args()
    if options.install:
        tools.install(_missing())
    if missing := _missing():
        raise Failure(f"NOT RUN: {' '.join(missing)} not installed; --install installs it")
    program = options.examples / "scraped"
    if not program.exists():
        raise Failure(f"{program} does not exist: run cargo build -p health-interop --example scraped")
    rules.check()
    print("The alerts fire when they should, and not otherwise", flush=True)
    formats.check_files()
    print("promtool and the parser of OpenMetrics accept both formats", flush=True)
    for line in run(program, options.seconds):
        print(line, flush=True)


def _missing():
    """Returns the packages that are not installed."""
    missing = {package for name, package in PACKAGES.items() if not tools.find(name)}
    if not formats.has_parser():
        missing.add("python3-prometheus-client")
    return sorted(missing)
