"""Lines that wait for a prediction, for the tests of those who score them."""

import contextlib
import time
from collections.abc import Callable, Iterator

from support.servers import Database
from support.tables import SCORES, predictions

LINES_AND_PREDICTIONS = "SELECT lines, predictions, pending FROM logintel.ml_status"


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until a condition is true; fail when that takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def defer(db: Database) -> None:
    """Leave lines of new shapes pending from here on."""
    db.execute("UPDATE logintel.settings SET value = 'deferred' WHERE name = 'mode'")


def blocked_sessions(db: Database) -> int:
    """Count the sessions of this database that wait for a lock."""
    return db.value(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )


@contextlib.contextmanager
def scores_locked(db: Database) -> Iterator[None]:
    """Keep everybody from remembering scores: who scores new shapes stops in the middle of a batch."""
    session = db.connect(autocommit=False)
    session.execute(f"LOCK TABLE {SCORES} IN SHARE MODE")
    yield
    session.rollback()


def assert_every_line_is_scored_once(db: Database, lines: int) -> None:
    """Check that all lines have one prediction each, and that there are so many."""
    assert db.execute(LINES_AND_PREDICTIONS) == [(lines, lines, 0)]
    assert len({line for (line,) in predictions(db)}) == len(predictions(db)) == lines
