"""The programs that ask health endpoints, and what each is found to conclude."""
from .apache import Apache
from .blackbox import Blackbox
from .caddy import Caddy
from .commands import Command
from .haproxy import HAProxy
from .nginx import Nginx
from .varnish import Varnish

KINDS = {
    "haproxy": HAProxy,
    "varnish": Varnish,
    "apache": Apache,
    "caddy": Caddy,
    "nginx": Nginx,
    "blackbox": Blackbox,
}


def of(described, **around):
    """The program that programs/ describes."""
    return KINDS.get(described.id, Command)(described, **around)
