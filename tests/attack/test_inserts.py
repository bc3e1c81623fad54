"""A log line is never refused because of logintel, whatever its table becomes and whatever fails; and what could not be
scored waits, is told, and is scored later."""

import threading

import psycopg
import pytest

from support.lines import insert
from support.servers import Database
from support.tables import PENDING, PREDICTIONS
from support.tiny_models import BY_PYTHON, deploy

STATUS = "SELECT lines, predictions, pending FROM logintel.ml_status"


@pytest.fixture
def scoring(db: Database) -> Database:
    deploy(db)
    return db


def heal(db: Database) -> None:
    db.execute("CALL logintel.maintain('45 s')")
    while db.value("SELECT logintel.backfill()"):
        pass


@pytest.mark.parametrize("column", ["id", "message", "timestamp", "level", "service", "response_time_ms"])
def test_a_renamed_column_is_followed_at_once(scoring: Database, column: str) -> None:
    scoring.execute("INSERT INTO log_entries (message) VALUES ('started')")
    scoring.execute(f'ALTER TABLE log_entries RENAME COLUMN "{column}" TO renamed')
    message = "renamed" if column == "message" else "message"
    scoring.execute(f"INSERT INTO log_entries ({message}) VALUES ('failed')")
    scoring.execute(f"UPDATE log_entries SET {message} = 'panicked' WHERE {message} = 'started'")
    assert scoring.execute("SELECT predicted_level FROM logintel.ml_predictions ORDER BY 1") == [("ERROR",), ("FATAL",)]
    assert scoring.execute("SELECT message FROM logintel.log_lines ORDER BY 1") == [("failed",), ("panicked",)]
    assert scoring.execute(STATUS) == [(2, 2, 0)]


def test_a_column_gets_another_type_and_its_lines_are_read(scoring: Database) -> None:
    scoring.execute("SELECT logintel.detach()")
    scoring.execute("CREATE TABLE own (id int PRIMARY KEY, message text, level text, timestamp text, http_status text)")
    scoring.execute("SELECT logintel.attach('own')")
    line = "('failed', 'INFO', '2026-11-01 10:00Z', '503')"
    scoring.execute(f"INSERT INTO own SELECT 1, * FROM (VALUES {line}) AS v")
    for change in (
        "ALTER level TYPE varchar(9), ALTER timestamp TYPE timestamptz USING timestamp::timestamptz",
        "ALTER http_status TYPE smallint USING http_status::smallint, ALTER id TYPE bigint",
        "ALTER message TYPE jsonb USING to_jsonb(message), ALTER timestamp TYPE timestamp USING timestamp AT TIME ZONE 'UTC'",
    ):
        scoring.execute(f"ALTER TABLE own {change}")
        scoring.execute("INSERT INTO own SELECT max(id) + 1, (array_agg(message))[1], 'INFO', min(timestamp), min(http_status) FROM own")
        assert scoring.value("SELECT count(DISTINCT (timestamp, level, message, http_status)) FROM logintel.log_lines") == 1
    assert scoring.value("SELECT count(*) FROM logintel.ml_predictions WHERE predicted_level = 'ERROR'") == 4


def test_a_dropped_log_table_is_forgotten_at_once(scoring: Database) -> None:
    scoring.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    scoring.execute("DROP TABLE log_entries CASCADE")
    assert scoring.execute("SELECT * FROM logintel.log_lines") == []
    assert scoring.execute("SELECT * FROM logintel.ml_predictions") == []
    scoring.execute("SELECT logintel.create_log_entries()")
    scoring.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    assert scoring.execute(STATUS) == [(1, 1, 0)]


