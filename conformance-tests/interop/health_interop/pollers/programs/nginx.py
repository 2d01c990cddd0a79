"""nginx: asks nothing by itself, so what it concludes is what it does with traffic."""
from .. import process
from .program import Proxy, get


class Nginx(Proxy):
    binary = "nginx"
    version_command = ("-v",)

    def start(self):
        self._config = self.write_configs("nginx.conf")
        self._launch()

    def changed(self):
        # What it learnt from earlier traffic lapses after fail_timeout; a new process knows nothing yet.
        process.end(self._process)
        self._launch()
        super().changed()

    def conclude(self, target):
        # Somebody asks the endpoint through the proxy, often enough to meet this server.
        url = f"http://127.0.0.1:{target.front}{target.setup.endpoint.asked}"
        bodies = {get(url)[1] for _ in range(2)}
        whose = "the other server's" if bodies == {"neighbour"} else "the server's"
        return target.code(), f"{whose} answer", self.traffic(target)

    def _launch(self):
        self.run(["-p", self.scratch, "-e", "stderr", "-c", self._config])
        for target in self.targets:
            self.wait_for(f"port of {target.name}", lambda: process.accepts(target.front))
