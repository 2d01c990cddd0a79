"""The command line of the restarts without a load balancer."""
import argparse
import json
import pathlib

from .. import tools
from ..page import Page
from ..process import Failure
from ..servers import FRAMEWORKS, TARGET, example
from . import report, selftest
from .clients import KINDS, KINDS_OF
from .counting import figures, wrong
from .run import Load, run

PACKAGE = "health-interop"

# The frameworks whose examples respond to HTTP/2 with prior knowledge.
HTTP2 = ["axum", "warp", "poem", "hyper"]


def main(description):
    options = _options(description)
    clients = options.clients or options.examples / "direct_clients"
    if not clients.exists():
        raise Failure(f"{clients} does not exist: run cargo build --example direct_clients -p {PACKAGE}")
    if options.self_test:
        return selftest.run(clients)
    results = {}
    if options.results and options.results.exists():
        results = json.loads(options.results.read_text())
    contradictions = []
    for framework, load in _runs(options):
        counts = run(example(options.examples, framework, "drain"), clients, load)
        found = figures(counts, load.connections)
        name = f"{framework}, HTTP/{load.http}, {load.connections} connections, {load.kind}"
        _print(name, found)
        for sentence in wrong(load.kind, found, options.tolerate):
            contradictions.append(f"{name}: {sentence}")
            print(json.dumps([counts["drains"], counts["samples"]]), flush=True)
        path = [framework, load.http, str(load.connections)]
        place = results
        for part in path:
            place = place.setdefault(part, {})
        place[load.kind] = found
        if options.results:
            options.results.write_text(json.dumps(results, indent=1))
    if options.write:
        page = Page(report.PATH)
        page.replace(options.write, report.block(results))
        page.write()
    if contradictions:
        raise Failure("\n".join(contradictions))


def _runs(options):
    """Yields the framework and the load of each run."""
    for framework in options.frameworks:
        for http in options.http:
            if http == "2" and framework not in HTTP2:
                continue
            for connections in options.connections:
                for kind in options.kinds:
                    if kind in KINDS_OF[http]:
                        numbers = (options.requests, options.restarts, options.delay, options.pause, options.streams)
                        yield framework, Load(http, kind, connections, *numbers)


def _print(name, found):
    print(
        f"{name}: {found['lost']} of {found['sent']} lost in {found['restarts']} restarts of {found['median']:.2f} s,"
        f" at most {found['max']:.2f} s; {found['connections']} connections, {found['announced']} announcements in"
        f" {found['responses']} responses of drains, {found['repeated']} repeated",
        found["reasons"] or "",
        flush=True,
    )


def _numbers(text):
    return list(map(int, text.split(",")))


def _options(description):
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--requests", type=int, default=100_000, help="requests of a run, at least (default: %(default)s)")
    add("--restarts", type=int, default=4, help="restarts of a run, at least (default: %(default)s)")
    add("--connections", type=_numbers, default=[64, 512], help="connections of a run (default: 64,512)")
    add("--delay", type=int, default=1000, help="delay of the drain, in milliseconds (default: %(default)s)")
    pause = "longest pause between two requests of a connection, in milliseconds (default: %(default)s)"
    add("--pause", type=int, default=200, help=pause)
    streams = "requests that a connection of HTTP/2 has at the same time, at most (default: %(default)s)"
    add("--streams", type=int, default=4, help=streams)
    tolerate = "requests that clients of the kind heeding may lose in a run (default: %(default)s)"
    add("--tolerate", type=int, default=0, help=tolerate)
    add("--examples", type=pathlib.Path, default=TARGET / "examples", help="where the examples were built")
    add("--clients", type=pathlib.Path, help="the program direct_clients, if it is not there")
    add("--results", type=pathlib.Path, help="a JSON file that the results are added to")
    add("--write", metavar="BLOCK", help=f"write all results in that file to a block of {report.PATH.name}")
    add("--self-test", action="store_true", help="test the clients, and do nothing else")
    for what, names in ("frameworks", FRAMEWORKS), ("http", KINDS_OF), ("kinds", KINDS):
        add(f"--{what}", type=tools.some_of(names), default=list(names), help=f"some of {','.join(names)}")
    return parser.parse_args()
