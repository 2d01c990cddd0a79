"""The page of the results: a part of docs/load-balancers.md."""

import os
import tomllib

from .caddy import Caddy
from .haproxy import HAProxy
from .instances import FRAMEWORKS
from .proxies import INTERVAL, PROBE_TIMEOUT
from .run import CONNECTIONS
from .scenarios import DELAY, MARGIN

PAGE = """\
## Rolling restarts

Two instances of an application behind a proxy are restarted in turn, round after round, while {connections} connections
send requests as fast as they are answered: half of them `GET /`, half `POST /orders`, which takes some milliseconds. A
request has failed unless it got the application's 200 with its body: an error of the proxy, a closed connection and a
time-out are failures, and nothing is sent twice, neither by the load tool nor by the proxy.

{restarts}

- *marker*: the maintenance file is put in place; the proxy says that the instance is out, and that no answer of it is
  due; the instance is killed, with SIGKILL, so that nothing but the file can have saved a request; it is started again,
  the file is removed, and the proxy says that it is in again.
- *SIGTERM, drain*: [`drain_on`](drain.md) with a delay of {delay} ms, then the framework's graceful stop.
- *SIGTERM, no delay*: the graceful stop alone. It finishes what has arrived, but until its next probe the proxy goes on
  sending to a port where nobody listens.
- *SIGKILL*: for contrast.

The applications are the examples behind the links, {build}. To repeat it, with HAProxy and Caddy installed:

```console
$ cargo build --release --examples{cargo}
$ conformance-tests/interop/rolling-restart --examples target/release/examples --restarts 20 \\
    --results target/rolling.json --write
```

Continuous integration runs `rolling-restart --frameworks axum --scenarios marker,sigterm,kill --requests 5000`, which takes
half a minute. No verdict depends on speed. `rolling-restart --self-test` holds the account of the load tool against that of
a server that is wrong now and then.

### How long the delay must be

```text
delay > interval × failures in a row that the proxy waits for + time-out of a probe + margin
```

Until the proxy has asked again, it sends requests. A probe that is under way when the signal comes may take as long as
its time-out, and HAProxy starts no other meanwhile. The margin is for a machine that is busy. In the table above the
delay is {interval} ms × 1 + {timeout} ms + {margin} ms = {delay} ms. The failures in a row count for 503, and not for
299 as it is configured below, which HAProxy obeys at once. Twelve restarts of {first} each, whose probes are answered at
once:

{delays}

Where the delay is just what the proxy needs, it is a race; and whoever is late by one probe loses until the server is
down, three intervals later with `fall 3`.

### What loses requests, and what does not

{contrasts}

- **Sticky sessions.** In the state that 299 sets, HAProxy keeps sending sticky clients to the server: that is its
  purpose, for a drain that waits until they have gone. For a restart let it poll an endpoint that answers 503, such as
  `Endpoint::readiness("/ready")`: then it sends them elsewhere.
- **`on-marked-down shutdown-sessions` of HAProxy** cuts off the requests that the instance is about to answer.
- **`lb_policy round_robin` of Caddy.** Requests that come at the same time share one counter, and each looks at as many
  upstreams as there are: with one of two out, a request can look at that one twice, and gets 503 while the other is
  well. It is rare, and its source is the same in later versions. `random`, which is the default, `least_conn` and `first`
  do not have this; `lb_retries` hides it.
- **Connections that are kept open.** The instance closes them when it stops. A proxy that sends on one at that moment
  loses the request; after the delay it sends none. Nothing had to be set for that: no request was lost with
  `http-reuse safe`, the default, nor with `always`.
- **Retries.** Go's HTTP client, on which Caddy is built, repeats a GET by itself when a kept connection breaks. So half of
  the requests are POSTs with a body, which it does not repeat.
- **Rocket and actix-web** catch SIGTERM by themselves, and stop at once: their examples turn that off. A stop takes
  Rocket two seconds, its `grace`, while a proxy keeps a connection open.

### As it was configured

HAProxy {haproxy}. Without `retries 0` it would try a connection that was refused three times more, and with
`option redispatch` the other server as well: good to have, and left out because it hides what is counted here.

```haproxy
{haproxy_configuration}```

Caddy {caddy}. Its passive health checks are off, as they are by default.

```caddyfile
{caddy_configuration}```
"""

COLUMNS = {
    "marker": "marker",
    "sigterm": "SIGTERM, drain",
    "no-delay": "SIGTERM, no delay",
    "kill": "SIGKILL",
}

