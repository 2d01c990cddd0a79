"""Apache httpd with mod_proxy_hcheck: what it concludes is in the table of its balancer manager."""
import re

from .. import process
from .program import Proxy, get


class Apache(Proxy):
    binary = "apache2"
    version_command = ("-v",)

    def start(self):
        config = self.write_configs("apache.conf")
        self.run(["-f", config, "-D", "FOREGROUND"])
        for target in self.targets:
            self.wait_for(f"port of {target.name}", lambda: process.accepts(target.front))

    def state(self, target):
        page = get(f"http://127.0.0.1:{target.front}/balancer-manager")[1]
        row = re.search(rf">http://{re.escape(target.relay.address)}</a>.*", page)[0]
        cells = re.findall(r"<td>(.*?)</td>", row)
        return cells[4].strip()  # Route, RouteRedir, Factor, Set, Status
