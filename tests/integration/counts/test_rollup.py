"""Counts are rolled up without counters that writers share, and always add up to the rows."""

import random
import threading
from collections import Counter

import psycopg
import pytest
from psycopg import IsolationLevel

from support.lines import insert
from support.servers import Database
from support.tables import PREDICTIONS, at_most_rows_are_read, hourly_counts, predictions, totals
from support.tiny_models import deploy

VIEWS = ("ml_stats", "ml_stats_by_level", "ml_stats_by_service", "ml_stats_by_hour")
MESSAGES = ("job 1 failed", "slow", "started", "entering", "node 3 panicked")


@pytest.fixture
def scoring_db(db: Database) -> Database:
    deploy(db)
    return db


def assert_counts_are_the_rows(db: Database) -> None:
    # One statement, so that counts and rows are seen under one snapshot.
    sums = ", ".join(f"(SELECT sum(predictions) FROM {view})" for view in VIEWS)
    [(rows, *counts)] = db.execute(f"SELECT (SELECT count(*) FROM {PREDICTIONS}), {sums}")
    assert [int(count or 0) for count in counts] == [rows] * len(VIEWS)


def assert_rolled_up_exactly(db: Database) -> None:
    assert totals(db) == Counter(score for (score,) in predictions(db, "score_id"))
    by_hour = Counter(predictions(db, "date_trunc('hour', timestamp, 'UTC'), score_id"))
    assert hourly_counts(db) == sorted((*key, lines) for key, lines in by_hour.items())


def test_views_count_what_is_rolled_up_and_what_is_not(scoring_db: Database) -> None:
    insert(scoring_db, *MESSAGES)
    assert_counts_are_the_rows(scoring_db)
    scoring_db.execute("SELECT logintel.maintain()")
    insert(scoring_db, *MESSAGES)
    assert sum(totals(scoring_db).values()) == 5
    assert_counts_are_the_rows(scoring_db)


def test_who_commits_late_is_counted_once(scoring_db: Database) -> None:
    early, late = (scoring_db.connect(autocommit=False) for _ in range(2))
    insert(late, "slow", "slow")
    insert(early, "started")
    early.commit()
    scoring_db.execute("SELECT logintel.maintain()")  # sees the early one, whose transaction began after the late one
    assert sum(totals(scoring_db).values()) == 1
    late.commit()
    assert_counts_are_the_rows(scoring_db)
    for _ in range(2):
        scoring_db.execute("SELECT logintel.maintain()")
        assert_counts_are_the_rows(scoring_db)
        assert_rolled_up_exactly(scoring_db)


def test_who_rolls_back_is_not_counted(scoring_db: Database) -> None:
    session = scoring_db.connect(autocommit=False)
    insert(session, "slow")
    with session.transaction(force_rollback=True):
        insert(session, "started")
    scoring_db.execute("SELECT logintel.maintain()")
    session.rollback()
    insert(scoring_db, "started")
    scoring_db.execute("SELECT logintel.maintain()")
    assert sum(totals(scoring_db).values()) == 1
    assert_rolled_up_exactly(scoring_db)


def test_lines_written_in_the_transaction_of_maintain_are_counted_once(scoring_db: Database) -> None:
    session = scoring_db.connect(autocommit=False)
    insert(session, "slow")
    session.execute("SELECT logintel.maintain()")
    insert(session, "slow")
    session.commit()
    scoring_db.execute("SELECT logintel.maintain()")
    assert_rolled_up_exactly(scoring_db)
    assert_counts_are_the_rows(scoring_db)


def test_lines_deleted_and_changed_leave_the_counts(scoring_db: Database) -> None:
    insert(scoring_db, *MESSAGES * 3)
    scoring_db.execute("SELECT logintel.maintain()")
    insert(scoring_db, *MESSAGES)
    scoring_db.execute("DELETE FROM log_entries WHERE id IN (1, 2, 16)")  # counted and not yet counted
    scoring_db.execute("UPDATE log_entries SET message = 'started' WHERE id IN (5, 20)")
    assert_counts_are_the_rows(scoring_db)
    scoring_db.execute("SELECT logintel.maintain()")
    assert_rolled_up_exactly(scoring_db)


