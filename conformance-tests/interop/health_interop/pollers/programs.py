"""The classes of the programs."""
from .apache import Apache
from .blackbox import Blackbox
from .caddy import Caddy
from .command import Command
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


def kind(description):
    """Returns the class of a program; the default is a command that exits."""
    return KINDS.get(description.id, Command)
