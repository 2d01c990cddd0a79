"""Relays: each forwards between one program and one server, and records requests and status codes.

A relay passes bytes on unchanged. It shows, without asking either side, that a program has made a check since the
state changed, and that a request has reached the server.
"""
import asyncio
import dataclasses
import re
import threading


@dataclasses.dataclass
class Exchange:
    """One request, and the status code of its response once that has begun to arrive."""

    head: str
    code: int | None = None

    @property
    def target(self):
        return self.head.split(" ", 2)[1]


class Relay:
    """Listens on its own port; `exchanges` only grows."""

    def __init__(self, server):
        self.server = server
        self.port = None
        self.exchanges = []
        self._connections = set()
        self._listener = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    async def listen(self):
        listener = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=1000)
        self.port = listener.sockets[0].getsockname()[1]
        self._listener = listener  # lives as long as the relay

    async def redirect(self, server):
        self.server = server
        for writer in list(self._connections):
            writer.close()

    async def _connected(self, reader, writer):
        try:
            server_reader, server_writer = await asyncio.open_connection(*self.server)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, server_writer}
        self._connections |= both
        recorder = _Recorder(self.exchanges)
        await asyncio.gather(
            _pass_on(reader, server_writer, recorder.requested),
            _pass_on(server_reader, writer, recorder.responded),
        )
        self._connections -= both
        for end in both:
            end.close()


async def _pass_on(reader, writer, record):
    try:
        while data := await reader.read(65536):
            record(data)
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()


class _Recorder:
    """Finds the heads in the bytes of one connection; no request here has a body or is pipelined."""

    def __init__(self, exchanges):
        self._exchanges = exchanges
        self._request = b""
        self._response = b""
        self._open = None

    def requested(self, data):
        self._request += data
        while b"\r\n\r\n" in self._request:
            head, _, self._request = self._request.partition(b"\r\n\r\n")
            self._open = Exchange(head.decode("latin-1"))
            self._response = b""
            self._exchanges.append(self._open)

    def responded(self, data):
        if self._open is None:
            return
        self._response += data
        if b"\r\n" in self._response:
            status = re.match(rb"HTTP/1\.[01] (\d{3})", self._response)
            self._open.code = int(status[1]) if status else 0
            self._open = None


class _Neighbour(asyncio.Protocol):
    """Responds to every request with 200."""

    RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    BODY = b"neighbour"

    def connection_made(self, transport):
        self._transport = transport
        self._request = b""

    def data_received(self, data):
        self._request += data
        while b"\r\n\r\n" in self._request:
            head, _, self._request = self._request.partition(b"\r\n\r\n")
            self._transport.write(self.RESPONSE + (b"" if head.startswith(b"HEAD ") else self.BODY))
            if b" HTTP/1.0" in head or b"connection: close" in head.lower():
                self._transport.close()


class Relays:
    """All relays, and the neighbour, in one thread.

    The neighbour is the second server behind each proxy. It is always healthy, so traffic has somewhere to go.
    """

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.neighbour = f"127.0.0.1:{self._do(self._listen())}"

    def to(self, server):
        """Returns a new relay to a server, given as host and port."""
        relay = Relay(server)
        self._do(relay.listen())
        return relay

    def redirect(self, relay, server):
        """Lets a relay lead to another server from now on, and closes its connections."""
        self._do(relay.redirect(server))

    async def _listen(self):
        listener = await self._loop.create_server(_Neighbour, "127.0.0.1", 0, backlog=1000)
        return listener.sockets[0].getsockname()[1]

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=10)
