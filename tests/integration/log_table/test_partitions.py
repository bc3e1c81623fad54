"""A day is a partition, of the lines and of their predictions: made ahead, dropped by retention, missed by nobody."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from support.lines import insert
from support.servers import Database
from support.tables import PREDICTIONS
from support.tiny_models import deploy

TODAY = "(now() AT TIME ZONE 'UTC')::date"


@pytest.fixture
def scoring_db(db: Database) -> Database:
    deploy(db)
    return db


def partitions(db: Database, table: str) -> set[str]:
    return {
        name.removeprefix(f"{table}_")
        for (name,) in db.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent "
            "WHERE p.relname = %s",
            (table,),
        )
    }


def day(offset: int) -> str:
    return (datetime.now(UTC) + timedelta(days=offset)).strftime("%Y_%m_%d")


def insert_days(db: Database, *offsets: int, lines: int = 3) -> None:
    for offset in offsets:
        insert(db, *["job failed"] * lines, timestamp=datetime.now(UTC) + timedelta(days=offset))


def keep_days(db: Database, days: int) -> None:
    db.execute("UPDATE logintel.settings SET value = %s WHERE name = 'retention_days'", (str(days),))


def counts(db: Database) -> tuple:
    [row] = db.execute(
        f"SELECT (SELECT count(*) FROM log_entries), (SELECT count(*) FROM {PREDICTIONS}), "
        "(SELECT predictions FROM ml_stats), (SELECT coalesce(sum(predictions), 0) FROM ml_stats_by_hour), "
        "(SELECT lines FROM ml_status)"
    )
    return tuple(map(int, row))


def test_the_week_ahead_has_its_partitions(db: Database) -> None:
    week = {day(offset) for offset in range(8)} | {"default"}
    assert partitions(db, "log_entries") == partitions(db, "predictions") == week


def test_maintain_creates_what_the_week_ahead_lacks(db: Database) -> None:
    db.execute(f"DROP TABLE log_entries_{day(7)}, logintel.predictions_{day(7)}")
    db.execute("SELECT logintel.maintain()")
    assert {day(7)} <= partitions(db, "log_entries") & partitions(db, "predictions")
    assert db.value("SELECT count(*) FROM logintel.doctor() WHERE status = 'problem' AND \"check\" = 'triggers'") == 0


def test_a_line_and_its_prediction_lie_in_the_partitions_of_the_lines_day(scoring_db: Database) -> None:
    insert_days(scoring_db, 0, 2, -400)
    for table in ("log_entries", PREDICTIONS):
        assert scoring_db.execute(
            f"SELECT right(c.relname, 10), count(*) FROM {table} t JOIN pg_class c ON c.oid = t.tableoid GROUP BY 1 ORDER BY 1"
        ) == [(day(0), 3), (day(2), 3), (f"{table}_default"[-10:], 3)]


def test_history_gets_partitions_before_it_is_loaded(scoring_db: Database) -> None:
    assert scoring_db.value(f"SELECT logintel.create_partitions({TODAY} - 10, {TODAY} - 1)") == 20
    insert_days(scoring_db, -5)
    assert scoring_db.value(f"SELECT count(*) FROM logintel.predictions_{day(-5)}") == 3


def test_a_clock_that_ran_ahead_does_not_keep_its_day_from_a_partition(scoring_db: Database) -> None:
    insert_days(scoring_db, 20)
    scoring_db.execute("SELECT logintel.maintain()")
    assert scoring_db.value(f"SELECT logintel.create_partitions({TODAY} + 20, {TODAY} + 20)") == 2
    while scoring_db.value("SELECT logintel.backfill()"):
        pass
    assert scoring_db.value(f"SELECT count(*) FROM logintel.predictions_{day(20)}") == 3
    assert counts(scoring_db) == (3,) * 5


def test_a_day_with_much_history_in_the_default_partition_stays_there(scoring_db: Database) -> None:
    insert_days(scoring_db, -5, lines=10_001)
    assert scoring_db.value(f"SELECT logintel.create_partitions({TODAY} - 5, {TODAY} - 5)") == 0
    assert counts(scoring_db) == (10_001,) * 5


def test_a_line_moved_to_another_day_takes_its_prediction_along(scoring_db: Database) -> None:
    insert_days(scoring_db, 0, lines=1)
    scoring_db.execute("UPDATE log_entries SET timestamp = now() + interval '2 days'")
    assert scoring_db.value(f"SELECT count(*) FROM logintel.predictions_{day(2)}") == 1
    assert counts(scoring_db) == (1,) * 5


def test_retention_drops_the_lines_the_predictions_and_the_counts_of_a_day(scoring_db: Database) -> None:
    scoring_db.execute(f"SELECT logintel.create_partitions({TODAY} - 10, {TODAY})")
    insert_days(scoring_db, -10, -4, -3, -2, 0)
    scoring_db.execute("SELECT logintel.maintain()")
    assert counts(scoring_db) == (15,) * 5  # retention_days is 0: everything is kept
    insert_days(scoring_db, -4, 0)  # not counted yet when their day goes, or stays
    scoring_db.execute("DELETE FROM log_entries WHERE id IN (SELECT min(id) FROM log_entries GROUP BY timestamp::date)")
    keep_days(scoring_db, 3)
    scoring_db.execute("SELECT logintel.maintain()")
    assert scoring_db.execute(f"SELECT {TODAY} - timestamp::date, count(*) FROM log_entries GROUP BY 1 ORDER BY 1") == [
        (0, 5),
        (2, 2),
        (3, 2),
    ]
    assert counts(scoring_db) == (9,) * 5
    assert partitions(scoring_db, "log_entries") == partitions(scoring_db, "predictions")
    assert not {day(-4), day(-10)} & partitions(scoring_db, "predictions")
    scoring_db.execute("SELECT logintel.maintain()")
    assert counts(scoring_db) == (9,) * 5


def test_retention_reaches_lines_without_a_partition_of_their_own(scoring_db: Database) -> None:
    insert_days(scoring_db, -400, 0)
    keep_days(scoring_db, 30)
    scoring_db.execute("SELECT logintel.maintain()")
    assert counts(scoring_db) == (3,) * 5


def test_retention_gives_way_to_who_reads(scoring_db: Database) -> None:
    scoring_db.execute(f"SELECT logintel.create_partitions({TODAY} - 5, {TODAY})")
    insert_days(scoring_db, -5, 0)
    keep_days(scoring_db, 3)
    reader = scoring_db.connect(autocommit=False)
    reader.execute("SELECT count(*) FROM log_entries")
    assert ("drop days", 0) in scoring_db.execute("SELECT * FROM logintel.maintain()")
    writer = scoring_db.connect()
    writer.execute("SET lock_timeout = '500ms'")
    writer.execute("INSERT INTO log_entries (message) VALUES ('slow')")
    reader.commit()
    assert ("drop days", 2) in scoring_db.execute("SELECT * FROM logintel.maintain()")
    assert counts(scoring_db) == (4,) * 5


def test_an_attached_table_keeps_its_layout(scoring_db: Database) -> None:
    scoring_db.execute("SELECT logintel.detach()")
    scoring_db.execute("CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz, message text)")
    scoring_db.execute("""SELECT logintel.attach('events', '{"timestamp": "at"}')""")
    scoring_db.execute("INSERT INTO events (at, message) VALUES (now() - interval '400 days', 'slow'), (NULL, 'slow')")
    keep_days(scoring_db, 1)
    scoring_db.execute("SELECT logintel.maintain()")
    assert scoring_db.value("SELECT count(*) FROM events") == 2
    assert scoring_db.execute("SELECT lines, predictions FROM ml_status") == [(2, 2)]


def test_only_a_table_partitioned_by_its_timestamp_can_be_managed(db: Database) -> None:
    db.execute("SELECT logintel.detach()")
    db.execute("CREATE TABLE events (id bigint, message text, timestamp timestamptz)")
    with pytest.raises(psycopg.errors.WrongObjectType, match=r"partitions of public\.events cannot be managed"):
        db.execute("SELECT logintel.attach('events', manage_partitions => true)")
    assert db.value("SELECT count(*) FROM logintel.attachments") == 0


def test_partitions_belong_to_the_owner_of_the_log_table(empty_db: Database) -> None:
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    role = empty_db.create_role("owner")
    empty_db.execute("SELECT logintel.grant_manage(%s)", (role,))
    empty_db.execute(f"GRANT CREATE ON SCHEMA public TO {role}")
    session = empty_db.connect(user=role)
    session.execute("SELECT logintel.create_log_entries()")
    owners = empty_db.execute(
        "SELECT DISTINCT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.relname LIKE 'log_entries%%' AND c.relkind IN ('r', 'p')"
    )
    assert owners == [(role,)]
    session.execute("SELECT logintel.detach()")
    session.execute("DROP TABLE log_entries")
