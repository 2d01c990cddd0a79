"""The example `shop`, with real servers."""
import argparse
import json
import pathlib
import signal
import tempfile
import urllib.error
import urllib.request

from . import tools
from .outages import postgres
from .page import ROOT
from .process import Failure, Processes, free_port, output
from .servers import TARGET

PROGRAM = TARGET / "shop"
TEMPLATE = ROOT / "adapters/axum/examples/shop/shop.toml"
TOKEN = "bm90LWEtc2VjcmV0LXRva2VuLW9mLTMyLWxldHRlcnM"
SECRETS = ["hunter2", TOKEN]


def main(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--install", action="store_true", help="install PostgreSQL and Redis, as packages of Debian")
    options = parser.parse_args()
    if options.install:
        tools.install(_missing())
    if missing := _missing():
        raise Failure(f"NOT RUN: {' '.join(missing)} not installed; --install installs it")
    if not PROGRAM.exists():
        raise Failure(f"{PROGRAM} does not exist: run cargo build -p shop")
    text, code = output([PROGRAM, TEMPLATE])
    if code != 1 or "token" not in text:
        raise Failure(f"without a token it ends with {code}: {text}")
    with Processes() as processes, tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for line in _run(processes, scratch):
            print(line, flush=True)
        log = (scratch / "shop.log").read_text()
        for secret in SECRETS:
            if secret in log:
                raise Failure(f"the log contains {secret}")
    print("The log contains no password and no token")


def _missing():
    servers = {"postgresql": postgres.program("postgres"), "redis-server": tools.find("redis-server")}
    return [package for package, path in servers.items() if not path]


class Redis:
    """A Redis without files."""

    def __init__(self, processes, scratch):
        self.port = free_port()
        self._processes, self._log = processes, scratch / "redis.log"
        self.start()

    def start(self):
        options = ["--port", self.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = self._processes.start([tools.find("redis-server"), *options], self._log, cwd="/")
        self.process.wait_for_port(self.port)


class Shop:
    """The program, with the settings that are to be copied, except for what a test has to change."""

    def __init__(self, processes, scratch, database, cache):
        self.port, self.marker = free_port(), scratch / "maintenance"
        self._processes, self._scratch = processes, scratch
        settings = TEMPLATE.read_text()
        for theirs, ours in {
            "127.0.0.1:8080": f"127.0.0.1:{self.port}",
            "postgres://shop:secret@127.0.0.1/shop": f"postgres://shop:hunter2@127.0.0.1:{database}/postgres",
            "redis://127.0.0.1/": f"redis://127.0.0.1:{cache}/",
            "/run/shop/maintenance": str(self.marker),
            'operators_token = ""': f'operators_token = "{TOKEN}"',
            # The shortest: a period must not be shorter than the timeout.
            '"5s"': '"3s"',
            "at_least = 5": "at_least = 1",
        }.items():
            if theirs not in settings:
                raise Failure(f"{TEMPLATE} does not contain {theirs}")
            settings = settings.replace(theirs, ours)
        self._settings = scratch / "shop.toml"
        self._settings.write_text(settings)

    def start(self):
        environment = tools.environment(self._scratch, RUST_LOG="info")
        command = [PROGRAM, self._settings]
        self.process = self._processes.start(command, self._scratch / "shop.log", env=environment)
        self.process.wait_for_line("Serving")

    def get(self, path, data=None, token=None):
        """Returns the code and the body of a response."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        if data is not None:
            headers["content-type"] = "application/json"
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def expect(self, path, *response, **request):
        """Fails unless the response is soon this one."""
        got = []
        matches = lambda: got.append(self.get(path, **request)) or got[-1] == response
        try:
            self.process.wait_until(matches, f"{path} responds {response}")
        except Failure as failure:
            raise Failure(f"{failure}; it responds {got[-1]}") from None

    def check(self, name):
        """Returns the status and the reasons of a check, as a reader without a token sees them."""
        code, body = self.get("/ready?format=json")
        check = json.loads(body)["checks"][name]
        return code, check["status"], [result["reason"] for result in check["results"]]

    def expect_check(self, name, *expected):
        self.process.wait_until(lambda: self.check(name) == expected, f"{name} is {expected}; it is {self.check(name)}")


def _run(processes, scratch):
    """Yields what was found, a line each."""
    database, cache = postgres.Postgres(processes, scratch), Redis(processes, scratch)
    shop = Shop(processes, scratch, database.port, cache.port)
    database.stop()
    shop.start()
    shop.expect("/live", 200, "OK")
    shop.expect("/ready", 503, "STARTING")
    yield "Without its database it is alive and not ready"

    database.start()
    shop.expect("/ready", 200, "OK")
    shop.expect("/orders", 200, "1", data=b'"tea"')
    for name in "database", "cache", "runtime":
        shop.expect_check(name, 200, "ok", [None])
    yield "With its database it is ready, and takes orders"

    metrics = shop.get("/metrics")[1]
    for line in 'health_state{endpoint="/ready",state="ok"} 1', 'health_check{name="cache",status="ok"} 1':
        if line not in metrics:
            raise Failure(f"no line {line} in {metrics}")
    public, full = (json.loads(shop.get("/ready?format=json", token=token)[1]) for token in (None, TOKEN))
    if "process" in public or full["process"]["name"] != "shop":
        raise Failure(f"the details are {public} and {full}")
    yield "It shows metrics, and details by level"

    cache.process.end(signal.SIGTERM)
    shop.expect_check("cache", 200, "error", ["refused"])
    shop.expect("/orders", 200, "2", data=b'"milk"')
    cache.start()
    shop.expect_check("cache", 200, "ok", [None])
    yield "Without its cache it is ready, and takes orders"

    database.stop()
    shop.expect_check("database", 200, "error", ["refused"])
    shop.expect("/orders", 503, "", data=b'"tea"')
    database.start()
    shop.expect_check("database", 200, "ok", [None])
    shop.expect("/orders", 200, "3", data=b'"tea"')
    yield "A failure of the database that it shares does not take it out of service; it recovers"

    shop.marker.touch()
    shop.expect("/ready", 503, "MAINTENANCE")
    shop.expect("/live", 200, "OK")
    shop.marker.unlink()
    shop.expect("/ready", 200, "OK")
    yield "An operator puts it into maintenance, and back"

    shop.process.send_sigterm()
    shop.expect("/ready", 503, "DRAINING")
    shop.expect("/orders", 200, "4", data=b'"milk"')
    shop.process.wait_for_end("SIGTERM")
    yield "After SIGTERM it drains, takes orders meanwhile, and ends with exit code 0"
