"""Checks on threads that end with the process: rules H7, H12, H14, H15, H22 and H23 of docs/contract.md."""
import math
import re
import threading
import time
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass, field, replace


@dataclass
class Result:
    """What a check reports. Any status but OK and DEGRADED is an error (H6); values have the keys of the log (H23)."""

    status: str = "OK"
    message: str | None = None
    reason: str | None = None
    values: dict = field(default_factory=dict)
    rejected: list = field(default_factory=list)  # what was left out

    def __post_init__(self):
        if self.status not in ("OK", "DEGRADED"):
            self.status = "ERROR"
        if self.reason is not None and not re.fullmatch("[a-z0-9_-]{1,32}", self.reason):
            self.rejected.append(f"reason {self.reason!r}")
            self.reason = None

    def value(self, name, number, unit="count"):
        """Adds a value: the unit is count, bytes, seconds or ratio."""
        if re.fullmatch("[a-z][a-z0-9_]{0,63}", name) and math.isfinite(number):
            self.values[name if unit == "count" else f"{name}_{unit}"] = number
        else:
            self.rejected.append(f"value {name!r}")
        return self

    def has_failed(self):
        return self.status == "ERROR"


def begin(function):
    """Calls it on a daemon thread; an exception is a result, too (H12)."""
    future = Future()

    def run():
        try:
            result = function()
        except BaseException as error:  # SystemExit, too: the client still gets a response
            result = Result("ERROR", f"raised {error!r}")
        future.set_result(result)

    threading.Thread(target=run, daemon=True).start()
    return future


class Check:
    """`function` returns a Result; it may raise, block, or never return. Times are in seconds."""

    def __init__(self, name, function, *, timeout=5, optional=False, shared=False, fail_after=None,
                 every=None, every_while_failing=None, failure_threshold=1, success_threshold=1,
                 slow_share=1, log=lambda level, text: None):
        self.name, self.function, self.timeout = name, function, timeout
        self.optional, self.every = optional, None
        self.shared, self.fail_after = shared, fail_after
        self.failing_since, self.every_while_failing = None, every_while_failing
        self.needed = {
            "OK": (success_threshold, "successes"),
            "ERROR": (failure_threshold, "failures"),
        }
        self.slow_share, self.is_slow, self.log, self.has_rejected = slow_share, False, log, False
        self.execution = None  # the last execution, which may be still running
        self.standing, self.row = None, 0  # the state that counts after the first OK, and the number of results against it
        self.last = Result("ERROR", "not run yet"), None  # the last background result and its time
        self.repeat_every(every)

    def repeat_every(self, every):
        """Sets the period, and starts the first run of a check that had none (H14)."""
        is_first, self.every = not self.every, every
        if every and is_first:
            threading.Thread(target=self.repeat, daemon=True).start()

    def execute(self):
        """Starts the check, unless it is still running (H12). Returns a function that waits for its result."""
        if self.execution and not self.execution.done():
            return lambda: self.count(Result("ERROR", "still running"))
        start = time.monotonic()
        execution, end = begin(self.function), start + self.timeout
        self.execution = execution

        def wait():
            try:
                result = execution.result(max(0, end - time.monotonic()))
            except TimeoutError:
                return self.count(Result("ERROR", f"timed out after {self.timeout} s"))
            self.warn(result, time.monotonic() - start)
            return self.count(result)

        return wait

    def warn(self, result, took):
        """Logs what was left out, once, and a slow execution, once per episode (H12, H23)."""
        if result.rejected and not self.has_rejected:
            self.has_rejected = True
            self.log("WARN", f"check {self.name!r} reports what is not accepted: {', '.join(result.rejected)}")
        was_slow, self.is_slow = self.is_slow, took > self.slow_share * self.timeout
        if self.is_slow and not was_slow:
            self.log("WARN", f"check {self.name!r} took {took:.1f} s of {self.timeout} s")

    def count(self, result):
        """The result after the thresholds (H15), and since when it has been failing (H22)."""
        result = self.settle(result)
        self.failing_since = (self.failing_since or time.monotonic()) if result.has_failed() else None
        return result

    def share(self, result):
        """The message of a result, and whether its failure leaves the host in service (H13, H22)."""
        message = result.message
        is_missing = message in ("stale", "not run yet")
        if not result.has_failed() or is_missing or not self.shared or self.optional:
            return message, self.optional or not result.has_failed()
        lasts = time.monotonic() - self.failing_since
        note = "shared, never OK" if self.standing is None else f"shared, failing for {lasts:.1f} s"
        is_over = self.fail_after is not None and lasts >= self.fail_after
        return note if message is None else f"{note}: {message}", self.standing is not None and not is_over

    def settle(self, result):
        status = "ERROR" if result.has_failed() else "OK"  # a degraded result is a success (H23)
        if self.standing in (None, status):
            self.standing, self.row = "OK" if status == "OK" else self.standing, 0
            return result
        self.row += 1
        needed, what = self.needed[status]
        if self.row < needed:
            return replace(result, status=self.standing, message=f"{self.row} of {needed} {what}: {result.message}")
        self.standing, self.row = status, 0
        return result

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
        return Result("ERROR", "stale") if is_stale else result


class Checks:
    """All checks, in order. Requests during a run share it (H7)."""

    def __init__(self, checks):
        self.checks, self.run, self.lock = checks, None, threading.Lock()

    def results(self):
        """Returns the result of each check."""
        with self.lock:
            if self.run is None or self.run.done():
                self.run = Future()
                threading.Thread(target=self.perform, args=[self.run], daemon=True).start()
            run = self.run
        return run.result()

    def perform(self, run):
        waiting = [check.read if check.every else check.execute() for check in self.checks]
        run.set_result([wait() for wait in waiting])
