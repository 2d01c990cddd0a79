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


class Servers:
    """The servers of every adapter, and the relays that lead to them."""

    def __init__(self, directory, relays, endpoints, scratch):
        self._relays = relays
        self._disablefile = scratch / "maintenance"
        self._shown = "well"
        self._to = {adapter: [] for adapter in ADAPTERS}
        url = next(one.path for one in endpoints if one.preset == "pyramid")
        given = {
            "settings": {"healthcheck.url": url, "healthcheck.disablefile": str(self._disablefile)},
            "endpoints": [
                {"path": one.path, "preset": one.preset} for one in endpoints if one.path != url
            ],
        }
        self._testees = {
            adapter: {
                kind: Testee(directory / program, given | more, scratch)
                for kind, more in STARTED_WITH.items()
            }
            for adapter, program in ADAPTERS.items()
        }

    def relay(self, adapter):
        """A new relay to the server of an adapter."""
        relay = self._relays.to(self._testees[adapter][self._shown].address)
        self._to[adapter].append(relay)
        return relay

    def enter(self, state):
        """Brings every server into a state. From draining there is no way back."""
        shown, maintenance = SHOWN_BY[state]
        if maintenance:
            self._disablefile.touch()
        else:
            self._disablefile.unlink(missing_ok=True)
        if state == "draining":
            for testees in self._testees.values():
                testees[shown].command("DRAIN")
        if shown != self._shown:
            self._shown = shown
            for adapter, relays in self._to.items():
                for relay in relays:
                    self._relays.turn(relay, self._testees[adapter][shown].address)
