"""HAProxy: its verdict is in its statistics."""
from ..haproxy import statistics
from .program import Proxy


class HAProxy(Proxy):
    def start(self):
        self.launch("-db", "-f", self.write_configs())
        self.process.wait_until((self.scratch / "socket").exists, "its socket exists")

    def state(self, target):
        row = statistics(self.scratch / "socket")[target.name, "web1"]
        status = row["status"]
        if status not in ("UP", "DOWN", "NOLB"):
            return None  # such as "UP 1/3", in transition
        return f"{status}, {row['check_status'].removeprefix('* ')}"

    def verdict(self, target):
        return *super().verdict(target), self.traffic(target, Cookie="SERVER=web1")

    def summary(self, texts):
        return "drains" if texts[2:] == ("no", "yes") else super().summary(texts)
