"""The proxies in front of the instances."""
import http.client
import json
import string

from .. import tools
from ..caddy import UP, HealthLog
from ..configs import Configs
from ..haproxy import statistics
from ..process import free_port, listens

# Milliseconds. A proxy probes every INTERVAL, one response decides, and a probe may take PROBE_TIMEOUT.
INTERVAL = 100
PROBE_TIMEOUT = 1000


class Proxy:
    """A proxy in front of instances, each named by its port."""

    def __init__(self, processes, scratch, ports, **settings):
        self.ports = ports
        self.port = free_port()
        self.admin = self.admin_address(scratch)
        config = scratch / f"{self.name}.cfg"
        config.write_text(self.configuration(self.port, self.admin, *ports, **settings) + "\n")
        self.process = processes.start(
            [tools.find(self.binary), *self.arguments, config],
            scratch / f"{self.name}.log",
            env=tools.environment(scratch),
        )
        self.process.wait_until(self.responds, "it listens")

    @classmethod
    def version(cls):
        return tools.version(cls.binary, cls.version_argument)

    def responds(self):
        """Whether the administration responds."""
        raise NotImplementedError

    def is_in(self, port):
        """Whether the proxy sends new requests to the instance."""
        raise NotImplementedError

    def pending(self, port):
        """Returns the number of requests that the instance has not responded to."""
        raise NotImplementedError

    def wait_out(self, port):
        self.process.wait_until(lambda: not self.is_in(port), f"it takes {port} out")

    def wait_in(self, port):
        self.process.wait_until(lambda: self.is_in(port), f"it takes {port} in")

    def wait_idle(self, port):
        """Waits until the proxy waits for no response of an instance that is out. It must say so five times in a row,
        because it does not count a request that has just selected its instance."""
        idle = lambda: all(self.pending(port) == 0 for _ in range(5))
        self.process.wait_until(idle, f"no request to {port} is pending")


class HAProxy(Proxy):
    name = "HAProxy"
    binary = "haproxy"
    arguments = ["-db", "-f"]
    version_argument = "-v"

    @staticmethod
    def admin_address(scratch):
        return scratch / "admin.sock"

    @staticmethod
    def configuration(
        port, admin, a, b, path="/health", interval=INTERVAL, fall=1, more="", reuse="safe", sticky=False
    ):
        values = {"port": port, "admin": admin, "a": a, "b": b, "path": path, "interval": interval, "fall": fall}
        # 299, which only /health has, takes a server out without a failure.
        expect = "\n    http-check expect ! status 299 error-status L7OKC" if path == "/health" else ""
        values |= {"timeout": PROBE_TIMEOUT, "more": more, "reuse": reuse, "expect": expect}
        values["cookie"] = "\n    cookie server insert indirect nocache" if sticky else ""
        values |= {f"cookie{server}": f" cookie {server}" if sticky else "" for server in "ab"}
        return Configs("haproxy.cfg").part("config restarts", values)

    def responds(self):
        try:
            return bool(statistics(self.admin))
        except OSError:
            return False

    def is_in(self, port):
        return self._row(port)["status"].startswith("UP")

    def pending(self, port):
        return int(self._row(port)["scur"])

    def _row(self, port):
        return statistics(self.admin)["shop", string.ascii_lowercase[self.ports.index(port)]]


class Caddy(Proxy):
    name = "Caddy"
    binary = "caddy"
    arguments = ["run", "--adapter", "caddyfile", "--config"]
    version_argument = "version"

    def __init__(self, *positional, **settings):
        super().__init__(*positional, **settings)
        self._health = HealthLog(self.process)

    @staticmethod
    def admin_address(_):
        return f"127.0.0.1:{free_port()}"

    @staticmethod
    def configuration(port, admin, a, b, path="/ready", interval=INTERVAL, expect=200, policy="random"):
        values = {"port": port, "admin": admin, "a": a, "b": b, "path": path, "interval": interval, "policy": policy}
        values |= {"timeout": PROBE_TIMEOUT, "expect": f"\n\t\thealth_status {expect}" if expect else ""}
        return Configs("Caddyfile").part("config restarts", values)

    def responds(self):
        return listens(self.port)

    def is_in(self, port):
        return self._health.last(f"127.0.0.1:{port}") == UP

    def pending(self, port):
        connection = http.client.HTTPConnection(self.admin, timeout=10)
        connection.request("GET", "/reverse_proxy/upstreams")
        upstreams = json.load(connection.getresponse())
        connection.close()
        return next(each["num_requests"] for each in upstreams if each["address"].endswith(f":{port}"))


PROXIES = {"haproxy": HAProxy, "caddy": Caddy}
