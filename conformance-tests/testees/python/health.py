"""What a health endpoint answers: rules H3 to H6, H8, H11 and H13 of docs/contract.md.

It waits for a stat that does not return, which a server with its marker on a network mount must not (H4).
"""
import json
import os
import re
import threading
from urllib.parse import unquote_to_bytes

from checks import Checks

URL_RULE = "must be / and letters, digits or any of -._~!$&'()+,;=:@/, no segment starting with :"
CODE = ("(?!204|205|304)[2-5][0-9][0-9]", "must be 200 to 599, and a code that may carry a body")
SETTINGS = {  # the default, the pattern and the rule of each (H11)
    "healthcheck.url": ("/health", r"(/(?!:)[\w.~!$&'()+,;=:@-]*)+", URL_RULE),
    "healthcheck.disablefile": ("/tmp/maintenance", r"[\s\S]*", "may be any path"),
    "healthcheck.maintenance_code": ("299", *CODE),
    "healthcheck.failure_code": ("503", *CODE),
}
UNKNOWN = ("", "(?!)", "there is no such setting")  # a pattern that matches nothing


class Health:
    """`checks` is a list of Check; `log` is called with a level and a text."""

    def __init__(self, settings, checks, log):
        for key, value in settings.items():
            _, pattern, rule = SETTINGS.get(key, UNKNOWN)
            if key.startswith("healthcheck.") and not re.fullmatch(pattern, value, re.ASCII):
                raise ValueError(f"{key} = {value!r}: {rule}")
        values = [settings.get(key, default) for key, (default, *_) in SETTINGS.items()]
        self.url, self.disablefile, self.maintenance_code, self.failure_code = values
        self.checks, self.log = Checks(checks), log
        self.stat_fails, self.lock = False, threading.Lock()
        directory = os.path.dirname(self.disablefile) or "."
        if self.disablefile and os.path.isdir(directory) and os.stat(directory).st_mode & 0o002:
            log("WARN", f"any local user can create {self.disablefile!r} and drain this host")

    def answer(self, query):
        """The code and the body (H3, H4, H6, H13); the record is logged by then (H8)."""
        if self.is_in_maintenance():
            self.log("INFO", "Health response: MAINTENANCE")
            return int(self.maintenance_code), "MAINTENANCE"
        checks = self.checks.checks if asks_for_checks(query) else []
        results = self.checks.results() if checks else []
        failing = [check for check, (status, _) in zip(checks, results) if status != "OK"]
        if not failing:
            return 200, "OK"
        results = [record(check.name, *result) for check, result in zip(checks, results)]
        results = json.dumps(results, separators=(",", ":"))  # escapes whatever is not ASCII
        if all(check.optional for check in failing):
            self.log("WARN", f"Health response: DEGRADED ({results})")
            return 200, "OK"
        self.log("ERROR", f"Health response: ERROR ({results})")
        return int(self.failure_code), "ERROR"

    def is_in_maintenance(self):
        """Whether the marker is there; that none can tell is logged once an episode (H4)."""
        with self.lock:
            failed_before, self.stat_fails = self.stat_fails, False
            try:
                os.stat(self.disablefile)
                return True
            except FileNotFoundError:
                return False
            except (OSError, ValueError) as error:  # ValueError: the path holds a NUL
                self.stat_fails = True
                if not failed_before:
                    self.log("WARN", f"cannot stat {self.disablefile!r}: {error}")
                return False


def asks_for_checks(query):
    """Whether the last `checks` is `true` or `all` (H5). In bytes: they need not be UTF-8."""
    pairs = [pair.partition("=") for pair in query.replace("+", " ").split("&")]
    values = {unquote_to_bytes(key): unquote_to_bytes(value) for key, _, value in pairs}
    return values.get(b"checks", b"").lower() in (b"true", b"all")


def record(name, status, message):
    """One result as it is logged (H8)."""
    if message is not None and len(message.encode()) > 1024:
        message = message.encode()[:1024].decode(errors="ignore") + "…"
    return {"name": name, "status": status, "message": message}
