"""Caddy: its verdict is in its log."""
from ..caddy import HealthLog
from ..process import free_port
from .program import Proxy


class Caddy(Proxy):
    def start(self):
        config = self.write_configs(admin=free_port())
        self.launch("run", "--config", config, "--adapter", "caddyfile")
        self._health = HealthLog(self.process)

    def state(self, target):
        return self._health.last(target.relay.address)
