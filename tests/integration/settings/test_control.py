"""Pauses and settings: they act at once, and every change is remembered with who and when."""

import psycopg
import pytest

from support.dumps import restore
from support.pending_lines import LINES_AND_PREDICTIONS, defer
from support.servers import Database
from support.tiny_models import deploy

HISTORY = "SELECT name, old_value, new_value, why FROM logintel.ml_settings_history ORDER BY id"


def test_a_pause_lets_every_line_wait_and_its_end_scores_again(db: Database) -> None:
    deploy(db)
    db.execute("INSERT INTO log_entries (message) VALUES ('started')")
    assert db.value("SELECT logintel.pause('too loud')") == "off"
    db.execute("INSERT INTO log_entries (message) VALUES ('started'), ('never seen')")
    assert db.execute(LINES_AND_PREDICTIONS) == [(3, 1, 2)]
    assert db.value("SELECT scoring FROM logintel.ml_status") is False
    assert db.value("SELECT logintel.resume('quiet again')") == "inline"
    db.execute("INSERT INTO log_entries (message) VALUES ('started')")
    assert db.execute(LINES_AND_PREDICTIONS) == [(4, 2, 2)]
    assert db.value("SELECT logintel.backfill()") == 2
    assert db.execute(LINES_AND_PREDICTIONS) == [(4, 4, 0)]
    assert db.execute(HISTORY) == [("mode", "inline", "off", "too loud"), ("mode", "off", "inline", "quiet again")]


def test_the_mode_before_a_pause_comes_back(db: Database) -> None:
    defer(db)
    for _ in range(2):
        assert db.value("SELECT logintel.pause()") == "off"
    assert db.value("SELECT logintel.resume()") == "deferred"
    assert db.value("SELECT logintel.resume()") == "deferred"
    assert [row[1:3] for row in db.execute(HISTORY)] == [
        ("inline", "deferred"), ("deferred", "off"), ("off", "deferred"),
    ]  # fmt: skip


def test_a_pause_that_is_rolled_back_never_was(db: Database) -> None:
    deploy(db)
    session = db.connect(autocommit=False)
    session.execute("SELECT logintel.pause()")
    session.rollback()
    db.execute("INSERT INTO log_entries (message) VALUES ('started')")
    assert db.execute(LINES_AND_PREDICTIONS) == [(1, 1, 0)]
    assert db.execute(HISTORY) == []


def test_the_end_of_a_pause_says_how_many_lines_wait(db: Database) -> None:
    deploy(db)
    said = db.logintel("pause", "--why", "a test")
    assert said == "note: lines are stored and wait for a prediction until SELECT logintel.resume()\nmode: off\n"
    db.execute("INSERT INTO log_entries (message) VALUES ('started'), ('failed')")
    assert "lines that wait for a prediction: 2; SELECT logintel.backfill()" in (said := db.logintel("resume"))
    assert said.endswith("mode: inline\n")
    assert db.logintel("resume") == "note: scoring is not paused\nmode: inline\n"
    assert db.value("SELECT why FROM logintel.ml_settings_history WHERE new_value = 'off'") == "a test"


def test_thresholds_act_at_once_and_are_recorded_with_who_and_when(db: Database) -> None:
    deploy(db)
    db.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', 'panicked')")
    corrections, anomalies = "SELECT count(*) FROM logintel.ml_corrections", "SELECT count(*) FROM logintel.ml_anomalies"
    assert (db.value(corrections), db.value(anomalies)) == (1, 1)
    role = db.create_role("manager")
    db.execute("SELECT logintel.grant_manage(%s)", (role,))
    manager = db.connect(user=role)
    before = db.value("SELECT clock_timestamp()")
    for name in ("anomaly_threshold", "classification_min_confidence"):
        manager.execute("UPDATE logintel.settings SET value = '1' WHERE name = %s", (name,))
    assert (db.value(corrections), db.value(anomalies)) == (0, 0)
    assert manager.execute(
        "SELECT name, old_value, new_value, changed_by, changed_at >= %s FROM logintel.ml_settings_history ORDER BY id", (before,)
    ).fetchall() == [("anomaly_threshold", "0.7", "1", role, True), ("classification_min_confidence", "0.6", "1", role, True)]


def test_what_changes_nothing_is_not_recorded(db: Database) -> None:
    db.execute("UPDATE logintel.settings SET value = value")
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        db.execute("UPDATE logintel.settings SET value = 'loud' WHERE name = 'mode'")
    assert db.execute(HISTORY) == []


@pytest.mark.parametrize(("name", "value"), [
    ("after_retraining", "later"), ("retrain_every_hours", "25"), ("retrain_every_hours", "-1"), ("retrain_every_hours", "often"),
])
def test_settings_of_retrainings_are_checked(db: Database, name: str, value: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=f'setting {name} cannot be "{value}"') as raised:
        db.execute("UPDATE logintel.settings SET value = %s WHERE name = %s", (value, name))
    assert raised.value.diag.message_hint


@pytest.mark.local_only  # pg_dump must be as new as the server
def test_a_restored_history_is_what_it_was_and_a_restored_pause_ends_as_it_would_have(db: Database, empty_db: Database) -> None:
    deploy(db)
    defer(db)
    db.execute("UPDATE logintel.settings SET value = '0.8' WHERE name = 'anomaly_threshold'")
    db.execute("SELECT logintel.pause('moving')")
    restore(db, empty_db)
    for query in ("SELECT * FROM logintel.ml_settings_history", "SELECT * FROM logintel.settings ORDER BY name"):
        assert empty_db.execute(query) == db.execute(query), query
    empty_db.execute("INSERT INTO public.log_entries (message) VALUES ('started')")
    assert empty_db.execute(LINES_AND_PREDICTIONS) == [(1, 0, 1)]
    assert empty_db.value("SELECT logintel.resume()") == "deferred"
    assert empty_db.value("SELECT count(*) FROM logintel_internal.settings_history") == 4


def test_who_manages_may_pause_and_who_reads_may_only_look(db: Database) -> None:
    manager, reader = db.create_role("manager"), db.create_role("reader")
    db.execute("SELECT logintel.grant_manage(%s)", (manager,))
    db.execute("SELECT logintel.grant_read(%s)", (reader,))
    session = db.connect(user=manager)
    session.execute("SELECT logintel.pause()")
    session.execute("SELECT logintel.resume()")
    session = db.connect(user=reader)
    assert session.execute("SELECT changed_by FROM logintel.ml_settings_history").fetchall() == [(manager,)] * 2
    for query in ("SELECT logintel.pause()", "SELECT logintel.resume()", "SELECT * FROM logintel_internal.settings_history"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(query)
    session = db.connect(user=manager)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("DELETE FROM logintel_internal.settings_history")


@pytest.mark.parametrize("statement", ["DELETE FROM logintel.settings WHERE name = 'mode'", "TRUNCATE logintel.settings"])
def test_a_setting_cannot_be_deleted(db: Database, statement: str) -> None:
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="settings cannot be deleted") as refused:
        db.execute(statement)
    assert "UPDATE logintel.settings SET value" in refused.value.diag.message_hint
    assert db.value("SELECT mode FROM logintel.ml_status") == "inline"
