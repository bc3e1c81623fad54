"""Figures add up whatever a statement does to lines: moves or deletes them, waiting ones too, or uses a key twice."""

import psycopg
import pytest
from psycopg import IsolationLevel

from support.lines import insert
from support.pending_lines import LINES_AND_PREDICTIONS, defer
from support.recount import Recount, assert_figures_add_up
from support.servers import Database
from support.tables import pending
from support.tiny_models import deploy


@pytest.fixture
def scored_db(db: Database) -> Database:
    """The usual tiny models are in force."""
    deploy(db)
    return db


@pytest.mark.parametrize("waits", [False, True])
def test_lines_that_a_statement_of_a_user_moves_to_another_day_count_once(scored_db: Database, waits: bool) -> None:
    if waits:
        defer(scored_db)
    insert(scored_db, "started", "failed", "slow", "entering", "panicked", timestamp="2031-05-04 10:00:00+00")
    scored_db.execute("CREATE TABLE own_day (LIKE log_entries_default INCLUDING ALL EXCLUDING IDENTITY)")
    scored_db.execute(
        "WITH moved AS (DELETE FROM log_entries_default WHERE timestamp >= '2031-05-04' RETURNING *) "
        "INSERT INTO own_day SELECT * FROM moved"
    )
    scored_db.execute(
        "ALTER TABLE log_entries ATTACH PARTITION own_day FOR VALUES FROM ('2031-05-04Z') TO ('2031-05-05Z')"
    )
    scored_db.execute("SELECT * FROM logintel.maintain()")
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("waits", [False, True])
def test_lines_that_stand_in_the_default_partition_when_their_day_is_made_stay_there_and_count_once(scored_db: Database, waits: bool) -> None:
    if waits:
        defer(scored_db)
    insert(scored_db, "started", "failed", "slow", "entering", "panicked", timestamp="2031-05-04 10:00:00+00")
    assert scored_db.value("SELECT logintel.create_partitions('2031-05-04', '2031-05-04')") > 0
    assert scored_db.value("SELECT count(*) FROM log_entries_default") == 5
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("mode", ["inline", "deferred", "off"])
def test_lines_deleted_and_inserted_by_one_statement_count_once(scored_db: Database, mode: str) -> None:
    insert(scored_db, "started", "failed", "slow")
    scored_db.execute("UPDATE logintel.settings SET value = %s WHERE name = 'mode'", (mode,))
    scored_db.execute(
        "WITH moved AS (DELETE FROM log_entries RETURNING *) "
        "INSERT INTO log_entries OVERRIDING SYSTEM VALUE SELECT * FROM moved"
    )
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("mode", ["inline", "deferred", "off"])
def test_waiting_lines_deleted_and_inserted_by_one_statement_count_once(scored_db: Database, mode: str) -> None:
    scored_db.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    insert(scored_db, "started", "failed", "slow")
    scored_db.execute("UPDATE logintel.settings SET value = %s WHERE name = 'mode'", (mode,))
    scored_db.execute(
        "WITH moved AS (DELETE FROM log_entries RETURNING *) "
        "INSERT INTO log_entries OVERRIDING SYSTEM VALUE SELECT * FROM moved"
    )
    assert_figures_add_up(scored_db)


def test_a_waiting_line_that_is_deleted_waits_no_more(scored_db: Database) -> None:
    defer(scored_db)
    insert(scored_db, *["started"] * 100)
    assert scored_db.execute(LINES_AND_PREDICTIONS) == [(100, 0, 100)]
    scored_db.execute("DELETE FROM log_entries")
    assert scored_db.execute(LINES_AND_PREDICTIONS) == [(0, 0, 0)]
    assert pending(scored_db) == []
    scored_db.execute("SELECT * FROM logintel.reconcile()")
    assert scored_db.execute(LINES_AND_PREDICTIONS) == [(0, 0, 0)]
    assert_figures_add_up(scored_db)


