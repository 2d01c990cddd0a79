"""The load tool: sends requests as fast as they get responses, and counts every one.

    load.py '{"port": 8080, "connections": 32, "timeout": 10, "requests": [["GET", "/", "", "the application\\n"]]}'

A request is a method, a path, a body, the body that its 200 must have, and an optional header. It gets this response,
or it has failed. With `"rate": 1000`, it sends so many requests per second, whether or not the responses arrive, as
long as a connection is idle. Prints a line of JSON ten times a second: `sent`, `answered`, `failed` by reason, and the
three numbers of each request in `each`. When its standard input ends it stops sending, waits for the responses that are
due, and prints the last line, where `sent` is the sum of the others.

Why not wrk: it accepts every status code below 400, and counts a timeout only if a late response arrives. Eight
connections whose requests got no response caused no error in its report.
"""

import collections
import json
import random
import re
import select
import socket
import sys
import time

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+) *\r\n", re.IGNORECASE)
CLOSE = re.compile(rb"\r\nconnection: *close *\r\n", re.IGNORECASE)
SAMPLES = 20


class Request:
    """A request that is sent in turn with others."""

    def __init__(self, method, path, body, expected, header=None):
        self.expected = expected.encode()
        length = f"Content-Length: {len(body.encode())}" if body else None
        headers = [line for line in ("Host: shop", length, header) if line]
        self.bytes = "\r\n".join([f"{method} {path} HTTP/1.1", *headers, "", body]).encode()
        self.counts = {"sent": 0, "answered": 0, "failed": 0}

    def judge(self, status, body):
        """Returns what is wrong with a response, or None."""
        if status != b"200":
            return f"status {status.decode('latin-1')}"
        return None if body == self.expected else "another body"


class Connection:
    """A connection, with one pending request at most."""

    def __init__(self, load, turn):
        self.load = load
        self.turn = turn
        self.socket = None
        self.request = None
        self.received = b""
        self.began = 0.0

    def send(self):
        """Sends the next request, on a new connection if the last one was closed."""
        requests = self.load.requests
        self.turn += 1
        self.request = requests[self.turn % len(requests)] if self.load.rate is None else self.load.next()
        self.received = b""
        self.began = time.monotonic()
        self.load.sent += 1
        self.request.counts["sent"] += 1
        try:
            if self.socket is None:
                self.connect()
            # The empty buffer of an idle connection takes a short request whole.
            if self.socket.send(self.request.bytes) != len(self.request.bytes):
                self.fail("sent in part")
        except OSError as error:
            self.fail(f"not sent: {type(error).__name__}")

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.load.port), self.load.timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.load.watch(self)

    def receive(self):
        """Reads the bytes that have arrived. Whether the request is over."""
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return False
        except OSError as error:
            data, end = b"", type(error).__name__
        else:
            end = "closed"
        if self.request is None:
            # A close between two requests loses nothing.
            return self.fail("an answer to nothing") if data else self.close()
        if not data:
            return self.fail(f"no answer: {end}")
        self.received += data
        head, blank, body = self.received.partition(b"\r\n\r\n")
        if not blank:
            return False
        head += b"\r\n"
        length = LENGTH.search(head)
        if length is None:
            return self.fail("an answer without a length")
        missing = int(length[1]) - len(body)
        if missing > 0:
            return False
        reason = "more than an answer" if missing < 0 else self.request.judge(head[9:12], body)
        if reason:
            return self.fail(reason)
        self.load.answered += 1
        self.request.counts["answered"] += 1
        self.request = None
        if CLOSE.search(head):
            self.close()
        return True

    def fail(self, reason):
        """Counts the request as failed and closes the connection."""
        self.load.fail(reason, self.received)
        if self.request:
            self.request.counts["failed"] += 1
        self.request = None
        self.close()
        return True

    def close(self):
        if self.socket is not None:
            self.load.forget(self)
            self.socket.close()
            self.socket = None


class Load:
    """All connections, and the counts."""

    def __init__(self, port, connections, timeout, requests, rate=None):
        self.port = port
        self.timeout = timeout
        self.rate = rate
        self.round = []
        self.began = time.monotonic()
        self.requests = [Request(*request) for request in requests]
        self.sent = 0
        self.answered = 0
        self.failed = collections.Counter()
        self.samples = []
        self.poll = select.epoll()
        self.by_descriptor = {}
        self.connections = [Connection(self, turn) for turn in range(connections)]

    def watch(self, connection):
        descriptor = connection.socket.fileno()
        self.by_descriptor[descriptor] = connection
        self.poll.register(descriptor, select.EPOLLIN)

    def forget(self, connection):
        descriptor = connection.socket.fileno()
        del self.by_descriptor[descriptor]
        self.poll.unregister(descriptor)

    def fail(self, reason, received):
        self.failed[reason] += 1
        if len(self.samples) < SAMPLES:
            self.samples.append([time.time(), reason, received[:200].decode("latin-1")])

    def run(self):
        """Sends until standard input ends, then waits for the responses that are due."""
        standard_input = sys.stdin.fileno()
        self.poll.register(standard_input, select.EPOLLIN | select.EPOLLHUP)
        sending = True
        report_at = 0.0
        while sending or any(connection.request for connection in self.connections):
            if sending:
                self.send_due()
            for descriptor, _ in self.poll.poll(0.1 if self.rate is None else 0.001):
                if descriptor == standard_input:
                    if sending and not sys.stdin.buffer.read1():
                        sending = False
                        self.poll.unregister(standard_input)
                    continue
                connection = self.by_descriptor.get(descriptor)
                if connection and connection.receive() and sending and self.rate is None:
                    connection.send()
            now = time.monotonic()
            if now >= report_at:
                report_at = now + 0.1
                self.give_up(now)
                self.report()
        self.report(samples=self.samples)

    def send_due(self):
        """Sends on every idle connection or, at a rate, on as many as requests are due."""
        due = len(self.connections)
        if self.rate is not None:
            due = int((time.monotonic() - self.began) * self.rate) - self.sent
        for connection in self.connections:
            if due <= 0:
                return
            # Not `while`: a connection that fails must not block the others.
            if connection.request is None:
                connection.send()
                due -= 1

    def next(self):
        """Returns the next request of all connections: each once, in random order, then each once more. In the same
        order, a proxy with an even number of servers in turn would send every second server one kind only."""
        if not self.round:
            self.round = random.sample(self.requests, len(self.requests))
        return self.round.pop()

    def give_up(self, now):
        for connection in self.connections:
            if connection.request and now - connection.began > self.timeout:
                connection.fail("timeout")

    def report(self, **more):
        counts = {"sent": self.sent, "answered": self.answered, "failed": self.failed}
        counts["each"] = [request.counts for request in self.requests]
        print(json.dumps(counts | more), flush=True)


if __name__ == "__main__":
    Load(**json.loads(sys.argv[1])).run()
