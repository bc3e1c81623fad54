"""Row-level security of the log table holds in everything that shows lines."""

import pytest

from support.servers import Database
from support.tiny_models import ANOMALIES, deploy, tiny_model

LINES = ("ml_predictions", "ml_recent_predictions", "ml_corrections", "ml_anomalies")


@pytest.fixture
def tenants(db: Database) -> Database:
    """Lines of two services, and a reader who may see those of one alone."""
    deploy(db)
    deploy(db, tiny_model("anomaly", ANOMALIES))
    reader = db.create_role("reader")
    db.execute(f"SELECT logintel.grant_read('{reader}')")
    db.execute("ALTER TABLE log_entries ENABLE ROW LEVEL SECURITY")
    db.execute(f"CREATE POLICY one ON log_entries FOR SELECT TO {reader} USING (service = 'mine')")
    db.execute(
        "INSERT INTO log_entries (level, message, service) VALUES "
        "('INFO', 'panicked at once', 'mine'), ('INFO', 'panicked secretly', 'others')"
    )
    return db


@pytest.mark.parametrize("rolled_up", [False, True])
def test_a_reader_sees_the_lines_that_the_policy_shows_him_and_no_other(tenants: Database, rolled_up: bool) -> None:
    if rolled_up:
        tenants.execute("CALL logintel.maintain('45 s')")
    reader = tenants.connect(user=f"{tenants.name}_reader")
    for view in LINES:
        assert tenants.value(f"SELECT count(*) FROM logintel.{view}") == 2, view
        rows = reader.execute(f"SELECT log_entry_id, {view}::text FROM logintel.{view}").fetchall()
        assert [key for key, _ in rows] == [1], view
        assert "secretly" not in rows[0][1]
    assert reader.execute("SELECT id FROM logintel.log_lines").fetchall() == [(1,)]


def test_the_prediction_of_a_hidden_line_is_not_told(tenants: Database) -> None:
    reader = tenants.connect(user=f"{tenants.name}_reader")
    assert len(reader.execute("SELECT * FROM logintel.predict_log(1)").fetchall()) == 1
    with pytest.raises(Exception, match="there is no log line 2"):
        reader.execute("SELECT * FROM logintel.predict_log(2)")
    with pytest.raises(Exception, match="there is no log line 3"):
        reader.execute("SELECT * FROM logintel.predict_log(3)")


def test_what_a_reader_may_call_by_himself_tells_no_message(tenants: Database) -> None:
    reader = tenants.connect(user=f"{tenants.name}_reader")
    for function in ("_corrected_lines()", "_anomalous_lines()", "_hours_of_corrections()", "_hours_of_anomalies()", "_uncounted()"):
        text = reader.execute(f"SELECT string_agg(f::text, ' ') FROM logintel.{function} AS f").fetchone()[0]
        assert "secretly" not in (text or ""), function
    tenants.execute("SELECT logintel.give_feedback(2, 'FATAL')")
    assert reader.execute("SELECT * FROM logintel_internal._line_verdicts").fetchall() == []
    assert reader.execute("SELECT log_entry_id FROM logintel_internal._predictions_now").fetchall() == [(1,)]


def test_statistics_count_the_lines_that_a_reader_does_not_see(tenants: Database) -> None:
    reader = tenants.connect(user=f"{tenants.name}_reader")
    assert reader.execute("SELECT predictions FROM logintel.ml_stats").fetchone() == (2,)


def test_lines_that_nobody_but_their_owner_sees_are_scored(tenants: Database) -> None:
    tenants.execute("INSERT INTO log_entries (message, service) VALUES ('failed', 'others')")
    tenants.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    tenants.execute("INSERT INTO log_entries (message, service) VALUES ('slow', 'others')")
    tenants.execute("UPDATE logintel.settings SET value = 'inline' WHERE name = 'mode'")
    assert tenants.value("SELECT logintel.backfill()") == 1
    assert tenants.execute("SELECT lines, predictions FROM logintel.ml_status") == [(4, 4)]


def test_a_function_in_a_condition_of_the_readers_own_is_shown_no_hidden_line(tenants: Database) -> None:
    tenants.execute("CALL logintel.maintain('45 s')")  # the table has had row-level security since it was attached
    reader = tenants.connect(user=f"{tenants.name}_reader")
    reader.execute(
        "CREATE FUNCTION pg_temp.leak(text) RETURNS boolean COST 0.0001 LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$"
    )
    shown: list[str] = []
    reader.add_notice_handler(lambda notice: shown.append(notice.message_primary or ""))
    tenants.execute("SELECT logintel.give_feedback(2, 'FATAL')")
    for view in (*LINES, "ml_feedback"):
        reader.execute(f"SELECT count(*) FROM logintel.{view} v WHERE pg_temp.leak(v::text) AND pg_temp.leak(v.service)")
    assert shown and not [text for text in shown if "secretly" in text or "others" in text]


def test_without_row_level_security_views_are_no_barriers(tenants: Database) -> None:
    tenants.execute("ALTER TABLE log_entries DISABLE ROW LEVEL SECURITY")
    tenants.execute("CALL logintel.maintain('45 s')")
    plan = tenants.execute("EXPLAIN SELECT * FROM logintel.ml_predictions p JOIN log_entries l ON l.id = p.log_entry_id WHERE l.id = 1")
    assert "Subquery Scan" not in str(plan)
