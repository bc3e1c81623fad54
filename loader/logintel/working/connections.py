"""Connections of the worker's processes, and why one failed."""

import psycopg
from psycopg import IsolationLevel
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from logintel.database import connection_string
from logintel_server.runtime import ModelError

# A server that vanished without a word must not keep anybody waiting for hours, which is what systems do by default.
_PATIENCE = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


def open_connection(dsn: str | None) -> psycopg.Connection:
    """Open an autocommit connection whose transactions are READ COMMITTED. Raises UserError, psycopg.Error."""
    complete = connection_string(dsn)
    connection = psycopg.connect(
        make_conninfo(**{**_PATIENCE, **conninfo_to_dict(complete)}),
        autocommit=True,
        application_name="logintel worker",
    )
    # The worker's transactions have to see what others committed meanwhile, whatever the database's default is.
    connection.isolation_level = IsolationLevel.READ_COMMITTED
    return connection


def reason_of(error: Exception) -> str:
    """Say in one line why something failed, with the server's hint where it gave one."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        parts = (error.diag.message_primary, error.diag.message_hint)
        return " ".join("; ".join(part for part in parts if part).split())
    lines = str(error).strip().splitlines()
    if isinstance(error, psycopg.Error | ModelError) and lines:
        return lines[0]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def is_lost(error: Exception, connection: psycopg.Connection | None) -> bool:
    """Tell whether an error means that there is no connection: it was not made, or has ended."""
    return isinstance(error, psycopg.OperationalError) and (connection is None or connection.closed)
