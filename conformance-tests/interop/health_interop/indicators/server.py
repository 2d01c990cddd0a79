"""What the servers that indicators test have in common."""
import contextlib
import os
import pathlib
import pwd
import signal
import tempfile

from .. import tools
from ..process import Failure, free_port, listens, output

# Of the user that the indicators log in as.
USER = "app"
PASSWORD = "first"


class Server:
    """A server with its own port and directory, which end with the scope."""

    # The package, and its program.
    package = binary = None
    is_of_debian = True
    # The user that the server runs as, if it does not run as root.
    user = None
    ending = signal.SIGTERM

    def __init__(self, processes, scratch):
        self.port = free_port()
        self._processes = processes
        self._log = scratch / f"{type(self).__name__.lower()}-{self.port}.log"
        directory = tempfile.TemporaryDirectory(prefix="indicators-", ignore_cleanup_errors=True)
        self.directory = pathlib.Path(processes.enter_context(directory))
        self._become = become(self.user, self.directory) if self.user else []
        self.prepare()
        self.start()

    @classmethod
    def find(cls):
        """Returns the path of the program, or None."""
        return tools.find(cls.binary)

    def prepare(self):
        """Makes the files that the server needs."""

    def command(self):
        """Returns the command that starts the server in the foreground."""
        raise NotImplementedError

    def environment(self):
        """Returns more of the environment of the server."""
        return {}

    def is_ready(self):
        """Whether the server accepts connections."""
        return listens(self.port)

    def describe(self):
        """Returns what the indicators have to know."""
        return {"port": self.port, "user": USER, "password": PASSWORD}

    def start(self):
        """Starts the server, and returns when it accepts connections."""
        self._process = self._processes.start(
            [*self._become, *self.command()], self._log, self.ending, env=self._environment(), cwd="/"
        )
        # Before it ends: frozen children would outlive the server.
        self._processes.callback(self.thaw)
        self._process.wait_until(self.is_ready, "it accepts connections")

    def stop(self):
        """Ends the server, and returns when it has ended."""
        self._process.check()
        self._process.end(self.ending)

    def restart(self):
        self.stop()
        self.start()

    def freeze(self):
        """Stops all its processes by SIGSTOP: connections are accepted by the kernel, and nothing is answered."""
        self._process.check()
        self._signal(signal.SIGSTOP)

    def thaw(self):
        """Lets all its processes continue."""
        self._signal(signal.SIGCONT)

    def file(self, name, text):
        """Writes a file that the server can read, and returns its path."""
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def run(self, *command, **environment):
        """Runs a command of an administrator."""
        text, code = output(command, env=self._environment() | environment, cwd="/")
        if code != 0:
            raise Failure(f"{command[0]} ended with {code}: {text}")
        return text

    def run_as_server(self, *command):
        """Runs a command as the user that the server runs as."""
        return self.run(*self._become, *command)

    def _environment(self):
        return tools.environment(self.directory) | self.environment()

    def _signal(self, number):
        for process in family(self._process.pid):
            with contextlib.suppress(OSError):
                os.kill(process, number)


def family(process):
    """Yields a process and its descendants. The parent is the first: a frozen one starts no more of them."""
    yield process
    with contextlib.suppress(OSError):
        for child in pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split():
            yield from family(int(child))


def become(name, directory):
    """Gives the directory to a user, and returns the command that runs another one as the user."""
    if os.geteuid() != 0:
        return []
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise Failure(f"there is no user {name}") from None
    os.chown(directory, user.pw_uid, user.pw_gid)
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    # The kernel forgets the signal at the change of the user.
    return ["setpriv", *identity, "--pdeathsig", "KILL"]
