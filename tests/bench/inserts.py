"""Throughput of inserts into an untriggered table, one with the noop trigger, and one that is scored."""

import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable

import psycopg
from lines import COLUMNS, LINES, PREDICTIONS, TABLES

from logintel import cluster

ROUNDS = 5
CLIENTS = 4
ONE_ROW_SECONDS = 8
NEW_LINES = 20_000


def insert_select(connection: psycopg.Connection, table: str) -> None:
    """Insert the sample by INSERT ... SELECT."""
    connection.execute(f"INSERT INTO {table} ({COLUMNS}) SELECT {COLUMNS} FROM sample")


def copy(connection: psycopg.Connection, table: str) -> None:
    """Insert the sample by COPY, its text taken from memory."""
    if not _copied:
        with connection.cursor().copy(f"COPY (SELECT {COLUMNS} FROM sample ORDER BY n) TO STDOUT") as out:
            _copied.append(b"".join(out))
    with connection.cursor().copy(f"COPY {table} ({COLUMNS}) FROM STDIN") as into:
        into.write(_copied[0])


_copied: list[bytes] = []


def _empty(connection: psycopg.Connection) -> None:
    for table in (*TABLES.values(), *PREDICTIONS.values()):
        if table:
            connection.execute(f"TRUNCATE {table}")
    connection.execute("CHECKPOINT")


def bulk_rates(
    connection: psycopg.Connection, statement: Callable[[psycopg.Connection, str], None]
) -> dict[str, float]:
    """Lines a second by table, medians of rounds that visit the tables in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in TABLES}
    for _ in range(ROUNDS):
        _empty(connection)
        for name, table in TABLES.items():
            started = time.perf_counter()
            statement(connection, table)
            seconds[name].append(time.perf_counter() - started)
    _check_scored(connection, LINES)
    return {name: LINES / statistics.median(times) for name, times in seconds.items()}


def one_row_rates(connection: psycopg.Connection) -> dict[str, float]:
    """Lines a second by table with CLIENTS clients that insert one line a transaction."""
    rates: dict[str, list[float]] = {name: [] for name in TABLES}
    for _ in range(3):
        _empty(connection)
        for name, table in TABLES.items():
            rates[name].append(_pgbench(connection, table))
    [(lines,)] = connection.execute("SELECT count(*) FROM log_entries").fetchall()
    _check_scored(connection, lines)
    return {name: statistics.median(values) for name, values in rates.items()}


def _pgbench(connection: psycopg.Connection, table: str) -> float:
    script = f"\\set n random(1, {LINES})\nINSERT INTO {table} ({COLUMNS}) SELECT {COLUMNS} FROM sample WHERE n = :n;\n"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        info = connection.info
        command = [
            str(cluster.bindir() / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2",
            "-T", str(ONE_ROW_SECONDS), "-f", file.name, "-h", info.host, "-p", str(info.port), "-U", info.user, info.dbname,
        ]  # fmt: skip
        done = subprocess.run(command, env={"PGPASSWORD": info.password}, capture_output=True, text=True, check=True)
    return float(re.search(r"tps = ([0-9.]+) \(without", done.stdout).group(1))


def bulk_new_microseconds(connection: psycopg.Connection) -> dict[str, float]:
    """Microseconds a line by table when no two lines share a shape and none has been seen before."""
    microseconds: dict[str, list[float]] = {name: [] for name in TABLES}
    for round_number in range(3):
        _empty(connection)
        for name, table in TABLES.items():
            # A word of letters, new for every line and round, in front of a real message.
            statement = (
                f"INSERT INTO {table} ({COLUMNS}) "
                "SELECT level, translate(md5(n::text || %s), '0123456789', 'ghijklmnop') || ' ' || message, service, source_type "
                "FROM sample WHERE n <= %s"
            )
            started = time.perf_counter()
            connection.execute(statement, (f"{name} {round_number}", NEW_LINES))
            microseconds[name].append((time.perf_counter() - started) * 1e6 / NEW_LINES)
    _check_scored(connection, NEW_LINES)
    return {name: statistics.median(values) for name, values in microseconds.items()}


def _check_scored(connection: psycopg.Connection, lines: int) -> None:
    """A figure counts only if every line got its prediction."""
    [(predictions,)] = connection.execute("SELECT count(*) FROM logintel.predictions").fetchall()
    if predictions != lines:
        raise SystemExit(f"bench: {predictions} of {lines} lines were scored")
