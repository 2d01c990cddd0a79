"""The ways to restart an instance, and one run of any of them under load."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field

from .instances import FRAMEWORKS, REQUESTS, Instance
from .processes import PATIENCE, Children, Failure, free_port
from .proxies import INTERVAL, PROBE_TIMEOUT

# Milliseconds. What the proxy needs at worst, and as much again as a busy machine may be late.
MARGIN = 400
DELAY = INTERVAL + PROBE_TIMEOUT + MARGIN
CONNECTIONS = 32


def marker(instance, proxy):
    """Marked, out, nothing under way, killed, started, unmarked, in. It is killed, so that nothing but the marker saves
    a request."""
    instance.mark()
    proxy.await_out(instance.port)
    proxy.await_idle(instance.port)
    instance.kill()
    instance.start()
    instance.await_answers()
    instance.unmark()
    proxy.await_in(instance.port)


def sigterm(instance, proxy):
    """Told to stop by SIGTERM, gone, started, in."""
    instance.terminate()
    proxy.await_out(instance.port)
    instance.start()
    proxy.await_in(instance.port)


def kill(instance, proxy):
    """Killed without a word."""
    instance.kill()
    proxy.await_out(instance.port)
    instance.start()
    proxy.await_in(instance.port)


def marker_not_waited_for(instance, proxy):
    """Marked and killed at once: what the marker is worth without the wait."""
    instance.mark()
    instance.kill()
    proxy.await_out(instance.port)
    instance.start()
    instance.await_answers()
    instance.unmark()
    proxy.await_in(instance.port)


@dataclass
class Scenario:
    """A way to restart, the delay of the instances, what each proxy is told beside the usual, and what has to come of it:
    failed requests, none, or either."""

    restart: callable
    delay: int = DELAY
    settings: dict = field(default_factory=dict)
    proxies: tuple = ("haproxy", "caddy")
    loses: bool | None = False
    requests: list = field(default_factory=lambda: REQUESTS)


# Clients that hold on to a server, half of them to each.
STICKY = [request + [f"Cookie: server={server}"] for server in "ab" for request in REQUESTS]

SCENARIOS = {
    "marker": Scenario(marker),
    "sigterm": Scenario(sigterm),
    "kill": Scenario(kill, loses=True),
    "no-delay": Scenario(sigterm, delay=0, loses=True),
    "marker-not-waited-for": Scenario(marker_not_waited_for, loses=True),
    "drain-not-seen": Scenario(sigterm, settings={"path": "/live"}, loses=True),
    "299-passes": Scenario(sigterm, settings={"path": "/health", "expect": None}, proxies=("caddy",), loses=True),
    "round-robin": Scenario(marker, settings={"policy": "round_robin"}, proxies=("caddy",), loses=None),
    "reuse-always": Scenario(sigterm, settings={"reuse": "always"}, proxies=("haproxy",)),
    "readiness": Scenario(sigterm, settings={"path": "/ready"}, proxies=("haproxy",)),
    "sticky-pyramid": Scenario(sigterm, settings={"sticky": True}, proxies=("haproxy",), loses=True, requests=STICKY),
    "sticky-readiness": Scenario(
        sigterm, settings={"sticky": True, "path": "/ready"}, proxies=("haproxy",), requests=STICKY
    ),
}


class Load:
    """The load tool, running."""

    def __init__(self, children, port, requests, log):
        given = {"port": port, "connections": CONNECTIONS, "timeout": 20, "requests": requests}
        tool = os.path.join(os.path.dirname(__file__), "load.py")
        self.process = children.start(
            [sys.executable, tool, json.dumps(given)], log, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.account = {"sent": 0, "answered": 0, "failed": {}}
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.account = json.loads(line)

    def failed(self):
        return sum(self.account["failed"].values())

    def finish(self):
        """Lets it wait for its last answers, and returns the account."""
        self.process.stdin.close()
        self.reader.join(PATIENCE)
        if self.process.wait(PATIENCE) != 0:
            raise Failure("the load tool failed")
        account = self.account
        if account["sent"] != account["answered"] + sum(account["failed"].values()):
            raise Failure(f"the account does not add up: {account}")
        return account


def run(scenario, framework, make_proxy, directory, requests, restarts):
    """Restarts the instances in turn, under load, until there were so many requests and restarts. Returns the account,
    with the number of restarts, and of those that lost a request."""
    program = os.path.join(directory, FRAMEWORKS[framework])
    with tempfile.TemporaryDirectory(prefix="rolling-") as scratch, Children() as children:
        instances = [Instance(children, program, scratch, name, free_port(), scenario.delay) for name in "ab"]
        for instance in instances:
            instance.start()
            instance.await_answers()
        proxy = make_proxy(children, scratch, [instance.port for instance in instances], **scenario.settings)
        for instance in instances:
            proxy.await_in(instance.port)
        load = Load(children, proxy.port, scenario.requests, os.path.join(scratch, "load.log"))
        done = lossy = failed = 0
        while load.account["sent"] < requests or done < restarts:
            scenario.restart(instances[done % 2], proxy)
            done += 1
            lossy += load.failed() > failed
            failed = load.failed()
        return load.finish() | {"restarts": done, "lossy": lossy}
