"""Varnish: `varnishadm backend.list` shows its verdict."""
import json

from ..process import Failure
from .program import Proxy


class Varnish(Proxy):
    def start(self):
        # Every target has a separate configuration; the main one selects it by port.
        main = self.write_configs()
        ports = [f"-ap{target.port}=127.0.0.1:{target.port}" for target in self.targets]
        administration = ["-n", self.scratch / "varnish", "-T", "127.0.0.1:0"]
        self.launch("-F", "-j", "none", "-f", "", "-s", "malloc,16m", *administration, *ports)
        self.process.wait_until(lambda: self._try("ping")[1] == 0, "its administration responds")
        for target in self.targets:
            file = self.scratch / f"{target.name}.vcl"
            file.write_text(self.run_text(target) + "\n")
            self._administer("vcl.load", target.name, file)
            self._administer("vcl.label", f"at_{target.name}", target.name)
        self._administer("vcl.load", "main", main)
        self._administer("vcl.use", "main")
        self._administer("start")

    def state(self, target):
        backends = json.loads(self._administer("backend.list", "-j", f"{target.name}.web1"))
        return backends[3][f"{target.name}.web1"]["probe_message"][-1]

    def _try(self, *command):
        return self.output(["varnishadm", "-n", self.scratch / "varnish", *command])

    def _administer(self, *command):
        text, code = self._try(*command)
        if code != 0:
            raise Failure(f"varnishadm {' '.join(map(str, command))}: {text}")
        return text
