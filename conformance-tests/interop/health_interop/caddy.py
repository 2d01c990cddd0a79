"""Caddy's verdict on its servers, from its log: the administration API does not report health."""
import json

UP = "host is up"


class HealthLog:
    """The health checks in the log: each failed check is a record, and so is the first good one after it."""

    def __init__(self, process):
        self._process = process
        self._last = {}

    def last(self, address):
        """Returns the last message about a server; a server counts as up before its first check."""
        for line in self._process.lines():
            if "health_checker" in line:
                record = json.loads(line)
                self._last[record.get("host", "").removeprefix("http://")] = record["msg"]
        return self._last.get(address, UP)
