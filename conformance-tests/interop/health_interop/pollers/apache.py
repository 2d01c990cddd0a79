"""Apache httpd with mod_proxy_hcheck: its verdict is in the table of its balancer manager."""
import re

from .program import Proxy, get


class Apache(Proxy):
    def start(self):
        self.launch("-f", self.write_configs(), "-D", "FOREGROUND")

    def state(self, target):
        _, page = get(target.port, "/balancer-manager")
        row = re.search(rf">http://{re.escape(target.relay.address)}</a>.*", page)[0]
        cells = re.findall(r"<td>(.*?)</td>", row)
        return cells[4].strip()  # Route, RouteRedir, Factor, Set, Status
