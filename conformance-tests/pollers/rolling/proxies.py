"""The proxies: how each is configured, and how it is asked whether an instance is in rotation."""

import http.client
import json
import os
import socket
import subprocess

from .processes import await_that, free_port, listens, still_runs

# Milliseconds. Each proxy asks every INTERVAL, takes one answer for the verdict, and gives a probe PROBE_TIMEOUT.
INTERVAL = 100
PROBE_TIMEOUT = 1000

HAPROXY = """\
global
    stats socket {scratch}/admin.sock level admin
defaults
    mode http
    retries 0
    http-reuse {reuse}
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend clients
    bind 127.0.0.1:{port}
    default_backend shop
backend shop
    balance roundrobin
{cookie}\
    option httpchk
    timeout check {timeout}ms
    http-check send meth GET uri {path}
{expect}\
    default-server check inter {interval}ms fall {fall} rise 1
    server a 127.0.0.1:{a}{cookie_a}
    server b 127.0.0.1:{b}{cookie_b}
"""

# By the path that is polled: of the pyramid, 299 takes a server out without taking it for one that failed.
HAPROXY_EXPECT = {
    "/health": "    http-check expect ! status 299 error-status L7OKC\n    http-check expect status 200\n",
}

CADDY = """\
{{
	admin 127.0.0.1:{admin}
	auto_https off
	log {{
		format json
	}}
}}
http://:{port} {{
	bind 127.0.0.1
	reverse_proxy 127.0.0.1:{a} 127.0.0.1:{b} {{
		lb_policy {policy}
		lb_retries 0
		lb_try_duration 0
		health_uri {path}
		health_interval {interval}ms
		health_timeout {timeout}ms{expect}
	}}
}}
"""


class Proxy:
    """What both have in common. A server is named by its port."""

    def __init__(self, children, scratch, ports, **settings):
        self.scratch = scratch
        self.ports = ports
        self.port = free_port()
        self.log = os.path.join(scratch, f"{self.name}.log")
        self.configuration = self.configure(**{"path": self.path} | settings)
        self.config = os.path.join(scratch, f"{self.name}.cfg")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(self.configuration)
        # Nothing of it goes to the user's directories.
        home = dict.fromkeys(["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"], scratch)
        self.process = children.start(self.command(), self.log, env=os.environ | home)
        await_that(self.listens, f"{self.name} listens")

    def listens(self):
        still_runs(self.process, self.log)
        return listens(self.port)

    def await_out(self, port):
        """Waits until the proxy sends the server no new request."""
        await_that(lambda: not self.is_in(port), f"{self.name} takes {port} out")

    def await_idle(self, port):
        """Waits until the proxy waits for no answer of a server that is out: in five looks in a row, because a request
        that has just chosen its server is not counted yet."""
        await_that(lambda: all(self.under_way(port) == 0 for _ in range(5)), f"{self.name} has nothing under way to {port}")

    def await_in(self, port):
        await_that(lambda: self.is_in(port), f"{self.name} takes {port} in")


class HAProxy(Proxy):
    name = "HAProxy"
    program = "haproxy"
    path = "/health"

    @staticmethod
    def version():
        return subprocess.run(["haproxy", "-v"], capture_output=True, text=True, check=True).stdout.split()[2].split("-")[0]

    def configure(self, path, interval=INTERVAL, fall=1, reuse="safe", sticky=False):
        a, b = self.ports
        return HAPROXY.format(
            scratch=self.scratch,
            port=self.port,
            a=a,
            b=b,
            path=path,
            expect=HAPROXY_EXPECT.get(path, "    http-check expect status 200\n"),
            timeout=PROBE_TIMEOUT,
            interval=interval,
            fall=fall,
            reuse=reuse,
            cookie="    cookie server insert indirect nocache\n" if sticky else "",
            cookie_a=" cookie a" if sticky else "",
            cookie_b=" cookie b" if sticky else "",
        )

    def command(self):
        return ["haproxy", "-db", "-f", self.config]

    def statistics(self, port):
        """One server's row of `show stat`, by column."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(os.path.join(self.scratch, "admin.sock"))
            admin.sendall(b"show stat\n")
            text = b"".join(iter(lambda: admin.recv(65536), b"")).decode()
        columns, *rows = [line.split(",") for line in text.removeprefix("# ").splitlines() if line]
        server = "ab"[self.ports.index(port)]
        return next(dict(zip(columns, row)) for row in rows if row[:2] == ["shop", server])

    def is_in(self, port):
        return self.statistics(port)["status"].startswith("UP")

    def under_way(self, port):
        return int(self.statistics(port)["scur"])


class Caddy(Proxy):
    name = "Caddy"
    program = "caddy"
    path = "/ready"

    @staticmethod
    def version():
        return subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout.split()[0].removeprefix("v")

    def configure(self, path, interval=INTERVAL, expect=200, policy="random"):
        self.admin = free_port()
        self.read = 0
        # It takes a server for healthy until the first probe.
        self.verdicts = dict.fromkeys(self.ports, True)
        a, b = self.ports
        return CADDY.format(
            admin=self.admin,
            port=self.port,
            a=a,
            b=b,
            path=path,
            expect=f"\n\t\thealth_status {expect}" if expect else "",
            timeout=PROBE_TIMEOUT,
            interval=interval,
            policy=policy,
        )

    def command(self):
        return ["caddy", "run", "--adapter", "caddyfile", "--config", self.config]

    def is_in(self, port):
        """As its log says: each failed probe is a line, and the first good one after that. Its API does not tell."""
        with open(self.log, "rb") as file:
            file.seek(self.read)
            lines = file.read()
        whole = lines.rfind(b"\n") + 1
        self.read += whole
        for line in lines[:whole].splitlines():
            if b"health_checker" in line:
                entry = json.loads(line)
                server = int(entry["host"].rpartition(":")[2])
                self.verdicts[server] = entry["msg"] == "host is up"
        return self.verdicts[port]

    def under_way(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10)
        connection.request("GET", "/reverse_proxy/upstreams")
        upstreams = json.load(connection.getresponse())
        connection.close()
        return next(each["num_requests"] for each in upstreams if each["address"].endswith(f":{port}"))


PROXIES = {"haproxy": HAProxy, "caddy": Caddy}
