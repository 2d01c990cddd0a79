"""The ways to restart an instance, and whether requests must get lost."""
from dataclasses import dataclass, field

from .proxies import INTERVAL, PROBE_TIMEOUT

# Milliseconds: what a busy machine may be late, and the longest time until a proxy has noticed.
MARGIN = 400
DELAY = INTERVAL + PROBE_TIMEOUT + MARGIN

# Every example has a quick response, and one that takes some milliseconds. Go's HTTP client, and so Caddy, repeats a
# GET by itself when a kept connection breaks: a POST with a body shows what is lost.
REQUESTS = [
    ["GET", "/", "", "the application\n"],
    ["POST", "/orders", "two of these", "ordered\n"],
]
# Clients with a session, half of them on each instance.
STICKY = [request + [f"Cookie: server={server}"] for server in "ab" for request in REQUESTS]


def marker(instance, proxy):
    """Maintenance, and SIGKILL when the proxy is done with the instance: only the maintenance file saves requests."""
    instance.begin_maintenance()
    proxy.wait_out(instance.port)
    proxy.wait_idle(instance.port)
    kill_in_maintenance(instance, proxy)


def marker_not_waited_for(instance, proxy):
    """Maintenance and SIGKILL at once: what the maintenance file is worth without the wait."""
    instance.begin_maintenance()
    kill_in_maintenance(instance, proxy)


def kill_in_maintenance(instance, proxy):
    instance.kill()
    proxy.wait_out(instance.port)
    instance.start()
    instance.end_maintenance()
    proxy.wait_in(instance.port)


def sigterm(instance, proxy):
    instance.terminate()
    proxy.wait_out(instance.port)
    instance.start()
    proxy.wait_in(instance.port)


def kill(instance, proxy):
    instance.kill()
    proxy.wait_out(instance.port)
    instance.start()
    proxy.wait_in(instance.port)


@dataclass
class Scenario:
    """A way to restart, under the conditions that it is tried in."""

    restart: callable
    drain_delay: int = DELAY
    drain: dict = field(default_factory=dict)  # the maximum of the drain, and the failures of the proxy
    settings: dict = field(default_factory=dict)  # of the proxy
    proxies: tuple = ("haproxy", "caddy")
    every_framework: bool = False
    loses: bool | None = False  # whether requests must get lost; None: either may happen
    requests: list = field(default_factory=lambda: REQUESTS)
    share: float = 0.2  # of the number of requests that the user asks for
    restarts: int = 0  # at least


SCENARIOS = {
    "marker": Scenario(marker, every_framework=True, share=1),
    "sigterm": Scenario(sigterm, every_framework=True, share=1),
    "no-delay": Scenario(sigterm, 0, every_framework=True, loses=True),
    "kill": Scenario(kill, every_framework=True, loses=True),
    "marker-not-waited-for": Scenario(marker_not_waited_for, loses=True),
    "drain-not-seen": Scenario(sigterm, settings={"path": "/live"}, loses=True),
    "299-passes": Scenario(sigterm, settings={"path": "/health", "expect": None}, proxies=("caddy",), loses=True),
    "round-robin": Scenario(marker, settings={"policy": "round_robin"}, proxies=("caddy",), loses=None, share=1),
    "reuse-always": Scenario(sigterm, settings={"reuse": "always"}, proxies=("haproxy",), share=1),
    "readiness": Scenario(sigterm, settings={"path": "/ready"}, proxies=("haproxy",), share=1),
    "shutdown-sessions": Scenario(
        sigterm,
        settings={"path": "/ready", "more": " on-marked-down shutdown-sessions"},
        proxies=("haproxy",),
        loses=True,
    ),
    "sticky-pyramid": Scenario(sigterm, settings={"sticky": True}, proxies=("haproxy",), loses=True, requests=STICKY),
    "sticky-readiness": Scenario(
        sigterm, settings={"sticky": True, "path": "/ready"}, proxies=("haproxy",), requests=STICKY, share=1
    ),
}

# Drain delays around the time until a proxy has noticed: the proxy, the scenario, the row of the page, the delays.
DELAYS = [
    ("haproxy", "every-500", "HAProxy, 299, `inter 500ms`", (0, 250, 500, 750)),
    ("caddy", "every-500", "Caddy, 503, `health_interval 500ms`", (0, 250, 500, 750)),
    ("haproxy", "299-once-200", "HAProxy, 299, `inter 200ms fall 3`", (200, 400, 600, 900)),
    ("haproxy", "three-times-200", "HAProxy, 503, `inter 200ms fall 3`", (200, 400, 600, 900)),
]


def delayed(delay, noticed_after, **more):
    loses = None if delay == noticed_after else delay < noticed_after
    return Scenario(sigterm, delay, loses=loses, share=0, restarts=12, **more)


for delay in 0, 250, 500, 750:
    SCENARIOS[f"every-500-delay-{delay}"] = delayed(delay, 500, settings={"interval": 500})
for delay in 200, 400, 600, 900:
    settings = {"interval": 200, "fall": 3}
    SCENARIOS[f"299-once-200-delay-{delay}"] = delayed(delay, 200, settings=settings, proxies=("haproxy",))
    settings = {"path": "/ready", "interval": 200, "fall": 3}
    SCENARIOS[f"three-times-200-delay-{delay}"] = delayed(delay, 600, settings=settings, proxies=("haproxy",))

# Drains that last as long as they are needed, and the fixed times that do as well: the proxy, the row of the page, the
# interval, the consecutive failures that the proxy waits for, and its path.
NEEDS = [
    ("haproxy", "HAProxy, 503, `inter 500ms fall 3`", {"interval": 500, "fall": 3, "path": "/ready"}, 3),
    ("haproxy", "HAProxy, 299, `inter 500ms`", {"interval": 500}, 1),
    ("caddy", "Caddy, 503, `health_interval 500ms`", {"interval": 500}, 1),
]


def fixed_time(settings, failures):
    """The time of a drain that is long enough without knowing the polls."""
    return settings["interval"] * failures + PROBE_TIMEOUT + MARGIN


for proxy, _, settings, failures in NEEDS:
    more = {"settings": settings, "proxies": (proxy,), "share": 0, "restarts": 12}
    SCENARIOS[f"needed-{failures}-{proxy}"] = Scenario(sigterm, 0, {"max": 20_000, "failures": failures}, **more)
    SCENARIOS[f"fixed-{failures}-{proxy}"] = Scenario(sigterm, fixed_time(settings, failures), **more)
