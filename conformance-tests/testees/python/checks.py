"""Checks on threads that end with the process: rules H7, H12, H14 and H15 of docs/contract.md."""
import threading
import time
from concurrent.futures import Future, TimeoutError


def begin(function):
    """Calls it on a daemon thread; an exception is a result, too (H12)."""
    future = Future()

    def run():
        try:
            status, message = function()
        except BaseException as error:  # SystemExit, too: the client still gets a response
            status, message = "ERROR", f"raised {error!r}"
        future.set_result(("OK" if status == "OK" else "ERROR", message))

    threading.Thread(target=run, daemon=True).start()
    return future


class Check:
    """`function` returns a status and a message; it may raise, block, or never return. Times are in seconds."""

    def __init__(self, name, function, *, timeout=5, optional=False, shared=False, fail_after=None,
                 every=None, every_while_failing=None, failure_threshold=1, success_threshold=1):
        self.name, self.function, self.timeout = name, function, timeout
        self.optional, self.every = optional, None
        self.shared, self.fail_after = shared, fail_after
        self.failing_since, self.every_while_failing = None, every_while_failing
        self.needed = {
            "OK": (success_threshold, "successes"),
            "ERROR": (failure_threshold, "failures"),
        }
        self.execution = None  # the last execution, which may be still running
        self.standing, self.row = None, 0  # the state that counts after the first OK, and the number of results against it
        self.last = ("ERROR", "not run yet"), None  # the last background result and its time
        self.repeat_every(every)

    def repeat_every(self, every):
        """Sets the period, and starts the first run of a check that had none (H14)."""
        is_first, self.every = not self.every, every
        if every and is_first:
            threading.Thread(target=self.repeat, daemon=True).start()

    def execute(self):
        """Starts the check, unless it is still running (H12). Returns a function that waits for its result."""
        if self.execution and not self.execution.done():
            return lambda: self.count("ERROR", "still running")
        execution, end = begin(self.function), time.monotonic() + self.timeout
        self.execution = execution

        def wait():
            try:
                return self.count(*execution.result(max(0, end - time.monotonic())))
            except TimeoutError:
                return self.count("ERROR", f"timed out after {self.timeout} s")

        return wait

    def count(self, status, message):
        """The result after the thresholds (H15), and since when it has been failing (H22)."""
        status, message = self.settle(status, message)
        self.failing_since = None if status == "OK" else self.failing_since or time.monotonic()
        return status, message

    def share(self, status, message):
        """The message of a result, and whether its failure leaves the host in service (H13, H22)."""
        is_missing = message in ("stale", "not run yet")
        if status == "OK" or is_missing or not self.shared or self.optional:
            return message, self.optional
        lasts = time.monotonic() - self.failing_since
        note = "shared, never OK" if self.standing is None else f"shared, failing for {lasts:.1f} s"
        is_over = self.fail_after is not None and lasts >= self.fail_after
        return note if message is None else f"{note}: {message}", self.standing is not None and not is_over

    def settle(self, status, message):
        if self.standing in (None, status):
            self.standing, self.row = "OK" if status == "OK" else self.standing, 0
            return status, message
        self.row += 1
        needed, what = self.needed[status]
        if self.row < needed:
            return self.standing, f"{self.row} of {needed} {what}: {message}"
        self.standing, self.row = status, 0
        return status, message

    def repeat(self):
        """Runs the check once per period (H14)."""
        while True:
            start = time.monotonic()
            self.last = self.execute()(), time.monotonic()
            time.sleep(max(0, start + self.period() - time.monotonic()))

    def period(self):
        """The time between two runs: another one as long as the check is failing."""
        return self.failing_since and self.every_while_failing or self.every

    def read(self):
        """The last result, unless it is too old (H14)."""
        result, when = self.last
        is_stale = when and time.monotonic() - when > 3 * self.period()
        return ("ERROR", "stale") if is_stale else result


class Checks:
    """All checks, in order. Requests during a run share it (H7)."""

    def __init__(self, checks):
        self.checks, self.run, self.lock = checks, None, threading.Lock()

    def results(self):
        """Returns the status and message of each check."""
        with self.lock:
            if self.run is None or self.run.done():
                self.run = Future()
                threading.Thread(target=self.perform, args=[self.run], daemon=True).start()
            run = self.run
        return run.result()

    def perform(self, run):
        waiting = [check.read if check.every else check.execute() for check in self.checks]
        run.set_result([wait() for wait in waiting])
