"""Processes and their ports: every process is started, awaited and ended here."""
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

PATIENCE = 60  # seconds that a program may take for anything before the run fails


class Failure(Exception):
    """The run failed; the text is a sentence for the user."""


class Processes(contextlib.ExitStack):
    """A scope: every process that is started in it ends with it, and no thread waits for one any longer."""

    ended = False

    def __exit__(self, *exception):
        self.ended = True
        return super().__exit__(*exception)

    def check(self):
        """Fails if the scope has ended."""
        if self.ended:
            raise Failure("the run has ended")

    def start(self, command, log, end=signal.SIGKILL, **options):
        """Starts a program, with its output appended to the file `log`; at the end of the scope it gets a signal."""
        self.check()
        command = [str(part) for part in command]
        with open(log, "ab") as output:
            position = output.tell()
            streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
            popen = subprocess.Popen(
                # The kernel kills the program if the thread that started it ends, even by SIGKILL.
                ["setpriv", "--pdeathsig", "KILL", *command],
                start_new_session=True,
                **streams | options,
            )
            process = Process(self, os.path.basename(command[0]), popen, log, position)
        self.callback(process.end, end)
        return process


class Process:
    """A program that was started."""

    def __init__(self, scope, name, popen, log, position):
        self._scope = scope
        self.name = name
        self.pid = popen.pid
        self.stdin = popen.stdin
        self._popen = popen
        self._log = log
        self._start = self._position = position

    def check(self):
        """Fails if the program or its scope has ended."""
        self._scope.check()
        if self._popen.poll() is not None:
            with open(self._log, "rb") as file:
                file.seek(self._start)
                last = b"".join(file.readlines()[-5:]).decode(errors="replace")
            raise Failure(f"{self.name} ended with {self._popen.returncode}: {last}")

    def wait_until(self, condition, what):
        """Waits until `condition()` is true, and returns its value. Fails if the program ends before."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.check()
            if result := condition():
                return result
            if time.monotonic() > deadline:
                raise Failure(f"{self.name}: timed out after {PATIENCE} s, waiting until {what}")
            time.sleep(0.01)

    def lines(self):
        """Yields the lines of its output that were not read yet, without waiting for more."""
        with open(self._log, "rb") as file:
            file.seek(self._position)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._position += len(line)
                yield line.decode(errors="replace").rstrip()

    def wait_for_line(self, word):
        """Waits for a line that starts with this word, and returns the line."""
        matches = lambda: (line for line in self.lines() if line.split(" ")[0] == word)
        return self.wait_until(lambda: next(matches(), None), f"it prints {word}")

    def wait_for_port(self, port):
        """Waits until the program listens on a port."""
        self.wait_until(lambda: listens(port), f"it listens on port {port}")

    def terminate(self):
        """Sends SIGTERM and waits until the program has ended, which must be with exit code 0."""
        self.send_sigterm()
        self.wait_for_end("SIGTERM")

    def send_sigterm(self):
        """Sends SIGTERM."""
        self.check()
        self._popen.terminate()

    def runs(self):
        """Whether the program runs."""
        return self._popen.poll() is None

    def wait_for_end(self, cause):
        """Waits until the program has ended because of something, with exit code 0."""
        if (code := self.exit_code(cause)) != 0:
            raise Failure(f"{self.name} ended with {code} after {cause}")

    def exit_code(self, cause):
        """Waits until the program has ended because of something, and returns its exit code."""
        try:
            return self._popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs {PATIENCE} s after {cause}") from None

    def end(self, number=signal.SIGKILL):
        """Ends the program by a signal unless it has ended, and by SIGKILL if it does not obey."""
        if self._popen.poll() is None:
            self._popen.send_signal(number)
            try:
                self._popen.wait(timeout=5)
            except subprocess.TimeoutExpired:
                # The processes that it has started too.
                os.killpg(self._popen.pid, signal.SIGKILL)
                self._popen.wait()


def output(command, **options):
    """Runs a command that ends by itself. Returns what it prints on either stream, and its exit code."""
    try:
        done = subprocess.run(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            **options,
        )
    except subprocess.TimeoutExpired as error:
        raise Failure(str(error)) from error
    return done.stdout, done.returncode


_allotting = threading.Lock()
_allotted = set()


def free_port():
    """Returns a free port of 127.0.0.1, each port once.

    It is below the range that the system uses for outgoing connections and for port 0: those come and go by the
    hundred, and one of them could take the port before its program listens, or while its program is restarted.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        lowest = int(file.read().split()[0])
    with _allotting:
        while True:
            port = random.randrange(10000, min(lowest, 32768))
            if port not in _allotted and _is_free(port):
                _allotted.add(port)
                return port


def _is_free(port):
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def listens(port):
    """Whether a program listens on the port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def command(main):
    """Runs a command line: a failure is its last line, and SIGTERM ends it through its scopes."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
