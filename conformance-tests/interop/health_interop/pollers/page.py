"""docs/load-balancers.md: page.md, with what was found."""
import difflib
import re

from .servers import ADAPTERS

# Between these lines stands what is said of one program, so that a page can be compared without it.
BEGIN, END = "<!-- {} -->", "<!-- end -->"


class Page:
    def __init__(self, here, states, described, programs, found):
        self._here = here
        self._states = states
        self._described = described
        self._programs = {program.about.id: program for program in programs}
        self._found = {(one.program, one.setup, one.state, one.adapter): one for one in found}

    def text(self):
        rolling = self._here / "rolling.md"
        parts = {
            "summary": self._summary(),
            "programs": "\n\n".join(self._section(about) for about in self._described),
            "rolling": rolling.read_text().strip() if rolling.exists() else "",
        }
        text = (self._here / "page.md").read_text()
        text = re.sub(r"^@([a-z]+)@$", lambda match: parts[match[1]], text, flags=re.M)
        return re.sub(r"\n{3,}", "\n\n", text)

    def differs_from(self, path):
        """How the page at a path differs, in what was run and what is always there; versions aside."""
        names = [path.name, "this run"]
        texts = [self._comparable(text).splitlines() for text in (path.read_text(), self.text())]
        return list(difflib.unified_diff(*texts, *names, lineterm="", n=1))

    def _comparable(self, text):
        for about in self._described:
            if about.id not in self._programs:
                text = re.sub(f"{re.escape(BEGIN.format(about.id))}.*?{END}", "", text, flags=re.S)
                text = re.sub(rf"^\| {re.escape(about.name)} \|.*\n", "", text, flags=re.M)
        return re.sub(r"^Version [0-9.]+\.", "Version.", text, flags=re.M)

    def _summary(self):
        columns = self._columns()
        names = [", ".join(state.name for state in states) for states in columns]
        rows = [["program", "asks", "set up as", *names]]
        for about in self._described:
            program = self._programs.get(about.id)
            if program is None:
                rows.append([about.name, "", "*not run*", *("" for _ in columns)])
                continue
            for setup in about.setups:
                for adapters, table in self._by_adapters(about, setup):
                    cells = [program.sums_up(table[states[0].id]) for states in columns]
                    rows.append([about.name, f"`{setup.endpoint.preset}`", _named(setup, adapters), *cells])
        return _table(rows)

    def _columns(self):
        """Groups of states that no setup tells apart: by what is expected, which holds for what was not run."""
        groups = {}
        for state in self._states:
            expected = [
                setup.expects(state.id, adapter)
                for about in self._described
                for setup in about.setups
                for adapter in ADAPTERS
            ]
            groups.setdefault(tuple(expected), []).append(state)
        return list(groups.values())

    def _section(self, about):
        program = self._programs.get(about.id)
        lines = [BEGIN.format(about.id), f"### {about.name}", ""]
        if program is None:
            lines += ["*Not run*: it was not there when this page was made.", "", END]
            return "\n".join(lines)
        lines += [f"Version {program.version()}. {about.says.strip()}", ""]
        for config in about.configs:
            lines += self._config(about, program, config)
        rows = [["set up as", "endpoint", "state", "answer", *about.columns]]
        for setup in about.setups:
            for adapters, table in self._by_adapters(about, setup):
                for states, texts in self._by_texts(table):
                    rows.append([_named(setup, adapters), f"`{setup.endpoint.preset}`", states, *texts])
        lines += [_table(rows), "", END]
        return "\n".join(lines)

    def _config(self, about, program, config):
        of_it = [setup for setup in about.setups if setup.config is config]
        asks = "" if about.passive else self._asked(about, of_it)
        lines = [f"**`{config.id}`**: {config.says}{asks}", ""]
        if config.shown:
            text = program.page_text(config, of_it[0].endpoint.asked)
            lines += [f"```{about.language}", text, "```", ""]
        return lines

    def _asked(self, about, setups):
        """How a program asked with a configuration; the path aside it is always the same."""
        asked = {
            one.asked.replace(setup.endpoint.asked, "PATH")
            for setup in setups
            for one in self._found.values()
            if (one.program, one.setup) == (about.id, setup.id)
        }
        return f" Asks {' or '.join(sorted(asked))}."

    def _by_adapters(self, about, setup):
        """Groups of adapters where the same was found, with that; the largest group first."""
        groups = {}
        for adapter in ADAPTERS:
            texts = [self._found[about.id, setup.id, one.id, adapter].texts for one in self._states]
            groups.setdefault(tuple(texts), []).append(adapter)
        largest_first = sorted(groups.items(), key=lambda item: -len(item[1]))
        for texts, adapters in largest_first:
            yield adapters, dict(zip((one.id for one in self._states), texts))

    def _by_texts(self, table):
        """Groups of states where the same was found, with that."""
        groups = {}
        for state in self._states:
            groups.setdefault(table[state.id], []).append(state.name)
        for texts, names in groups.items():
            yield ", ".join(names), texts


def _named(setup, adapters):
    """The configuration, and the servers that the row is of, unless that is most."""
    some = "" if len(adapters) > len(ADAPTERS) / 2 else f", {', '.join(adapters)}"
    return f"`{setup.config.id}`{some}"


def _table(rows):
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])
