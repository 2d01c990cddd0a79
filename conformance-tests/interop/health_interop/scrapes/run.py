"""A service through a start, a failure, timeouts, a drain and a restart, and what Prometheus says of it."""
import collections
import pathlib
import tempfile
import threading
import time
import urllib.error
import urllib.request

from .. import tools
from ..process import Failure, Processes, free_port
from . import dashboard, formats
from .prometheus import Prometheus

TOKEN = "bm90LWEtc2VjcmV0LXRva2Vu"
SECRET = "hunter2"
SEARCH = 'name=~"search.*"'

# What it does, one after the other, and the part of the time that it takes.
STEPS = {"starting": 1, "ok": 2, "failing": 2, "ok again": 2, "timeouts": 3, "after the timeouts": 1, "drain": 1, "restart": 2}


class Service:
    """The service, and what its pollers got of it since it started."""

    def __init__(self, processes, program, scratch, port):
        self._processes, self._program, self.files, self.port = processes, program, scratch, port
        self._log = scratch / "service.log"
        self._environment = tools.environment(
            scratch, BIND=f"127.0.0.1:{port}", FILES=str(scratch), TOKEN=TOKEN, HEALTHCHECK_DISABLEFILE=""
        )

    def start(self):
        self.process = self._processes.start([self._program], self._log, env=self._environment)
        self.process.wait_for_port(self.port)
        self.words = collections.Counter()

    def get(self, path, **headers):
        """Returns the code and the body of a response, or nothing if there is none."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return None

    def poll(self):
        if response := self.get("/ready"):
            self.words[response[1]] += 1

    def set(self, name, exists):
        file = self.files / name
        file.touch() if exists else file.unlink()


def run(program, seconds):
    """Yields what was found, a line each. Fails at the first that is wrong."""
    unit = seconds / sum(STEPS.values())
    with tempfile.TemporaryDirectory(prefix="metrics-") as directory, Processes() as processes:
        scratch = pathlib.Path(directory)
        service = Service(processes, program, scratch, free_port())
        prometheus = Prometheus(processes, scratch, service.port, TOKEN)
        began = time.time()
        service.start()
        # Prometheus takes seconds to find its targets.
        service.process.wait_until(lambda: len(prometheus.query("up == 1")) == 3, "all jobs have scraped it")
        _wait(service, unit * STEPS["starting"])
        service.set("warm", True)
        _wait(service, unit * STEPS["ok"])
        service.set("fail", True)
        _wait(service, unit * STEPS["failing"])
        yield _both_formats(service)
        service.set("fail", False)
        _wait(service, unit * STEPS["ok again"])
        service.set("slow", True)
        _wait(service, unit * STEPS["timeouts"])
        yield _dashboard(prometheus)
        service.set("slow", False)
        _wait(service, unit * STEPS["after the timeouts"])
        time.sleep(1)
        yield _responses(service, prometheus)
        yield _checks(prometheus)
        ended = threading.Thread(target=service.process.terminate)
        ended.start()
        _wait(service, 2.5)
        ended.join()
        service.start()
        _wait(service, unit * STEPS["restart"])
        time.sleep(1)
        yield from _history(prometheus, began)
        yield _secrecy(prometheus, scratch)


def _wait(service, seconds):
    """Polls the readiness for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        service.poll()
        time.sleep(0.1)


def _both_formats(service):
    texts = []
    for headers in {}, {"Authorization": f"Bearer {TOKEN}"}:
        texts = [service.get(f"/metrics?format={name}", **headers) for name in ("prometheus", "openmetrics")]
        if [code for code, _ in texts] != [200, 200]:
            raise Failure(f"a scrape of a failing service gets {texts}")
        formats.check(*(text for _, text in texts))
    return "while the service fails, promtool and the parser of OpenMetrics accept what it shows"


def _dashboard(prometheus):
    count = 0
    # While nothing is held and the version does not change, these have no series.
    empty = {"Checks that never succeeded", "Latches that are held", "Version"}
    for title, query in dashboard.queries():
        count += 1
        if not prometheus.query(query) and title not in empty:
            raise Failure(f"the panel {title!r} shows nothing")
    return f"{count} queries of the dashboard are valid, and each shows something"


