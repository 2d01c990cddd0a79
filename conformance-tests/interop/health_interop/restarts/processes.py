"""Programs started here, and ended here however this program ends."""

import contextlib
import random
import shutil
import signal
import socket
import subprocess
import time

# How long anything may take that a machine does at once when it is not busy.
PATIENCE = 60


class Failure(Exception):
    """What went wrong, as a sentence."""


class Children(contextlib.ExitStack):
    """A scope: no program outlives it that was started in it."""

    def start(self, command, log, **options):
        """Starts a program whose output goes to the file `log`."""
        if shutil.which("setpriv"):
            # Ends it even where this program is killed.
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        with open(log, "ab") as output:
            streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
            process = subprocess.Popen(command, **streams | options)
        self.callback(end, process)
        return process


def end(process):
    """Kills a program, if it still runs, by the handle that Popen keeps and not by its name."""
    if process.poll() is None:
        process.kill()
        process.wait()


def still_runs(process, log):
    """Fails with the end of its output where a program has ended by itself."""
    if process.poll() is not None:
        with open(log, encoding="utf-8", errors="replace") as file:
            raise Failure(f"{process.args[-1]} ended with {process.returncode}: {''.join(file.readlines()[-5:])}")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def exit_on_sigterm():
    """Lets SIGTERM end this program through its scopes."""
    signal.signal(signal.SIGTERM, lambda number, _: exit(128 + number))


def await_that(condition, what, patience=PATIENCE):
    """Waits until `condition()` is true, and returns what it returned."""
    end_of_patience = time.monotonic() + patience
    while not (result := condition()):
        if time.monotonic() > end_of_patience:
            raise Failure(f"in {patience} s it did not come about that {what}")
        time.sleep(0.005)
    return result


def free_port(given=set()):
    """A port that was not given before, and that no outgoing connection can take: while an instance is stopped, its port
    is nobody's."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        lowest = int(file.read().split()[0])
    while True:
        port = random.randrange(10000, min(lowest, 32768))
        if port in given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            given.add(port)
            return port
