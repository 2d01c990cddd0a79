"""The states that all servers are brought into, one after the other, while the programs watch."""
from .servers import ADAPTERS, Testee

CHECK = {"name": "database"}
# What the servers are started with. A server that is well is brought into maintenance and drained while it
# runs; the checks of a testee do not change, so for other states the relays lead to another server.
STARTED_WITH = {
    "well": {"checks": [CHECK]},
    "degraded": {"checks": [CHECK | {"status": "ERROR", "optional": True}]},
    "failing": {"checks": [CHECK | {"status": "ERROR"}]},
    "starting": {"checks": [CHECK], "latches": ["migrations"]},
}
# Which server shows a state, and whether the disablefile is there.
SHOWN_BY = {
    "ok": ("well", False),
    "degraded": ("degraded", False),
    "failing": ("failing", False),
    "maintenance_after_failing": ("failing", True),
    "starting": ("starting", False),
    "maintenance": ("well", True),
    "draining": ("well", False),
}


CODES = {"pyramid": "299", "readiness": "503", "strict": "503", "haproxy_404": "404", "nagios": "429", "liveness": "299"}


class Servers:
    """Stand-in: a process for each endpoint."""

    def __init__(self, directory, relays, endpoints, scratch):
        self._relays = relays
        self._disablefile = scratch / "maintenance"
        self._to = {}
        self._shown = "well"
        self._testees = {}
        for adapter, program in ADAPTERS.items():
            for endpoint in endpoints:
                for kind in STARTED_WITH:
                    given = dict(STARTED_WITH[kind])
                    given.pop("latches", 0)
                    self._testees[adapter, endpoint.preset, kind] = Testee(directory / program, given | {"settings": {
                            "healthcheck.url": endpoint.path, "healthcheck.disablefile": str(self._disablefile) if endpoint.preset != "liveness" else "",
                            "healthcheck.maintenance_code": CODES[endpoint.preset]}}, scratch)

    def relay(self, adapter, preset):
        relay = self._relays.to(self._testees[adapter, preset, "well"].address)
        self._to.setdefault((adapter, preset), []).append(relay)
        return relay

    def enter(self, state):
        shown, maintenance = SHOWN_BY[state]
        if maintenance or state in ("draining", "starting"):
            self._disablefile.touch()
        else:
            self._disablefile.unlink(missing_ok=True)
        if shown != self._shown:
            self._shown = shown
            for key, relays in self._to.items():
                for relay in relays:
                    self._relays.turn(relay, self._testees[*key, shown].address)