@pytest.mark.parametrize("column", ["message", "timestamp", "level", "service", "response_time_ms"])
def test_a_renamed_column_refuses_nothing_and_is_found_again(scoring: Database, column: str) -> None:
    """Where an ordinary role installed logintel, there is no event trigger, and the upkeep follows."""
    scoring.execute("ALTER EVENT TRIGGER logintel_follow_changes DISABLE")
    scoring.execute("INSERT INTO log_entries (message) VALUES ('started')")
    scoring.execute(f'ALTER TABLE log_entries RENAME COLUMN "{column}" TO renamed')
    message = "renamed" if column == "message" else "message"
    with scoring.connect(autocommit=False) as writer:
        for _ in range(100):
            writer.execute(f"INSERT INTO log_entries ({message}) VALUES ('failed')")
        writer.execute(f"UPDATE log_entries SET {message} = 'panicked' WHERE id = 1")
        writer.execute("DELETE FROM log_entries WHERE id = 2")
    told = scoring.execute("SELECT detail FROM logintel.doctor() WHERE \"check\" = 'columns' AND status = 'problem'")
    assert len(told) == 1 and column in told[0][0]
    heal(scoring)
    assert scoring.execute(STATUS) == [(100, 100, 0)]
    assert scoring.value("SELECT predicted_level FROM logintel.ml_predictions WHERE log_entry_id = 1") == "FATAL"
    scoring.execute(f"INSERT INTO log_entries ({message}) VALUES ('failed')")
    assert scoring.execute(STATUS) == [(101, 101, 0)]


def test_a_renamed_key_refuses_nothing_and_its_lines_are_found(scoring: Database) -> None:
    scoring.execute("ALTER EVENT TRIGGER logintel_follow_changes DISABLE")
    scoring.execute("ALTER TABLE log_entries RENAME COLUMN id TO key")
    scoring.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    scoring.execute("UPDATE log_entries SET message = 'panicked'")
    scoring.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    scoring.execute("DELETE FROM log_entries WHERE key = 2")
    heal(scoring)
    scoring.execute("SELECT * FROM logintel.reconcile()")
    heal(scoring)
    assert scoring.execute("SELECT log_entry_id, predicted_level FROM logintel.ml_predictions") == [(1, "FATAL")]


@pytest.mark.parametrize("column", ["message", "host", "level", "timestamp"])
def test_a_dropped_column_refuses_nothing(scoring: Database, column: str) -> None:
    scoring.execute("SELECT logintel.detach()")
    scoring.execute("CREATE TABLE own (id int PRIMARY KEY, message text, host text, level text, timestamp timestamptz)")
    scoring.execute("SELECT logintel.attach('own')")
    scoring.execute("INSERT INTO own VALUES (1, 'failed', 'h', 'INFO', now())")
    scoring.execute(f"ALTER TABLE own DROP COLUMN {column} CASCADE")
    scoring.execute("INSERT INTO own (id) VALUES (2)")
    scoring.execute("UPDATE own SET id = 3 WHERE id = 2")
    scoring.execute("CALL logintel.maintain('45 s')")
    scoring.execute("INSERT INTO own (id) VALUES (4)")
    scoring.execute("DELETE FROM own WHERE id = 4")
    lost = scoring.execute("SELECT 1 FROM logintel.doctor() WHERE \"check\" = 'columns' AND status = 'problem'")
    assert bool(lost) == (column == "message")
    assert scoring.value("SELECT lines FROM logintel.ml_status") == 2


def test_columns_of_any_name_are_columns(scoring: Database) -> None:
    names = ("none_scored", "_waiting", "_began", "_ids", "_reason", "l", "t", "q", "logintel", "now", "scorer", "new_lines")
    scoring.execute("ALTER TABLE log_entries " + ", ".join(f'ADD COLUMN "{name}" text' for name in names))
    scoring.execute("ALTER TABLE log_entries RENAME COLUMN host TO _left_out")
    heal(scoring)
    insert(scoring, "failed", "started")
    scoring.execute("UPDATE log_entries SET message = 'panicked', now = 'x'")
    scoring.execute("DELETE FROM log_entries WHERE id = 1")
    assert scoring.execute(STATUS) == [(1, 1, 0)]


