"""The proxies in front of the ten instances: they poll /ready every second, and one response decides."""
import string

from ..configs import Configs
from ..restarts import proxies


class HAProxy(proxies.HAProxy):
    @staticmethod
    def configuration(port, admin, *ports):
        servers = "\n".join(
            f"    server {name} 127.0.0.1:{server}" for name, server in zip(string.ascii_lowercase, ports)
        )
        return Configs("haproxy.cfg").part("config outages", {"port": port, "admin": admin, "servers": servers})


class Caddy(proxies.Caddy):
    @staticmethod
    def configuration(port, admin, *ports):
        servers = " ".join(f"127.0.0.1:{server}" for server in ports)
        return Configs("Caddyfile").part("config outages", {"port": port, "admin": admin, "servers": servers})


PROXIES = {"haproxy": HAProxy, "caddy": Caddy}
