"""The servers of SQL."""
import os
import signal

from ..outages import postgres
from .server import PASSWORD, USER, Server


class Postgres(Server):
    package, binary, user = "postgresql", "postgres", "postgres"
    ending = signal.SIGINT

    @classmethod
    def find(cls):
        return postgres.program("postgres")

    def prepare(self):
        self._data = self.directory / "data"
        initdb = [postgres.program("initdb"), "-D", self._data, "-U", "admin", "-A", "trust", "-E", "UTF8", "--no-sync"]
        self.run_as_server(*initdb)
        rules = ["host all admin 127.0.0.1/32 trust", "host all all 127.0.0.1/32 scram-sha-256"]
        (self._data / "pg_hba.conf").write_text("\n".join(rules) + "\n")
        self._is_new = True

    def command(self):
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "16MB",
        }
        return [self.find(), "-D", self._data, *(f"--{name}={value}" for name, value in settings.items())]

    def is_ready(self):
        return any("ready to accept connections" in line for line in self._process.lines())

    def start(self):
        super().start()
        if self._is_new:
            self._is_new = False
            self.query(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
            self.query(f"CREATE DATABASE {USER} OWNER {USER}")

    def query(self, sql):
        """Runs a statement as the administrator."""
        connection = ["-h", "127.0.0.1", "-p", self.port, "-U", "admin", "-d", "postgres"]
        self.run(postgres.program("psql"), "-X", "-q", *connection, "-v", "ON_ERROR_STOP=1", "-c", sql)

    def password(self, password):
        self.query(f"ALTER ROLE {USER} PASSWORD '{password}'")

    def read_only(self, state):
        self._set("default_transaction_read_only", state)

    def idle_timeout(self, milliseconds):
        self._set("idle_session_timeout", milliseconds)

    def _set(self, name, value):
        self.query(f"ALTER SYSTEM SET {name} = '{value}'")
        self.query("SELECT pg_reload_conf()")


class PgBouncer(Server):
    """A pooler in front of a PostgreSQL, which gives each transaction a connection."""

    package = binary = "pgbouncer"
    user = "postgres"

    def __init__(self, processes, scratch, database):
        self._database = database
        super().__init__(processes, scratch)

    def prepare(self):
        self._users(PASSWORD)

    def command(self):
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": self.directory / "users.txt",
            "pool_mode": "transaction",
            "default_pool_size": 4,
            "ignore_startup_parameters": "extra_float_digits",
            "server_login_retry": 1,
        }
        lines = ["[databases]", f"{USER} = host=127.0.0.1 port={self._database.port}", "[pgbouncer]"]
        lines += [f"{name} = {value}" for name, value in settings.items()]
        return [self.find(), self.file("pgbouncer.ini", "\n".join(lines) + "\n")]

    def password(self, password):
        """Changes the password here, and in the database."""
        self._database.password(password)
        self._users(password)
        os.kill(self._process.pid, signal.SIGHUP)
        reloaded = lambda: any("got SIGHUP, re-reading config" in line for line in self._process.lines())
        self._process.wait_until(reloaded, "it has read its configuration")

    def _users(self, password):
        self.file("users.txt", f'"{USER}" "{password}"\n')


class MariaDb(Server):
    package, binary, user = "mariadb-server", "mariadbd", "mysql"

    def prepare(self):
        self._data = self.directory / "data"
        self._socket = self.directory / "socket"
        options = [f"--datadir={self._data}", "--auth-root-authentication-method=normal", "--skip-test-db"]
        self.run_as_server("mariadb-install-db", "--no-defaults", *options)
        self._is_new = True

    def command(self):
        settings = {
            "datadir": self._data,
            "socket": self._socket,
            "port": self.port,
            "bind-address": "127.0.0.1",
            "pid-file": self.directory / "pid",
            "innodb-flush-log-at-trx-commit": 0,
            "innodb-buffer-pool-size": "16M",
        }
        return [self.find(), "--no-defaults", "--skip-name-resolve", *(f"--{name}={value}" for name, value in settings.items())]

    def start(self):
        super().start()
        if self._is_new:
            self._is_new = False
            self.query(f"CREATE DATABASE {USER}; CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'")
            self.query(f"GRANT ALL ON {USER}.* TO {USER}@'%'")

    def query(self, sql):
        """Runs statements as the administrator."""
        self.run("mariadb", "--no-defaults", "-uroot", f"--socket={self._socket}", "-e", sql)

    def password(self, password):
        self.query(f"SET PASSWORD FOR {USER}@'%' = PASSWORD('{password}')")

    def read_only(self, state):
        self.query(f"SET GLOBAL read_only = {state}")
