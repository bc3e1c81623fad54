"""Sessions that write at the same time never wait for each other because of scoring."""

import threading

import psycopg
import pytest
from psycopg import IsolationLevel

from support.pending_lines import (
    LINES_AND_PREDICTIONS,
    assert_every_line_is_scored_once,
    blocked_sessions,
    defer,
    scores_locked,
    wait_until,
)
from support.recount import assert_figures_add_up
from support.servers import Database
from support.tables import MODELS, predictions, scores
from support.tiny_models import deploy, tiny_model

FIRST, SECOND = "alpha failed", "beta failed"


@pytest.mark.parametrize(
    "isolation",
    [IsolationLevel.READ_COMMITTED, IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE],
    ids=lambda i: i.name,
)
def test_new_lines_in_opposite_order_neither_wait_nor_deadlock(db: Database, isolation: IsolationLevel) -> None:
    deploy(db)
    sessions = [db.connect(autocommit=False) for _ in range(2)]
    for session in sessions:
        session.isolation_level = isolation
        session.execute("SET lock_timeout = '1s'")
        session.commit()
    for first, second in ((FIRST, SECOND), (SECOND, FIRST)):
        for session, message in zip(sessions, (first, second), strict=True):
            session.execute("INSERT INTO log_entries (message) VALUES (%s)", (message,))
    committed = 0
    for session in sessions:
        try:
            session.commit()
            committed += 1
        except psycopg.errors.SerializationFailure:
            assert isolation is IsolationLevel.SERIALIZABLE  # Postgres itself asks for a retry there, and only there
    assert committed >= 1
    assert db.execute("SELECT lines, predictions FROM logintel.ml_status") == [(2 * committed, 2 * committed)]


def test_a_shape_learned_twice_is_one_score_after_maintain(db: Database) -> None:
    deploy(db)
    sessions = [db.connect(autocommit=False) for _ in range(2)]
    for session in sessions:
        session.execute("INSERT INTO log_entries (message) VALUES (%s)", (FIRST,))
    for session in sessions:
        session.commit()
    assert len(scores(db)) == 2
    db.execute("SELECT logintel.maintain()")
    assert len(scores(db, rest="WHERE canonical")) == 1
    db.execute("INSERT INTO log_entries (message) VALUES (%s)", (FIRST,))
    assert db.execute("SELECT lines, predictions FROM logintel.ml_status") == [(3, 3)]
    assert db.value("SELECT count(*) FROM ml_predictions") == 3


def test_maintain_and_deploy_do_not_block_writers(db: Database) -> None:
    deploy(db)
    for statement in ("SELECT logintel.maintain()", "SELECT logintel.rollback('level')"):
        db.execute(
            f"SELECT logintel.import_model(name, onnx, metadata, golden) FROM {MODELS} WHERE name = 'level' LIMIT 1"
        )
        db.execute("SELECT logintel.deploy('level')")
        upkeep = db.connect(autocommit=False)
        upkeep.execute(statement)
        writer = db.connect()
        writer.execute("SET lock_timeout = '500ms'")
        writer.execute("INSERT INTO log_entries (message) VALUES ('started'), ('never seen ' || %s)", (statement,))
        upkeep.commit()
    assert db.value("SELECT pending FROM logintel.ml_status") == 0


def test_a_snapshot_from_before_a_deployment_goes_on_with_the_models_it_sees(db: Database) -> None:
    deploy(db)
    db.execute("INSERT INTO log_entries (message) VALUES ('started')")
    db.execute("SELECT logintel.maintain()")
    session = db.connect(autocommit=False)
    session.isolation_level = IsolationLevel.REPEATABLE_READ
    session.execute("SELECT 1")
    deploy(db, tiny_model("level", (("started", "FATAL"), ("failed", "INFO"))))
    session.execute("INSERT INTO log_entries (message) VALUES ('started'), ('panicked')")
    session.commit()
    db.execute("INSERT INTO log_entries (message) VALUES ('started')")
    assert db.execute("SELECT predicted_level, model_version FROM ml_predictions ORDER BY id") == [
        ("INFO", "anomaly 1, level 1"),
        ("INFO", "anomaly 1, level 1"),
        ("FATAL", "anomaly 1, level 1"),
        ("FATAL", "anomaly 1, level 2"),
    ]


