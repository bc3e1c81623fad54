"""Connections: by the PG* variables or a connection string, with TLS where the server isn't local; why one failed."""

import os
import re
from itertools import zip_longest

import psycopg
from psycopg import IsolationLevel, pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from logintel import streams
from logintel.errors import UserError
from logintel_server.runtime import ModelError

_LOCAL_HOSTS = {"", "localhost", "127.0.0.1", "::1"}
_DEFAULT_SSLMODE = "prefer"  # libpq's: TLS where the server happens to offer it
# A server that vanished without a word must not keep anybody waiting for hours, which is what systems do by default.
# Values come as psycopg reads them, and long work is not cut short, whatever the role or the database has as a default.
# As pg_dump does it: in statements, because a connection pool may refuse settings when a connection begins.
_SETTINGS = (
    "SET DateStyle = ISO; SET IntervalStyle = postgres; SET extra_float_digits = 1; "
    "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0"
)
_PATIENCE = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}

# What libpq says of a string that it cannot read quotes the string. Of its words only these are repeated.
_FAULTS = (
    "invalid percent-encoded token", "forbidden value %00", 'missing "="', "invalid connection option",
    "unterminated quoted string", "invalid URI query parameter",
)  # fmt: skip
_HOW_TO_WRITE = (
    "write it as postgresql://user@host/database, with %25 %40 %3A %2F %3F %5B for % @ : / ? [ in a password, "
    "or as host=... dbname=... password='...'"
)
# A URI in which all is encoded that has to be: what is read as a name is one, and no part of the password.
_SAFE_URI = re.compile(r"postgres(ql)?://([\w.~!$&'()*+,;=:%-]*@)?[^@]*", re.DOTALL)
# Of user:password without its @host, what follows a comma in the password is taken for a host: one with no port.
_PASSWORD_AS_HOST = re.compile(r"postgres(ql)?://(?=[^@/?]*:)(?=[^@/?]*,)(?![^@/?,]*:[0-9]+(,[^@/?,]*:[0-9]+)*([/?]|$))[^@]*$")
_SECRETS = {"password", "sslpassword"}


def connection_string(dsn: str | None) -> str:
    """Complete `dsn` (None: the PG* variables alone) and require TLS for hosts that aren't local.

    What counts is the host that libpq will connect to, whether string, service file or environment names it, and so
    does a user's own sslmode, which always wins. Raises UserError for an unreadable string.
    """
    given = _parsed(dsn)
    used = _in_use(given)
    # psycopg looks for the host in the environment, and libpq in the service file before that: leave no choice.
    hosts = {name: used[name] for name in ("host", "hostaddr") if name in used}
    tls = {} if _is_local(used) or _has_sslmode(given, used) else {"sslmode": "require"}
    return make_conninfo(dsn or "", **hosts, **tls)


def _parsed(dsn: str | None) -> dict[str, str]:
    try:
        return {name: str(value) for name, value in conninfo_to_dict(dsn or "").items()}
    except (psycopg.Error, UnicodeError) as error:
        fault = "".join(f": {fault}" for fault in _FAULTS if str(error).startswith(fault))
        raise UserError(f"the connection string cannot be read{fault}; {_HOW_TO_WRITE}") from None


def _in_use(given: dict[str, str], **more: str) -> dict[str, str]:
    """Return what libpq would connect with: what string, service file, environment and defaults come to."""
    # No server can have this port: libpq reads everything, and then stops before it looks for any host.
    started = pq.PGconn.connect_start(os.fsencode(make_conninfo(**{**given, **more, "port": "0"})))
    try:
        return {option.keyword.decode(): os.fsdecode(option.val) for option in started.info if option.val is not None}
    finally:
        started.finish()


def _is_local(used: dict[str, str]) -> bool:
    """Tell whether all hosts are this machine. An address outranks the name beside it, as libpq has it."""
    hosts, addresses = (used.get(name, "").split(",") for name in ("host", "hostaddr"))
    return all(
        (address or host) in _LOCAL_HOSTS or (not address and host.startswith(("/", "@")))
        for host, address in zip_longest(hosts, addresses, fillvalue="")
    )


