"""The blocks of the page that rolling restarts make."""
import statistics
import tomllib

from ..page import ROOT, table
from ..servers import FRAMEWORKS
from .proxies import INTERVAL, PROBE_TIMEOUT, PROXIES, Caddy, HAProxy
from .scenarios import DELAY, DELAYS, MARGIN, NEEDS, fixed_time

COLUMNS = {
    "marker": "marker",
    "sigterm": "SIGTERM, drain",
    "no-delay": "SIGTERM, no delay",
    "kill": "SIGKILL",
}

CONTRASTS = {
    "marker-not-waited-for": "marker, and SIGKILL at once, without waiting for the proxy",
    "drain-not-seen": "SIGTERM, and the proxy polls the liveness endpoint, which does not show a drain",
    "299-passes": "SIGTERM, and Caddy polls `/health` without `health_status 200`, so that 299 passes",
    "round-robin": "marker, and Caddy with `lb_policy round_robin`",
    "sticky-pyramid": "SIGTERM, sticky sessions, HAProxy polls `/health`: 299",
    "sticky-readiness": "SIGTERM, sticky sessions, HAProxy polls `/ready`: 503",
    "readiness": "SIGTERM, HAProxy polls `/ready`: 503",
    "shutdown-sessions": "SIGTERM, HAProxy polls `/ready`, with `on-marked-down shutdown-sessions`",
    "reuse-always": "SIGTERM, HAProxy with `http-reuse always`",
}

# The framework of the scenarios that run with one framework only.
FIRST = next(iter(FRAMEWORKS))


def put_into(page, results):
    """Puts the results of all runs into the page."""
    page.replace("restarts", table([["framework", "proxy", *COLUMNS.values()], *_restarts(results)]))
    page.replace("delays", table([["proxy", "delay", "restarts that lost requests", "failed"], *_delays(results)]))
    page.replace("contrasts", table([[FIRST, *(proxy.name for proxy in PROXIES.values())], *_contrasts(results)]))
    head = ["proxy", "restarts", "failed", "median", "longest", "fixed time", "median of the fixed time", "failed"]
    page.replace("needs", table([head, *_needs(results)]))
    put_settings_into(page)


def put_settings_into(page):
    """Puts what is no result into the page."""
    delay = f"{INTERVAL} ms × 1 + {PROBE_TIMEOUT} ms + {MARGIN} ms = {DELAY} ms"
    page.replace("delay", f"```text\n{delay}\n```")
    haproxy = HAProxy.configuration(port=8000, admin="/run/haproxy/admin.sock", a=8081, b=8082)
    page.replace("restarts haproxy", f"```haproxy\n{haproxy}\n```")
    caddy = Caddy.configuration(port=8000, admin="127.0.0.1:2019", a=8081, b=8082)
    page.replace("restarts caddy", f"```caddyfile\n{caddy}\n```")


def _restarts(results):
    with open(ROOT / "Cargo.lock", "rb") as file:
        versions = {package["name"]: package["version"] for package in tomllib.load(file)["package"]}
    for framework, stem in FRAMEWORKS.items():
        link = f"[{framework}](../adapters/{framework}/examples/{stem}_drain.rs) {versions[framework]}"
        for name, proxy in PROXIES.items():
            counts = [results.get(scenario, {}).get(framework, {}).get(name) for scenario in COLUMNS]
            if any(counts):
                yield [link, f"{proxy.name} {proxy.version()}", *map(_cell, counts)]


def _contrasts(results):
    for scenario, text in CONTRASTS.items():
        counts = results.get(scenario, {}).get(FIRST, {})
        yield [text, *(_cell(counts.get(proxy)) for proxy in PROXIES)]


def _delays(results):
    for proxy, scenario, text, delays in DELAYS:
        for delay in delays:
            counts = results.get(f"{scenario}-delay-{delay}", {}).get(FIRST, {}).get(proxy)
            lossy = f"{counts['lossy']} of {counts['restarts']}" if counts else "–"
            yield [text, f"{delay} ms", lossy, _failed(counts) if counts else "–"]


def _needs(results):
    for proxy, text, settings, failures in NEEDS:
        needed, fixed = (
            results.get(f"{kind}-{failures}-{proxy}", {}).get(FIRST, {}).get(proxy) for kind in ("needed", "fixed")
        )
        if needed and fixed:
            times = needed["seconds"]
            yield [
                text,
                str(needed["restarts"]),
                _failed(needed),
                f"{statistics.median(times):.2f} s",
                f"{max(times):.2f} s",
                f"{fixed_time(settings, failures)} ms",
                f"{statistics.median(fixed['seconds']):.2f} s",
                _failed(fixed),
            ]


def _cell(counts):
    return f"{_failed(counts)}, {counts['restarts']} restarts" if counts else "–"


def _failed(counts):
    failed = sum(counts["failed"].values())
    return f"{'**0**' if failed == 0 else f'{failed:,}'} of {counts['sent']:,}"