def test_a_line_without_a_key_is_stored(scoring: Database) -> None:
    scoring.execute("SELECT logintel.detach()")
    scoring.execute("CREATE TABLE own (id int UNIQUE NOT NULL, message text)")
    scoring.execute("SELECT logintel.attach('own')")
    scoring.execute("ALTER TABLE own ALTER id DROP NOT NULL")
    scoring.execute("INSERT INTO own VALUES (NULL, 'failed'), (1, 'failed')")
    scoring.execute("UPDATE own SET message = 'started'")
    scoring.execute("UPDATE own SET id = 2 WHERE id IS NULL")
    scoring.execute("DELETE FROM own WHERE id = 1")
    assert scoring.execute("SELECT log_entry_id FROM logintel.ml_predictions") == [(2,)]
    assert scoring.value("SELECT status FROM logintel.doctor() WHERE \"check\" = 'columns'") == "note"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "300000-01-01"),
        ("date", "infinity"),
        ("date", "4713-01-01 BC"),
        ("timestamp", "294276-12-31 23:59:59"),
        ("timestamp", "4713-01-01 00:00 BC"),
        ("timestamp", "-infinity"),
        ("timestamptz", "294276-12-31 23:30:00+00"),
        ("timestamptz", "infinity"),
    ],
)
def test_a_time_at_the_end_of_time_is_no_time(scoring: Database, kind: str, value: str) -> None:
    scoring.execute("SELECT logintel.detach()")
    scoring.execute(f"CREATE TABLE own (id int PRIMARY KEY, message text, timestamp {kind})")
    with scoring.connect() as west:
        west.execute("SET TimeZone = 'Pacific/Pago_Pago'")
        west.execute("SELECT logintel.attach('own')")
    scoring.execute("INSERT INTO own VALUES (1, 'panicked', %s), (2, 'failed', NULL)", (value,))
    heal(scoring)
    assert scoring.execute(STATUS) == [(2, 2, 0)]
    assert scoring.value("SELECT sum(predictions) FROM logintel.ml_stats_by_hour WHERE time > now() - interval '2 hours'") == 2
    scoring.execute("UPDATE own SET message = 'started'")
    scoring.execute("DELETE FROM own WHERE id = 1")
    assert scoring.execute(STATUS) == [(1, 1, 0)]


