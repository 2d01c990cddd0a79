"""The programs of this project: a testee of every adapter, and the example of its drain."""
import json
import os
import pathlib
import subprocess
import time

from . import tools
from .page import ROOT
from .process import Failure

# The frameworks, and what the names of their examples start with.
FRAMEWORKS = {
    "axum": "axum",
    "actix-web": "actix_web",
    "warp": "warp",
    "rocket": "rocket",
    "poem": "poem",
    "hyper": "hyper",
}

# Where cargo puts what it builds.
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"


def example(examples, framework, kind):
    """Returns the path of an example program."""
    path = examples / f"{FRAMEWORKS[framework]}_{kind}"
    if not path.exists():
        package = "health-testees" if kind == "testee" else f"health-{framework}"
        raise Failure(f"{path} does not exist: run cargo build --examples -p {package}")
    return path


class Testee:
    """A testee program (see docs/contract.md, "Testee protocol")."""

    def __init__(self, processes, program, setup, scratch, name):
        self._process = processes.start(
            [program],
            scratch / f"{name}.log",
            stdin=subprocess.PIPE,
            cwd=scratch,
            env=tools.environment(scratch, HEALTH_SETUP=json.dumps(setup)),
        )
        host, port = self._process.wait_for_line("READY").removeprefix("READY http://").split(":")
        self.address = (host, int(port))

    def command(self, line):
        """Gives a command, and returns once it took effect."""
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()
        self._process.wait_for_line("DONE")


class Instance:
    """An example of a drain, with a port and a maintenance file that stay the same when it is restarted."""

    def __init__(self, processes, program, scratch, name, port, drain_delay, **drain):
        """`drain` can have `max`, in milliseconds, and `failures`."""
        self.port = port
        # The seconds that each restart took, from SIGTERM to the end.
        self.seconds = []
        self._processes = processes
        self._program = program
        self._log = scratch / f"{name}.log"
        self._maintenance = scratch / f"{name}.maintenance"
        self._environment = tools.environment(
            scratch,
            BIND=f"127.0.0.1:{port}",
            HEALTHCHECK_DISABLEFILE=str(self._maintenance),
            DRAIN_DELAY=str(drain_delay / 1000),
            **({"DRAIN_MAX": str(drain["max"] / 1000)} if "max" in drain else {}),
            **({"DRAIN_FAILURES": str(drain["failures"])} if "failures" in drain else {}),
        )
        self.start()

    def start(self):
        """Starts the program, and returns when it listens."""
        self._process = self._processes.start([self._program], self._log, env=self._environment)
        self._process.wait_for_port(self.port)

    def check(self):
        """Fails if the program has ended."""
        self._process.check()

    def terminate(self):
        """Sends SIGTERM and waits until the program has ended."""
        began = time.monotonic()
        self._process.terminate()
        self.seconds.append(time.monotonic() - began)

    def kill(self):
        """Sends SIGKILL."""
        self._process.check()
        self._process.end()

    def begin_maintenance(self):
        self._maintenance.touch()

    def end_maintenance(self):
        self._maintenance.unlink()
