"""A source that makes a new shape of every line: what it leaves behind, and whether others notice."""

import statistics
import time
from collections.abc import Iterator

import psycopg
from lines import INSERT_NEW, LINES, insert_select
from results import Failed, Result
from suite import Suite, maintain

SHAPES = 1_000_000
BATCH = 50_000
ROUNDS = 5
KNOWN_SHAPES = 100_000


def free_text(suite: Suite) -> Iterator[Result]:
    """Insert a million distinct shapes with the upkeep in between, and known lines before and after."""
    with suite.database() as connection:
        before = _known_seconds(connection)
        space = _bytes(connection)
        upkeep = []
        started = time.perf_counter()
        for batch in range(SHAPES // BATCH):
            connection.execute(INSERT_NEW.format("log_entries"), (f"free {batch}", BATCH))
            began = time.perf_counter()
            maintain(connection)
            upkeep.append(time.perf_counter() - began)
            connection.execute("VACUUM logintel_internal.scores")  # as autovacuum would
        seconds = time.perf_counter() - started
        connection.execute("ANALYZE logintel_internal.scores")
        [(known, scores)] = connection.execute(
            "SELECT count(*) FILTER (WHERE evicted_txid IS NULL), count(*) FROM logintel_internal.scores"
        ).fetchall()
        if known > KNOWN_SHAPES or scores < SHAPES:
            raise Failed(f"{known:,} shapes are looked up and {scores:,} scores are kept")
        grown = (_bytes(connection) - space) / SHAPES
        after = _known_seconds(connection)
    yield Result(
        "free_text_known_vs_before", before / after, "ratio of throughput of known lines", {"known_shapes": known}
    )
    yield Result("free_text_bytes_per_line", grown, "bytes of scores a line", {"lines": SHAPES})
    yield Result("free_text_seconds", seconds, "s", {"lines": SHAPES, "longest maintain() s": max(upkeep)})


def _known_seconds(connection: psycopg.Connection) -> float:
    """Seconds of a bulk insert of known lines, the median of a few."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        insert_select(connection, "log_entries")
        times.append((time.perf_counter() - started) * 100_000 / LINES)
    return statistics.median(times)


def _bytes(connection: psycopg.Connection) -> int:
    """What the scores take on disk, indexes included."""
    return connection.execute("SELECT pg_total_relation_size('logintel_internal.scores')").fetchone()[0]