def test_a_waiting_line_that_is_truncated_with_its_partition_waits_no_more(scored_db: Database) -> None:
    defer(scored_db)
    insert(scored_db, "started", "slow", timestamp="2031-05-04 10:00:00+00")
    insert(scored_db, "started")
    scored_db.execute("TRUNCATE log_entries_default")
    assert scored_db.execute(LINES_AND_PREDICTIONS) == [(1, 0, 1)]
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("worker_commits", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM log_entries WHERE id = 1",
        "UPDATE log_entries SET message = 'job failed' WHERE id = 1",
        "UPDATE log_entries SET timestamp = timestamp + interval '1 day' WHERE id = 1",
        "UPDATE log_entries SET id = DEFAULT WHERE id = 1",
    ],
)
def test_a_line_that_is_changed_while_a_worker_has_it_in_hand_counts_once(
    scored_db: Database, change: str, worker_commits: bool
) -> None:
    defer(scored_db)
    insert(scored_db, "panicked", "entering")
    recount = Recount(scored_db.connection)
    worker = scored_db.connect(autocommit=False)
    worker.execute("SELECT logintel.backfill()")
    scored_db.execute("SET lock_timeout = '2s'")  # who writes waits for no worker
    scored_db.execute(change)
    assert [str(difference) for difference in recount.differences() or []] == []
    if worker_commits:
        worker.commit()
    else:
        worker.rollback()
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize(
    "changes",
    [
        ("UPDATE log_entries SET timestamp = timestamp + interval '1 day'", "UPDATE log_entries SET message = 'slow'"),
        ("DELETE FROM log_entries", "INSERT INTO log_entries (id, message) OVERRIDING SYSTEM VALUE VALUES (1, 'slow')"),
    ],
)
def test_a_line_that_is_changed_twice_while_a_worker_has_it_in_hand_counts_once(
    scored_db: Database, changes: tuple[str, str]
) -> None:
    defer(scored_db)
    insert(scored_db, "panicked")
    recount = Recount(scored_db.connection)
    worker = scored_db.connect(autocommit=False)
    worker.execute("SELECT logintel.backfill()")
    for change in changes:
        scored_db.execute(change)
    worker.commit()
    while True:
        assert [str(difference) for difference in recount.differences() or []] == []
        if not scored_db.value("SELECT logintel.backfill()"):
            break
    assert_figures_add_up(scored_db)


LEVELS_BY_TIME = "SELECT predicted_level FROM ml_predictions ORDER BY timestamp"
SECOND = """
    INSERT INTO log_entries (id, timestamp, message) OVERRIDING SYSTEM VALUE
    SELECT id, timestamp - interval '1 day', 'job panicked' FROM log_entries WHERE id = 1
"""


@pytest.fixture
def shared_key_db(scored_db: Database) -> Database:
    """Two lines have the key 1, at different times: the standard key is (id, timestamp)."""
    insert(scored_db, "started")
    scored_db.execute(SECOND)
    return scored_db


def test_two_lines_of_one_id_have_a_prediction_each(shared_key_db: Database) -> None:
    assert shared_key_db.execute(LEVELS_BY_TIME) == [("FATAL",), ("INFO",)]
    assert shared_key_db.execute("SELECT predicted_level, message FROM ml_recent_predictions ORDER BY 1") == [
        ("FATAL", "job panicked"), ("INFO", "started"),
    ]  # fmt: skip
    assert_figures_add_up(shared_key_db)


def test_of_two_lines_of_one_id_each_is_deleted_with_its_own_prediction(shared_key_db: Database) -> None:
    shared_key_db.execute("DELETE FROM log_entries WHERE message = 'started'")
    assert shared_key_db.execute("SELECT predicted_level FROM ml_predictions") == [("FATAL",)]
    assert_figures_add_up(shared_key_db)


def test_of_two_lines_of_one_id_each_is_changed_by_itself(shared_key_db: Database) -> None:
    shared_key_db.execute("UPDATE log_entries SET message = 'job slow' WHERE message = 'started'")
    assert shared_key_db.execute(LEVELS_BY_TIME) == [("FATAL",), ("WARN",)]
    assert_figures_add_up(shared_key_db)


def test_two_lines_of_one_id_wait_each_by_itself(scored_db: Database) -> None:
    scored_db.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    insert(scored_db, "started")
    scored_db.execute(SECOND)
    assert scored_db.execute(LINES_AND_PREDICTIONS) == [(2, 0, 2)]
    scored_db.execute("DELETE FROM log_entries WHERE message = 'started'")
    assert scored_db.execute(LINES_AND_PREDICTIONS) == [(1, 0, 1)]
    assert_figures_add_up(scored_db)


