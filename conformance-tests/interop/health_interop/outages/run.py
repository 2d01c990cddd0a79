"""One run: ten instances, their database, a proxy, the load, and three outages."""
import http.client
import pathlib
import string
import tempfile
import time

from .. import tools
from ..process import Processes, free_port
from ..restarts.run import Load
from .counting import KINDS, by_tenth, difference, peak, tenths
from .postgres import USER, Postgres, Relay

INSTANCES = string.ascii_lowercase[:10]
# So many requests may be pending; the rate is kept as long as fewer are.
CONNECTIONS = 512
# Without a rate, each connection sends when it has got its response.
CLOSED = 64
# Seconds, at most: the length of the figures of a recovery, and of a cut.
RECOVERY = 10
CUT = 20
# At least, for both.
LEAST = 7
# What requests and reports may be late.
LATE = 1
REQUESTS = [["GET", "/static", "", "static\n"], ["GET", "/query", "", "queried\n"]]


class Instance:
    """An instance of the example `shared_dependency`."""

    def __init__(self, processes, program, scratch, name, database, more):
        self.name = name
        self.port = free_port()
        self._log = scratch / f"{name}.log"
        options = {
            "bind": f"127.0.0.1:{self.port}",
            "database": f"host=127.0.0.1 port={database} user={USER} dbname=postgres",
        }
        self.process = processes.start(
            [program, *(f"--{name}={value}" for name, value in options.items()), *more],
            self._log,
            env=tools.environment(scratch, HEALTHCHECK_DISABLEFILE=""),
        )

    def status(self, path):
        """Returns the status code of its response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def queries(self):
        """Returns the number of requests to /query by tenth of a second."""
        return tenths(self._log.read_text(errors="replace").splitlines())


class Run:
    """All processes of a run, while it lasts."""

    def __init__(self, processes, scratch, program, proxy, check, seconds, rate):
        self.seconds = seconds
        self.database = Postgres(processes, scratch)
        # In front of one instance only, which it can cut off.
        self.relay = Relay(self.database.port)
        port = lambda name: self.relay.port if name == "a" else self.database.port
        peers = scratch / "peers"
        peers.mkdir()
        more = [option.format(peers=peers) for option in KINDS[check]]
        self.instances = [
            Instance(processes, program, scratch, name, port(name), more) for name in INSTANCES
        ]
        for instance in self.instances:
            instance.process.wait_until(lambda: instance.status("/ready") == 200, "it is ready")
        self.proxy = proxy(processes, scratch, [instance.port for instance in self.instances])
        self.wait_in()
        pace = {"connections": CONNECTIONS, "rate": rate} if rate else {"connections": CLOSED}
        self.load = Load(processes, self.proxy.port, REQUESTS, scratch / "load.log", **pace)

    def length(self, most):
        """Returns the length of the outages within its limits."""
        return max(LEAST, min(self.seconds, most))

    def wait_in(self):
        for instance in self.instances:
            self.proxy.wait_in(instance.port)

    def static_and_queries(self):
        """Returns the counts of both kinds of requests up to now."""
        self.load.sent()
        static, queries = self.load.counts()["each"]
        return static, queries

    def out(self):
        """Returns the names of the instances to which the proxy sends no requests."""
        return {instance.name for instance in self.instances if not self.proxy.is_in(instance.port)}

    def hold(self, until, left):
        """Waits until a time, and adds the names of the instances that the proxy takes out."""
        while time.time() < until:
            left |= self.out()
            time.sleep(0.1)

    def outage(self, begin, end, seconds):
        """Begins an outage, ends it after some seconds, and returns what was counted until after the recovery."""
        before = self.static_and_queries()
        began = time.time()
        begin()
        left = set()
        self.hold(time.time() + LATE, left)
        answered = self.static_and_queries()[1]["answered"]
        self.hold(began + seconds, left)
        answered = self.static_and_queries()[1]["answered"] - answered
        responses = {path: self.instances[0].status(path) for path in ("/ready", "/alert")}
        ended = time.time()
        end()
        failed_until = self.recover(ended, left)
        self.wait_in()
        still = self.static_and_queries()[1]
        time.sleep(LATE)
        static, queries = map(difference, before, self.static_and_queries())
        still = difference(still, self.static_and_queries()[1])
        return {
            "static": static,
            "queries": queries,
            "answered": answered,
            "still": still,
            "failed_until": failed_until,
            "left": sorted(left),
            "responses": responses,
            "ended": ended,
        }

    def recover(self, ended, left):
        """Waits while the instances recover, and returns for how many seconds each kind of requests still failed. Adds
        the names of the instances that are out."""
        last = [counts["failed"] for counts in self.static_and_queries()]
        failed_until = [0, 0]
        while (now := time.time() - ended) < self.length(RECOVERY):
            time.sleep(0.1)
            left |= self.out()
            failed = [counts["failed"] for counts in self.static_and_queries()]
            failed_until = [now if more > less else before for more, less, before in zip(failed, last, failed_until)]
            last = failed
        return dict(zip(("static", "queries"), failed_until))

    def recovery(self, ended):
        """Returns the peaks of the recovery that began at a time."""
        length = self.length(RECOVERY)
        each = [instance.queries() for instance in self.instances]
        return {
            "queries": peak(sum(each[1:], each[0]), ended, length),
            "busiest": max((peak(counts, ended, length) for counts in each), key=lambda one: one["peak"]),
            "connections": peak(by_tenth(self.database.connections()), ended, length),
        }


def run(program, proxy, check, seconds, rate):
    """Returns what was counted in each outage."""
    with (
        tempfile.TemporaryDirectory(prefix="outages-", ignore_cleanup_errors=True) as directory,
        Processes() as processes,
    ):
        run = Run(processes, pathlib.Path(directory), program, proxy, check, seconds, rate)
        time.sleep(2)
        database = run.database
        result = {
            "check": check,
            "seconds": seconds,
            "rate": rate,
            "stopped": run.outage(database.stop, database.start, seconds),
            "frozen": run.outage(database.freeze, database.thaw, seconds),
            "cut": run.outage(run.relay.cut, run.relay.restore, run.length(CUT)),
        }
        last = run.load.finish()
        result |= dict(zip(("static", "queries"), last["each"]))
        result["reasons"] = last["failed"]
        for outage in "stopped", "frozen":
            result[outage]["recovery"] = run.recovery(result[outage].pop("ended"))
        return result
