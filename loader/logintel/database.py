"""Connections: by the PG* variables or a connection string, with TLS where the server isn't local; why one failed."""

import os

import psycopg
from psycopg import IsolationLevel
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from logintel.errors import UserError
from logintel_server.runtime import ModelError

_LOCAL_HOSTS = {"", "localhost", "127.0.0.1", "::1"}
# A server that vanished without a word must not keep anybody waiting for hours, which is what systems do by default.
_PATIENCE = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


def connection_string(dsn: str | None) -> str:
    """Complete `dsn` (None: the PG* variables alone) and require TLS for hosts that aren't local.

    A user's own sslmode, in the string or in PGSSLMODE, always wins. Raises UserError for an unreadable string.
    """
    try:
        given = conninfo_to_dict(dsn or "")
    except psycopg.ProgrammingError as error:
        raise UserError(
            f"the connection string cannot be read: {_first_line(error)}; "
            "write it as postgresql://user@host/database or host=... dbname=..."
        ) from None
    hosts = str(
        given.get("host") or given.get("hostaddr") or os.environ.get("PGHOST") or os.environ.get("PGHOSTADDR", "")
    ).split(",")
    local = all(host in _LOCAL_HOSTS or host.startswith(("/", "@")) for host in hosts)
    chosen = given.get("sslmode") or os.environ.get("PGSSLMODE")
    return make_conninfo(dsn or "", **({} if local or chosen else {"sslmode": "require"}))


def connect(dsn: str | None, *, autocommit: bool = False) -> psycopg.Connection:
    """Open a connection to the database that holds the logs. Raises UserError when that fails."""
    try:
        return psycopg.connect(connection_string(dsn), autocommit=autocommit, application_name="logintel")
    except psycopg.OperationalError as error:
        raise UserError(
            f"cannot connect: {_first_line(error)}; give --dsn, or set DATABASE_URL, or PGHOST, PGDATABASE and PGUSER"
        ) from None


def open_connection(dsn: str | None) -> psycopg.Connection:
    """Open an autocommit connection for long work, READ COMMITTED. Raises UserError, psycopg.Error."""
    complete = connection_string(dsn)
    connection = psycopg.connect(
        make_conninfo(**{**_PATIENCE, **conninfo_to_dict(complete)}),
        autocommit=True,
        application_name="logintel worker",
    )
    # The worker's transactions have to see what others committed meanwhile, whatever the database's default is.
    connection.isolation_level = IsolationLevel.READ_COMMITTED
    return connection


def reason_of(error: BaseException) -> str:
    """Say in one line why something failed, with the server's hint where it gave one."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        parts = (error.diag.message_primary, error.diag.message_hint)
        return " ".join("; ".join(part for part in parts if part).split())
    lines = str(error).strip().splitlines()
    if isinstance(error, psycopg.Error | ModelError | UserError) and lines:
        return lines[0]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def is_lost(error: Exception, connection: psycopg.Connection | None) -> bool:
    """Tell whether an error means that there is no connection: it was not made, or has ended."""
    return isinstance(error, psycopg.OperationalError) and (connection is None or connection.closed)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
