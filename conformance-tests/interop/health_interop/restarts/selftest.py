"""A test of the load tool: a server that fails now and then counts its failures itself."""

import collections
import pathlib
import socket
import socketserver
import struct
import tempfile
import threading
import time

from ..process import Failure, Processes
from .run import Load

REQUESTS = 20_000

RIGHT = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nright\n"

# What the server does with some of every hundred requests, and the name that the tool must give it.
WRONG = {
    10: (b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 6\r\n\r\nright\n", "status 500"),
    20: (b"HTTP/1.1 299 MAINTENANCE\r\nContent-Length: 6\r\n\r\nright\n", "status 299"),
    30: (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nwrong\n", "another body"),
    40: (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "another body"),
    50: (b"", "no answer: closed"),
    60: (RIGHT[:-2], "no answer: closed"),
    70: ("reset", "no answer: ConnectionResetError"),
    80: (RIGHT.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), None),
    90: (RIGHT + RIGHT, "more than an answer"),
}
# Few, because each blocks a connection until the tool's timeout.
SILENT_EVERY = 4001


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(65536):
            with self.server.lock:
                self.server.count += 1
                count = self.server.count
                answer, name = WRONG.get(count % 100, (RIGHT, None))
                if count % SILENT_EVERY == 0:
                    answer, name = None, "timeout"
                self.server.counts[name] += 1
            if answer is None:
                continue
            if answer == "reset":
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            self.request.sendall(answer)
            if name in ("no answer: closed", "more than an answer") or b"close" in answer:
                return


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.count = 0
        self.counts = collections.Counter()

    def shutdown_request(self, request):
        # A polite end of the connection would come before the reset.
        self.close_request(request)


def run():
    """Tests both ways to send."""
    _counts()
    _rate()


def _counts():
    """Compares the counts of the server and the tool."""
    with tempfile.TemporaryDirectory(prefix="restarts-") as scratch, Processes() as processes, Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        log = pathlib.Path(scratch, "load.log")
        load = Load(processes, server.server_address[1], [["GET", "/", "", "right\n"]], log, timeout=2)
        load.process.wait_until(lambda: load.sent() >= REQUESTS, f"it has sent {REQUESTS} requests")
        seen = load.finish()
        server.shutdown()
    answered = server.counts.pop(None)
    did = dict(server.counts)
    failed = sum(did.values())
    del seen["samples"]
    each = [{"sent": answered + failed, "answered": answered, "failed": failed}]
    if seen != {"sent": answered + failed, "answered": answered, "failed": did, "each": each}:
        raise Failure(f"the load tool counted {seen}, but the server answered {answered} requests and failed {did}")
    print(f"the load tool and the server agree on {seen['sent']} requests, of which failed {did}")


def _rate():
    """The tool keeps its rate, although a silent server never answers, and sends each request as often."""
    rate, seconds = 500, 2
    requests = [["GET", path, "", ""] for path in ("/one", "/other")]
    with tempfile.TemporaryDirectory(prefix="restarts-") as scratch, Processes() as processes:
        with socket.create_server(("127.0.0.1", 0), backlog=4096) as server:
            log = pathlib.Path(scratch, "load.log")
            port = server.getsockname()[1]
            load = Load(processes, port, requests, log, timeout=1, connections=4 * rate, rate=rate)
            began = time.monotonic()
            load.process.wait_until(lambda: load.sent() >= rate * seconds, f"it has sent {rate * seconds} requests")
            took = time.monotonic() - began
            seen = load.finish()
    one, other = (counts["sent"] for counts in seen["each"])
    # The last report is a tenth of a second old.
    if took < seconds - 0.3 or abs(one - other) > 1 or seen["answered"]:
        raise Failure(f"at {rate} requests per second, the load tool has sent in {took:.1f} s: {seen}")
    print(f"the load tool has sent {one} and {other} requests in {took:.1f} s")
