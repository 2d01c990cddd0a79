"""The clients: the example `direct_clients`, running."""
import json
import subprocess

from ..process import Failure

# How a client treats the announcement that its connection ends, and the options of the program for it.
KINDS = {
    # It closes the connection after `Connection: close`; after GOAWAY, it uses a new one. It sends on an idle
    # connection without a look at whether the server has closed it, as if the close were still on its way.
    "heeding": [],
    # It ignores the announcement, but sends nothing on a connection that it knows to be closed.
    "looking": ["--ignore", "--look"],
    # It ignores the announcement, and notices that a connection was closed when it gets no response.
    "ignoring": ["--ignore"],
}

# A client of HTTP/2 always reads, so there "looking" and "ignoring" are the same.
KINDS_OF = {"1.1": list(KINDS), "2": ["heeding", "ignoring"]}


class Clients:
    """All clients of a run."""

    def __init__(self, processes, program, ports, log, options):
        ports = [f"--port={port}" for port in ports]
        self.process = processes.start([program, *ports, *options], log, stdin=subprocess.PIPE)
        self.process.wait_until(lambda: self.counts()["sent"] > 0, "it sends requests")

    def counts(self):
        """Returns the counts up to now."""
        try:
            self.process.stdin.write(b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self.process.check()
            raise
        lines = lambda: next(self.process.lines(), None)
        return self._parse(self.process.wait_until(lines, "it prints its counts"))

    def finish(self):
        """Lets them wait for their last responses, and returns the counts."""
        self.process.stdin.close()
        self.process.wait_for_end("the end of its input")
        counts = self._parse(next(self.process.lines(), ""))
        if counts["sent"] != counts["answered"] + counts["wrong"] + lost(counts):
            raise Failure(f"the counts of the clients do not add up: {counts}")
        return counts

    @staticmethod
    def _parse(line):
        try:
            return json.loads(line)
        except ValueError:
            raise Failure(f"the clients printed no counts: {line}") from None


def lost(counts):
    """Returns the number of requests that were lost."""
    return sum(counts["lost"].values())