CONTRASTS = {
    "marker-not-waited-for": "the instance is killed as soon as the marker is there, without waiting for the proxy",
    "drain-not-seen": "SIGTERM, and the proxy polls the liveness endpoint, which shows no drain",
    "299-passes": "SIGTERM, and Caddy polls `/health` without `health_status 200`: 299 passes",
    "round-robin": "marker, and Caddy with `lb_policy round_robin`",
    "sticky-pyramid": "SIGTERM, sticky sessions, HAProxy polls `/health`: 299",
    "sticky-readiness": "SIGTERM, sticky sessions, HAProxy polls `/ready`: 503",
    "readiness": "SIGTERM, HAProxy polls `/ready`: 503",
    "shutdown-sessions": "SIGTERM, HAProxy polls `/ready`, with `on-marked-down shutdown-sessions`",
    "reuse-always": "SIGTERM, HAProxy with `http-reuse always`",
}

DELAYS = [
    ("haproxy", "every-500", "HAProxy, 299, `inter 500ms`", (0, 250, 500, 750)),
    ("caddy", "every-500", "Caddy, 503, `health_interval 500ms`", (0, 250, 500, 750)),
    ("haproxy", "299-once-200", "HAProxy, 299, `inter 200ms fall 3`", (200, 400, 600, 900)),
    ("haproxy", "three-times-200", "HAProxy, 503, `inter 200ms fall 3`", (200, 400, 600, 900)),
]


def write(results, root):
    """Writes the page."""
    first = next(iter(FRAMEWORKS))
    by_proxy = [accounts for scenario in results.values() for accounts in scenario.values()]
    builds = {account["build"] for accounts in by_proxy for account in accounts.values()}
    page = PAGE.format(
        connections=CONNECTIONS,
        interval=INTERVAL,
        timeout=PROBE_TIMEOUT,
        margin=MARGIN,
        delay=DELAY,
        first=first,
        build=" and ".join(f"built with the {build} profile" for build in sorted(builds)),
        cargo="".join(f" -p health-{name}" for name in FRAMEWORKS),
        restarts=table(["framework", "proxy", *COLUMNS.values()], restarts(results, versions(root))),
        contrasts=table([f"{first}, restarted by", "HAProxy", "Caddy"], contrasts(results, first)),
        delays=table(["proxy", "delay", "restarts that lost requests", "failed"], delays(results, first)),
        haproxy=HAProxy.version(),
        haproxy_configuration=HAProxy.configuration(port=8000, admin="/run/haproxy/admin.sock", a=8081, b=8082),
        caddy=Caddy.version(),
        caddy_configuration=Caddy.configuration(port=8000, admin="127.0.0.1:2019", a=8081, b=8082),
    )
    with open(os.path.join(root, "conformance-tests", "interop", "rolling.md"), "w", encoding="utf-8") as file:
        file.write(page)


def versions(root):
    with open(os.path.join(root, "Cargo.lock"), "rb") as file:
        return {package["name"]: package["version"] for package in tomllib.load(file)["package"]}


def restarts(results, version):
    for framework, example in FRAMEWORKS.items():
        link = f"[{framework}](../adapters/{framework}/examples/{example}.rs) {version[framework]}"
        for name, proxy in ("haproxy", HAProxy), ("caddy", Caddy):
            accounts = [results.get(scenario, {}).get(framework, {}).get(name) for scenario in COLUMNS]
            if any(accounts):
                yield [link, f"{proxy.name} {proxy.version()}", *map(cell, accounts)]


def contrasts(results, framework):
    for scenario, text in CONTRASTS.items():
        accounts = results.get(scenario, {}).get(framework, {})
        yield [text, *(cell(accounts.get(proxy)) for proxy in ("haproxy", "caddy"))]


def delays(results, framework):
    for proxy, scenario, text, tried in DELAYS:
        for delay in tried:
            account = results.get(f"{scenario}-delay-{delay}", {}).get(framework, {}).get(proxy)
            lossy = f"{account['lossy']} of {account['restarts']}" if account else "–"
            yield [text, f"{delay} ms", lossy, counted(account) if account else "–"]


def cell(account):
    return f"{counted(account)}, {account['restarts']} restarts" if account else "–"


def counted(account):
    failed = sum(account["failed"].values())
    return f"{'**0**' if failed == 0 else f'{failed:,}'} of {account['sent']:,}"


def table(heads, rows):
    lines = [f"| {' | '.join(line)} |" for line in [heads, *rows]]
    return "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:]])