def test_one_backfill_scores_both_lines_of_one_id(scored_db: Database) -> None:
    scored_db.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    insert(scored_db, "started")
    scored_db.execute(SECOND)
    scored_db.execute("SELECT logintel.backfill()")
    [(lines, predicted, waiting)] = scored_db.execute(LINES_AND_PREDICTIONS)
    assert (lines, predicted + waiting) == (2, 2)
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("rows", [
    "(700, 'infinity', 'started'), (700, '-infinity', 'a new shape')",
    "(700, '2026-01-01', 'started'), (700, '2026-01-02', 'a new shape'), (700, '2026-01-03', 'started')",
])  # fmt: skip
def test_lines_that_share_a_key_each_have_a_prediction_or_wait(db: Database, rows: str) -> None:
    deploy(db)
    db.execute("INSERT INTO log_entries (message) VALUES ('started')")
    db.execute("SELECT logintel.maintain()")
    db.execute(f"INSERT INTO log_entries (id, timestamp, message) OVERRIDING SYSTEM VALUE VALUES {rows}")
    for _ in range(2):
        db.execute("SELECT logintel.backfill()")
        db.execute("SELECT logintel.maintain()")
    lines = db.value("SELECT count(*) FROM log_entries")
    assert db.execute("SELECT lines, predictions, pending FROM logintel.ml_status") == [(lines, lines, 0)]
    assert db.value("SELECT count(*) FROM logintel.ml_predictions") == lines


OLD_SNAPSHOTS = [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE]
TO_COMPARE = "SELECT count(*) > 0 FROM logintel_internal.truncations"


def truncating(db: Database, isolation: IsolationLevel) -> psycopg.Connection:
    """Begin a transaction whose snapshot is older than what others commit from here on, when all has been compared."""
    db.execute("SELECT logintel.maintain()")
    session = db.connect(autocommit=False)
    session.isolation_level = isolation
    session.execute("SET lock_timeout = '2s'")
    session.execute("SELECT count(*) FROM log_entries")
    return session


@pytest.mark.parametrize("finds", ["logintel.maintain()", "logintel.backfill()"])
@pytest.mark.parametrize("isolation", OLD_SNAPSHOTS, ids=lambda level: level.name)
def test_a_prediction_that_who_truncates_a_partition_cannot_see_does_not_outlive_its_line(
    scored_db: Database, isolation: IsolationLevel, finds: str
) -> None:
    insert(scored_db, "failed", "slow")
    insert(scored_db, "started", timestamp="2031-05-04 10:00:00+00")
    session = truncating(scored_db, isolation)
    insert(scored_db, "started", "slow", timestamp="2031-05-04 10:00:00+00")
    defer(scored_db)
    insert(scored_db, "never seen", timestamp="2031-05-04 10:00:00+00")
    session.execute("TRUNCATE log_entries_default")
    session.commit()
    assert scored_db.value(TO_COMPARE)
    scored_db.execute(f"SELECT * FROM {finds}")
    assert not scored_db.value(TO_COMPARE)
    assert scored_db.execute(LINES_AND_PREDICTIONS) == [(2, 2, 0)]
    assert Recount(scored_db.connection).differences() == []
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("restarts", ["", " RESTART IDENTITY"])
@pytest.mark.parametrize("isolation", OLD_SNAPSHOTS, ids=lambda level: level.name)
def test_who_truncates_the_log_table_with_an_old_snapshot_waits_for_nobody_who_reads(
    scored_db: Database, isolation: IsolationLevel, restarts: str
) -> None:
    session = truncating(scored_db, isolation)
    insert(scored_db, "started", "slow", timestamp="2031-05-04 10:00:00+00")
    reader = scored_db.connect(autocommit=False)
    reader.execute("SELECT * FROM logintel.ml_stats")
    session.execute(f"TRUNCATE log_entries{restarts}")
    session.commit()
    reader.rollback()
    insert(scored_db, "failed", timestamp="2031-05-04 10:00:00+00")  # where keys begin anew, it has one that was given
    scored_db.execute("SELECT logintel.maintain()")
    assert not scored_db.value(TO_COMPARE)
    assert Recount(scored_db.connection).differences() == []
    assert_figures_add_up(scored_db)
    assert scored_db.value("SELECT predicted_level FROM logintel.ml_predictions") == "ERROR"


