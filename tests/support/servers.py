"""The servers that the integration tests run on, and the databases that they are given.

Every server has the extension of this very checkout: the local one by `make install`, the container by the Dockerfile.
"""

import contextlib
import functools
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import docker
import docker.errors
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from support import cluster

Cluster = cluster.Cluster
ROOT = Path(__file__).parents[2]
# The engine is this machine's: reach containers by loopback, and do without the helper image that testcontainers pulls.
TESTCONTAINERS = {
    "TESTCONTAINERS_RYUK_DISABLED": "true",
    "TESTCONTAINERS_CONNECTION_MODE": "docker_host",
    "TESTCONTAINERS_HOST_OVERRIDE": "127.0.0.1",
}
# Data may be lost in a crash, and a run has as many processes as there are cores, each with some sessions.
SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_connections": "300"}
_numbers = itertools.count(1)


@dataclass
class Database:
    """One database for one test, with its own connection and a way to open more."""

    server: "Server"
    name: str
    _connections: list[psycopg.Connection] = field(default_factory=list)
    _roles: list[str] = field(default_factory=list)

    @property
    def dsn(self) -> str:
        return self.server.dsn(self.name)

    @functools.cached_property
    def connection(self) -> psycopg.Connection:
        return self.connect()

    def connect(self, autocommit: bool = True, user: str | None = None) -> psycopg.Connection:
        """Open another connection, as the superuser or, with his rights, as `user`. Closed after the test."""
        connection = psycopg.connect(self.dsn, autocommit=autocommit)
        self._connections.append(connection)
        if user:
            connection.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(user)))
            connection.commit()
        return connection

    def execute(self, query: str, params: Sequence | dict | None = None) -> list[tuple]:
        """Run a statement in a transaction of its own and return its rows."""
        cursor = self.connection.execute(query, params)
        return cursor.fetchall() if cursor.description else []

    def value(self, query: str, params: Sequence | dict | None = None) -> object:
        """Run a query that gives one value, and return it."""
        [(value,)] = self.execute(query, params)
        return value

    def create_role(self, name: str) -> str:
        """Create an ordinary role and return its real name, which no other test shares. Dropped after the test."""
        role = f"{self.name}_{name}"
        self.connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        self._roles.append(role)
        return role

    def psql(self, script: str, *options: str) -> subprocess.CompletedProcess:
        """Run a script by psql as a person would; errors don't stop it unless ON_ERROR_STOP is among the options."""
        command = [str(cluster.bindir() / "psql"), "-X", "-d", self.dsn, *options, "-f", "-"]
        return subprocess.run(command, input=script, text=True, capture_output=True, timeout=300)

    def logintel(self, *arguments: str) -> str:
        """Run the command line on this database and return its standard output; it must succeed."""
        command = [sys.executable, "-m", "logintel", *arguments, "--dsn", self.dsn]
        done = subprocess.run(command, text=True, capture_output=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"logintel {' '.join(arguments)} failed:\n{done.stderr[-2000:]}"
        return done.stdout

    def close(self) -> None:
        """Close the connections that are open."""
        for connection in self._connections:
            connection.close()

    def drop(self) -> None:
        """Close what is open and drop the database and its roles."""
        self.close()
        self.server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.name)))
        for role in self._roles:
            self.server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@dataclass(frozen=True)
class Server:
    """A server to test on. `kind` is local, container or given; `address` connects to it as superuser."""

    kind: str
    address: str

    def dsn(self, database: str) -> str:
        return make_conninfo(self.address, dbname=database)

    def execute(self, query: str | sql.Composable) -> None:
        """Run a statement outside every test's database."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(query)

    def create_database(self, template: Database | None = None) -> Database:
        """Create a database, as a copy of `template` where one is given. The caller drops it."""
        name = f"logintel_test_{os.getpid()}_{next(_numbers)}"
        source = template.name if template else "template0"
        self.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source)))
        # The role of the private cluster has one of its own, which outranks that of a database.
        for whose in ("DATABASE {}", "ROLE CURRENT_USER IN DATABASE {}"):
            path = f"ALTER {whose} SET search_path = public, logintel, logintel_internal"
            self.execute(sql.SQL(path).format(sql.Identifier(name)))
        return Database(self, name)


def choose_pg_config() -> None:
    """Make $PG_CONFIG what the Makefile would choose, for the tests and for what they start."""
    if "PG_CONFIG" not in os.environ:
        os.environ["PG_CONFIG"] = make("-s", "pg-config").stdout.strip()


def make(*arguments: str) -> subprocess.CompletedProcess:
    """Run make in the checkout, and fail with its last words."""
    done = subprocess.run(["make", *arguments], cwd=ROOT, text=True, capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"make {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done


@functools.cache
def docker_engine() -> bool:
    """Tell whether a Docker engine answers."""
    try:
        with contextlib.closing(docker.from_env(timeout=10)) as client:
            return client.ping()
    except docker.errors.DockerException:
        return False


@contextlib.contextmanager
def local() -> Iterator[Server]:
    """A fresh cluster of this machine's PostgreSQL."""
    make("-s", "install")
    with cluster.temporary(SETTINGS) as temporary:
        yield Server("local", temporary.dsn("postgres"))


@contextlib.contextmanager
def container() -> Iterator[Server]:
    """A container of the image that the Dockerfile makes."""
    from testcontainers.community.postgres import PostgresContainer  # reads the environment when it is imported
    from testcontainers.core.image import DockerImage

    image = DockerImage(ROOT, tag="logintel-test", clean_up=False)
    try:
        image.build()
    except docker.errors.BuildError as error:
        lines = "".join(part.get("stream", "") for part in error.build_log)
        raise AssertionError(f"docker build failed: {error}\n{lines[-2000:]}") from None
    settings = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
    with PostgresContainer(str(image), username="postgres", driver=None).with_command(settings) as postgres:
        yield Server("container", postgres.get_connection_url())


@contextlib.contextmanager
def given(dsn: str) -> Iterator[Server]:
    """A server that someone else started and installed the extension into."""
    yield Server("given", dsn)
