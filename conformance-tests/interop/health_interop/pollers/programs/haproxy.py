"""HAProxy: what it concludes is in its statistics, on its administration socket."""
import csv
import socket

from .program import Proxy


class HAProxy(Proxy):
    binary = "haproxy"
    version_command = ("-v",)

    def start(self):
        config = self.write_configs("haproxy.cfg")
        self.run(["-db", "-f", config])
        self.wait_for("its socket", (self.scratch / "socket").exists)

    def state(self, target):
        row = self._statistics()[target.name]
        status = row["status"]
        if status not in ("UP", "DOWN", "NOLB"):
            return None  # such as "UP 1/3": on its way
        return f"{status}, {row['check_status'].removeprefix('* ')}"

    def conclude(self, target):
        return *super().conclude(target), self.traffic(target, Cookie="SERVER=web1")

    def sums_up(self, texts):
        return "drains" if texts[2:] == ("no", "yes") else super().sums_up(texts)

    def _statistics(self):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.scratch / "socket"))
            connection.sendall(b"show stat\n")
            text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        rows = csv.DictReader(text.removeprefix("# ").splitlines())
        return {row["pxname"]: row for row in rows if row["svname"] == "web1"}
