"""HAProxy: how it is configured, and how it is asked."""

import os
import socket
import subprocess

from .proxies import INTERVAL, PROBE_TIMEOUT, Proxy

HAPROXY = """\
global
    stats socket {admin}
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
    default-server check inter {interval}ms fall {fall} rise 1{more}
    server a 127.0.0.1:{a}{cookie_a}
    server b 127.0.0.1:{b}{cookie_b}
"""

# Of the pyramid, 299 takes a server out without taking it for one that failed.
EXPECT = {
    "/health": "    http-check expect ! status 299 error-status L7OKC\n    http-check expect status 200\n",
    "/ready": "    http-check expect status 200\n",
    "/live": "    http-check expect status 200\n",
}


class HAProxy(Proxy):
    name = "HAProxy"
    command = ["haproxy", "-db", "-f"]

    @staticmethod
    def version():
        output = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, check=True).stdout
        return output.split()[2].split("-")[0]

    @staticmethod
    def admin_address(scratch):
        return os.path.join(scratch, "admin.sock")

    @staticmethod
    def configuration(
        port, admin, a, b, path="/health", interval=INTERVAL, fall=1, more="", reuse="safe", sticky=False
    ):
        return HAPROXY.format(
            port=port,
            admin=admin,
            a=a,
            b=b,
            path=path,
            expect=EXPECT[path],
            timeout=PROBE_TIMEOUT,
            interval=interval,
            fall=fall,
            more=more,
            reuse=reuse,
            cookie="    cookie server insert indirect nocache\n" if sticky else "",
            cookie_a=" cookie a" if sticky else "",
            cookie_b=" cookie b" if sticky else "",
        )

    def listens(self):
        # It listens for clients before it listens for administrators.
        with socket.socket(socket.AF_UNIX) as admin:
            return super().listens() and admin.connect_ex(self.admin) == 0

    def statistics(self, port):
        """One server's row of `show stat`, by column."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(self.admin)
            admin.sendall(b"show stat\n")
            text = b"".join(iter(lambda: admin.recv(65536), b"")).decode()
        columns, *rows = [line.split(",") for line in text.removeprefix("# ").splitlines() if line]
        server = "ab"[self.ports.index(port)]
        return next(dict(zip(columns, row)) for row in rows if row[:2] == ["shop", server])

    def is_in(self, port):
        return self.statistics(port)["status"].startswith("UP")

    def under_way(self, port):
        return int(self.statistics(port)["scur"])
