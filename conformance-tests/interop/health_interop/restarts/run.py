"""One run: two instances, a proxy, the load, and restarts in turn."""

import json
import os
import subprocess
import sys
import tempfile
import threading

from .instances import FRAMEWORKS, Instance
from .processes import PATIENCE, Children, Failure, await_that, free_port, still_runs

CONNECTIONS = 32


class Load:
    """The load tool, running."""

    def __init__(self, children, port, requests, log, timeout=20):
        given = {"port": port, "connections": CONNECTIONS, "timeout": timeout, "requests": requests}
        tool = os.path.join(os.path.dirname(__file__), "load.py")
        self.process = children.start(
            [sys.executable, tool, json.dumps(given)], log, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.account = {"sent": 0, "answered": 0, "failed": {}}
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.log = log
        await_that(lambda: self.sent() > 0, "the load tool sends")

    def read(self):
        for line in self.process.stdout:
            self.account = json.loads(line)

    def sent(self):
        still_runs(self.process, self.log)
        return self.account["sent"]

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
        while load.sent() < requests * scenario.share or done < max(restarts, scenario.restarts):
            scenario.restart(instances[done % 2], proxy)
            done += 1
            lossy += load.failed() > failed
            failed = load.failed()
        return load.finish() | {"restarts": done, "lossy": lossy}
