"""The servers of queues, caches and names."""
import os
import pathlib
import signal
import socket

from ..process import free_port
from .server import PASSWORD, USER, Server


class Redis(Server):
    package = binary = "redis-server"

    def command(self):
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"dir {self.directory}",
            'save ""',
            "user default on >admin ~* &* +@all",
            f"user {USER} on >{PASSWORD} ~* &* +@all",
        ]
        return [self.find(), self.file("redis.conf", "\n".join(lines) + "\n")]

    def administer(self, *command):
        self.run("redis-cli", "-h", "127.0.0.1", "-p", self.port, *command, REDISCLI_AUTH="admin")

    def password(self, password):
        self.administer("ACL", "SETUSER", USER, "resetpass", f">{password}")

    def read_only(self, state):
        """Makes it the replica of a server that does not exist, or no replica."""
        self.administer("REPLICAOF", *{"on": ("127.0.0.1", "1"), "off": ("NO", "ONE")}[state])

    def idle_timeout(self, milliseconds):
        self.administer("CONFIG", "SET", "timeout", str(int(milliseconds) // 1000))


class RabbitMq(Server):
    package, binary, user = "rabbitmq-server", "rabbitmq-server", "rabbitmq"
    # The wrapper in /usr/sbin uses the directories of the system's server.
    _programs = pathlib.Path("/usr/lib/rabbitmq/bin")

    def prepare(self):
        self._names = free_port()
        self._own = {
            "RABBITMQ_NODENAME": "indicators@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.file("plugins", "[].\n")),
            # Two cores are enough, and threads that wait for work are not needed.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(self._names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        lines = [f"default_user = {USER}", f"default_pass = {PASSWORD}", "loopback_users = none"]
        self._own["RABBITMQ_CONFIG_FILE"] = str(self.file("rabbitmq.conf", "\n".join(lines) + "\n"))
        # Erlang would start it itself, and never end it.
        epmd = ["epmd", "-address", "127.0.0.1", "-port", self._names]
        names = self._processes.start([*self._become, *epmd], self._log, env=self._environment(), cwd="/")
        names.wait_for_port(self._names)

    def environment(self):
        return self._own

    def command(self):
        return [self._programs / "rabbitmq-server"]

    def administer(self, *command):
        self.run_as_server(self._programs / "rabbitmqctl", *command)

    def password(self, password):
        self.administer("change_password", USER, password)

    def blocked(self, state):
        """Lets it block publishers, as it does when it needs more memory than it may, or no longer."""
        self.administer("set_vm_memory_high_watermark", {"on": "0", "off": "0.9"}[state])


class Nats(Server):
    package = binary = "nats-server"

    def prepare(self):
        self._configure(PASSWORD)

    def command(self):
        return [self.find(), "-c", self.directory / "nats.conf"]

    def password(self, password):
        self._configure(password)
        os.kill(self._process.pid, signal.SIGHUP)
        reloaded = lambda: any("Reloaded server configuration" in line for line in self._process.lines())
        self._process.wait_until(reloaded, "it has read its configuration")

    def _configure(self, password):
        login = f'authorization {{ user: "{USER}", password: "{password}" }}'
        self.file("nats.conf", f"host: 127.0.0.1\nport: {self.port}\n{login}\n")


class Memcached(Server):
    package = binary = "memcached"

    def command(self):
        return [self.find(), "-l", "127.0.0.1", "-p", self.port, "-U", "0", "-u", "memcache"]


class Mosquitto(Server):
    package = binary = "mosquitto"
    ending = signal.SIGKILL

    def command(self):
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "persistence false"]
        return [self.find(), "-c", self.file("mosquitto.conf", "\n".join(lines) + "\n")]


class Names(Server):
    """A server of names that knows those that end with `.test`. It needs port 53, see `namespace.py`."""

    package, binary = "dnsmasq-base", "dnsmasq"

    def prepare(self):
        self.port = 53
        self._known = {"present.test"}
        self._write()

    def command(self):
        options = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--local=/test/"]
        options += [f"--addn-hosts={self._hosts}", "--listen-address=127.0.0.1", "--bind-interfaces"]
        options += ["--user=root", f"--pid-file={self.directory / 'pid'}", "--log-facility=-"]
        return [self.find(), *options]

    def add(self, name):
        self._known.add(name)
        self._reload(name)

    def remove(self, name):
        self._known.discard(name)
        self._reload(name)

    def _reload(self, name):
        """Returns when it knows the name, or no longer."""
        self._write()
        os.kill(self._process.pid, signal.SIGHUP)
        self._process.wait_until(lambda: _resolves(name) == (name in self._known), f"it has read about {name}")

    def _write(self):
        self._hosts = self.file("hosts", "".join(f"127.0.0.1 {name}\n" for name in sorted(self._known)))


def _resolves(name):
    try:
        socket.getaddrinfo(name, 0, socket.AF_INET)
    except socket.gaierror:
        return False
    return True
