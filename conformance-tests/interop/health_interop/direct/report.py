"""The blocks of docs/direct-clients.md."""
from ..page import ROOT, table
from ..servers import FRAMEWORKS
from .clients import KINDS, KINDS_OF

PATH = ROOT / "docs/direct-clients.md"

COLUMNS = {
    "heeding": "lost, (a) heeding",
    "looking": "lost, (b) looking",
    "ignoring": "lost, (c) ignoring",
}


def block(results):
    """Returns the table of all runs."""
    head = ["framework", "HTTP", "connections", *COLUMNS.values(), "told while draining", "SIGTERM to exit"]
    return table([head, *_rows(results)])


def _rows(results):
    for framework in FRAMEWORKS:
        for http in KINDS_OF:
            for connections, kinds in results.get(framework, {}).get(http, {}).items():
                yield [
                    framework,
                    http,
                    connections,
                    *(_lost(kinds.get(kind)) for kind in COLUMNS),
                    _told(kinds.get("heeding")),
                    _seconds(kinds),
                ]


def _lost(found):
    if not found:
        return "–"
    if not found["lost"]:
        return f"**0** of {found['sent']:,}"
    return f"{found['lost']:,} of {found['sent']:,}: {found['each']:.2f}"


def _told(found):
    return f"{found['announced']:,} of {found['responses']:,}" if found else "–"


def _seconds(kinds):
    found = kinds.get("heeding") or next(kind for kind in kinds.values())
    return f"{found['median']:.2f} s, at most {found['max']:.2f} s"
