"""Processes that the runner starts, ports for them, and how long it waits for anything."""
import atexit
import os
import random
import socket
import subprocess
import threading
import time

PATIENCE = 60  # seconds that anything may take before the run fails


class RunError(Exception):
    """The run itself went wrong: no verdict about anything."""


places = ["/usr/sbin", "/sbin", "/usr/lib/nagios/plugins"]
_running = []
_stopping = threading.Event()
_allotting = threading.Lock()
_allotted = set()


def stop_waiting():
    """Lets all who wait for something give up."""
    _stopping.set()


@atexit.register
def end_all():
    """Ends what was started and runs still."""
    for process in list(_running):
        end(process)


def start(command, **options):
    """Starts a program that runs until `end`, or until the runner ends."""
    process = subprocess.Popen(command, **options)
    _running.append(process)
    return process


def end(process):
    """Ends a process that was started here: by its end of input, by SIGTERM, by SIGKILL."""
    if process in _running:
        _running.remove(process)
    if process.stdin is not None:
        process.stdin.close()
    else:
        process.terminate()
    for harder in (process.terminate, process.kill):
        try:
            process.wait(timeout=5)
            return
        except subprocess.TimeoutExpired:
            harder()
    process.wait(timeout=5)


def output(command, **options):
    """What a command prints on either stream, and its exit code."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=PATIENCE,
        **options,
    )
    return done.stdout, done.returncode


def path():
    """Where programs are looked for: also where those for administrators and monitors are."""
    return ":".join([os.environ["PATH"], *places])


def environment(scratch):
    """An environment without settings of the user's, whose home is the scratch directory."""
    home = str(scratch)
    return {
        "PATH": path(),
        "LC_ALL": "C",
        "HOME": home,
        "XDG_CONFIG_HOME": home,
        "XDG_DATA_HOME": home,
    }


def wait_until(what, condition):
    """Asks until the condition gives something true, and returns that."""
    deadline = time.monotonic() + PATIENCE
    while True:
        if _stopping.is_set():
            raise RunError("ended")
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise RunError(f"gave up after {PATIENCE} s: {what}")
        time.sleep(0.03)


def free_ports(count):
    """Ports of 127.0.0.1 that nobody has, and that nobody else in this run is given.

    They are below those that the system gives to connections (and for port 0): these come and go by the
    hundred during a run, and one could have taken the port before the program gets to it. Programs that
    share ports with others when they listen would not even notice that they got the same.
    """
    found = []
    with _allotting:
        while len(found) < count:
            port = random.randrange(15000, 32000)
            if port not in _allotted and _is_free(port):
                _allotted.add(port)
                found.append(port)
    return found


def _is_free(port):
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def accepts(port):
    """Whether somebody listens on the port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
