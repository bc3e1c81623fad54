"""Upkeep goes on whatever the log table became, and takes nothing that is not logintel's: partitions are known by their
bounds, only what logintel made is dropped, and what is in the way of one day is in the way of nothing else."""

import threading
import time

import psycopg
import pytest

from support.servers import Database
from support.tables import PREDICTIONS
from support.tiny_models import deploy

TODAY = "(now() AT TIME ZONE 'UTC')::date"
FAILURES = "SELECT task, failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL"


@pytest.fixture
def kept(db: Database) -> Database:
    """A database that keeps three days of lines."""
    deploy(db)
    db.execute("UPDATE logintel.settings SET value = '3' WHERE name = 'retention_days'")
    return db


def maintain(db: Database) -> None:
    db.execute("CALL logintel.maintain('45 s')")


def add(db: Database, offset: int, table: str = "log_entries", lines: int = 1) -> None:
    """Insert lines of a day, so many days from today."""
    db.execute(
        f"INSERT INTO {table} (message, timestamp) SELECT 'failed', {TODAY} + %s + interval '1 hour' FROM generate_series(1, %s)",
        (offset, lines),
    )


def name_of(db: Database, offset: int) -> str:
    return db.value(f"SELECT to_char({TODAY} + %s, 'YYYY_MM_DD')", (offset,))


def partitions(db: Database, table: str) -> int:
    return db.value("SELECT count(*) FROM pg_inherits WHERE inhparent = %s::regclass", (table,))


def test_a_renamed_log_table_keeps_its_days(kept: Database) -> None:
    kept.execute("ALTER TABLE log_entries RENAME TO app_log")
    kept.execute(f"DROP TABLE log_entries_{name_of(kept, 7)}")
    add(kept, 0, "app_log")
    maintain(kept)
    assert kept.execute(FAILURES) == []
    assert partitions(kept, "app_log") == 9
    assert kept.execute("SELECT message FROM logintel.ml_recent_predictions") == [("failed",)]


def test_an_archived_day_survives_retention(kept: Database) -> None:
    kept.execute(f"SELECT logintel.create_partitions({TODAY} - 9, {TODAY})")
    add(kept, -9)
    archived = f"log_entries_{name_of(kept, -9)}"
    kept.execute(f"ALTER TABLE log_entries DETACH PARTITION {archived}")
    maintain(kept)
    assert kept.value(f"SELECT count(*) FROM {archived}") == 1
    assert kept.execute("SELECT lines, predictions, pending FROM logintel.ml_status") == [(0, 0, 0)]


def test_a_month_named_by_its_first_day_is_no_day(kept: Database) -> None:
    first = kept.value(f"SELECT (date_trunc('month', {TODAY}) - interval '3 months')::date")
    kept.execute(
        f"CREATE TABLE log_entries_{first:%Y_%m_%d} PARTITION OF log_entries "
        f"FOR VALUES FROM ('{first} 00:00+00') TO ('{first}'::timestamptz AT TIME ZONE 'UTC' + interval '28 days')"
    )
    kept.execute("INSERT INTO log_entries (message, timestamp) VALUES ('failed', %s::date + interval '12 hours')", (first,))
    maintain(kept)
    assert kept.execute("SELECT lines, predictions FROM logintel.ml_status") == [(1, 1)]


def test_a_day_that_somebody_else_made_is_never_dropped(kept: Database) -> None:
    kept.execute(f"SELECT logintel.create_partitions({TODAY} - 9, {TODAY} - 9)")
    theirs = kept.value(f"SELECT logintel._day_bounds({TODAY} - 8)")
    kept.execute(f"CREATE TABLE log_entries_{name_of(kept, -8)} PARTITION OF log_entries {theirs}")
    add(kept, -8)
    add(kept, -9)
    maintain(kept)
    assert kept.execute("SELECT lines, predictions FROM logintel.ml_status") == [(1, 1)]
    assert kept.value(f"SELECT count(*) FROM log_entries_{name_of(kept, -8)}") == 1


