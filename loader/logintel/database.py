"""Connections: by the PG* variables or a connection string, with TLS where the server isn't local; why one failed."""

import os

import psycopg
from psycopg import IsolationLevel
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from logintel.errors import UserError
from logintel_server.runtime import ModelError

_LOCAL_HOSTS = {"", "localhost", "127.0.0.1", "::1"}
# A server that vanished without a word must not keep anybody waiting for hours, which is what systems do by default.
# Values come as psycopg reads them, and long work is not cut short, whatever the role or the database has as a default.
# As pg_dump does it: in statements, because a connection pool may refuse settings when a connection begins.
_SETTINGS = (
    "SET DateStyle = ISO; SET IntervalStyle = postgres; SET extra_float_digits = 1; "
    "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0"
)
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
        connection = _open(connection_string(dsn), "logintel")
    except psycopg.OperationalError as error:
        raise UserError(
            f"cannot connect: {_first_line(error)}; give --dsn, or set DATABASE_URL, or PGHOST, PGDATABASE and PGUSER"
        ) from None
    connection.autocommit = autocommit
    return connection


def open_connection(dsn: str | None) -> psycopg.Connection:
    """Open an autocommit connection for long work, READ COMMITTED. Raises UserError, psycopg.Error."""
    complete = connection_string(dsn)
    connection = _open(make_conninfo(**{**_PATIENCE, **conninfo_to_dict(complete)}), "logintel worker")
    # The worker's transactions have to see what others committed meanwhile, whatever the database's default is.
    connection.isolation_level = IsolationLevel.READ_COMMITTED
    return connection


def _open(conninfo: str, name: str) -> psycopg.Connection:
    connection = psycopg.connect(conninfo, autocommit=True, application_name=name)
    try:
        connection.execute(_SETTINGS)
    except BaseException:
        connection.close()
        raise
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
