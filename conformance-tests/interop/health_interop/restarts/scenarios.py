"""What is tried, and what has to come of it."""

from dataclasses import dataclass, field

from .instances import REQUESTS
from .proxies import INTERVAL, PROBE_TIMEOUT
from .restarts import kill, marker, marker_not_waited_for, sigterm

# Milliseconds. What a proxy needs at worst to notice, and what a busy machine may be late.
MARGIN = 400
DELAY = INTERVAL + PROBE_TIMEOUT + MARGIN

# Clients that hold on to a server, half of them to each.
STICKY = [request + [f"Cookie: server={server}"] for server in "ab" for request in REQUESTS]


@dataclass
class Scenario:
    """A way to restart, and under which circumstances."""

    restart: callable
    # Of the instance, after SIGTERM.
    delay: int = DELAY
    # What the proxy is told beside the usual.
    settings: dict = field(default_factory=dict)
    proxies: tuple = ("haproxy", "caddy")
    # With each framework, not with one of them only.
    everywhere: bool = False
    # Whether requests have to be lost; None: it is a race.
    loses: bool | None = False
    requests: list = field(default_factory=lambda: REQUESTS)
    # Of the number of requests asked for.
    share: float = 0.2
    restarts: int = 0


def delayed(delay, noticed_after, **more):
    """Restarts with a delay to be measured against the time that the proxy needs to notice."""
    loses = None if delay == noticed_after else delay < noticed_after
    return Scenario(sigterm, delay, loses=loses, share=0, restarts=12, **more)


SCENARIOS = {
    "marker": Scenario(marker, everywhere=True, share=1),
    "sigterm": Scenario(sigterm, everywhere=True, share=1),
    "no-delay": Scenario(sigterm, 0, everywhere=True, loses=True),
    "kill": Scenario(kill, everywhere=True, loses=True),
    "marker-not-waited-for": Scenario(marker_not_waited_for, loses=True),
    "drain-not-seen": Scenario(sigterm, settings={"path": "/live"}, loses=True),
    "299-passes": Scenario(sigterm, settings={"path": "/health", "expect": None}, proxies=("caddy",), loses=True),
    "round-robin": Scenario(
        marker, settings={"policy": "round_robin"}, proxies=("caddy",), loses=None, share=1
    ),
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

# By the name of a row: the delays that are tried.
DELAYS = {}
for delay in 0, 250, 500, 750:
    DELAYS[f"every-500-delay-{delay}"] = delayed(delay, 500, settings={"interval": 500})
for delay in 200, 400, 600, 900:
    settings = {"path": "/ready", "interval": 200, "fall": 3}
    DELAYS[f"three-times-200-delay-{delay}"] = delayed(delay, 600, settings=settings, proxies=("haproxy",))
    settings = {"interval": 200, "fall": 3}
    DELAYS[f"299-once-200-delay-{delay}"] = delayed(delay, 200, settings=settings, proxies=("haproxy",))
SCENARIOS |= DELAYS
