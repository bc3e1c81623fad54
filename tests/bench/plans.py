"""Inserts whose plans were made for other data than they meet: statistics are as autovacuum leaves them."""

import statistics
import time
from collections.abc import Iterator

import psycopg
from lines import COLUMNS, INSERT_NEW, LINES, SELECT_NEW
from rescoring import register_next_version
from results import Result
from suite import Suite, dsn_of, maintain

KNOWN_SHAPES = 20_000
ONE_ROW = 300
HUNDRED_ROWS = 15
BATCHES = 10
BATCH = 1000
FEW_SHAPES = 8
SINGLE_LINES = 160
COPIES = 4
COPIED = 4096
UNIT = "times the usual time"

_INSERT = f"INSERT INTO log_entries ({COLUMNS}) SELECT {COLUMNS} FROM sample WHERE n BETWEEN %s AND %s"


def after_deploy(suite: Suite) -> Iterator[Result]:
    """Inserts right after a deployment, whose model set no statistics know yet, against the same once they do."""
    with suite.database() as connection:
        _know_many_shapes(connection)
        register_next_version(connection, "level")
        connection.execute("SELECT logintel.deploy('level')")
        times = {"one row": {}, "100 rows": {}}
        for moment in ("after deploy()", "usual"):
            with _session(connection) as session:
                times["one row"][moment] = _milliseconds(session, 1, ONE_ROW)
                times["100 rows"][moment] = _milliseconds(session, 100, HUNDRED_ROWS)
            connection.execute("ANALYZE logintel_internal.scores")
    ratios = {rows: found["after deploy()"] / found["usual"] for rows, found in times.items()}
    milliseconds = {f"{rows} {moment} ms": value for rows, found in times.items() for moment, value in found.items()}
    yield Result("after_deploy_ratio", max(ratios.values()), UNIT, ratios | milliseconds)


def mixed_batches(suite: Suite) -> Iterator[Result]:
    """One-row inserts in a session that began with large batches, against those of a fresh session."""
    with suite.database() as connection:
        _know_many_shapes(connection)
        with _session(connection) as session:
            usual = _milliseconds(session, 1, ONE_ROW)
        with _session(connection) as session:
            for number in range(BATCHES):
                session.execute(_INSERT, (number * BATCH + 1, (number + 1) * BATCH))
            mixed = _milliseconds(session, 1, ONE_ROW)
    yield Result("mixed_batches_ratio", mixed / usual, UNIT, {"after batches ms": mixed, "usual ms": usual})


def stale_plan(suite: Suite) -> Iterator[Result]:
    """COPYs of new shapes in a session whose plans are from the time of few shapes, against a fresh session's."""
    with suite.database() as connection:
        connection.execute("TRUNCATE logintel_internal.scores CASCADE")
        connection.execute(INSERT_NEW.format("log_entries"), ("few", FEW_SHAPES))
        connection.execute("ANALYZE logintel_internal.scores")  # before the first maintain()
        with _session(connection) as session:
            for number in range(SINGLE_LINES):
                session.execute(INSERT_NEW.format("log_entries"), (f"single {number}", 1))
            stale = [_copy_microseconds(session, f"stale {number}") for number in range(COPIES)]
        connection.execute("ANALYZE logintel_internal.scores")
        with _session(connection) as session:
            session.execute(INSERT_NEW.format("log_entries"), ("models are loaded", 1))
            usual = _copy_microseconds(session, "usual")
    copies = {f"copy {number} µs a line": value for number, value in enumerate(stale, start=1)}
    yield Result("stale_plan_ratio", stale[-1] / usual, UNIT, {**copies, "usual µs a line": usual})


def _know_many_shapes(connection: psycopg.Connection) -> None:
    """Let KNOWN_SHAPES be known beside those of the sample, with the statistics of them that autovacuum makes."""
    connection.execute(INSERT_NEW.format("log_entries"), ("known", KNOWN_SHAPES))
    maintain(connection)
    connection.execute("VACUUM ANALYZE logintel_internal.scores")


def _milliseconds(session: psycopg.Connection, rows: int, inserts: int) -> float:
    """Milliseconds of an insert of so many known lines, the median."""
    milliseconds = []
    for number in range(inserts):
        first = number * 7919 % (LINES - rows) + 1  # a prime: lines from all over the sample
        started = time.perf_counter()
        session.execute(_INSERT, (first, first + rows - 1))
        milliseconds.append((time.perf_counter() - started) * 1000)
    return statistics.median(milliseconds)


def _copy_microseconds(session: psycopg.Connection, word: str) -> float:
    """Microseconds a line to COPY lines with new shapes, whose text is made beforehand."""
    rows = session.execute(SELECT_NEW, (word, COPIED)).fetchall()
    started = time.perf_counter()
    with session.cursor().copy(f"COPY log_entries ({COLUMNS}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    return (time.perf_counter() - started) * 1e6 / COPIED


def _session(connection: psycopg.Connection) -> psycopg.Connection:
    """Open a session of its own: it has no plans yet."""
    return psycopg.connect(dsn_of(connection), autocommit=True, prepare_threshold=None)
