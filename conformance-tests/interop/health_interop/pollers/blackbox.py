"""blackbox_exporter: its verdict is the metric probe_success."""
import re
import urllib.parse

from ..process import free_port
from .program import Program, get


class Blackbox(Program):
    def start(self):
        self._port = free_port()
        config = self.write_configs()
        self.launch(f"--config.file={config}", f"--web.listen-address=127.0.0.1:{self._port}")
        self.process.wait_for_port(self._port)

    def verdict(self, target):
        url = f"http://{target.relay.address}{target.setup.endpoint.target}"
        query = urllib.parse.urlencode({"module": target.name, "target": url})
        _, metrics = self.poll(target, lambda: get(self._port, f"/probe?{query}"))
        return target.code(), "probe_success " + re.search(r"^probe_success (\d)", metrics, re.M)[1]
