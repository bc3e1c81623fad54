"""Many sessions that learn the same new shapes at once: who waits for whom, and how long."""

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pgbench
import psycopg
from lines import COLUMNS, LINES
from results import Failed, Result
from suite import Suite, dsn_of, maintain

SESSIONS = 8
SECONDS = 40
MAINTAIN_EVERY = 5
NOTED_MS = 2
"""Waits for locks from this length on are in the server's log, with their exact length."""

# Of the ten lines of a statement, two have shapes that are new to everyone and that all sessions meet within the same
# 50 ms, two have shapes of their own, and six are known. A transaction has two statements, so that what it learnt is
# uncommitted while the next one runs.
LINES_A_STATEMENT = 10
_WORD = "translate(md5({}), '0123456789', 'ghijklmnop')"
_SHARED = _WORD.format("floor(extract(epoch FROM clock_timestamp()) * 20)::text || '-' || (random() * 40)::int")
_OWN = _WORD.format("random()::text")
_STATEMENT = f"""\\set n random(1, {LINES - 6})
INSERT INTO {{0}} ({COLUMNS})
SELECT 'INFO', 'worker ' || {_SHARED} || ' has lost its lease', 'bench', 'bench' FROM generate_series(1, 2)
UNION ALL SELECT 'INFO', 'worker ' || {_OWN} || ' has lost its lease', 'bench', 'bench' FROM generate_series(1, 2)
UNION ALL SELECT {COLUMNS} FROM sample WHERE n BETWEEN :n AND :n + 5;
"""
_SCRIPT = f"BEGIN;\n{_STATEMENT}{_STATEMENT}END;\n"

Wait = tuple[str, float]
"""What was waited for, and the milliseconds."""


def contention(suite: Suite) -> Iterator[Result]:
    """Sessions that insert new shapes for a while, with maintain() beside them; for comparison, the noop trigger."""
    with suite.database() as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET log_lock_waits = on")
        connection.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '{NOTED_MS}ms'")  # when waits are noted
        log = suite.server.home / "log"
        noop, _, _ = _run(connection, log, "log_entries_noop", SECONDS)
        waits, rate, maintain_seconds = _run(connection, log, "log_entries", SECONDS)
        learnt = _check(connection)
        names = dict(connection.execute("SELECT oid::text, relname FROM pg_class").fetchall())
    kinds = Counter(re.sub("[0-9]+", lambda oid: names.get(oid[0], "N"), what) for what, ms in waits if ms > 10)
    # A table's file grows by one session at a time; while that one has no core, the others wait, whatever the trigger.
    found = {"noop": _longest(noop),
             "but for growing files": _longest([(what, ms) for what, ms in waits if "extension" not in what]),
             f"waits over {NOTED_MS} ms": len(waits), "sessions": SESSIONS,
             "lines/s": rate * 2 * LINES_A_STATEMENT, "new shapes": learnt, "longest maintain() s": max(maintain_seconds),
             **{f"over 10 ms for {kind}": number for kind, number in kinds.most_common(3)}}  # fmt: skip
    yield Result("contention_max_wait_ms", _longest(waits), "ms", found)


def _run(connection: psycopg.Connection, log: Path, table: str, seconds: int) -> tuple[list[Wait], float, list[float]]:
    """Let the sessions run; return waits, transactions a second, and the seconds of each maintain() beside them."""
    said_before = log.stat().st_size
    maintain_seconds = []
    # These sessions begin after the settings were made.
    with ThreadPoolExecutor(1) as pool, psycopg.connect(dsn_of(connection), autocommit=True) as maintaining:
        running = pool.submit(pgbench.run, connection, _SCRIPT.format(table), clients=SESSIONS, seconds=seconds)
        while not running.done():
            started = time.perf_counter()
            maintain(maintaining)
            maintain_seconds.append(time.perf_counter() - started)
            wait([running], MAINTAIN_EVERY)
        rate = running.result()
    said = log.read_bytes()[said_before:].decode(errors="replace")
    waits = re.findall(r" acquired (.*?)(?: of database [0-9]+)? after ([0-9.]+) ms", said)
    return [(what, float(ms)) for what, ms in waits], rate, maintain_seconds


def _longest(waits: Sequence[Wait]) -> float:
    return max((ms for _, ms in waits), default=0.0)


def _check(connection: psycopg.Connection) -> int:
    """Raise Failed for a deadlock or a line without a prediction; return how many shapes were learnt."""
    connection.execute("SELECT pg_stat_clear_snapshot()")
    [(deadlocks,)] = connection.execute(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    ).fetchall()
    [(inserted, predictions, pending)] = connection.execute(
        "SELECT (SELECT count(*) FROM log_entries), (SELECT count(*) FROM logintel_internal.predictions), (SELECT count(*) FROM logintel_internal.pending)"
    ).fetchall()
    if deadlocks:
        raise Failed(f"{deadlocks} deadlocks")
    if pending or predictions != inserted:
        raise Failed(f"{pending} lines are pending, and {predictions:,} of {inserted:,} were scored")
    [(learnt,)] = connection.execute(
        "SELECT count(DISTINCT shape_hash) FROM logintel_internal.scores WHERE source_type = 'bench'"
    ).fetchall()
    return learnt
