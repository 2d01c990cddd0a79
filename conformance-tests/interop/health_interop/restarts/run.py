"""One run: two instances, a proxy, the load, and restarts in turn."""
import json
import pathlib
import subprocess
import sys
import tempfile

from ..process import Failure, Processes, free_port
from ..servers import Instance

CONNECTIONS = 32


class Load:
    """The load tool, running."""

    def __init__(self, processes, port, requests, log, timeout=20, connections=CONNECTIONS, rate=None):
        settings = {"port": port, "connections": connections, "timeout": timeout, "requests": requests, "rate": rate}
        tool = pathlib.Path(__file__).with_name("load.py")
        self.process = processes.start([sys.executable, tool, json.dumps(settings)], log, stdin=subprocess.PIPE)
        self._counts = {"sent": 0, "answered": 0, "failed": {}}
        self.process.wait_until(lambda: self.sent() > 0, "it sends requests")

    def counts(self):
        """Returns its last counts."""
        for line in self.process.lines():
            self._counts = json.loads(line)
        return self._counts

    def sent(self):
        self.process.check()
        return self.counts()["sent"]

    def failed(self):
        return sum(self.counts()["failed"].values())

    def finish(self):
        """Lets it wait for its last responses, and returns the counts."""
        self.process.stdin.close()
        self.process.wait_for_end("the end of its input")
        counts = self.counts()
        if counts["sent"] != counts["answered"] + sum(counts["failed"].values()):
            raise Failure(f"the counts of the load tool do not add up: {counts}")
        return counts


def run(scenario, program, proxy, requests, restarts):
    """Restarts the instances in turn, under load, until there were so many requests and restarts. Returns the counts,
    with the number of restarts, of those that lost a request, and the seconds that each took from SIGTERM on."""
    with (
        tempfile.TemporaryDirectory(prefix="restarts-", ignore_cleanup_errors=True) as directory,
        Processes() as processes,
    ):
        scratch = pathlib.Path(directory)
        instances = [
            Instance(processes, program, scratch, name, free_port(), scenario.drain_delay, **scenario.drain)
            for name in "ab"
        ]
        proxy = proxy(processes, scratch, [instance.port for instance in instances], **scenario.settings)
        for instance in instances:
            proxy.wait_in(instance.port)
        load = Load(processes, proxy.port, scenario.requests, scratch / "load.log")
        done = lossy = failed = 0
        while load.sent() < requests * scenario.share or done < max(restarts, scenario.restarts):
            scenario.restart(instances[done % 2], proxy)
            done += 1
            lossy += load.failed() > failed
            failed = load.failed()
        seconds = [each for instance in instances for each in instance.seconds]
        return load.finish() | {"restarts": done, "lossy": lossy, "seconds": seconds}
