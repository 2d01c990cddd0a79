"""One run: the servers, and the program that has the indicators."""
import concurrent.futures
import json
import subprocess
import time

from .. import tools
from ..process import Failure
from . import databases, objects, others
from .files import Files
from .limited import Limited
from .own import PROGRAM, Grpc, Kafka, Tls, Web, certificate


# The groups of indicators, and the servers that each needs.
GROUPS = {
    "files": [Files],
    "process": [Limited],
    "postgres": [databases.Postgres],
    "pgbouncer": [databases.Postgres, databases.PgBouncer],
    "mariadb": [databases.MariaDb],
    "redis": [others.Redis],
    "rabbitmq": [others.RabbitMq],
    "nats": [others.Nats],
    "memcached": [others.Memcached],
    "mosquitto": [others.Mosquitto],
    "kafka": [Kafka],
    "web": [Web],
    "grpc": [Grpc],
    "tls": [Tls],
    "s3": [objects.S3],
    "names": [others.Names],
}
# The end of why a server is not run whose program is missing.
NOT_INSTALLED = "is not installed"
LONGEST = 600  # seconds that a run may take, without an idle time that is asked for


def missing(groups):
    """Returns the packages of Debian for servers that are not installed."""
    servers = {server for group in groups for server in GROUPS[group]} | {others.Names}
    return sorted(server.package for server in servers if server.is_of_debian and not server.find())


def run(processes, scratch, groups, disk):
    """Starts the servers and tests the indicators. Returns the results, by group, row and case."""
    with Run(processes, scratch, disk) as this:
        this.start(groups)
        results = {}
        for kind, found in this.found("test", groups):
            results.setdefault(found["group"], {}).setdefault(found["row"], {})[found["case"]] = found["cell"]
        return results | this.not_run


def figures(processes, scratch, disk, idle=None):
    """Starts the servers and measures what indicators cost. Yields each work and its result.

    With `idle`, measures only probes that are so many seconds apart.
    """
    groups = ["postgres", "redis"]
    with Run(processes, scratch, disk) as this:
        this.start(groups)
        for group, why in this.not_run.items():
            raise Failure(f"{group}: NOT RUN: {why}")
        options = ["--idle", str(idle)] if idle else []
        yield from (found for _, found in this.found("figures", groups, options, LONGEST + (idle or 0)))


class Run:
    """The servers, each with a thread that starts it and controls it: a server ends with its thread."""

    def __init__(self, processes, scratch, disk):
        self._processes = processes
        self._scratch = scratch
        self._disk = disk
        self._threads = {}
        self._servers = {}
        self.not_run = {}

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        # The servers end before their threads do.
        self._processes.close()
        for thread in self._threads.values():
            thread.shutdown()

    def start(self, groups):
        """Starts the servers at the same time."""
        # The others need that of names.
        starting = {group: self._begin(group) for group in {"names": None} | dict.fromkeys(groups)}
        for group, server in starting.items():
            if isinstance(server, str):
                self.not_run[group] = server
            else:
                self._servers[group] = server.result()

    def _begin(self, group):
        """Starts the server of a group. Returns the future server, or why it cannot start."""
        for needed in GROUPS[group]:
            if not needed.find():
                return needed.needs if needed is Limited else f"{needed.package} {NOT_INSTALLED}"
        if group in ("names", "files") and not self._disk:
            return "it needs namespaces of the network and of mounts, which only root gets"
        thread = self._threads[group] = concurrent.futures.ThreadPoolExecutor(1, group)
        return thread.submit(self._start, GROUPS[group])

    def _start(self, needed):
        if needed == [Files]:
            return Files(self._disk, certificate(self._scratch)[0])
        if needed == [Limited]:
            return Limited(self._processes)
        # Servers in front of others get these.
        before = []
        for kind in needed:
            before = [kind(self._processes, self._scratch, *before)]
        return before[0]

    def found(self, command, groups, options=(), longest=LONGEST):
        """Runs a command of the program. Yields what it finds out, with the kind."""
        setup = {
            "servers": {name: server.describe() for name, server in self._servers.items()},
            "only": [group for group in groups if group in self._servers],
        }
        tested = self._processes.start(
            [PROGRAM, command, *options, json.dumps(setup)],
            self._scratch / "indicators.log",
            stdin=subprocess.PIPE,
            env=tools.environment(self._scratch, RUST_BACKTRACE="1"),
        )
        if limited := self._servers.get("process"):
            limited.take(tested.pid)
        deadline = time.monotonic() + longest
        while True:
            # Before its last lines are read.
            runs = tested.runs()
            for line in tested.lines():
                kind, _, rest = line.partition(" ")
                if kind == "ASK":
                    self._answer(tested, json.loads(rest))
                elif kind in ("ROW", "FIGURE"):
                    yield kind, json.loads(rest)
                elif kind == "DONE":
                    return
                else:
                    print(line, flush=True)
            if not runs:
                tested.check()
            if time.monotonic() > deadline:
                raise Failure(f"the indicators were not tested within {longest} s")
            time.sleep(0.005)

    def _answer(self, tested, question):
        name = question["server"]
        action, *arguments = question["action"]

        def act():
            try:
                getattr(self._servers[name], action)(*arguments)
                error = ""
            except Exception as problem:
                error = f" {type(problem).__name__} {problem}".replace("\n", " ")
            tested.stdin.write(f"{question['number']}{error}\n".encode())
            tested.stdin.flush()

        self._threads[name].submit(act)
