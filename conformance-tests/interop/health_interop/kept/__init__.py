"""Many connections that are kept while a server drains."""
import argparse
import json
import pathlib
import subprocess
import tempfile

from ..page import ROOT, Page, table
from ..process import Failure, Processes, free_port
from ..servers import FRAMEWORKS, TARGET, Instance, example

# The seconds of the drain, and those within which half of the clients send another request.
DELAY = 5
WITHIN = 4


def main(description):
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--framework", choices=list(FRAMEWORKS), default="axum")
    add("--connections", type=int, default=10_000, help="(default: %(default)s)")
    add("--examples", type=pathlib.Path, default=TARGET / "examples", help="where the examples were built")
    add("--write", action="store_true", help="write the result to docs/direct-clients.md")
    options = parser.parse_args()
    counts = run(options)
    lines = _table(counts)
    print(lines)
    if options.write:
        page = Page(ROOT / "docs/direct-clients.md")
        page.replace("kept", lines)
        page.write()
    if counts["lost"]:
        raise Failure(f"{counts['lost']} requests were lost")


def run(options):
    """Returns the times in milliseconds at which clients were told and idle connections closed."""
    program = options.examples / "kept_connections"
    if not program.exists():
        raise Failure(f"{program} does not exist: run cargo build -p health-interop --example kept_connections")
    with tempfile.TemporaryDirectory(prefix="kept-") as directory, Processes() as processes:
        scratch = pathlib.Path(directory)
        server = example(options.examples, options.framework, "drain")
        instance = Instance(processes, server, scratch, "server", free_port(), DELAY * 1000)
        arguments = [f"--port={instance.port}", f"--connections={options.connections}", f"--within={WITHIN}"]
        clients = processes.start([program, *arguments], scratch / "clients.log", stdin=subprocess.PIPE)
        clients.wait_for_line("READY")
        clients.stdin.write(b"drain\n")
        clients.stdin.flush()
        instance.terminate()
        clients.wait_for_end("the end of the server")
        return json.loads(next(clients.lines()))


def _table(counts):
    times = [*counts["told"], *counts["idle"]]
    steps = range(0, max(times) + 1, 100)
    count = lambda kind, step: sum(step <= time < step + 100 for time in counts[kind])
    rows, quiet = [], None
    for step in steps:
        told, idle = count("told", step), count("idle", step)
        rows.append((step, told, idle))
    head = ["since the signal", "told by a response", "idle, closed"]
    # Whole seconds while nothing idle closes, tenths where it does.
    first = min(counts["idle"], default=0) // 100 * 100
    body = []
    for second in range(0, first, 1000):
        end = min(second + 1000, first)
        body.append([f"{second / 1000:.1f} to {end / 1000:.1f} s", _sum(rows, 1, second, end), _sum(rows, 2, second, end)])
    for step, told, idle in rows:
        if step >= first:
            body.append([f"{step / 1000:.1f} to {step / 1000 + 0.1:.1f} s", f"{told:,}", f"{idle:,}"])
    return table([head, *body])


def _sum(rows, column, begin, end):
    return f"{sum(row[column] for row in rows if begin <= row[0] < end):,}"
