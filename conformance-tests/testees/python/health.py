"""The responses of a health endpoint: rules H3 to H6, H8, H11, H13, H22 and H23 of docs/contract.md.

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
DURATION = ("0*[1-9][0-9]*(ms|s|m|h)", "must be a whole number above 0 and a unit: ms, s, m or h")
SETTINGS = {  # the default, the pattern and the rule of each (H11)
    "healthcheck.url": ("/health", r"(/(?!:)[\w.~!$&'()+,;=:@-]*)+", URL_RULE),
    "healthcheck.disablefile": ("/tmp/maintenance", r"[^\0]*", "may be any path without NUL"),
    "healthcheck.maintenance_code": ("299", *CODE),
    "healthcheck.failure_code": ("503", *CODE),
    "healthcheck.run_checks": ("on_request", "on_request|always|never", "on_request, always or never"),
    "healthcheck.timeout": ("5s", *DURATION),
}
UNKNOWN = ("", "(?!)", "there is no such setting")  # a pattern that matches nothing
ODD = (  # probably a mistake in a path or url
    r"(?s)[\s\"'`].*|.*[\s\"'`]|~.*|.*(\s#|%[0-9A-Fa-f]{2}|\$[A-Za-z_{(]|\{\{|[\ufeff\u200b\xa0]).*"
)
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


class Health:
    """`checks` is a list of Check; `log` is called with a level and a text."""

    def __init__(self, settings, checks, log):
        known = dict(SETTINGS)
        for check in checks:
            known |= {f"healthcheck.check.{check.name}.{what}": ("", *DURATION) for what in ("timeout", "every")}
        for key, value in settings.items():
            _, pattern, rule = known.get(key, UNKNOWN)
            if is_meant(key) and not re.fullmatch(pattern, value, re.ASCII):
                raise ValueError(f"{key} = {value!r}: {rule}")
        values = [settings.get(key, default) for key, (default, *_) in SETTINGS.items()]
        self.url, self.disablefile, self.maintenance_code, self.failure_code, self.run_checks, _ = values
        self.checks, self.log = Checks(checks), log
        self.stat_fails, self.lock = False, threading.Lock()
        for check in checks:
            check.timeout = seconds(settings.get(f"healthcheck.check.{check.name}.timeout"), check.timeout)
            check.repeat_every(seconds(settings.get(f"healthcheck.check.{check.name}.every"), check.every))
        for name, odd in self.odd():
            log("WARN", f"{name} may not work as intended: it {odd}")

    def odd(self):
        """Settings that are probably mistakes, each with the reason (H11)."""
        directory, path = os.path.dirname(self.disablefile) or ".", self.disablefile
        if path and re.fullmatch(ODD, path):
            yield repr(path), "holds what a shell or a file of settings should have taken away"
        elif path and (not os.path.isabs(path) or path.endswith("/") or os.path.isdir(path)):
            yield repr(path), "is relative, or a directory"
        elif os.path.exists(path) and not os.path.isfile(path):
            yield repr(path), "is a device"
        elif path and not os.path.isdir(directory):
            yield repr(path), "is in a directory that does not exist"
        elif path and os.stat(directory).st_mode & 0o002:
            yield repr(path), "can be created by any local user, who then drains this host"
        if re.fullmatch(ODD, self.url):
            yield "healthcheck.url", "holds what a shell or a file of settings should have taken away"
        if self.maintenance_code < "400" and self.maintenance_code != "299":
            yield "healthcheck.maintenance_code", "is a code that pollers take for healthy"
        if self.failure_code < "400":
            yield "healthcheck.failure_code", "is a code that pollers take for healthy"

    def answer(self, query):
        """Returns the code and the body (H3, H4, H6, H13), and logs the record (H8)."""
        if self.is_in_maintenance():
            self.log("INFO", "Health response: MAINTENANCE")
            return int(self.maintenance_code), "MAINTENANCE"
        runs = self.run_checks == "always" or self.run_checks == "on_request" and asks_for_checks(query)
        checks = self.checks.checks if runs else []
        results = self.checks.results() if checks else []
        shared = [check.share(result) for check, result in zip(checks, results)]
        tolerated = [is_tolerated for result, (_, is_tolerated) in zip(results, shared) if result.status != "OK"]
        if not tolerated:
            return 200, "OK"
        results = [record(check.name, result, message) for check, result, (message, _) in zip(checks, results, shared)]
        results = json.dumps(results, separators=(",", ":"))  # escapes everything outside ASCII
        if all(tolerated):
            self.log("WARN", f"Health response: DEGRADED ({results})")
            return 200, "OK"
        self.log("ERROR", f"Health response: ERROR ({results})")
        return int(self.failure_code), "ERROR"

    def is_in_maintenance(self):
        """Whether the disablefile exists; a failing stat is logged once per episode (H4)."""
        with self.lock:
            failed_before, self.stat_fails = self.stat_fails, False
            try:
                os.stat(self.disablefile)
                return True
            except FileNotFoundError:
                return False
            except OSError as error:
                self.stat_fails = True
                if not failed_before:
                    self.log("WARN", f"cannot stat {self.disablefile!r}: {error}")
                return False


def is_meant(key):
    """Whether a key is a setting, or would be without what files and editors add to it (H11)."""
    plain = key.strip("\ufeff\"' \t\r\n").lower()
    return key.startswith("healthcheck.") or plain in SETTINGS


def seconds(duration, default):
    """Returns 0.5 for `500ms`, and the default without a duration."""
    if duration is None:
        return default
    number, unit = re.fullmatch("([0-9]+)(.*)", duration).groups()
    return int(number) * SECONDS[unit]


def asks_for_checks(query):
    """Whether the last `checks` is `true` or `all` (H5). In bytes: they need not be UTF-8."""
    pairs = [pair.partition("=") for pair in query.replace("+", " ").split("&")]
    values = {unquote_to_bytes(key): unquote_to_bytes(value) for key, _, value in pairs}
    return values.get(b"checks", b"").lower() in (b"true", b"all")


def record(name, result, message):
    """One result as it is logged (H8, H23)."""
    if message is not None and len(message.encode()) > 1024:
        message = message.encode()[:1024].decode(errors="ignore") + "…"
    logged = {"name": name, "status": result.status, "message": message}
    if result.reason:
        logged["reason"] = result.reason
    if result.values:
        logged["values"] = result.values
    return logged
