"""Pages with figures, such as docs/load-balancers.md: the prose is written by hand, the blocks are generated.

A block stands between the lines `<!-- generated: NAME -->` and `<!-- end -->`.
"""
import difflib
import pathlib
import re

from .process import Failure

HERE = pathlib.Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
PATH = ROOT / "docs/load-balancers.md"


class Page:
    """The page as it is, and what its blocks should be."""

    def __init__(self, path=PATH):
        self._path = path
        self._old = self._new = path.read_text()

    def block(self, name):
        """Returns a block of the page as it is."""
        return self._find(name)[1]

    def replace(self, name, text):
        """Sets a block."""
        start, end = self._find(name).span(1)
        self._new = f"{self._new[:start]}{text.strip()}\n{self._new[end:]}"

    def write(self):
        """Writes the page with the blocks that were set."""
        self._path.write_text(self._new)

    def check(self):
        """Fails if a block that was set differs from the page, versions of programs aside."""
        texts = [
            re.sub(r"^Version [0-9.]+\.", "Version.", text, flags=re.M).splitlines() for text in (self._old, self._new)
        ]
        differences = "\n".join(difflib.unified_diff(*texts, "the page", "this run", lineterm="", n=1))
        if differences:
            raise Failure(f"{self._path.name} is out of date; run the command without --check\n{differences}")

    def _find(self, name):
        begin = f"<!-- generated: {name} -->\n"
        block = re.search(f"^{re.escape(begin)}(.*?)^<!-- end -->$", self._new, re.M | re.S)
        if block is None:
            raise Failure(f"{self._path.name} has no block {name}: add the lines {begin.strip()} and <!-- end -->")
        return block


def table(rows):
    """Returns a table; the first row is its head."""
    head, *body = map(row, rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def row(cells):
    """Returns a row of a table."""
    return f"| {' | '.join(cells)} |"
