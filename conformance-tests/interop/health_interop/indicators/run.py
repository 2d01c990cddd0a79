"""One run: the servers, and the program that has the indicators."""
import concurrent.futures
import json
import subprocess
import time

from .. import tools
from ..process import Failure
from ..servers import TARGET
from . import databases, others
from .files import Files
from .server import Server


class Web(Server):
    """A service of this project, of the program that has the indicators."""

    package = binary = "indicators"
    program = TARGET / binary

    @classmethod
    def find(cls):
        return cls.program if cls.program.exists() else None

    def command(self):
        return [self.find(), "serve", "--http", self.port]


# The groups of indicators, and the servers that each needs.
GROUPS = {
    "files": [Files],
    "postgres": [databases.Postgres],
    "pgbouncer": [databases.Postgres, databases.PgBouncer],
    "mariadb": [databases.MariaDb],
    "redis": [others.Redis],
    "rabbitmq": [others.RabbitMq],
    "nats": [others.Nats],
    "memcached": [others.Memcached],
    "mosquitto": [others.Mosquitto],
    "web": [Web],
    "names": [others.Names],
}
LONGEST = 300  # seconds that a run may take


def missing(groups):
    """Returns the packages of servers that are not installed."""
    servers = {server for group in groups for server in GROUPS[group]} | {others.Names}
    return sorted(server.package for server in servers if not server.find())


def run(processes, scratch, groups, disk):
    """Starts the servers and tests the indicators. Returns the results, by group, row and case."""
    with Run(processes, scratch, disk) as this:
        this.start(groups)
        return this.results(groups)


class Run:
    """The servers, each with a thread that starts it and controls it: a server ends with its thread."""

    def __init__(self, processes, scratch, disk):
        self._processes = processes
        self._scratch = scratch
        self._disk = disk
        self._threads = {}
        self._servers = {}
        self._not_run = {}

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        # The servers end before their threads do.
        self._processes.close()
        for thread in self._threads.values():
            thread.shutdown()

    def start(self, groups):
        """Starts the servers at the same time."""
        starting = {"names": self._begin("names")}
        for group in groups:
            starting.setdefault(group, self._begin(group))
        for group, server in starting.items():
            if isinstance(server, str):
                self._not_run[group] = server
            else:
                self._servers[group] = server.result()

    def _begin(self, group):
        """Starts the server of a group. Returns the future server, or why there is none."""
        for needed in GROUPS[group]:
            if not needed.find():
                return f"{needed.package} is not installed"
        if group in ("names", "files") and not self._disk:
            return "it needs namespaces of the network and of mounts, which only root gets"
        thread = self._threads[group] = concurrent.futures.ThreadPoolExecutor(1, group)
        return thread.submit(self._start, GROUPS[group])

    def _start(self, needed):
        if needed == [Files]:
            return Files(self._disk)
        # Servers in front of others get these.
        before = []
        for kind in needed:
            before = [kind(self._processes, self._scratch, *before)]
        return before[0]

    def results(self, groups):
        """Runs the program and returns its results."""
        setup = {
            "servers": {name: server.describe() for name, server in self._servers.items()},
            "scratch": str(self._scratch),
            "disk": self._disk and str(self._disk),
            "only": [group for group in groups if group in self._servers],
        }
        tested = self._processes.start(
            [Web.program, "test", json.dumps(setup)],
            self._scratch / "indicators.log",
            stdin=subprocess.PIPE,
            env=tools.environment(self._scratch, RUST_BACKTRACE="1"),
        )
        results = {group: why for group, why in self._not_run.items() if group in groups}
        deadline = time.monotonic() + LONGEST
        while True:
            for line in tested.lines():
                kind, _, rest = line.partition(" ")
                if kind == "ASK":
                    self._answer(tested, json.loads(rest))
                elif kind == "ROW":
                    row = json.loads(rest)
                    results.setdefault(row["group"], {}).setdefault(row["row"], {})[row["case"]] = row["cell"]
                elif kind == "DONE":
                    return results
                else:
                    print(line, flush=True)
            tested.check()
            if time.monotonic() > deadline:
                raise Failure(f"the indicators were not tested within {LONGEST} s")
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
