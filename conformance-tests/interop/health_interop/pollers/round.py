"""One round: every program that is there, on every server, through every state."""
import concurrent.futures
import dataclasses
import time

from . import programs
from .process import RunError
from .programs.program import Target
from .relay import Relays
from .servers import ADAPTERS
from .states import Servers


@dataclasses.dataclass(frozen=True)
class Found:
    """What a program concluded of one server in one state."""

    program: str
    setup: str
    state: str
    adapter: str
    texts: tuple  # the code of the answer, then one text for each column of the program
    asked: str  # how the program asked


class Round:
    def __init__(self, examples, states, endpoints, described, configs, scratch):
        self._states = states
        relays = Relays()
        around = {"neighbour": relays.neighbour, "configs": configs}
        found = [programs.of(one, scratch=scratch / one.id, **around) for one in described]
        self.programs = [one for one in found if one.find()]
        if not self.programs:
            raise RunError("none of the programs asked for is there")
        self._servers = Servers(examples, relays, endpoints, scratch)

    def play(self, report):
        """All that was found; `ok` comes several times."""
        self._each(self._watch)
        found = []
        for state in self._sequence():
            began = time.monotonic()
            self._servers.enter(state)
            for program in self.programs:
                program.changed()
            for some in self._each(lambda program: self._conclude(program, state)):
                found.extend(some)
            report(f"{state}: {time.monotonic() - began:.1f} s")
        return found

    def _sequence(self):
        """Every state, each right after the one that it comes from."""
        now = None
        for state in self._states:
            if state.after not in (None, now):
                yield state.after
            yield state.id
            now = state.id

    def _watch(self, program):
        program.watch(
            [
                Target(setup, adapter, self._servers.relay(adapter))
                for setup in program.about.setups
                for adapter in ADAPTERS
            ]
        )

    def _conclude(self, program, state):
        return [
            Found(
                program.about.id,
                target.setup.id,
                state,
                target.adapter,
                program.conclude(target),
                target.asked(),
            )
            for target in program.targets
        ]

    def _each(self, do):
        """Does something for all programs, side by side."""
        with concurrent.futures.ThreadPoolExecutor(len(self.programs)) as pool:
            return list(pool.map(do, self.programs))