def _has_sslmode(given: dict[str, str], used: dict[str, str]) -> bool:
    """Tell whether somebody chose an sslmode: in the string, the environment or the service file."""
    if given.get("sslmode") or os.environ.get("PGSSLMODE") or used.get("sslmode") != _DEFAULT_SSLMODE:
        return True
    # The default is another one beside sslrootcert=system: if the mode stays as it was, a service file says so.
    strict = _in_use(given, sslrootcert="system").get("sslmode")
    return pq.version() >= 160000 and strict == _DEFAULT_SSLMODE


def connect(dsn: str | None, *, autocommit: bool = False) -> psycopg.Connection:
    """Open a connection to the database that holds the logs. Raises UserError when that fails."""
    try:
        connection = _open(dsn, "logintel")
    except psycopg.Error as error:
        raise UserError(
            f"cannot connect: {reason_of(error)}; give --dsn, or set DATABASE_URL, or PGHOST, PGDATABASE and PGUSER"
        ) from None
    connection.autocommit = autocommit
    return connection


def open_connection(dsn: str | None) -> psycopg.Connection:
    """Open an autocommit connection for long work, READ COMMITTED. Raises UserError, psycopg.Error."""
    connection = _open(dsn, "logintel worker", **_PATIENCE)
    # The worker's transactions have to see what others committed meanwhile, whatever the database's default is.
    connection.isolation_level = IsolationLevel.READ_COMMITTED
    return connection


def _open(dsn: str | None, name: str, **defaults: int) -> psycopg.Connection:
    try:
        complete = {**defaults, **conninfo_to_dict(connection_string(dsn))}
        connection = psycopg.connect(make_conninfo(**complete), autocommit=True, application_name=name)
    except (psycopg.Error, UnicodeError) as error:
        if isinstance(error, psycopg.Error) and _holds_names_alone(dsn):
            raise
        raise psycopg.OperationalError(
            f"why is not told here, since it may quote a part of the password; {_HOW_TO_WRITE}"
        ) from None
    try:
        connection.execute(_SETTINGS)
    except BaseException:
        connection.close()
        raise
    return connection


def _holds_names_alone(dsn: str | None) -> bool:
    """Tell whether what libpq takes for hosts, databases and so on is that, so that its errors may quote it.

    They never quote a password. But of one that is not encoded in its URI, a part is taken for something else.
    """
    given = _parsed(dsn)
    variables = {name: value for name, value in os.environ.items() if name.startswith("PG") and name != "PGPASSWORD"}
    names = [value for name, value in (given | variables).items() if name not in _SECRETS]
    ports = (given.get("port") or os.environ.get("PGPORT", "")).split(",")
    if any("://" in name for name in names) or not all(re.fullmatch("[0-9]{0,5}", port) for port in ports):
        return False
    if (dsn or "").startswith(("postgresql://", "postgres://")):
        return _SAFE_URI.fullmatch(dsn) is not None and not _PASSWORD_AS_HOST.match(dsn)
    return all("@" not in given.get(name, "")[1:] for name in ("host", "hostaddr", "dbname"))


def reason_of(error: BaseException) -> str:
    """Say in one line why something failed, with the server's hint where it gave one."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        parts = (error.diag.message_primary, error.diag.message_hint)
        return " ".join("; ".join(part for part in parts if part).split())
    lines = str(error).strip().splitlines()
    if isinstance(error, psycopg.Error | ModelError | UserError) and lines:
        return lines[0]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def print_notices(connection: psycopg.Connection) -> None:
    """Print what the server has to say besides results, on stderr: stdout may be read by a program."""
    connection.add_notice_handler(
        lambda notice: streams.complain(
            "note: " + "; ".join(part for part in (notice.message_primary, notice.message_hint) if part)
        )
    )


def is_lost(error: Exception, connection: psycopg.Connection | None) -> bool:
    """Tell whether an error means that there is no connection: it was not made, or has ended."""
    return isinstance(error, psycopg.OperationalError) and (connection is None or connection.closed)
