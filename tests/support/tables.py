"""The extension's private tables, for tests that look behind the views: nothing else in tests should name them."""

import contextlib
from collections.abc import Iterator

import psycopg

from support.servers import Database

SCORES = "logintel_internal.scores"
PREDICTIONS = "logintel_internal.predictions"
PENDING = "logintel_internal.pending"
MODELS = "logintel_internal.models"
MODEL_SETS = "logintel_internal.model_sets"
DEPLOYMENTS = "logintel_internal.deployments"
SERVING = "logintel_internal.serving"
HOURLY_COUNTS = "logintel_internal.hourly_counts"


def scores(db: Database, columns: str = "id", rest: str = "") -> list[tuple]:
    """Read the scores of shapes; `rest` is what follows FROM: a condition, an order."""
    return db.execute(f"SELECT {columns} FROM {SCORES} {rest}")


def looked_up(db: Database) -> int:
    """Count the scores that the next lines of their shapes are given; the others were evicted."""
    return len(scores(db, rest="WHERE evicted_txid IS NULL"))


def predictions(db: Database, columns: str = "log_entry_id") -> list[tuple]:
    """Read the predictions, in the order of their lines."""
    return db.execute(f"SELECT {columns} FROM {PREDICTIONS} ORDER BY log_entry_id")


def pending(db: Database) -> list[int]:
    """Return the keys of the lines that wait for a prediction."""
    return [line for (line,) in db.execute(f"SELECT log_entry_id FROM {PENDING} ORDER BY 1")]


def models(db: Database, columns: str = "name, version", rest: str = "ORDER BY name, version") -> list[tuple]:
    """Read what is registered."""
    return db.execute(f"SELECT {columns} FROM {MODELS} {rest}")


def totals(db: Database) -> dict[int, int]:
    """Return how many lines of each score the roll-up has counted."""
    return dict(db.execute("SELECT score_id, lines FROM logintel_internal.score_totals WHERE lines <> 0"))


def hourly_counts(db: Database) -> list[tuple]:
    """Return how many lines of each score the roll-up has counted in each hour."""
    return db.execute(f"SELECT hour, score_id, lines FROM {HOURLY_COUNTS} ORDER BY 1, 2")


def is_rolled_up(db: Database) -> bool:
    """Tell whether the roll-up has run."""
    return db.value("SELECT counted_at IS NOT NULL FROM logintel_internal.rollup_state")


@contextlib.contextmanager
def at_most_rows_are_read(db: Database, table: str, most: int, by: psycopg.Connection) -> Iterator[None]:
    """Check that a session reads no more rows and index entries of a table and its partitions than that."""
    like = (table.removeprefix("logintel_internal.") + "%",) * 2
    read = (
        "SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname LIKE %s) "
        "+ (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname LIKE %s)"
    )
    for session in (db, by):
        _flush(session)
    before = db.value(read, like)
    yield
    _flush(by)
    assert db.value(read, like) - before <= most


def _flush(session: Database | psycopg.Connection) -> None:
    """Make what a session did visible in the statistics."""
    session.execute("SELECT pg_stat_force_next_flush()")
    session.execute("SELECT 1")
