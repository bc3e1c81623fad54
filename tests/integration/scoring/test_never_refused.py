"""A log line is never lost or refused because of ML: the insert succeeds, the line is pending, backfill catches up."""

from collections.abc import Callable

import psycopg
import pytest

from support.servers import Database
from support.tables import MODELS, models, predictions
from support.tiny_models import BY_PYTHON, deploy

PENDING = "SELECT lines, predictions, pending FROM logintel.ml_status"


def warnings_of(connection: psycopg.Connection) -> list[str]:
    caught: list[str] = []
    connection.add_notice_handler(
        lambda d: caught.append(d.message_primary) if d.severity_nonlocalized == "WARNING" else None
    )
    return caught


def corrupt_bytes(db: Database) -> None:
    db.execute(BY_PYTHON)
    db.execute(f"UPDATE {MODELS} SET onnx = 'no model'")


def corrupt_graph(db: Database) -> None:
    db.execute(BY_PYTHON)
    db.execute(f"UPDATE {MODELS} SET onnx = 'no model', sha256 = encode(sha256('no model'), 'hex')")


def packages_gone(db: Database) -> None:
    # What a server without the packages does: the wrapper's import fails.
    db.execute(
        "CREATE OR REPLACE FUNCTION logintel._score_shapes(model_set_id integer, shapes logintel._shapes) "
        "RETURNS logintel._scores LANGUAGE plpython3u AS 'import logintel_server_that_is_gone'"
    )


def exception_in_scoring(db: Database) -> None:
    db.execute(
        "CREATE OR REPLACE FUNCTION logintel._score_shapes(model_set_id integer, shapes logintel._shapes) "
        "RETURNS logintel._scores LANGUAGE plpgsql AS 'BEGIN PERFORM 1 / 0; END'"
    )


def too_few_scores(db: Database) -> None:
    db.execute(
        "CREATE OR REPLACE FUNCTION logintel._score_shapes(model_set_id integer, shapes logintel._shapes) "
        "RETURNS logintel._scores LANGUAGE sql AS 'SELECT NULL::logintel._scores'"
    )


BREAKAGES = [corrupt_bytes, corrupt_graph, packages_gone, exception_in_scoring, too_few_scores]


@pytest.mark.parametrize("break_it", BREAKAGES)
def test_the_insert_succeeds_and_known_shapes_are_scored_all_the_same(
    db: Database, break_it: Callable[[Database], None]
) -> None:
    deploy(db)
    db.execute("INSERT INTO log_entries (message) VALUES ('job 1 failed')")
    break_it(db)
    connection = db.connect()  # a new session, which has no model loaded
    warnings = warnings_of(connection)
    connection.execute("INSERT INTO log_entries (message) VALUES ('job 2 failed'), ('brand new')")
    connection.execute("INSERT INTO log_entries (message) VALUES ('job 3 failed'), ('another new one')")
    assert db.execute("SELECT log_entry_id, predicted_level FROM ml_predictions ORDER BY 1") == [
        (1, "ERROR"),
        (2, "ERROR"),
        (4, "ERROR"),
    ]
    assert db.execute(PENDING) == [(5, 3, 2)]
    assert len(warnings) == 1
    assert "stored without a prediction" in warnings[0]


def test_backfill_catches_up_once_the_cause_is_mended(db: Database) -> None:
    deploy(db)
    [(onnx,)] = models(db, "onnx", "WHERE name = 'level'")
    db.execute(BY_PYTHON)
    db.execute(f"UPDATE {MODELS} SET onnx = 'no model' WHERE name = 'level'")
    db.connect().execute("INSERT INTO log_entries (message) VALUES ('failed'), ('slow'), ('started')")
    assert db.execute(PENDING) == [(3, 0, 3)]
    db.execute(f"UPDATE {MODELS} SET onnx = %s WHERE name = 'level'", (onnx,))
    connection = db.connect()
    assert connection.execute("SELECT logintel.backfill()").fetchone() == (3,)
    assert connection.execute("SELECT logintel.backfill()").fetchone() == (0,)
    assert db.execute("SELECT predicted_level FROM ml_predictions ORDER BY id") == [("ERROR",), ("WARN",), ("INFO",)]


def test_without_a_model_lines_are_pending(db: Database) -> None:
    connection = db.connect()
    warnings = warnings_of(connection)
    connection.execute("INSERT INTO log_entries (message) VALUES ('failed'), ('slow')")
    connection.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    assert db.execute(PENDING) == [(3, 0, 3)]
    assert warnings == ["log lines are stored without a prediction: no model is deployed"]
    deploy(db)
    assert db.value("SELECT logintel.backfill()") == 3


def test_mode_off_scores_nothing_and_warns_of_nothing(db: Database) -> None:
    deploy(db)
    db.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    connection = db.connect()
    warnings = warnings_of(connection)
    connection.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    assert db.execute(PENDING) == [(1, 0, 1)]
    assert warnings == []
    db.execute("UPDATE logintel.settings SET value = 'inline' WHERE name = 'mode'")
    assert db.value("SELECT logintel.backfill()") == 1


def test_backfill_takes_a_start_and_a_limit(db: Database) -> None:
    db.execute(
        "INSERT INTO log_entries (message, timestamp) "
        "SELECT 'failed', '2026-01-01'::timestamptz + g * interval '1 day' FROM generate_series(0, 9) g"
    )
    deploy(db)
    assert db.value("SELECT logintel.backfill(since => '2026-01-06')") == 5
    assert db.value('SELECT logintel.backfill(max_lines => 3)') == 3
    assert predictions(db) == [
        (n,) for n in (1, 2, 3, 6, 7, 8, 9, 10)
    ]
    assert db.value("SELECT logintel.backfill()") == 2


def test_predict_log_answers_what_is_stored_or_scores_now(db: Database) -> None:
    db.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    deploy(db)
    for _ in range(2):
        assert db.value("SELECT predicted_level FROM predict_log(1)") == "ERROR"
    assert len(predictions(db)) == 1
    with pytest.raises(psycopg.errors.NoDataFound, match="there is no log line 99"):
        db.execute("SELECT predict_log(99)")


def test_dropping_the_extension_leaves_the_logs(db: Database) -> None:
    deploy(db)
    db.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    db.execute("DROP EXTENSION logintel, logintel_python")
    db.execute("INSERT INTO log_entries (message) VALUES ('slow')")
    assert db.value("SELECT count(*) FROM log_entries") == 2
    assert db.value("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'logintel%%'") == 0
