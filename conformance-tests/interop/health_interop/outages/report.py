"""The blocks of docs/shared-dependencies.md."""
from .. import tools
from ..page import ROOT, table
from . import postgres
from .counting import KINDS, OUTAGES
from .proxies import PROXIES

PATH = ROOT / "docs/shared-dependencies.md"

NAMES = {
    "required": "(a) required",
    "shared": "(b) `shared`",
    "rejecting": "(c) `shared`, rejecting",
    "peers": "(d) `shared`, rejecting, peers",
}


def put_into(page, results):
    """Puts the results of all runs into the page."""
    head = ["proxy", "check"]
    paced, full = (list(_runs(results, load)) for load in ("paced", "full"))
    counts = [f"{outage}: {what}" for outage in OUTAGES for what in ("others lost", "queries failed")]
    columns = ["load", *head, "instances that left", *counts]
    page.replace("outages", f"{table([columns, *_outages(paced + full)])}\n\n{_versions()}")
    columns = [
        "others fail for",
        "queries fail for",
        "queries",
        "queries at the busiest instance",
        "connections to the database",
    ]
    page.replace("recoveries", table([["database was", *head, *columns], *_recoveries(paced)]))
    columns = [*head, "instances that left", "others lost", "queries failed"]
    page.replace("cut", table([columns, *_cut(paced)]))


def _runs(results, load):
    """Yields the proxy, the check and the counts of each run under a load."""
    for name, proxy in PROXIES.items():
        for kind in KINDS:
            if found := results.get(load, {}).get(name, {}).get(kind):
                yield proxy.name, NAMES[kind], found


def _versions():
    versions = [f"PostgreSQL {tools.version(postgres.program('postgres'), '--version')}"]
    versions += (f"{proxy.name} {proxy.version()}" for proxy in PROXIES.values())
    return f"Versions: {', '.join(versions)}."


def _outages(runs):
    for proxy, name, result in runs:
        load = f"{result['rate']:,}/s" if result["rate"] else "full"
        left = sorted({len(result[outage]["left"]) for outage in OUTAGES})
        counts = [_failed(result[outage][kind]) for outage in OUTAGES for kind in ("static", "queries")]
        yield [f"{load}, {result['seconds']:g} s", proxy, name, ", ".join(map(str, left)), *counts]


def _recoveries(runs):
    for outage in OUTAGES:
        for proxy, name, result in runs:
            until = result[outage]["failed_until"]
            recovery = result[outage]["recovery"]
            peaks = [_peak(recovery[what]) for what in ("queries", "busiest", "connections")]
            yield [outage, proxy, name, _seconds(until["static"]), _seconds(until["queries"]), *peaks]


def _cut(runs):
    for proxy, name, result in runs:
        found = result["cut"]
        left = ", ".join(found["left"]) or "none"
        counts = [_failed(found[kind]) for kind in ("static", "queries")]
        yield [proxy, name, left, *counts]


def _failed(counts):
    return f"{'**0**' if counts['failed'] == 0 else format(counts['failed'], ',')} of {counts['sent']:,}"


def _seconds(time):
    return f"{time:.1f} s" if time else "–"


def _peak(figures):
    if figures["ratio"] is None:
        return "none"
    return f"{figures['peak']} of {figures['total']:,}, ×{figures['ratio']:.1f}"
