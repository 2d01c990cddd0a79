"""A PostgreSQL server, and a relay that can cut one instance off from it."""
import asyncio
import contextlib
import glob
import os
import pathlib
import pwd
import re
import signal
import tempfile
import threading

from .. import tools
from ..process import Failure, free_port, output

USER = "shop"


def program(name):
    """Returns the path of a program of PostgreSQL, or None; Debian keeps them out of the search path."""
    versions = glob.glob(f"/usr/lib/postgresql/*/bin/{name}")
    number = lambda path: float(pathlib.Path(path).parts[-3])
    return max(versions, key=number) if versions else tools.find(name)


class Postgres:
    """A server with its own database, in a directory that ends with the scope."""

    def __init__(self, processes, scratch):
        self.port = free_port()
        self._processes = processes
        self._log = scratch / "postgres.log"
        directory = processes.enter_context(tempfile.TemporaryDirectory(prefix="outages-", ignore_cleanup_errors=True))
        self._data = pathlib.Path(directory) / "data"
        self._environment = tools.environment(directory)
        # PostgreSQL refuses to run as root.
        self._become = []
        if os.geteuid() == 0:
            user = _unprivileged()
            os.chown(directory, user.pw_uid, user.pw_gid)
            identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
            # The kernel forgets the signal at the change of the user.
            self._become = ["setpriv", *identity, "--pdeathsig", "KILL"]
        command = [program("initdb"), "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        text, code = output([*self._become, *command], env=self._environment, cwd="/")
        if code != 0:
            raise Failure(f"initdb ended with {code}: {text}")
        self.start()

    def start(self):
        """Starts the server, and returns when it accepts connections."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "log_connections": "on",
            # The time of each line, in seconds since 1970.
            "log_line_prefix": "%n ",
        }
        command = [program("postgres"), "-D", self._data, *(f"--{name}={value}" for name, value in settings.items())]
        self._process = self._processes.start(
            [*self._become, *command], self._log, signal.SIGINT, env=self._environment, cwd="/"
        )
        # Before it ends: frozen children would outlive the server.
        self._processes.callback(self.thaw)
        ready = lambda: any("ready to accept connections" in line for line in self._process.lines())
        self._process.wait_until(ready, "it accepts connections")

    def stop(self):
        """Ends the server, which closes its connections, and returns when it has ended."""
        self._process.check()
        self._process.end(signal.SIGINT)

    def freeze(self):
        """Stops all its processes by SIGSTOP: connections are accepted by the kernel, and nothing is answered."""
        self._process.check()
        self._signal(signal.SIGSTOP)

    def thaw(self):
        """Lets all its processes continue."""
        self._signal(signal.SIGCONT)

    def connections(self):
        """Returns the times at which it accepted connections, in seconds since 1970."""
        return accepted(self._log.read_text(errors="replace").splitlines())

    def _signal(self, number):
        """Sends a signal to the server and its children. The server is the first: it must not start more of them."""
        with contextlib.suppress(OSError, ValueError):
            server = int((self._data / "postmaster.pid").read_text().split()[0])
            os.kill(server, number)
            for child in _children(server):
                os.kill(child, number)


def accepted(lines):
    """Returns the times of the accepted connections in the lines of a log."""
    matches = (re.match(r"(\d+\.\d+) LOG:  connection received", line) for line in lines)
    return [float(match[1]) for match in matches if match]


def _children(server):
    return map(int, pathlib.Path(f"/proc/{server}/task/{server}/children").read_text().split())


def _unprivileged():
    for name in "postgres", "nobody":
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Failure("there is neither a user postgres nor a user nobody, and PostgreSQL does not run as root")


class Relay:
    """Forwards connections to a port of 127.0.0.1 until it is cut."""

    def __init__(self, target):
        self.port = free_port()
        self._target = target
        self._connections = set()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.restore()

    def restore(self):
        """Accepts connections."""
        self._listener = self._do(asyncio.start_server(self._connected, "127.0.0.1", self.port, backlog=1000))

    def cut(self):
        """Closes all connections, and refuses others."""
        self._do(self._cut())

    async def _cut(self):
        self._listener.close()
        for writer in list(self._connections):
            writer.transport.abort()

    async def _connected(self, reader, writer):
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, server_writer}
        self._connections |= both
        await asyncio.gather(_pass_on(reader, server_writer), _pass_on(server_reader, writer))
        self._connections -= both

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=10)


async def _pass_on(reader, writer):
    """Forwards one direction; its end ends the connection."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
