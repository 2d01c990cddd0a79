"""What all programs have in common."""
import dataclasses
import itertools
import re
import shutil
import urllib.error
import urllib.request

from .. import process
from ..configs import Configs, fill
from ..process import RunError
from ..relay import Relay
from ..descriptions import Setup

CHECKS = 6  # answered checks after which a program has concluded: all thresholds in configs/ are lower
REQUESTS = 6  # requests that show whether any reaches the server; every other one does, if it takes part

# What stands for the words in a configuration, on the page.
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

    setup: Setup
    adapter: str
    relay: Relay
    front: int | None = None  # the port that the program listens on for this target
    seen: int = 0  # exchanges that there were when the state changed

    @property
    def name(self):
        """What it is called in a configuration."""
        return f"{self.setup.id}_{self.adapter}".replace("-", "_")

    def changed(self):
        self.seen = len(self.relay.exchanges)

    def checks(self):
        """The checks since the state changed, without traffic."""
        return [one for one in self.relay.exchanges[self.seen :] if one.target == self.setup.endpoint.asked]

    def code(self):
        """The code of the last answer to a check."""
        codes = [one.code for one in self.checks() if one.code]
        if not codes:
            raise RunError(f"{self.name}: no check was answered")
        return str(codes[-1])

    def asked(self):
        """The last check as it was sent, without values of headers."""
        line, *headers = self.checks()[-1].head.split("\r\n")
        names = ", ".join(header.partition(":")[0] for header in headers)
        return f"`{line}` with {names or 'no header'}"


class Program:
    """A program that asks for health."""

    binary = None  # its name, or a path
    version_command = ("--version",)

    def __init__(self, described, configs=None, neighbour=None, scratch=None):
        self.about = described
        self.configs = Configs(configs / described.file) if configs and described.file else None
        self.neighbour = neighbour
        self.scratch = scratch
        self.targets = []
        self._process = None

    def find(self):
        """Where the program is, or nothing."""
        return shutil.which(self.binary, path=process.path())

    def version(self):
        """The first number with a point, in what the program says of itself."""
        text, _ = process.output([self.find(), *self.version_command])
        number = re.search(r"\d+(\.\d+)+", text)
        if number is None:
            raise RunError(f"{self.about.name} does not tell its version: {text}")
        return number[0]

    def watch(self, targets):
        """Starts to ask the servers."""
        self.targets = targets
        self.scratch.mkdir()
        self.start()

    def start(self):
        """Starts the program, if it runs by itself."""

    def changed(self):
        """The state of the servers has just changed."""
        for target in self.targets:
            target.changed()

    def conclude(self, target):
        """What the program makes of a target: the code it got, and one text for each column."""
        raise NotImplementedError

    def sums_up(self, texts):
        """What was concluded, in a word or two."""
        return ", ".join(texts[1:])

    def run(self, command):
        """Starts the program itself, with its output in a file."""
        with open(self.scratch / "output", "ab") as file:
            self._process = process.start(
                [self.find(), *map(str, command)],
                stdout=file,
                stderr=file,
                cwd=self.scratch,
                env=process.environment(self.scratch),
            )

    def wait_for(self, what, condition):
        """Waits for something that the program is to do."""

        def alive_and():
            if self._process.poll() is not None:
                said = (self.scratch / "output").read_text(errors="replace")
                raise RunError(f"{self.about.name} ended: {said}")
            return condition()

        return process.wait_until(f"{self.about.name}: {what}", alive_and)

    def values(self, target):
        """What stands for the words in its configuration, in a run."""
        return self.about.test | {
            "server": target.relay.address,
            "port": target.relay.port,
            "other": self.neighbour,
            "otherport": self.neighbour.rpartition(":")[2],
            "path": target.setup.endpoint.asked,
            "name": target.name,
            "front": target.front,
            "listen": f"127.0.0.1:{target.front}",
            "site": f"http://127.0.0.1:{target.front}",
        }

    def text(self, config, values):
        """A configuration, or a command line, with a value for each word."""
        if config.command:
            return fill(config.command, values)
        return self.configs.part(f"config {config.id}", values)

    def page_text(self, config, asked):
        """The same for the page."""
        return self.text(config, PAGE | self.about.page | {"path": asked})

    def write_configs(self, name, **frame):
        """Writes the configurations of all targets in one file."""
        each = (
            self.configs.part("each", values | {"config": self.text(target.setup.config, values)})
            for target in self.targets
            for values in [self.values(target)]
        )
        path = self.scratch / name
        frame |= {"scratch": self.scratch, "configs": "\n".join(each)}
        path.write_text(self.configs.part("frame", frame) + "\n")
        return path


class Proxy(Program):
    """A program that asks by itself, and sends traffic to the servers that it holds to be well."""

    def watch(self, targets):
        for target, port in zip(targets, process.free_ports(len(targets))):
            target.front = port
        super().watch(targets)

    def state(self, target):
        """What the program itself says of the server; nothing while it is in between."""
        raise NotImplementedError

    def conclude(self, target):
        self.wait_for(f"{CHECKS} checks of {target.name}", lambda: self._enough(target))
        state = self.wait_for(f"a state of {target.name}", lambda: self.state(target))
        return target.code(), state, self.traffic(target)

    def sums_up(self, texts):
        return "in service" if texts[2] == "yes" else "out"

    def _enough(self, target):
        """Whether the last checks were all answered, and another begun since."""
        checks = target.checks()
        return len(checks) > CHECKS and all(one.code for one in checks[-CHECKS - 1 : -1])

    def traffic(self, target, **headers):
        """Whether new requests to the proxy reach the server."""
        reached = any(self._reaches(target, headers) for _ in range(REQUESTS))
        return "yes" if reached else "no"

    def _reaches(self, target, headers):
        path = f"/shop?request={next(_numbers)}"
        code = get(f"http://127.0.0.1:{target.front}{path}", headers)[0]
        if code not in (200, 404):
            # The neighbour answers everything with 200; the servers have no such page.
            raise RunError(f"{self.about.name}, {target.name}: traffic got {code}")
        return any(one.target == path for one in target.relay.exchanges[target.seen :])


_numbers = itertools.count(1)
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url, headers=None):
    """Code and body of what a GET request gets, on a connection of its own."""
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with _opener.open(request, timeout=process.PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError as error:
        raise RunError(f"{url}: {error}") from error
