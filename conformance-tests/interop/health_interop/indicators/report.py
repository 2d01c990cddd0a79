"""The matrix, as blocks of docs/indicators.md, and as lines with exact times."""
import re

from ..page import ROOT, table

PATH = ROOT / "docs/indicators.md"

# The groups of rows, and what they are called in the page.
NAMES = {
    "files": "this host",
    "process": "this process",
    "postgres": "PostgreSQL",
    "pgbouncer": "PostgreSQL through pgbouncer",
    "mariadb": "MariaDB",
    "redis": "Redis",
    "rabbitmq": "RabbitMQ",
    "nats": "NATS",
    "memcached": "memcached",
    "mosquitto": "mosquitto",
    "s3": "S3 (moto)",
    "names": "dnsmasq",
    "kafka": "Kafka (mock)",
    "web": "HTTP",
    "grpc": "gRPC",
    "tls": "TLS",
}

# The columns, and what they are called in the page.
CASES = {
    "up": "up",
    "refused": "refused",
    "silent": "silent",
    "half-open": "half-open after idle",
    "reset": "reset",
    "cut": "cut in a response",
    "frozen": "SIGSTOP",
    "restarted": "restarted",
    "wrong password": "wrong password",
    "password changed": "password changed",
    "pool busy": "pool full, moving",
    "pool stuck": "pool stuck",
    "no writes": "read-only, blocked or full",
    "gone": "name or file gone",
    "slow": "slow (0.9 × timeout)",
}


def put_into(page, results, keep):
    """Puts the tables into the page. What was not run keeps what the page says, if wanted."""
    bounds = ["fault detected within", "recovery within", "connections if it is up", "at once at most"]
    for name, columns, describe in ("matrix", CASES.values(), _verdicts), ("bounds", bounds, _bounds):
        before = dict(_rows(page.block(name))) if keep else {}
        page.replace(name, _table(["server", "indicator", *columns], results, before, describe))


def _rows(block):
    """Yields the rows of a table: the server and the indicator, and the cells."""
    for line in block.splitlines()[2:]:
        server, indicator, *cells = re.split(r" *\| *", line.strip())[1:-1]
        yield (server, indicator), cells


def _table(head, results, before, describe):
    rows = [head]
    for group, name in NAMES.items():
        found = results.get(group)
        if isinstance(found, dict):
            rows += ([name, indicator, *describe(cells, before.get((name, indicator)))] for indicator, cells in found.items())
            continue
        kept = [[*key, *cells] for key, cells in before.items() if key[0] == name]
        if found and not kept:
            kept = [[name, f"NOT RUN: {found}", *[""] * (len(head) - 2)]]
        rows += kept
    return table(rows)


def _verdicts(cells, before):
    for index, case in enumerate(CASES):
        verdict = cells[case]["verdict"] if case in cells else "–"
        yield before[index] if before and verdict.startswith("NOT RUN") else verdict


def _bounds(cells, _):
    detected = [case for case, cell in cells.items() if cell["detected"] is not None]
    bounds = ["the timeout"] if detected else []
    bounds += ["stuck after + period"] if "pool stuck" in cells else []
    yield "; ".join(bounds) or "–"
    row = next(iter(cells.values()))["row"]
    recovery = "period + retry delay" if row["waits"] else "period"
    yield recovery if any(cell["recovered"] is not None for cell in cells.values()) else "–"
    yield row["healthy"]
    yield str(row["at_once"] or "–")


def lines(results):
    """Yields a line for each cell, with exact times."""
    for group, indicator, case, cell in _cells(results):
        times = [f"{what} {cell[what]:.2f} s" for what in ("detected", "recovered", "longest") if cell[what] is not None]
        counts = f"{cell['accepted']} connections, {cell['most']} at once"
        message = f" ({' '.join(cell['message'].split())})" if cell["message"] else ""
        yield f"{group}, {indicator}, {case}: {', '.join([cell['verdict'], *times, counts])}{message}"


def problems(results):
    """Returns what must not happen."""
    return [f"{group}, {name}, {case}: {wrong}" for group, name, case, cell in _cells(results) for wrong in cell["wrong"]]


def not_run(results):
    """Returns what was not run."""
    groups = [f"{NAMES[group]}: NOT RUN: {found}" for group, found in results.items() if isinstance(found, str)]
    cells = (cell for cell in _cells(results) if cell[3]["verdict"].startswith("NOT RUN"))
    return groups + [f"{group}, {name}, {case}: {cell['verdict']}" for group, name, case, cell in cells]


def _cells(results):
    for group, found in results.items():
        if isinstance(found, dict):
            for indicator, cells in found.items():
                for case, cell in cells.items():
                    yield group, indicator, case, cell