def test_who_truncates_the_log_table_and_sees_that_all_is_gone_leaves_nothing_to_compare(scored_db: Database) -> None:
    session = truncating(scored_db, IsolationLevel.REPEATABLE_READ)
    insert(scored_db, "started", "slow")
    session.execute("TRUNCATE log_entries")
    session.commit()
    assert not scored_db.value(TO_COMPARE)
    assert scored_db.execute(LINES_AND_PREDICTIONS) == [(0, 0, 0)]
    assert_figures_add_up(scored_db)


def test_who_truncates_a_partition_while_a_comparison_is_at_work_waits_for_nobody(scored_db: Database) -> None:
    insert(scored_db, "started", "slow", timestamp="2031-05-04 10:00:00+00")
    session = truncating(scored_db, IsolationLevel.REPEATABLE_READ)
    insert(scored_db, "slow", timestamp="2031-05-04 10:00:00+00")
    upkeep = scored_db.connect(autocommit=False)
    upkeep.execute("SELECT logintel._lock('lines'), logintel._lock_counts()")
    upkeep.execute("DELETE FROM logintel_internal.truncations")
    upkeep.execute("UPDATE logintel_internal.attachments SET reconciled_tables = logintel._log_table_oids(log_table)")
    session.execute("TRUNCATE log_entries_default")
    session.commit()
    upkeep.commit()
    assert scored_db.value(TO_COMPARE)
    scored_db.execute("SELECT logintel.maintain()")
    assert scored_db.execute(LINES_AND_PREDICTIONS) == [(0, 0, 0)]
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("mode", ["inline", "deferred"])
def test_a_partition_is_truncated_while_lines_are_written_to_others(scored_db: Database, mode: str) -> None:
    scored_db.execute("UPDATE logintel.settings SET value = %s WHERE name = 'mode'", (mode,))
    session = truncating(scored_db, IsolationLevel.READ_COMMITTED)
    session.execute("TRUNCATE log_entries_default")  # the log table is empty: there is nothing else in it to keep
    scored_db.execute("SET lock_timeout = '150ms'")
    insert(scored_db, "started", "slow")
    assert Recount(scored_db.connection).differences() in ([], None)  # none while the partition is locked
    session.commit()
    assert scored_db.value("SELECT lines FROM logintel.ml_status") == 2
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("isolation", [IsolationLevel.READ_COMMITTED, *OLD_SNAPSHOTS], ids=lambda level: level.name)
def test_a_waiting_line_is_forgotten_with_its_partition_though_another_line_has_its_key(
    scored_db: Database, isolation: IsolationLevel
) -> None:
    defer(scored_db)
    insert(scored_db, "started")
    scored_db.execute(
        "INSERT INTO log_entries (id, timestamp, message) OVERRIDING SYSTEM VALUE "
        "SELECT id, '2031-05-04 10:00:00+00', 'slow' FROM log_entries"
    )
    assert scored_db.execute(LINES_AND_PREDICTIONS) == [(2, 0, 2)]
    session = truncating(scored_db, isolation)
    session.execute("TRUNCATE log_entries_default")
    session.commit()
    if isolation is not IsolationLevel.READ_COMMITTED:
        assert scored_db.value(TO_COMPARE)
        scored_db.execute("SELECT logintel.maintain()")
    assert scored_db.execute(LINES_AND_PREDICTIONS) == [(1, 0, 1)]
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("time", ["infinity", "0001-12-31 23:59:59+00 BC"])
def test_a_line_without_a_time_is_shown_beside_a_prediction_made_when_another_of_its_key_was_written(
    scored_db: Database, time: str
) -> None:
    insert(scored_db, "failed", "started")
    scored_db.execute(
        "INSERT INTO log_entries (id, timestamp, message) OVERRIDING SYSTEM VALUE "
        "SELECT id, %s, message FROM log_entries",
        (time,),
    )
    assert Recount(scored_db.connection).differences() == []
    assert_figures_add_up(scored_db)
