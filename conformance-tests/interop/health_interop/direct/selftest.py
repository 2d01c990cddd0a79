"""A test of the clients: servers that lose requests, and servers that seem to, count themselves what they do."""
import collections
import contextlib
import pathlib
import socket
import socketserver
import struct
import tempfile
import threading

from ..process import Failure, Processes
from .clients import KINDS, Clients, lost

REQUESTS = 2000
CONNECTIONS = 8

BODIES = {b"GET": b"the application\n", b"POST": b"ordered\n"}


def run(program):
    """Tests both protocols."""
    for http, turns, server in ("1.1", HTTP1, Http1), ("2", HTTP2, Http2):
        for kind, expected in turns.items():
            _run(program, http, kind, server, expected)


def _run(program, http, kind, server, turns):
    """Compares what the server did with what the clients counted."""
    with tempfile.TemporaryDirectory(prefix="direct-") as scratch, Processes() as processes, Server(server) as server:
        server.turns = turns
        threading.Thread(target=server.serve_forever, daemon=True).start()
        options = [f"--http={http}", f"--connections={CONNECTIONS}", "--pause=2", "--streams=1", *KINDS[kind]]
        clients = Clients(processes, program, [server.server_address[1]], pathlib.Path(scratch, "log"), options)
        clients.process.wait_until(lambda: clients.counts()["sent"] >= REQUESTS, f"they have sent {REQUESTS} requests")
        seen = clients.finish()
        server.shutdown()
    did = {name: server.counts[name] for name in ("answered", "wrong", "lost", "announced", "repeated")}
    counted = seen | {"lost": lost(seen), "announced": sum(seen["announced"])}
    counted = {name: counted[name] for name in did}
    # A request that is sent on a closed connection never reaches the server, and the last of them may not be sent.
    silent = server.counts["silent"]
    if silent and kind != "looking":
        unseen = counted["lost"] - did["lost"]
        did["lost"] += min(max(unseen, silent - CONNECTIONS), silent)
    name = f"HTTP/{http}, {kind}"
    if counted != did:
        raise Failure(f"{name}: the clients counted {seen}, but the server did {did}, with {silent} silent closes")
    print(f"{name}: the clients and the server agree on {counted}")


class Server(socketserver.ThreadingTCPServer):
    """A server that treats its requests in turn in all ways of `turns`, and counts what it did."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.count = 0
        self.turns = []

    def turn(self):
        """Returns how to treat the next request."""
        with self.lock:
            act, counts = self.turns[self.count % len(self.turns)]
            self.count += 1
            self.counts.update(counts)
            return act

    def shutdown_request(self, request):
        # A polite end of the connection would come before the reset.
        self.close_request(request)

    def handle_error(self, request, address):
        # The clients may close a connection, too.
        pass


def last(connection, data):
    """Sends data and the end of the connection in one packet: the client sees both, or neither."""
    connection.send(data, socket.MSG_MORE)
    connection.shutdown(socket.SHUT_WR)


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Http1(socketserver.BaseRequestHandler):
    def handle(self):
        # The clients send a request in one packet, and wait for the response.
        while data := self.request.recv(65536):
            body = BODIES[data.partition(b" ")[0]]
            if self.server.turn()(self.request, body):
                return


def response(body, more=b""):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), more, body)


CLOSE = b"Connection: close\r\n"


def answer1(connection, body):
    connection.sendall(response(body))


def wrong1(connection, body):
    connection.sendall(response(b"another body"))


def announce1(connection, body):
    last(connection, response(body, CLOSE))
    return True


def silent(connection, body):
    last(connection, response(body))
    return True


def close(connection, body):
    return True


def cut1(connection, body):
    last(connection, response(body)[:-1])
    return True


def closed_by_reset(connection, body):
    reset(connection)
    return True


class Http2(socketserver.BaseRequestHandler):
    """One request at a time."""

    def handle(self):
        with self.request.makefile("rb") as stream:
            stream.read(24)
            self.request.sendall(frame(4, 0, 0, b"") + frame(6, 0, 0, b"12345678"))
            pongs = method = None
            while head := stream.read(9):
                length, kind, flags = int.from_bytes(head[:3]), head[3], head[4]
                identifier, payload = int.from_bytes(head[5:]), stream.read(length)
                if kind == 1:
                    method = b"GET" if payload[0] == 0x82 else b"POST"
                if kind in (0, 1) and flags & 1 and self.server.turn()(self.request, identifier, BODIES[method]):
                    return


def frame(kind, flags, identifier, payload):
    return len(payload).to_bytes(3) + bytes([kind, flags]) + identifier.to_bytes(4) + payload


def response2(identifier, body, status=b"\x88"):
    return frame(1, 4, identifier, b"\x20" + status) + frame(0, 1, identifier, body)


def goaway(processed):
    return frame(7, 0, 0, processed.to_bytes(4) + bytes(4))


def answer2(connection, identifier, body):
    connection.sendall(response2(identifier, body))


def wrong2(connection, identifier, body):
    connection.sendall(response2(identifier, body, b"\x8e"))


def announce2(connection, identifier, body):
    last(connection, goaway(identifier) + response2(identifier, body))
    return True


def unprocessed(connection, identifier, body):
    last(connection, goaway(max(identifier - 2, 0)))
    return True


def broken_promise(connection, identifier, body):
    last(connection, goaway(identifier))
    return True


def refuse(connection, identifier, body):
    connection.sendall(frame(3, 0, identifier, (7).to_bytes(4)))


def fail(connection, identifier, body):
    connection.sendall(frame(3, 0, identifier, (2).to_bytes(4)))


def close2(connection, identifier, body):
    return True


ANSWERED, LOST = {"answered": 1}, {"lost": 1}
TOLD = {"announced": 1}

# What a server does in turn, and what the clients of a kind must count.
HTTP1 = {
    "heeding": [
        (answer1, ANSWERED),
        (announce1, ANSWERED | TOLD),
        (answer1, ANSWERED),
        (wrong1, {"wrong": 1}),
        (close, LOST),
        (cut1, LOST),
        (closed_by_reset, LOST),
        (silent, ANSWERED | {"silent": 1}),
    ],
    "looking": [(answer1, ANSWERED), (announce1, ANSWERED | TOLD), (silent, ANSWERED), (close, LOST)],
    "ignoring": [(answer1, ANSWERED), (announce1, ANSWERED | TOLD | {"silent": 1}), (close, LOST)],
}
HTTP2 = {
    "heeding": [
        (answer2, ANSWERED),
        (announce2, ANSWERED | TOLD),
        (unprocessed, TOLD | {"repeated": 1}),
        (refuse, {"repeated": 1}),
        (wrong2, {"wrong": 1}),
        (broken_promise, TOLD | LOST),
        (fail, LOST),
        (close2, LOST),
    ],
    "ignoring": [(answer2, ANSWERED), (announce2, ANSWERED | TOLD), (unprocessed, TOLD | LOST)],
}
