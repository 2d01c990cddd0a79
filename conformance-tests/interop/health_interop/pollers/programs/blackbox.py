"""blackbox_exporter: what it concludes is the metric probe_success."""
import re
import urllib.parse

from .. import process
from .program import Program, get


class Blackbox(Program):
    binary = "prometheus-blackbox-exporter"

    def start(self):
        self._port = process.free_ports(1)[0]
        config = self.write_configs("blackbox.yml")
        self.run([f"--config.file={config}", f"--web.listen-address=127.0.0.1:{self._port}"])
        self.wait_for("its port", lambda: process.accepts(self._port))

    def conclude(self, target):
        query = urllib.parse.urlencode(
            {"module": target.name, "target": f"http://{target.relay.address}{target.setup.endpoint.asked}"}
        )
        _, metrics = get(f"http://127.0.0.1:{self._port}/probe?{query}")
        return target.code(), "probe_success " + re.search(r"^probe_success (\d)", metrics, re.M)[1]
