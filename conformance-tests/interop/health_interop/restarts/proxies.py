"""What all proxies have in common."""

import os

from .processes import await_that, free_port, listens, still_runs

# Milliseconds. Each proxy asks every INTERVAL, takes one answer for the verdict, and gives a probe PROBE_TIMEOUT.
INTERVAL = 100
PROBE_TIMEOUT = 1000


class Proxy:
    """A proxy in front of two servers, each named by its port. What it is and how to ask it is up to the subclass."""

    def __init__(self, children, scratch, ports, **settings):
        self.ports = ports
        self.port = free_port()
        self.admin = self.admin_address(scratch)
        self.log = os.path.join(scratch, f"{self.name}.log")
        config = os.path.join(scratch, f"{self.name}.cfg")
        with open(config, "w", encoding="utf-8") as file:
            file.write(self.configuration(self.port, self.admin, *ports, **settings))
        # Nothing of it goes to the user's directories.
        home = dict.fromkeys(["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"], scratch)
        self.process = children.start([*self.command, config], self.log, env=os.environ | home)
        await_that(self.listens, f"{self.name} listens")

    def listens(self):
        still_runs(self.process, self.log)
        return listens(self.port)

    def await_out(self, port):
        """Waits until the proxy sends the server no new request."""
        await_that(lambda: not self.is_in(port), f"{self.name} takes {port} out")

    def await_idle(self, port):
        """Waits until the proxy waits for no answer of a server that is out: in five looks in a row, because a request
        that has just chosen its server is not counted yet."""
        idle = lambda: all(self.under_way(port) == 0 for _ in range(5))
        await_that(idle, f"{self.name} has nothing under way to {port}")

    def await_in(self, port):
        """Waits until the proxy sends the server requests."""
        await_that(lambda: self.is_in(port), f"{self.name} takes {port} in")
