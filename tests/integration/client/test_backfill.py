"""`logintel backfill` with several sessions, a rate, and for history."""

import re
import signal
import subprocess
import time

import psycopg
import pytest

from logintel.backfill import backfill_lines
from support.lines import insert_new_shapes
from support.pending_lines import assert_every_line_is_scored_once, blocked_sessions, scores_locked, wait_until
from support.processes import start
from support.servers import Database
from support.tiny_models import deploy, tiny_model

pytestmark = pytest.mark.any_server


def test_jobs_side_by_side_score_every_line_once(db: Database) -> None:
    insert_new_shapes(db, 3000)
    deploy(db)
    assert db.logintel("backfill", "--jobs", "3", "--batch", "100") == "processed 3,000 pending lines\n"
    assert_every_line_is_scored_once(db, 3000)
    assert db.logintel("backfill", "--jobs", "3") == "processed 0 pending lines\n"


def test_since_leaves_older_lines_pending(db: Database) -> None:
    db.execute(
        "INSERT INTO log_entries (\"timestamp\", message) SELECT '2026-03-01Z'::timestamptz + g * interval '1 hour', 'failed' "
        "FROM generate_series(0, 47) g"
    )
    deploy(db)
    assert db.logintel("backfill", "--jobs", "2", "--batch", "5", "--since", "2026-03-02") == "processed 24 pending lines\n"
    assert db.value("SELECT pending FROM logintel.ml_status") == 24


def test_days_with_many_lines_of_history_get_a_partition_of_their_predictions(db: Database) -> None:
    db.execute(
        "INSERT INTO log_entries (\"timestamp\", message) SELECT '2024-02-03 10:00Z'::timestamptz, 'failed' FROM generate_series(1, 1000) "
        "UNION ALL SELECT '2024-02-04 10:00Z', 'failed'"
    )
    deploy(db)
    assert db.logintel("backfill") == "processed 1,001 pending lines\n"
    assert db.value("SELECT count(*) FROM logintel_internal.predictions_2024_02_03") == 1000
    assert db.value("SELECT count(*) FROM logintel_internal.predictions_default") == 1


def test_a_rate_is_kept_to_by_all_jobs_together(db: Database) -> None:
    insert_new_shapes(db, 600)
    deploy(db)
    started = time.monotonic()
    assert db.logintel("backfill", "--jobs", "2", "--rate", "200") == "processed 600 pending lines\n"
    assert time.monotonic() - started > 2
    assert_every_line_is_scored_once(db, 600)


def test_history_is_read_as_the_models_in_force_score_it(db: Database) -> None:
    deploy(db)
    db.execute("INSERT INTO log_entries (message) SELECT 'failed ' || g FROM generate_series(1, 50) g")
    db.execute("INSERT INTO log_entries (message) VALUES ('started')")
    deploy(db, tiny_model("level", (("started", "FATAL"), ("failed", "INFO"))))
    read = "SELECT predicted_level, count(*), bool_and(rescored_at IS NULL) FROM ml_predictions GROUP BY 1 ORDER BY 1"
    assert db.execute(read) == [("ERROR", 50, True), ("INFO", 1, True)]
    # A shape that one job takes just when the other is done with it counts for both.
    assert re.fullmatch(r"rescored [234] shapes\n", db.logintel("backfill", "--rescore", "--jobs", "2", "--batch", "1"))
    assert db.execute(read) == [("FATAL", 1, False), ("INFO", 50, False)]
    assert db.logintel("backfill", "--rescore") == "rescored 0 shapes\n"
    db.execute("SELECT logintel.rollback('level')")
    assert re.fullmatch(r"rescored \d shapes\n", db.logintel("backfill", "--rescore"))
    assert db.execute(read) == [("ERROR", 50, True), ("INFO", 1, True)]


def test_an_interrupt_rolls_back_what_is_in_hand_and_it_goes_on_the_next_time(db: Database) -> None:
    insert_new_shapes(db, 500)
    deploy(db)
    command = ["-m", "logintel", "backfill", "--jobs", "2", "--batch", "100", "--dsn", db.dsn]
    with scores_locked(db), start(*command, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: blocked_sessions(db) == 2)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        assert said == "logintel: interrupted; what is done stays done: run the same again to go on\n"
        wait_until(lambda: blocked_sessions(db) == 0)
    assert db.logintel("backfill") == "processed 500 pending lines\n"
    assert_every_line_is_scored_once(db, 500)


def test_the_first_error_ends_all_sessions(db: Database) -> None:
    insert_new_shapes(db, 10)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no model is deployed"):
        backfill_lines(*[db.connect() for _ in range(3)])