def test_rows_that_refer_to_lines_are_not_lost_when_a_day_is_made(kept: Database) -> None:
    add(kept, 9)
    kept.execute("CREATE TABLE notes (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES log_entries ON DELETE CASCADE)")
    kept.execute("INSERT INTO notes SELECT id, timestamp FROM log_entries")
    kept.execute(f"SELECT logintel.create_partitions({TODAY} + 9, {TODAY} + 10)")
    assert kept.value("SELECT count(*) FROM notes") == 1


def test_a_generated_column_and_a_line_ahead_stop_nothing(kept: Database) -> None:
    kept.execute("ALTER TABLE log_entries ADD COLUMN words tsvector GENERATED ALWAYS AS (to_tsvector('simple', message)) STORED")
    kept.execute(f"DROP TABLE log_entries_{name_of(kept, 6)}, log_entries_{name_of(kept, 7)}")
    add(kept, 6)
    maintain(kept)
    assert kept.execute(FAILURES) == []
    assert kept.value("SELECT count(*) FROM pg_class WHERE relname = %s", (f"log_entries_{name_of(kept, 7)}",)) == 1
    assert kept.execute("SELECT lines, predictions FROM logintel.ml_status") == [(1, 1)]


def test_one_crowded_day_is_in_the_way_of_no_later_one(kept: Database) -> None:
    for offset in (5, 6, 7):
        kept.execute(f"DROP TABLE log_entries_{name_of(kept, offset)}, logintel_internal.predictions_{name_of(kept, offset)}")
    add(kept, 5, lines=10_001)
    maintain(kept)
    for offset in (6, 7):
        assert kept.value("SELECT count(*) FROM pg_class WHERE relname = %s", (f"log_entries_{name_of(kept, offset)}",)) == 1


def test_a_view_on_an_old_day_is_in_the_way_of_that_day_only_and_told(kept: Database) -> None:
    kept.execute(f"SELECT logintel.create_partitions({TODAY} - 12, {TODAY} - 9)")
    kept.execute(f"CREATE VIEW on_it AS SELECT * FROM log_entries_{name_of(kept, -11)}")
    maintain(kept)
    for offset, there in ((-12, 0), (-11, 1), (-10, 0), (-9, 0)):
        assert kept.value("SELECT count(*) FROM pg_class WHERE relname = %s", (f"log_entries_{name_of(kept, offset)}",)) == there
    maintain(kept)
    [(task, failure)] = kept.execute(FAILURES)
    assert task == "drop days" and "other objects depend on it" in failure
    assert kept.value("SELECT count(*) FROM logintel.doctor() WHERE \"check\" = 'upkeep' AND status = 'problem'") == 1
    kept.execute("DROP VIEW on_it")
    maintain(kept)
    assert kept.execute(FAILURES) == []


@pytest.mark.parametrize("name", ["log_entries_2026_53_00", "log_entries_0000_01_01", "log_entries_9999_99_99", "x"])
def test_a_partition_of_any_name_stops_nothing(kept: Database, name: str) -> None:
    bounds = kept.value(f"SELECT logintel._day_bounds({TODAY} - 40)")
    kept.execute(f"CREATE TABLE {name} PARTITION OF log_entries {bounds}")
    maintain(kept)
    assert kept.execute(FAILURES) == []
    assert kept.execute("SELECT * FROM logintel.doctor() WHERE status = 'problem'") == []


def test_a_task_that_fails_stops_no_other_and_is_tried_again(kept: Database) -> None:
    kept.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    kept.execute("CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$")
    kept.execute("CREATE TRIGGER no BEFORE INSERT ON logintel_internal.hourly_counts FOR EACH ROW EXECUTE FUNCTION public.no()")
    maintain(kept)
    failures = dict(kept.execute(FAILURES))
    assert failures["count predictions"] == "P0001: not today" and "create partitions" not in failures
    assert kept.value("SELECT count(*) FROM logintel.ml_upkeep WHERE ran_at IS NULL") == 0
    kept.execute("DROP TRIGGER no ON logintel_internal.hourly_counts")
    maintain(kept)
    assert kept.execute(FAILURES) == []


