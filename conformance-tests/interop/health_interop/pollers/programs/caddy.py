"""Caddy: its administration does not tell health, so what it concludes is read in its log."""
import json

from .. import process
from .program import Proxy


class Caddy(Proxy):
    binary = "caddy"
    version_command = ("version",)

    def start(self):
        config = self.write_configs("Caddyfile", admin=process.free_ports(1)[0])
        self.run(["run", "--config", config, "--adapter", "caddyfile"])
        for target in self.targets:
            self.wait_for(f"port of {target.name}", lambda: process.accepts(target.front))

    def state(self, target):
        # Each failed check is logged, and the first good one after it. A server counts as up at first.
        last = "host is up"
        whole_lines = (self.scratch / "output").read_text().rpartition("\n")[0]
        for line in whole_lines.splitlines():
            if target.relay.address in line and "health_checker" in line:
                record = json.loads(line)
                if record.get("host", "").endswith(target.relay.address):
                    last = record["msg"]
        return last
