"""The servers of the program that has the indicators."""
import subprocess

from .. import tools
from ..process import Failure, output
from ..servers import TARGET
from .server import Server

PROGRAM = TARGET / "indicators"


class Own(Server):
    package = "health-interop"

    @classmethod
    def find(cls):
        return PROGRAM if PROGRAM.exists() else None


class Web(Own):
    """Health endpoints."""

    def command(self):
        return [PROGRAM, "serve", "http", self.port]


class Grpc(Own):
    """Health endpoints, by gRPC."""

    def command(self):
        return [PROGRAM, "serve", "grpc", self.port]


class Tls(Own):
    """A certificate."""

    def prepare(self):
        self._files = certificate(self.directory)

    def command(self):
        return [PROGRAM, "serve", "tls", self.port, *self._files]


class Kafka(Own):
    """A mock of one broker, which chooses its port itself, so that its process is not restarted: it closes all connections instead."""

    def command(self):
        return [PROGRAM, "serve", "kafka"]

    def start(self):
        command = self.command()
        self._process = self._processes.start(command, self._log, self.ending, stdin=subprocess.PIPE, cwd="/")
        self._processes.callback(self.thaw)
        self.port = int(self._process.wait_for_line("READY").split()[1])

    def tell(self, command):
        """Gives it a command, and returns when it has obeyed."""
        self._process.stdin.write(f"{command}\n".encode())
        self._process.stdin.flush()
        self._process.wait_for_line("DONE")


def certificate(directory):
    """Makes a certificate for `localhost`. Returns its file, and that of its key."""
    files = directory / "certificate.pem", directory / "key.pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", files[1]]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", *key, *names, "-days", "365", "-out", files[0]]
    text, code = output(command, env=tools.environment(directory))
    if code != 0:
        raise Failure(f"openssl ended with {code}: {text}")
    return files
