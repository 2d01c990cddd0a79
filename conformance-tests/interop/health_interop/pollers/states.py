"""The states that all servers are brought into, one after the other, while the programs poll."""
from ..servers import FRAMEWORKS, Testee, example

CHECK = {"name": "database"}
# The servers of each adapter, and how each is set up. A healthy server is brought into maintenance and drained while
# it runs; the checks of a testee do not change, so for other states the relays lead to another server.
SERVERS = {
    "healthy": {"checks": [CHECK]},
    "degraded": {"checks": [CHECK | {"status": "ERROR", "optional": True}]},
    "failing": {"checks": [CHECK | {"status": "ERROR"}]},
    "starting": {"checks": [CHECK], "latches": ["migrations"]},
}
# The server that shows a state, and whether the disablefile exists.
STATES = {
    "ok": ("healthy", False),
    "degraded": ("degraded", False),
    "failing": ("failing", False),
    "maintenance_after_failing": ("failing", True),
    "starting": ("starting", False),
    "maintenance": ("healthy", True),
    "draining": ("healthy", False),
}


class Servers:
    """The servers of every adapter, and the relays that lead to them."""

    def __init__(self, processes, examples, relays, endpoints, scratch):
        self._relays = relays
        self._disablefile = scratch / "maintenance"
        self._current = "healthy"
        self._to = {adapter: [] for adapter in FRAMEWORKS}
        url = next(one.path for one in endpoints if one.preset == "pyramid")
        setup = {
            "settings": {"healthcheck.url": url, "healthcheck.disablefile": str(self._disablefile)},
            "endpoints": [{"path": one.path, "preset": one.preset} for one in endpoints if one.path != url],
        }
        self._testees = {
            adapter: {
                kind: Testee(processes, program, setup | more, scratch, f"{adapter}-{kind}")
                for kind, more in SERVERS.items()
            }
            for adapter in FRAMEWORKS
            for program in [example(examples, adapter, "testee")]
        }

    def relay(self, adapter):
        """Returns a new relay to the server of an adapter."""
        relay = self._relays.to(self._testees[adapter][self._current].address)
        self._to[adapter].append(relay)
        return relay

    def enter(self, state):
        """Brings every server into a state. There is no way back from draining."""
        server, maintenance = STATES[state]
        if maintenance:
            self._disablefile.touch()
        else:
            self._disablefile.unlink(missing_ok=True)
        if state == "draining":
            for testees in self._testees.values():
                testees[server].command("DRAIN")
        if server != self._current:
            self._current = server
            for adapter, relays in self._to.items():
                for relay in relays:
                    self._relays.redirect(relay, self._testees[adapter][server].address)