def test_a_deletion_that_commits_after_the_roll_up_is_taken_off_by_the_next(scoring_db: Database) -> None:
    insert(scoring_db, "slow", "slow")
    session = scoring_db.connect(autocommit=False)
    session.execute("DELETE FROM log_entries WHERE id = 1")
    scoring_db.execute("SELECT logintel.maintain()")
    assert_counts_are_the_rows(scoring_db)
    session.commit()
    assert_counts_are_the_rows(scoring_db)
    scoring_db.execute("SELECT logintel.maintain()")
    assert_rolled_up_exactly(scoring_db)


def test_a_reader_with_an_old_snapshot_sees_the_old_counts(scoring_db: Database) -> None:
    insert(scoring_db, *MESSAGES)
    reader = scoring_db.connect(autocommit=False)
    reader.isolation_level = IsolationLevel.REPEATABLE_READ
    assert reader.execute("SELECT predictions FROM ml_stats").fetchall() == [(5,)]
    insert(scoring_db, *MESSAGES)
    scoring_db.execute("SELECT logintel.maintain()")
    assert reader.execute("SELECT predictions FROM ml_stats").fetchall() == [(5,)]


def test_counts_add_up_at_any_moment_while_sessions_write_delete_and_roll_up(scoring_db: Database) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []
    done = [0] * 5

    def keep(work, seed: int) -> None:
        try:
            with psycopg.connect(scoring_db.dsn, autocommit=True) as connection:
                choose = random.Random(seed)
                while not stop.is_set():
                    work(connection, choose)
                    done[seed] += 1
        except BaseException as failure:  # told to the test below
            failures.append(failure)

    def write(connection: psycopg.Connection, choose: random.Random) -> None:
        with connection.transaction(force_rollback=choose.random() < 0.2):
            insert(connection, *choose.choices(MESSAGES, k=choose.randint(1, 5)))
            with connection.transaction():
                insert(connection, choose.choice(MESSAGES))

    def forget(connection: psycopg.Connection, choose: random.Random) -> None:
        connection.execute(
            "DELETE FROM log_entries WHERE id IN (SELECT id FROM log_entries TABLESAMPLE BERNOULLI (20) LIMIT 3)"
        )

    def roll_up(connection: psycopg.Connection, choose: random.Random) -> None:
        connection.execute("SELECT logintel.maintain()")

    sessions = [threading.Thread(target=keep, args=(work, n)) for n, work in enumerate([write] * 3 + [forget, roll_up])]
    for session in sessions:
        session.start()
    try:
        while min(done) < 5 and not failures:  # the roll-up takes longest
            assert_counts_are_the_rows(scoring_db)
    finally:
        stop.set()
        for session in sessions:
            session.join()
    assert failures == []
    scoring_db.execute("SELECT logintel.maintain()")
    assert_rolled_up_exactly(scoring_db)
    assert_counts_are_the_rows(scoring_db)


def test_ids_of_another_clusters_transactions_do_not_count_twice(scoring_db: Database) -> None:
    insert(scoring_db, *MESSAGES)
    # What a restore brings along: ids from the future of this cluster, and no roll-up.
    scoring_db.execute(f"UPDATE {PREDICTIONS} SET txid = txid + 1000000 WHERE log_entry_id > 2")
    assert_counts_are_the_rows(scoring_db)
    for _ in range(2):
        scoring_db.execute("SELECT logintel.maintain()")
        assert_rolled_up_exactly(scoring_db)
    insert(scoring_db, *MESSAGES)
    assert_counts_are_the_rows(scoring_db)


