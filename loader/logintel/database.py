"""Connections: the standard PG* variables or a connection string, TLS for every server that isn't local."""

import os

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from logintel.errors import UserError

_LOCAL_HOSTS = {"", "localhost", "127.0.0.1", "::1"}


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


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
