"""Configuration files of programs, for a run and for the page.

A file in configs/ is cut into parts by lines that start with `#: `. `config NAME` is what a user copies, `each` is
what a run adds around one of them (`@config@`), `frame` what it adds around all (`@configs@`). Words between `@` are
filled in: only they differ between the page and a run.
"""
import re

from .page import HERE
from .process import Failure


class Configs:
    """The parts of a file in configs/."""

    def __init__(self, name, directory=HERE / "configs"):
        self._path = directory / name
        self._parts = {}
        lines = []
        for line in self._path.read_text().splitlines():
            if line.startswith("#: "):
                lines = self._parts.setdefault(line.removeprefix("#: "), [])
            else:
                lines.append(line)

    def part(self, name, values):
        """Returns a part with its words filled in."""
        try:
            return fill("\n".join(self._parts[name]).strip("\n"), values)
        except KeyError as error:
            raise Failure(f"{self._path}, {name}: there is no value for {error}") from error


def fill(text, values):
    """Returns the text with its words filled in."""
    return re.sub(r"@([a-z]+)@", lambda match: str(values[match[1]]), text)
