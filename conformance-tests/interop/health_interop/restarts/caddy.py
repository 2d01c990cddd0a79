"""Caddy: how it is configured, and how it is asked."""

import http.client
import json
import subprocess

from .processes import free_port
from .proxies import INTERVAL, PROBE_TIMEOUT, Proxy

CADDY = """\
{{
	admin {admin}
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


class Caddy(Proxy):
    name = "Caddy"
    command = ["caddy", "run", "--adapter", "caddyfile", "--config"]

    def __init__(self, children, scratch, ports, **settings):
        self.read = 0
        # It takes a server for healthy until the first probe.
        self.verdicts = dict.fromkeys(ports, True)
        super().__init__(children, scratch, ports, **settings)

    @staticmethod
    def version():
        output = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout
        return output.split()[0].removeprefix("v")

    @staticmethod
    def admin_address(_):
        return f"127.0.0.1:{free_port()}"

    @staticmethod
    def configuration(port, admin, a, b, path="/ready", interval=INTERVAL, expect=200, policy="random"):
        return CADDY.format(
            port=port,
            admin=admin,
            a=a,
            b=b,
            path=path,
            expect=f"\n\t\thealth_status {expect}" if expect else "",
            timeout=PROBE_TIMEOUT,
            interval=interval,
            policy=policy,
        )

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
        connection = http.client.HTTPConnection(self.admin, timeout=10)
        connection.request("GET", "/reverse_proxy/upstreams")
        upstreams = json.load(connection.getresponse())
        connection.close()
        return next(each["num_requests"] for each in upstreams if each["address"].endswith(f":{port}"))
