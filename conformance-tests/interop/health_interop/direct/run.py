"""One run: two instances, their clients, and restarts in turn."""
import pathlib
import tempfile
import time
from dataclasses import dataclass

from ..process import Processes, free_port
from ..servers import Instance
from .clients import KINDS, Clients, lost


@dataclass
class Load:
    """What the clients do, and for how long."""

    http: str  # the protocol
    kind: str  # of client
    connections: int
    requests: int  # at least
    restarts: int  # at least
    delay: int  # of a drain, in milliseconds
    pause: int  # between two requests of a connection, in milliseconds, at most
    streams: int  # requests that a connection of HTTP/2 has at the same time, at most

    def options(self):
        """Returns the options of the clients."""
        options = {name: getattr(self, name) for name in ("http", "connections", "pause", "streams")}
        return [*(f"--{name}={value}" for name, value in options.items()), *KINDS[self.kind]]


def run(program, clients, load):
    """Restarts the instances in turn, under load, until there were so many requests and restarts. Returns the counts,
    with those of the drains."""
    with (
        tempfile.TemporaryDirectory(prefix="direct-", ignore_cleanup_errors=True) as directory,
        Processes() as processes,
    ):
        scratch = pathlib.Path(directory)
        instances = [Instance(processes, program, scratch, name, free_port(), load.delay) for name in "ab"]
        ports = [instance.port for instance in instances]
        clients = Clients(processes, clients, ports, scratch / "clients.log", load.options())
        drains = []
        before = clients.counts()
        while before["sent"] < load.requests or len(drains) < load.restarts:
            place = len(drains) % 2
            began = time.time()
            instances[place].terminate()
            ended = time.time()
            # Each client must go to the other instance, and use its connection to it.
            time.sleep((load.pause + 100) / 1000)
            after = clients.counts()
            drains.append(drain(place, before, after) | {"began": began, "ended": ended})
            instances[place].start()
            before = clients.counts()
        counts = clients.finish()
        for instance in instances:
            instance.check()
        return counts | {"drains": drains}


def drain(place, before, after):
    """Returns what was counted in the drain of an instance."""
    counts = {name: after[name][place] - before[name][place] for name in ("responses", "announced")}
    return counts | {"lost": lost(after) - lost(before)}