def test_a_publication_for_all_tables_refuses_nothing(scoring: Database) -> None:
    insert(scoring, "failed", "started", "never seen")
    scoring.execute("CREATE PUBLICATION everything FOR ALL TABLES")
    scoring.execute("UPDATE log_entries SET message = 'panicked' WHERE id = 1")
    scoring.execute("DELETE FROM log_entries WHERE id = 2")
    scoring.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    insert(scoring, "slow")
    scoring.execute("UPDATE logintel.settings SET value = 'inline' WHERE name = 'mode'")
    heal(scoring)
    assert scoring.execute("SELECT task, failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []
    assert scoring.execute(STATUS) == [(3, 3, 0)]


def test_a_detached_partition_is_its_owners_archive(scoring: Database) -> None:
    insert(scoring, "failed")
    today = scoring.value("SELECT tableoid::regclass::text FROM log_entries")
    scoring.execute(f"ALTER TABLE log_entries DETACH PARTITION {today}")
    scoring.execute(f"ALTER TABLE {today} DROP COLUMN level")
    scoring.execute(f"INSERT INTO {today} (id, message) VALUES (7, 'failed')")
    scoring.execute(f"UPDATE {today} SET message = 'x'")
    scoring.execute(f"DELETE FROM {today} WHERE id = 1")
    heal(scoring)
    assert scoring.execute(STATUS) == [(0, 0, 0)]
    assert scoring.value("SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", (today,)) == 0


def test_a_table_with_a_foreign_partition_is_not_attached_and_one_that_gets_it_takes_its_lines(scoring: Database) -> None:
    scoring.execute("CREATE EXTENSION postgres_fdw")
    scoring.execute("CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname '" + scoring.name + "')")
    scoring.execute("CREATE USER MAPPING FOR PUBLIC SERVER elsewhere")
    scoring.execute("SELECT logintel.detach()")
    scoring.execute("CREATE TABLE own (id int NOT NULL, message text) PARTITION BY LIST (id)")
    scoring.execute("CREATE TABLE own_1 PARTITION OF own FOR VALUES IN (1)")
    scoring.execute("SELECT logintel.attach('own')")
    scoring.execute("CREATE FOREIGN TABLE own_2 PARTITION OF own FOR VALUES IN (2) SERVER elsewhere")
    scoring.execute("CALL logintel.maintain('45 s')")
    told = scoring.execute("SELECT detail FROM logintel.doctor() WHERE status = 'problem'")
    assert any("foreign partition" in detail for (detail,) in told)
    scoring.execute("INSERT INTO own VALUES (1, 'failed')")
    assert scoring.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'own'::regclass AND tgname LIKE 'logintel%%'") == []
    scoring.execute("SELECT logintel.detach()")
    with pytest.raises(psycopg.errors.WrongObjectType, match="foreign"):
        scoring.execute("SELECT logintel.attach('own')")


def test_a_full_disk_of_ours_leaves_the_line(scoring: Database) -> None:
    """A table that cannot be written stands for the disk: the same errors come from the same places."""
    insert(scoring, "started")
    scoring.execute("CALL logintel.maintain('45 s')")
    full = "CREATE FUNCTION public.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE disk_full; END $$"
    scoring.execute(full)
    for table in (PREDICTIONS, PENDING):
        scoring.execute(f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION public.full()")
        insert(scoring, "started", "never seen before")
        scoring.execute("UPDATE log_entries SET message = 'failed' WHERE id = 1")
    assert scoring.value("SELECT count(*) FROM log_entries") == 5
    for table in (PREDICTIONS, PENDING):
        scoring.execute(f"DROP TRIGGER full_disk ON {table}")
    scoring.execute("SELECT * FROM logintel.reconcile()")
    heal(scoring)
    assert scoring.execute(STATUS) == [(5, 5, 0)]


def test_a_session_holds_few_locks_however_many_days_there_are(scoring: Database) -> None:
    def locks(statement: str) -> int:
        with scoring.connect(autocommit=False) as writer:
            writer.execute(statement)
            held = writer.execute("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'").fetchone()[0]
            writer.rollback()
        return held

    statements = (
        "INSERT INTO log_entries (message) VALUES ('never seen before')",
        "UPDATE log_entries SET message = 'nor this' WHERE id = 1 AND timestamp > now() - interval '1 hour'",
        "DELETE FROM log_entries WHERE id = 1 AND timestamp > now() - interval '1 hour'",
    )
    insert(scoring, "started")
    few = [locks(statement) for statement in statements]
    scoring.execute("SELECT logintel.create_partitions(current_date - 100, current_date - 1)")
    many = [locks(statement) for statement in statements]
    assert many[0] == few[0] < 60
    # PostgreSQL itself locks what it cannot prune before it runs: the log table's own days.
    own = scoring.value("SELECT count(*) FROM pg_inherits WHERE inhparent = 'log_entries'::regclass")
    assert max(many[1:]) <= max(few[1:]) + 4 * own


def test_serializable_writers_of_new_shapes_do_not_fail_each_other(scoring: Database) -> None:
    failed: list[Exception] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        with psycopg.connect(scoring.dsn) as writer:
            writer.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
            for line in range(15):
                barrier.wait()
                try:
                    letters = f"{chr(97 + number)}{chr(97 + line)}"
                    writer.execute("INSERT INTO log_entries (message) VALUES (%s)", (f"never seen {letters} before",))
                    barrier.wait()
                    writer.commit()
                except psycopg.errors.SerializationFailure as error:
                    failed.append(error)
                    writer.rollback()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    heal(scoring)
    assert scoring.execute(STATUS) == [(120, 120, 0)]


@pytest.mark.parametrize("by_python", [False, True])
def test_a_short_statement_timeout_leaves_new_shapes_waiting(scoring: Database, by_python: bool) -> None:
    if by_python:
        scoring.execute(BY_PYTHON)
    with scoring.connect() as writer:
        writer.execute("INSERT INTO log_entries (message) VALUES ('started')")  # plans are made
        writer.execute("SET statement_timeout = '150 ms'")
        writer.execute("INSERT INTO log_entries (message) VALUES ('never seen before')")
    assert scoring.execute(STATUS) == [(2, 1, 1)] or scoring.execute(STATUS) == [(2, 2, 0)]
    heal(scoring)
    assert scoring.execute(STATUS) == [(2, 2, 0)]
