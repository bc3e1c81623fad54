"""Figures add up whatever row triggers of the log table do to the lines that a statement has just written."""

import psycopg
import pytest

from support.lines import insert
from support.pending_lines import defer
from support.recount import assert_figures_add_up
from support.servers import Database
from support.tables import pending
from support.tiny_models import deploy

CHANGES = {
    "changes what it says": "UPDATE log_entries SET message = 'job panicked' WHERE id = NEW.id",
    "moves it to another day": "UPDATE log_entries SET timestamp = timestamp - interval '1 day' WHERE id = NEW.id",
    "takes its time": "UPDATE log_entries SET timestamp = '-infinity' WHERE id = NEW.id",
    "gives it another key": "UPDATE log_entries SET id = DEFAULT WHERE id = NEW.id",
    "deletes it": "DELETE FROM log_entries WHERE id = NEW.id",
    "deletes the one before": "DELETE FROM log_entries WHERE id = NEW.id - 1",
}
WRITES = {
    "inserts": "INSERT INTO log_entries (message) VALUES ('started'), ('slow'), ('a disk that nobody knew has failed')",
    "inserts without a time": "INSERT INTO log_entries (message, timestamp) VALUES ('started', 'infinity')",
    "changes": "UPDATE log_entries SET message = 'job slow'",
    "moves": "UPDATE log_entries SET timestamp = timestamp + interval '1 day'",
}


@pytest.fixture
def written_db(db: Database) -> Database:
    """Some lines have a prediction."""
    deploy(db)
    insert(db, "started", "failed", "entering")
    return db


def on_row(db: Database, statement: str, event: str = "INSERT OR UPDATE", when: str = "AFTER") -> None:
    """Let a row trigger of the log table run this statement for each row that a statement of a user writes."""
    db.execute(
        f"CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN IF pg_trigger_depth() = 1 THEN {statement}; END IF; RETURN NEW; END$$"
    )
    db.execute(
        f"CREATE TRIGGER meddle {when} {event} ON log_entries FOR EACH ROW EXECUTE FUNCTION meddle()"
    )


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_line_that_a_row_trigger_changes_counts_once(written_db: Database, change: str, write: str) -> None:
    on_row(written_db, CHANGES[change])
    written_db.execute(WRITES[write])
    assert_figures_add_up(written_db)


@pytest.mark.parametrize("mode", ["deferred", "off"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_waiting_line_that_a_row_trigger_changes_counts_once(written_db: Database, change: str, mode: str) -> None:
    written_db.execute("UPDATE logintel.settings SET value = %s WHERE name = 'mode'", (mode,))
    on_row(written_db, CHANGES[change])
    written_db.execute(WRITES["inserts"])
    written_db.execute(WRITES["changes"])
    assert_figures_add_up(written_db)


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_line_that_a_row_trigger_changes_counts_once_at_any_isolation(
    written_db: Database, change: str, isolation: str
) -> None:
    on_row(written_db, CHANGES[change])
    with psycopg.connect(written_db.dsn) as session:
        session.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        session.execute(WRITES["inserts"])
        session.execute(WRITES["changes"])
    assert_figures_add_up(written_db)


def test_a_line_that_a_row_trigger_changes_beside_many_others_counts_once(written_db: Database) -> None:
    on_row(written_db, "UPDATE log_entries SET message = 'job panicked' WHERE NEW.message = 'failed' AND id = NEW.id")
    written_db.execute(
        "INSERT INTO log_entries (message) "
        "SELECT CASE WHEN g % 1000 = 0 THEN 'failed' ELSE 'started' END FROM generate_series(1, 12000) g"
    )
    written_db.execute("SELECT logintel.backfill(), logintel.maintain()")
    assert written_db.execute(
        "SELECT predicted_level, count(*), count(DISTINCT log_entry_id) FROM ml_predictions GROUP BY 1 ORDER BY 1"
    ) == [("DEBUG", 1, 1), ("ERROR", 1, 1), ("FATAL", 12, 12), ("INFO", 11989, 11989)]


def test_a_line_that_a_row_trigger_changes_before_the_next_is_inserted_counts_once(written_db: Database) -> None:
    on_row(
        written_db,
        "UPDATE log_entries SET message = 'job panicked' WHERE id = NEW.id - 1; DELETE FROM log_entries WHERE id = NEW.id - 2",
        when="BEFORE", event="INSERT",
    )  # fmt: skip
    written_db.execute(WRITES["inserts"])
    assert_figures_add_up(written_db)


def test_a_line_that_a_row_trigger_inserts_again_when_it_is_deleted_counts_once(written_db: Database) -> None:
    on_row(written_db, "INSERT INTO log_entries OVERRIDING SYSTEM VALUE SELECT OLD.*", event="DELETE")
    written_db.execute("DELETE FROM log_entries")
    assert written_db.value("SELECT count(*) FROM log_entries") == 3
    assert_figures_add_up(written_db)


def test_what_a_statement_changes_after_one_with_a_row_trigger_is_scored_at_once(written_db: Database) -> None:
    written_db.execute("CREATE TABLE hosts (name text PRIMARY KEY)")
    written_db.execute("INSERT INTO hosts VALUES ('here'), ('there')")
    written_db.execute("ALTER TABLE log_entries ADD FOREIGN KEY (host) REFERENCES hosts ON DELETE CASCADE")
    insert(written_db, "started", "slow", host="here")
    insert(written_db, "started", "slow", host="there")
    with written_db.connection.transaction():
        written_db.execute("DELETE FROM hosts")
        written_db.execute("UPDATE log_entries SET message = 'job panicked'")
        assert pending(written_db) == []
    assert_figures_add_up(written_db)


def test_a_line_that_nobody_compared_yet_is_changed_and_counts_once(written_db: Database) -> None:
    defer(written_db)
    written_db.execute("SELECT logintel.detach()")
    insert(written_db, "started", "failed")
    written_db.execute("SELECT logintel.attach('log_entries')")
    written_db.execute("UPDATE log_entries SET message = 'job panicked' WHERE message = 'failed'")
    written_db.execute("DELETE FROM log_entries WHERE message = 'started'")
    written_db.execute("SELECT logintel.maintain()")
    assert_figures_add_up(written_db)
