"""Varnish: what it concludes is what `varnishadm backend.list` says."""
import json

from .. import process
from ..process import RunError
from .program import Proxy


class Varnish(Proxy):
    binary = "varnishd"
    version_command = ("-V",)

    def start(self):
        # Every target has a configuration of its own, and the main one chooses by port.
        main = self.write_configs("main.vcl")
        ports = [f"-ap{target.front}=127.0.0.1:{target.front}" for target in self.targets]
        administration = ["-n", self.scratch / "varnish", "-T", "127.0.0.1:0"]
        self.run(["-F", "-j", "none", "-f", "", "-s", "malloc,16m", *administration, *ports])
        self.wait_for("its administration", lambda: self._try("ping")[1] == 0)
        for target in self.targets:
            file = self.scratch / f"{target.name}.vcl"
            file.write_text(self.text(target.setup.config, self.values(target)) + "\n")
            self._administer("vcl.load", target.name, file)
            self._administer("vcl.label", f"at_{target.name}", target.name)
        self._administer("vcl.load", "main", main)
        self._administer("vcl.use", "main")
        self._administer("start")
        for target in self.targets:
            self.wait_for(f"port of {target.name}", lambda: process.accepts(target.front))

    def state(self, target):
        backends = json.loads(self._administer("backend.list", "-j", f"{target.name}.web1"))
        return backends[3][f"{target.name}.web1"]["probe_message"][-1]

    def _try(self, *command):
        return process.output(
            ["varnishadm", "-n", str(self.scratch / "varnish"), *map(str, command)],
            env=process.environment(self.scratch),
        )

    def _administer(self, *command):
        text, code = self._try(*command)
        if code != 0:
            raise RunError(f"varnishadm {' '.join(map(str, command))}: {text}")
        return text
