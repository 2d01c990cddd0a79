"""The blocks of the page that a run of the pollers makes."""
from ..page import row, table
from ..servers import FRAMEWORKS


class Report:
    """Puts verdicts into the page. The parts about programs that were not run stay."""

    def __init__(self, states, descriptions, programs, verdicts):
        self._states = states
        self._descriptions = descriptions
        self._programs = programs
        self._verdicts = {(one.program, one.setup, one.state, one.adapter): one for one in verdicts}

    def put_into(self, page):
        for program in self._programs:
            page.replace(program.description.id, self._section(program))
        page.replace("summary", self._summary(page.block("summary").splitlines()))

    def _summary(self, old):
        groups = self._groups_of_states()
        names = [", ".join(state.name for state in states) for states in groups]
        lines = [table([["program", "endpoint", "configuration", *names]])]
        programs = {program.description.id: program for program in self._programs}
        for description in self._descriptions:
            program = programs.get(description.id)
            if program is None:
                lines += [line for line in old if line.startswith(f"| {description.name} |")]
                continue
            for setup in description.setups:
                for adapters, texts in self._by_adapters(description, setup):
                    cells = [program.summary(texts[states[0].id]) for states in groups]
                    lines.append(row([description.name, *_named(setup, adapters), *cells]))
        return "\n".join(lines)

    def _groups_of_states(self):
        """Groups states that no setup tells apart, by what is expected: that is known for all programs."""
        groups = {}
        for state in self._states:
            expected = tuple(
                setup.expects(state.id, adapter)
                for description in self._descriptions
                for setup in description.setups
                for adapter in FRAMEWORKS
            )
            groups.setdefault(expected, []).append(state)
        return list(groups.values())

    def _section(self, program):
        description = program.description
        lines = [f"### {description.name}", "", f"Version {program.version()}. {description.text.strip()}", ""]
        for config in description.configs:
            lines += self._config(program, config)
        rows = [["endpoint", "configuration", "state", "status", *description.columns]]
        for setup in description.setups:
            for adapters, texts in self._by_adapters(description, setup):
                for states, columns in self._by_texts(texts):
                    rows.append([*_named(setup, adapters), states, *columns])
        return "\n".join([*lines, table(rows)])

    def _config(self, program, config):
        description = program.description
        setups = [setup for setup in description.setups if setup.config is config]
        request = "" if description.passive else self._request(description, setups)
        lines = [f"**`{config.id}`**: {config.text}{request}", ""]
        if config.shown:
            text = program.page_text(config, setups[0].endpoint)
            lines += [f"```{description.language}", text, "```", ""]
        return lines

    def _request(self, description, setups):
        """Says how a program polled with a configuration; only the path depends on the endpoint."""
        requests = {
            one.request.replace(setup.endpoint.target, "PATH")
            for setup in setups
            for one in self._verdicts.values()
            if (one.program, one.setup) == (description.id, setup.id)
        }
        return f" Sends {' or '.join(sorted(requests))}."

    def _by_adapters(self, description, setup):
        """Yields groups of adapters with the same verdicts, and these by state; the largest group first."""
        groups = {}
        for adapter in FRAMEWORKS:
            texts = tuple(
                self._verdicts[description.id, setup.id, state.id, adapter].texts for state in self._states
            )
            groups.setdefault(texts, []).append(adapter)
        for texts, adapters in sorted(groups.items(), key=lambda item: -len(item[1])):
            yield adapters, dict(zip((state.id for state in self._states), texts))

    def _by_texts(self, texts):
        """Yields groups of states with the same verdict, and that."""
        groups = {}
        for state in self._states:
            groups.setdefault(texts[state.id], []).append(state.name)
        for columns, names in groups.items():
            yield ", ".join(names), columns


def _named(setup, adapters):
    """Returns the endpoint and the configuration, with the servers of a row unless they are most servers."""
    some = "" if len(adapters) > len(FRAMEWORKS) / 2 else f", {', '.join(adapters)}"
    return f"`{setup.endpoint.preset}`", f"`{setup.config.id}`{some}"
