"""The slow requests: each is a client that has connected when it is made, and returns when its connection has ended."""
import socket
import time

# Seconds between two looks of a client at its connection.
STEP = 0.02


class Request:
    """A request that the client sends whole, and whose response it reads as it arrives."""

    bytes = b"GET /events HTTP/1.1\r\nHost: shop\r\n\r\n"
    responds = True  # with the head of a response, at once

    def __init__(self, port):
        self.socket = socket.socket()
        # The kernel must not take what a slow client has not read.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(self.bytes)
        if self.responds:
            self.socket.settimeout(10)
            self.socket.recv(1)
        self.socket.setblocking(False)

    def wait(self, process):
        """Returns the time when the connection ended, or that of the end of the process, whichever is first."""
        while process.runs():
            try:
                if not self.step():
                    break
            except BlockingIOError:
                pass
            except OSError:
                break
            time.sleep(STEP)
        return time.monotonic()

    def step(self):
        """Reads what has arrived. Returns whether the connection is still open."""
        return self.socket.recv(65536)


class Events(Request):
    """An event stream"""


class Download(Request):
    """A client that reads one byte per second"""

    bytes = b"GET /download HTTP/1.1\r\nHost: shop\r\n\r\n"

    def __init__(self, port):
        super().__init__(port)
        self.next = 0

    def step(self):
        if time.monotonic() < self.next:
            return True
        self.next = time.monotonic() + 1
        return self.socket.recv(1)


class Never(Request):
    """A handler that never returns"""

    bytes = b"GET /never HTTP/1.1\r\nHost: shop\r\n\r\n"
    responds = False


class Head(Never):
    """A half-sent head"""

    bytes = b"GET /never HTTP/1.1\r\nHost: sh"


class Body(Never):
    """A half-sent body"""

    bytes = b"POST /upload HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000\r\n\r\nhalf"


class Upload(Body):
    """A slow upload"""

    def step(self):
        self.socket.send(b".")
        return super().step()


class Socket(Request):
    """A web socket"""

    # The switch is what matters here, and no frame of a web socket follows.
    bytes = b"GET /socket HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n"


KINDS = {kind.__name__.lower(): kind for kind in (Events, Socket, Download, Never, Head, Body, Upload)}