def test_many_expired_days_are_dropped_one_transaction_each(kept: Database) -> None:
    kept.execute(f"SELECT logintel.create_partitions({TODAY} - 30, {TODAY} - 1)")
    transactions: set[int] = set()
    stop = threading.Event()

    def watch() -> None:
        with kept.connect() as watcher:
            while not stop.is_set():
                transactions.add(watcher.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'log_entries'::regclass").fetchone()[0])
                time.sleep(0.002)

    watching = threading.Thread(target=watch)
    watching.start()
    maintain(kept)
    stop.set()
    watching.join()
    assert partitions(kept, "log_entries") == partitions(kept, PREDICTIONS) == 12
    assert len(transactions) > 5  # who looked in between saw some days gone and others not
    assert kept.value("SELECT done FROM logintel.ml_upkeep WHERE task = 'drop days'") == 27


def test_the_upkeep_of_a_table_with_a_new_owner_says_what_to_do(kept: Database) -> None:
    role = kept.create_role("heir")
    kept.execute(f"GRANT CREATE ON SCHEMA public TO {role}")
    kept.execute(f"ALTER TABLE log_entries OWNER TO {role}; ALTER TABLE log_entries_default OWNER TO {role}")
    kept.execute(f"DROP TABLE log_entries_{name_of(kept, 7)}")
    maintain(kept)
    failures = dict(kept.execute(FAILURES))
    assert set(failures) == {"create partitions"}  # no day has expired
    assert all("another role than its owner" in failure for failure in failures.values())
    assert kept.value("SELECT next_step FROM logintel.doctor() WHERE \"check\" = 'partitions'").endswith("adopt_partitions()")
    kept.execute("SELECT logintel.adopt_partitions()")
    maintain(kept)
    assert kept.execute(FAILURES) == []
    made = f"log_entries_{name_of(kept, 7)}"
    assert kept.value("SELECT relowner::regrole::text FROM pg_class WHERE relname = %s", (made,)).strip('"') == role
    kept.execute("DROP TABLE log_entries CASCADE")


def test_a_day_that_a_table_could_refer_to_is_dropped_when_no_row_of_it_does(kept: Database) -> None:
    kept.execute("CREATE TABLE notes (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES log_entries)")
    kept.execute(f"SELECT logintel.create_partitions({TODAY} - 12, {TODAY})")
    for offset in (-12, -11, -10, 0):
        add(kept, offset)
    kept.execute(f"INSERT INTO notes SELECT id, timestamp FROM log_entries WHERE timestamp::date IN ({TODAY} - 11, {TODAY})")
    for _ in range(2):
        maintain(kept)
    days = f"SELECT array_agg(timestamp::date - {TODAY} ORDER BY timestamp) FROM %s"
    assert kept.value(days % "log_entries") == kept.value(days % "logintel.ml_predictions") == [-11, 0]
    assert kept.value("SELECT count(*) FROM notes") == 2
    [(task, failure)] = kept.execute(FAILURES)
    assert task == "drop days" and "notes" in failure
    kept.execute("DELETE FROM notes WHERE id = 2")
    maintain(kept)
    assert kept.execute(FAILURES) == []
    assert kept.value(days % "log_entries") == [0]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        kept.execute("INSERT INTO notes VALUES (2, now())")


def test_a_day_that_a_table_of_another_role_could_refer_to_stays_and_is_told(kept: Database) -> None:
    role = kept.create_role("heir")
    kept.execute(f"GRANT CREATE ON SCHEMA public TO {role}")
    kept.execute(f"SELECT logintel.create_partitions({TODAY} - 9, {TODAY})")
    kept.execute("CREATE TABLE notes (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES log_entries)")
    for (table,) in kept.execute("SELECT relid::regclass::text FROM pg_partition_tree('log_entries')"):
        kept.execute(f"ALTER TABLE {table} OWNER TO {role}")
    kept.execute("SELECT logintel.adopt_partitions()")
    maintain(kept)
    [(task, failure)] = kept.execute(FAILURES)
    assert task == "drop days" and "other objects depend on it" in failure
    kept.execute(f"ALTER TABLE notes OWNER TO {role}")
    maintain(kept)
    assert kept.execute(FAILURES) == []
    kept.execute("DROP TABLE notes, log_entries CASCADE")
