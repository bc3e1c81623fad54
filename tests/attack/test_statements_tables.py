"""Figures add up in a database of another language, and where the log table has children by inheritance."""

from collections.abc import Iterator

import psycopg
import pytest

from support.lines import insert
from support.pending_lines import LINES_AND_PREDICTIONS
from support.recount import assert_figures_add_up
from support.servers import Database, Server
from support.tiny_models import WITHOUT_DEFAULTS, deploy


@pytest.fixture
def turkish_db(server: Server) -> Iterator[Database]:
    """A database whose lower case of I has no dot."""
    database = server.create_database()
    name = database.name
    database.drop()
    try:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'tr' ENCODING 'UTF8'")
    except psycopg.errors.FeatureNotSupported as error:
        pytest.skip(f"this server has no ICU: {error}")
    server.execute(f"ALTER DATABASE {name} SET search_path = public, logintel")
    database = Database(server, name)
    database.execute("CREATE EXTENSION logintel_python CASCADE")
    database.execute(WITHOUT_DEFAULTS)
    database.execute("SELECT logintel.create_log_entries()")
    yield database
    database.drop()


def test_levels_are_known_in_a_turkish_database(turkish_db: Database) -> None:
    assert turkish_db.value("SELECT lower('I')") == "\u0131"
    deploy(turkish_db)
    names = ("INFO", "info", "WARNING", "Critical", " FATAL ", "Informational")
    found = [turkish_db.value("SELECT logintel.normalize_level(%s)", (name,)) for name in names]
    assert found == ["INFO", "INFO", "WARN", "FATAL", "FATAL", "INFO"]
    for name in names:
        insert(turkish_db, "entering", level=name)
    told = turkish_db.execute("SELECT declared_level FROM ml_predictions ORDER BY log_entry_id")
    assert [level for (level,) in told] == found
    assert turkish_db.value("SELECT count(*) FROM ml_corrections") == sum(level != "INFO" for level in found)
    assert_figures_add_up(turkish_db)


@pytest.fixture
def parent_db(empty_db: Database) -> Database:
    """The attached table has a child by inheritance, as partitions were made once."""
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    empty_db.execute(WITHOUT_DEFAULTS)
    empty_db.execute(
        "CREATE TABLE log_entries (id bigint PRIMARY KEY, timestamp timestamptz, level text, message text, "
        "service text, source_type text, http_status int, response_time_ms float8)"
    )
    empty_db.execute("CREATE TABLE child (PRIMARY KEY (id)) INHERITS (log_entries)")
    empty_db.execute("SELECT logintel.attach('log_entries')")
    deploy(empty_db)
    empty_db.execute("SELECT logintel.backfill()")
    return empty_db


def test_lines_of_a_child_by_inheritance_are_scored_when_they_are_written(parent_db: Database) -> None:
    parent_db.execute("INSERT INTO child (id, timestamp, message) VALUES (1, now(), 'panicked')")
    insert(parent_db, "started", id=2, timestamp="2031-05-04")
    assert parent_db.execute(LINES_AND_PREDICTIONS) == [(2, 2, 0)]
    parent_db.execute("UPDATE log_entries SET message = 'failed' WHERE id = 1")
    assert parent_db.value("SELECT predicted_level FROM ml_predictions WHERE id = 1") == "ERROR"
    parent_db.execute("DELETE FROM child")
    assert parent_db.execute(LINES_AND_PREDICTIONS) == [(1, 1, 0)]
    assert_figures_add_up(parent_db)


def test_a_child_that_came_later_gets_its_triggers_from_the_upkeep(parent_db: Database) -> None:
    parent_db.execute("CREATE TABLE late (PRIMARY KEY (id)) INHERITS (log_entries)")
    parent_db.execute("INSERT INTO late (id, timestamp, message) VALUES (1, now(), 'panicked')")
    parent_db.execute("SELECT * FROM logintel.maintain()")
    assert parent_db.execute(LINES_AND_PREDICTIONS) == [(1, 0, 1)]
    parent_db.execute("INSERT INTO late (id, timestamp, message) VALUES (2, now(), 'panicked')")
    assert parent_db.execute(LINES_AND_PREDICTIONS) == [(2, 1, 1)]
    parent_db.execute("TRUNCATE ONLY late")
    assert parent_db.execute(LINES_AND_PREDICTIONS) == [(0, 0, 0)]
    assert_figures_add_up(parent_db)


def test_a_change_that_a_collation_does_not_see_is_a_change(db: Database) -> None:
    deploy(db)
    db.execute("SELECT logintel.detach()")
    db.execute("CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level1', deterministic = false)")
    db.execute("CREATE TABLE logs (id bigint PRIMARY KEY, message text COLLATE blind, service text COLLATE blind)")
    db.execute("SELECT logintel.attach('logs')")
    db.execute("INSERT INTO logs VALUES (1, 'job failed', 'web')")
    db.execute("UPDATE logs SET message = 'JOB FAILED', service = 'wéb'")
    assert db.execute("SELECT template, service FROM logintel.ml_predictions") == [("JOB FAILED", "wéb")]