def test_two_backfills_take_turns_and_score_nothing_twice(db: Database) -> None:
    db.execute("INSERT INTO log_entries (message) SELECT 'failed ' || g FROM generate_series(1, 500) g")
    deploy(db)
    first = db.connect(autocommit=False)
    assert first.execute("SELECT logintel.backfill()").fetchone() == (500,)
    second: list[int] = []
    thread = threading.Thread(
        target=lambda: second.append(db.connect().execute("SELECT logintel.backfill()").fetchone()[0])
    )
    thread.start()
    wait_until(lambda: blocked_sessions(db) == 1)
    first.commit()
    thread.join(30)
    assert second == [0]
    assert len(predictions(db)) == 500


def test_backfill_beside_live_writes_scores_every_line_once(db: Database) -> None:
    db.execute("INSERT INTO log_entries (message) SELECT 'failed ' || g FROM generate_series(1, 2000) g")
    deploy(db)

    def write(letter: str) -> None:
        connection = db.connect()
        for n in range(100):
            connection.execute("INSERT INTO log_entries (message) VALUES (%s)", (f"{letter * (n % 7 + 1)} slow",))

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "xyz"]
    for thread in threads:
        thread.start()
    while db.value('SELECT logintel.backfill(max_lines => 300)'):
        db.execute("SELECT logintel.maintain()")
    for thread in threads:
        thread.join(60)
    db.execute("SELECT logintel.backfill()")
    assert_every_line_is_scored_once(db, 2300)


def test_backfill_refuses_a_fixed_snapshot(db: Database) -> None:
    deploy(db)
    session = db.connect(autocommit=False)
    session.isolation_level = IsolationLevel.REPEATABLE_READ
    with pytest.raises(psycopg.errors.ActiveSqlTransaction, match="read committed"):
        session.execute("SELECT logintel.backfill()")


OF_ONE_KEY = """
    INSERT INTO log_entries (id, timestamp, message) OVERRIDING SYSTEM VALUE
    VALUES (7, timestamptz '2026-01-01 10:00Z' + %s * interval '1 day', %s)
"""


def test_who_scores_a_line_leaves_another_sessions_line_of_its_key_waiting(db: Database) -> None:
    deploy(db)
    with scores_locked(db):
        thread = threading.Thread(target=lambda: db.connect().execute(OF_ONE_KEY, (0, FIRST)))
        thread.start()
        wait_until(lambda: blocked_sessions(db) == 1)
        defer(db)
        db.execute(OF_ONE_KEY, (1, SECOND))
    thread.join(30)
    assert db.execute(LINES_AND_PREDICTIONS) == [(2, 1, 1)]
    assert_figures_add_up(db)


@pytest.fixture
def known_db(db: Database) -> Database:
    """Known are two shapes; lines of others wait."""
    deploy(db)
    db.execute("INSERT INTO log_entries (message) VALUES ('started'), (%s)", (FIRST,))
    db.execute("SELECT logintel.maintain()")
    defer(db)
    return db


@pytest.mark.parametrize("comes", [None, "started", "gamma failed"], ids=["none comes", "a known one", "a new one"])
def test_a_line_that_goes_while_another_of_its_key_is_scored_leaves_no_prediction(
    known_db: Database, comes: str | None
) -> None:
    known_db.execute(OF_ONE_KEY, (0, FIRST))
    known_db.execute(OF_ONE_KEY, (1, SECOND))
    writer = known_db.connect(autocommit=False)
    writer.execute("DELETE FROM log_entries WHERE timestamp < '2026-01-02'")
    thread = threading.Thread(target=lambda: known_db.connect().execute("SELECT logintel.backfill()"))
    thread.start()
    wait_until(lambda: blocked_sessions(known_db) == 1)
    if comes:
        known_db.execute(OF_ONE_KEY, (2, comes))
    writer.commit()
    thread.join(30)
    assert known_db.execute(LINES_AND_PREDICTIONS) == [(4, 2, 2) if comes else (3, 3, 0)]
    assert_figures_add_up(known_db)


def test_a_line_that_comes_while_another_of_its_key_is_scored_keeps_its_prediction(known_db: Database) -> None:
    known_db.execute(OF_ONE_KEY, (0, SECOND))
    with scores_locked(known_db):
        thread = threading.Thread(target=lambda: known_db.connect().execute("SELECT logintel.backfill()"))
        thread.start()
        wait_until(lambda: blocked_sessions(known_db) == 1)
        known_db.execute(OF_ONE_KEY, (1, "started"))
    thread.join(30)
    assert known_db.execute(LINES_AND_PREDICTIONS) == [(4, 4, 0)]
    assert_figures_add_up(known_db)