def test_the_uncounted_rest_is_found_without_reading_history(scoring_db: Database) -> None:
    insert(scoring_db, *["slow"] * 50_000)
    scoring_db.execute("SELECT logintel.maintain()")
    scoring_db.execute(f"ANALYZE {PREDICTIONS}")
    insert(scoring_db, "slow")
    reader = scoring_db.connect()
    with at_most_rows_are_read(scoring_db, PREDICTIONS, 1000, by=reader):
        assert reader.execute("SELECT predictions FROM ml_stats").fetchall() == [(50_001,)]


def test_what_a_transaction_writes_after_its_own_roll_up_is_counted(db: Database) -> None:
    deploy(db)
    writer = db.connect(autocommit=False)
    writer.execute("SELECT txid_current()")
    db.execute("INSERT INTO log_entries (message) VALUES ('job failed')")  # by a later transaction, which ends first
    writer.execute("INSERT INTO log_entries (message) VALUES ('job started')")
    writer.execute("SELECT logintel.maintain()")
    writer.execute("INSERT INTO log_entries (message) VALUES ('job slow'), ('job failed')")
    for statement in ("SELECT 1", "COMMIT", "SELECT logintel.maintain()"):
        writer.execute(statement)
        [(counted,)] = writer.execute("SELECT predictions FROM logintel.ml_stats")
        assert counted == 4, statement


@pytest.mark.parametrize("held", ["SELECT * FROM logintel.ml_stats", "SELECT * FROM logintel.ml_stats_by_hour",
                                  "SELECT logintel._lock_counts()", "SELECT count(*) FROM logintel_internal.pending"])  # fmt: skip
def test_who_truncates_the_log_table_waits_for_nobody_who_reads_or_counts(scoring_db: Database, held: str) -> None:
    db = scoring_db
    insert(db, *MESSAGES)
    db.execute("SELECT logintel.give_feedback(id, true_level => 'WARN') FROM log_entries LIMIT 1")
    db.execute("SELECT logintel.maintain()")
    insert(db, *MESSAGES)  # half are counted, half are not
    db.execute("INSERT INTO logintel_internal.pending (attachment_id, log_entry_id) SELECT 0, id FROM log_entries LIMIT 2")
    other = db.connect(autocommit=False)
    other.execute(held)
    db.execute("SET lock_timeout = '5s'")
    db.execute("TRUNCATE log_entries RESTART IDENTITY")
    if not held.endswith("_lock_counts()"):
        assert other.execute("SELECT count(*) FROM log_entries").fetchall() == [(0,)]
        other.execute(held)
    other.rollback()
    assert db.execute("SELECT lines, predictions, pending FROM ml_status") == [(0, 0, 0)]
    assert db.value("SELECT count(log_entry_id) FROM ml_feedback") == 0  # the keys are given anew
    assert_counts_are_the_rows(db)
    insert(db, *MESSAGES[:2])
    assert_counts_are_the_rows(db)
    db.execute("SELECT logintel.maintain()")
    assert_counts_are_the_rows(db)
    assert db.execute("SELECT predictions FROM ml_stats") == [(2,)]
    assert {score: lines for score, lines in totals(db).items() if lines} == Counter(score for (score,) in predictions(db, "score_id"))
    assert dict(db.execute("SELECT * FROM logintel.reconcile()"))["counts corrected"] == 0


@pytest.mark.parametrize("isolation", [IsolationLevel.READ_COMMITTED, IsolationLevel.REPEATABLE_READ])
def test_no_prediction_outlives_a_truncated_log_table_whatever_the_snapshot(scoring_db: Database, isolation: IsolationLevel) -> None:
    insert(scoring_db, *MESSAGES)
    truncating = scoring_db.connect(autocommit=False)
    truncating.isolation_level = isolation
    truncating.execute("SELECT 1 FROM logintel.settings")
    insert(scoring_db, *MESSAGES)
    truncating.execute("TRUNCATE log_entries")
    truncating.commit()
    assert predictions(scoring_db) == []
    assert_counts_are_the_rows(scoring_db)