def _responses(service, prometheus):
    """Every response is counted once."""
    states = {"ok": "OK", "failing": "ERROR", "starting": "STARTING"}
    found = {}
    for state, word in states.items():
        series = f'health_responses_total{{job="shop", endpoint="/ready", state="{state}"}}'
        found[word] = prometheus.number(series)
        degraded = f'health_responses_total{{job="shop", endpoint="/ready", state="degraded"}}'
        # Degraded has the word of ok.
        found[word] += prometheus.number(degraded) if state == "ok" else 0
    if found != {word: float(service.words[word]) for word in states.values()}:
        raise Failure(f"the pollers got {dict(service.words)}, and Prometheus says {found}")
    return f"Prometheus knows the responses of all pollers: {dict(service.words)}"


def _checks(prometheus):
    failures = prometheus.number('health_check_results_total{job="shop", name="database", status="error"}')
    timeouts = prometheus.number(f'health_check_timeouts_total{{job="shop", {SEARCH}}}')
    errors = prometheus.number(f'health_check_results_total{{job="shop", {SEARCH}, status="error"}}')
    age = prometheus.number('time() - health_check_last_success_timestamp_seconds{job="shop", name="database"}')
    slow = prometheus.number(
        f'health_check_duration_seconds_count{{job="shop", {SEARCH}}}'
        f' - ignoring (le) health_check_duration_seconds_bucket{{job="shop", {SEARCH}, le="0.1"}}'
    )
    if not (failures >= 2 and timeouts >= 2 and errors == timeouts == slow and 0 <= age < 3):
        raise Failure(f"{failures} failures, {timeouts} timeouts, {errors} errors, {slow} slow ones, {age} s since the last success")
    return f"{failures:.0f} failures of the database, {timeouts:.0f} timeouts of the search, the last success {age:.1f} s ago"


def _history(prometheus, began):
    """The states one after the other, as both formats tell them."""
    expected = ["starting", "ok", "failing", "ok", "degraded", "ok", "draining", "ok"]
    end = time.time()
    for job in "shop", "text":
        found = prometheus.over_time(f'health_state{{job="{job}", endpoint="/ready"}} == 1', began, end)
        times = sorted((time, labels["state"]) for labels, times in found for time in times)
        states = [state for index, (_, state) in enumerate(times) if index == 0 or times[index - 1][1] != state]
        # After the restart, the latch may be seen before it is released.
        if [*states[:7], *states[-1:]] != expected or states[7:-1] not in ([], ["starting"]):
            raise Failure(f"{job}: the states were {states}, and not {expected}")
        yield f"{job}: {', '.join(states)}"
    drains = prometheus.number('max_over_time(health_draining{job="shop"}[5m])')
    resets = prometheus.number('resets(health_responses_total{job="shop", endpoint="/ready", state="ok"}[5m])')
    if (drains, resets) != (1, 1):
        raise Failure(f"health_draining was {drains} at most, and a counter was reset {resets} times")
    alerts = prometheus.query('count_over_time(ALERTS{alertstate="firing"}[5m])')
    if alerts:
        raise Failure(f"alerts fired: {alerts}")
    yield "one drain, one restart, no alert"


def _secrecy(prometheus, scratch):
    """Values and versions are known to the job with the token only, and no message to anyone."""
    for name in "health_check_value", "health_build_info":
        jobs = {labels["job"] for labels, _ in prometheus.query(f"last_over_time({name}[5m])")}
        if jobs != {"full"}:
            raise Failure(f"{name} is known to the jobs {sorted(jobs)}")
    if SECRET not in (scratch / "service.log").read_text():
        raise Failure("the log does not have the message of the failure")
    if any(SECRET in str(labels) for labels, _ in prometheus.query('last_over_time({__name__=~".+"}[5m])')):
        raise Failure("the message of a failure is in a label")
    return "only the job with the token knows values and the version"
