"""What all pollers have in common."""
import dataclasses
import itertools
import signal
import urllib.error
import urllib.request

from .. import tools
from ..configs import Configs, fill
from ..process import PATIENCE, Failure, free_port, output
from .descriptions import Setup
from .relay import Relay

CHECKS = 4  # answered checks after which a program has reached its verdict: more than any threshold in configs/
REQUESTS = 6  # requests that show whether the server gets traffic: every other one reaches it if it does

# The values of words in a configuration on the page.
PAGE = {
    "server": "127.0.0.1:8080",
    "port": "8080",
    "other": "127.0.0.1:8081",
    "otherport": "8081",
    "name": "shop",
    "listen": "80",
    "site": ":80",
}


@dataclasses.dataclass
class Target:
    """One setup of one program, with the server of one adapter."""

    program: str
    setup: Setup
    adapter: str
    relay: Relay
    port: int | None = None  # where a proxy listens for this target
    seen: int = 0  # exchanges before the state changed

    @property
    def name(self):
        """Its name in a configuration."""
        return f"{self.setup.id}_{self.adapter}".replace("-", "_")

    def state_changed(self):
        self.seen = len(self.relay.exchanges)

    def checks(self):
        """Returns the checks since the state changed, without traffic."""
        return [one for one in self.relay.exchanges[self.seen :] if one.target == self.setup.endpoint.target]

    def code(self):
        """Returns the status code of the last response to a check."""
        codes = self.codes()
        if not codes:
            raise Failure(f"{self.program}, {self.name}: none of {len(self.checks())} checks got a response")
        return str(codes[-1])

    def codes(self):
        """Returns the status codes of the responses to checks since the state changed."""
        return [one.code for one in self.checks() if one.code]

    def request(self):
        """Returns the last check as it was sent, without the values of headers."""
        line, *headers = self.checks()[-1].head.split("\r\n")
        names = ", ".join(header.partition(":")[0] for header in headers)
        return f"`{line}` with {names or 'no header'}"


class Program:
    """A program that polls. Subclasses say how it is started and where its verdict is found."""

    def __init__(self, description, processes, scratch, neighbour):
        self.description = description
        self.processes = processes
        self.scratch = scratch / description.id
        self.configs = Configs(description.file) if description.file else None
        self.neighbour = neighbour
        self.targets = []
        self.process = None
        self.scratch.mkdir()

    def version(self):
        return tools.version(self.description.binary, *self.description.version)

    def watch(self, targets):
        """Starts to poll the servers."""
        self.targets = targets
        self.start()

    def start(self):
        """Starts the program, if it keeps running."""

    def state_changed(self):
        """Tells that the state of the servers has just changed."""
        for target in self.targets:
            target.state_changed()

    def verdict(self, target):
        """Returns the status code that the program got, and one text for each column."""
        raise NotImplementedError

    def summary(self, texts):
        """Returns a verdict in a word or two."""
        return ", ".join(texts[1:])

    def launch(self, *arguments):
        """Starts the process of the program."""
        self.process = self.processes.start(
            [tools.find(self.description.binary), *arguments],
            self.scratch / "output",
            # Killed, Apache would leave its shared memory behind.
            end=signal.SIGTERM,
            cwd=self.scratch,
            env=tools.environment(self.scratch),
        )

    def output(self, command):
        """Runs a command that ends by itself. Returns its output and exit code."""
        return output(command, cwd=self.scratch, env=tools.environment(self.scratch))

    def text(self, config, values):
        """Returns a configuration, or a command line, with its words filled in."""
        return fill(config.command, values) if config.command else self.configs.part(f"config {config.id}", values)

    def poll(self, target, once):
        """Polls a target, and returns what `once()` returns. On a busy machine a poll can time out: it is repeated
        twice if there is no response."""
        for _ in range(3):
            result = once()
            if target.codes():
                break
        return result

    def run_text(self, target):
        """Returns the configuration of a target as it is run."""
        return self.text(target.setup.config, self._values(target))

    def page_text(self, config, endpoint):
        """Returns a configuration as the page shows it."""
        return self.text(config, PAGE | self.description.page | {"path": endpoint.target})

    def write_configs(self, **frame):
        """Writes the configurations of all targets to one file, and returns its path."""
        each = (
            self.configs.part("each", self._values(target) | {"config": self.run_text(target)})
            for target in self.targets
        )
        path = self.scratch / self.description.file
        frame |= {"scratch": self.scratch, "configs": "\n".join(each)}
        path.write_text(self.configs.part("frame", frame) + "\n")
        return path

    def _values(self, target):
        return self.description.test | {
            "server": target.relay.address,
            "port": target.relay.port,
            "other": self.neighbour,
            "otherport": self.neighbour.rpartition(":")[2],
            "path": target.setup.endpoint.target,
            "name": target.name,
            "front": target.port,
            "listen": f"127.0.0.1:{target.port}",
            "site": f"http://127.0.0.1:{target.port}",
        }


class Proxy(Program):
    """A program that polls at an interval, and sends traffic to the servers that it considers healthy."""

    def watch(self, targets):
        for target in targets:
            target.port = free_port()
        super().watch(targets)
        self.wait_for_ports()

    def wait_for_ports(self):
        for target in self.targets:
            self.process.wait_for_port(target.port)

    def state(self, target):
        """Returns the program's verdict on the server, or None during a transition."""
        raise NotImplementedError

    def verdict(self, target):
        wait = self.process.wait_until
        wait(lambda: self._has_checked(target), f"it has checked {target.name} {CHECKS} times")
        state = wait(lambda: self.state(target), f"it has decided about {target.name}")
        return target.code(), state, self.traffic(target)

    def summary(self, texts):
        return "in service" if texts[2] == "yes" else "out"

    def _has_checked(self, target):
        """Whether the last checks got responses, and another check has begun since."""
        checks = target.checks()
        return len(checks) > CHECKS and all(one.code for one in checks[-CHECKS - 1 : -1])

    def traffic(self, target, **headers):
        """Returns whether new requests to the proxy reach the server."""
        reached = any(self._reaches(target, headers) for _ in range(REQUESTS))
        return "yes" if reached else "no"

    def _reaches(self, target, headers):
        path = f"/shop?request={next(_numbers)}"
        code, _ = get(target.port, path, headers)
        if code not in (200, 404):
            # The neighbour responds to everything with 200; the servers have no such page.
            raise Failure(f"{self.description.name}, {target.name}: traffic got {code}")
        return any(one.target == path for one in target.relay.exchanges[target.seen :])


_numbers = itertools.count(1)
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(port, path, headers=None):
    """Returns status code and body of the response to a GET request, sent on a new connection."""
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with _opener.open(request, timeout=PATIENCE) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError as error:
        raise Failure(f"{url}: {error}") from error
