"""A health endpoint on Python's http.server: rules H1, H2, H9 and H10 of docs/contract.md."""
import contextlib
import io
import re
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

LIMIT = 65536  # bytes of a line, or of one read


class Server(ThreadingHTTPServer):
    request_queue_size = 1024  # connections that wait for a thread

    def __init__(self, health):
        super().__init__(("127.0.0.1", 0), Handler)
        self.health = health


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # which keeps connections alive
    disable_nagle_algorithm = True

    def handle(self):
        with contextlib.suppress(ConnectionError):  # clients disconnect at any time
            super().handle()

    def handle_one_request(self):
        """The same response for every method (H2); http.server has a function for each."""
        self.close_connection = True
        head = [self.rfile.readline(LIMIT)]
        while head[-1].endswith(b"\n") and head[-1].strip() and len(head) < 100:
            head.append(self.rfile.readline(LIMIT))
        # http.server would treat an incomplete head as complete,
        if head[-1] not in (b"\r\n", b"\n"):
            return
        # and some raw bytes, such as 0xA0, as spaces.
        self.raw_requestline = quote(head[0], safe=bytes(range(128))).encode()
        if len(self.raw_requestline.split()) != 3:  # http.server would respond in HTTP/0.9
            self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        connection, self.rfile = self.rfile, io.BytesIO(b"".join(head[1:]))
        is_request, self.rfile = self.parse_request(), connection
        if is_request:
            self.answer()

    def handle_expect_100(self):
        return True  # no body is read (H2), so none is requested

    def answer(self):
        # Not self.path: http.server merges leading slashes.
        target = re.sub("(?i)^https?://[^/?]*/?", "/", self.requestline.split()[1])
        path, _, query = target.partition("?")
        health = self.server.health
        code, word = health.answer(query) if path == health.url and self.command != "CONNECT" else (404, "NOT FOUND")
        reason, _ = self.responses.get(code, (word, None))
        lengths = self.headers.get_all("Content-Length", ["0"])
        if lengths != ["0"] or "Transfer-Encoding" in self.headers or self.headers.defects:
            self.close_connection = True  # an unread body must not be parsed as a request
        lines = [
            f"HTTP/1.1 {code} {reason}",
            f"Date: {self.date_time_string()}",
            "Content-Type: text/plain; charset=utf-8",
            f"Content-Length: {len(word)}",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            f"Connection: {'close' if self.close_connection else 'keep-alive'}",
            "", "" if self.command == "HEAD" else word,
        ]
        self.wfile.write("\r\n".join(lines).encode())

    def finish(self):
        """Reads the remaining bytes, within limits: unread bytes would reset the connection."""
        super().finish()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(1)
            for _ in range(100):
                if not self.connection.recv(LIMIT):
                    break
