"""The block of docs/slow-requests.md."""
from ..page import ROOT, table
from .requests import KINDS

PATH = ROOT / "docs/slow-requests.md"


def put_into(page, results):
    """Puts the results of all frameworks into the page."""
    page.replace("slow", table([["request", *results], *_rows(results)]))


def _rows(results):
    for name, kind in KINDS.items():
        yield [kind.__doc__, *(_cell(found.get(name)) for found in results.values())]
    yield ["process, at most", *(f"{max(one['process'] for one in found.values()):.1f} s" for found in results.values())]


def _cell(found):
    return f"{found['request']:.1f} s" if found else "–"
