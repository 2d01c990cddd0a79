"""The instances that are restarted: an example application, with a marker file and a port of its own."""

import os
import signal

from .processes import Failure, await_that, listens, still_runs

FRAMEWORKS = {
    "axum": "axum_drain",
    "actix-web": "actix_web_drain",
    "warp": "warp_drain",
    "rocket": "rocket_drain",
    "poem": "poem_drain",
    "hyper": "hyper_drain",
}

# What every example has: a quick answer, and one that takes a few milliseconds. Go's HTTP client, and so Caddy, repeats
# a GET by itself when a kept connection breaks: a POST with a body shows what is lost.
REQUESTS = [
    ["GET", "/", "", "the application\n"],
    ["POST", "/orders", "two of these", "ordered\n"],
]


class Instance:
    """One of the two servers."""

    def __init__(self, children, program, scratch, name, port, delay):
        self.children = children
        self.program = program
        self.log = os.path.join(scratch, f"{name}.log")
        self.port = port
        self.marker = os.path.join(scratch, f"{name}.maintenance")
        self.delay = delay
        self.process = None

    def start(self):
        environment = os.environ | {
            "BIND": f"127.0.0.1:{self.port}",
            "HEALTHCHECK_DISABLEFILE": self.marker,
            "DRAIN_DELAY": str(self.delay / 1000),
        }
        self.process = self.children.start([self.program], self.log, env=environment)

    def mark(self):
        with open(self.marker, "w", encoding="utf-8"):
            pass

    def unmark(self):
        os.remove(self.marker)

    def await_answers(self):
        """Waits until it listens: no proxy is asked about it yet."""

        def answers():
            still_runs(self.process, self.log)
            return listens(self.port)

        await_that(answers, f"{self.program} listens")

    def terminate(self):
        """Sends SIGTERM and waits for the end, which has to be one in good order."""
        still_runs(self.process, self.log)
        self.process.send_signal(signal.SIGTERM)
        await_that(lambda: self.process.poll() is not None, f"{self.program} ends after SIGTERM")
        if self.process.returncode != 0:
            raise Failure(f"{self.program} ended with {self.process.returncode} after SIGTERM")

    def kill(self):
        """SIGKILL: nothing is said, and nothing finished."""
        still_runs(self.process, self.log)
        self.process.kill()
        self.process.wait()
