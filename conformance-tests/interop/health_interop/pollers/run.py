"""One run: every program that is installed polls every server, in every state."""
import concurrent.futures
import dataclasses
import pathlib
import tempfile
import time

from ..process import Processes
from ..servers import FRAMEWORKS
from .program import Target
from .programs import kind
from .relay import Relays
from .states import Servers


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a program concluded about one server in one state."""

    program: str
    setup: str
    state: str
    adapter: str
    texts: tuple  # the status code, then one text for each column of the program
    request: str  # the request of the program


def run(examples, states, endpoints, descriptions, report):
    """Returns the programs and all their verdicts; `ok` comes several times."""
    with (
        tempfile.TemporaryDirectory(prefix="pollers-", ignore_cleanup_errors=True) as directory,
        # Its threads start processes, which end with them: they last as long as the run.
        concurrent.futures.ThreadPoolExecutor(len(descriptions)) as pool,
        Processes() as processes,
    ):
        scratch = pathlib.Path(directory)
        # Programs that drop root privileges must still reach their files.
        scratch.chmod(0o755)
        relays = Relays()
        servers = Servers(processes, examples, relays, endpoints, scratch)
        programs = [kind(one)(one, processes, scratch, relays.neighbour) for one in descriptions]

        def each(do):
            return list(pool.map(do, programs))

        each(lambda program: program.watch(_targets(program, servers)))
        verdicts = []
        for state in _sequence(states):
            began = time.monotonic()
            servers.enter(state)
            for program in programs:
                program.state_changed()
            for found in each(lambda program: _verdicts(program, state)):
                verdicts += found
            report(f"{state}: {time.monotonic() - began:.1f} s")
        return programs, verdicts


def _sequence(states):
    """Yields every state, each right after the state that it comes from."""
    current = None
    for state in states:
        if state.after not in (None, current):
            yield state.after
        yield state.id
        current = state.id


def _targets(program, servers):
    return [
        Target(program.description.name, setup, adapter, servers.relay(adapter))
        for setup in program.description.setups
        for adapter in FRAMEWORKS
    ]


def _verdicts(program, state):
    id = program.description.id
    return [
        Verdict(id, target.setup.id, state, target.adapter, program.verdict(target), target.request())
        for target in program.targets
    ]
