"""Configuration files as they stand in configs/, filled in for the page or for a run.

A file is cut into parts by lines that start with `#: `. `config NAME` is what a user copies. `frame` is what
a run needs around all of them (`@configs@`), `each` around one (`@config@`): sockets, directories and ports of
its own. Of what a user copies, only the words between `@` differ in a run: ports, names and intervals.
"""
import re


class Configs:
    def __init__(self, path):
        self._path = path
        self._parts = {}
        lines = []
        for line in path.read_text().splitlines():
            if line.startswith("#: "):
                lines = self._parts.setdefault(line.removeprefix("#: "), [])
            else:
                lines.append(line)

    def part(self, name, values):
        """A part, with a value for each word."""
        text = "\n".join(self._parts[name]).strip("\n")
        try:
            return fill(text, values)
        except KeyError as error:
            raise ValueError(f"{self._path}, {name}: nothing is known of {error}") from error


def fill(text, values):
    """The text with a value for each word."""
    return re.sub(r"@([a-z]+)@", lambda match: str(values[match[1]]), text)
