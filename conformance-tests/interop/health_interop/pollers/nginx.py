"""nginx: it polls nothing by itself, so its verdict is what it does with traffic."""
from .program import Proxy, get


class Nginx(Proxy):
    def start(self):
        self._config = self.write_configs()
        self._launch()

    def state_changed(self):
        # A new process has forgotten earlier traffic, which counts for `fail_timeout`.
        self.process.terminate()
        self._launch()
        self.wait_for_ports()
        super().state_changed()

    def verdict(self, target):
        # Clients request the endpoint through the proxy, often enough to reach this server.
        bodies = {get(target.port, target.setup.endpoint.target)[1] for _ in range(2)}
        sender = "the other server's" if bodies == {"neighbour"} else "the server's"
        return target.code(), sender, self.traffic(target)

    def _launch(self):
        self.launch("-p", self.scratch, "-e", "stderr", "-c", self._config)
