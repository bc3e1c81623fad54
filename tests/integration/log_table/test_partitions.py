"""A day is a partition, of the lines and of their predictions: made ahead, dropped by retention, missed by nobody."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from support.lines import insert
from support.recount import assert_figures_add_up
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
    db.execute(f"DROP TABLE log_entries_{day(7)}, logintel_internal.predictions_{day(7)}")
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
    assert scoring_db.value(f"SELECT count(*) FROM logintel_internal.predictions_{day(-5)}") == 3


def test_lines_of_a_clock_that_ran_ahead_stay_where_they_are_and_keep_their_predictions(scoring_db: Database) -> None:
    insert_days(scoring_db, 20)
    scoring_db.execute("SELECT logintel.maintain()")
    assert scoring_db.value(f"SELECT logintel.create_partitions({TODAY} + 20, {TODAY} + 21)") == 3
    assert scoring_db.value("SELECT count(*) FROM log_entries_default") == 3
    assert scoring_db.value(f"SELECT count(*) FROM logintel_internal.predictions_{day(20)}") == 3
    assert counts(scoring_db) == (3,) * 5


def test_a_day_with_much_history_in_the_default_partition_stays_there(scoring_db: Database) -> None:
    insert_days(scoring_db, -5, lines=10_001)
    assert scoring_db.value(f"SELECT logintel.create_partitions({TODAY} - 5, {TODAY} - 5)") == 0
    assert counts(scoring_db) == (10_001,) * 5


def test_a_line_moved_to_another_day_takes_its_prediction_along(scoring_db: Database) -> None:
    insert_days(scoring_db, 0, lines=1)
    scoring_db.execute("UPDATE log_entries SET timestamp = now() + interval '2 days'")
    assert scoring_db.value(f"SELECT count(*) FROM logintel_internal.predictions_{day(2)}") == 1
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


@pytest.mark.parametrize("time", ["infinity", "10000-01-01 00:00:00+00"])
def test_a_line_without_a_time_outlives_the_day_of_its_prediction_and_is_predicted_again(scoring_db: Database, time: str) -> None:
    scoring_db.execute(f"SELECT logintel.create_partitions({TODAY} - 9, {TODAY})")
    insert(scoring_db, "job failed", timestamp=time)
    scoring_db.execute(f"UPDATE {PREDICTIONS} SET timestamp = timestamp - interval '9 days', predicted_at = predicted_at - interval '9 days'")
    keep_days(scoring_db, 3)
    scoring_db.execute("CALL logintel.maintain('45 s')")
    assert scoring_db.execute("SELECT lines, predictions, pending FROM logintel.ml_status") == [(1, 0, 1)]
    assert scoring_db.value("SELECT logintel.backfill()") == 1
    for _ in range(2):
        scoring_db.execute("SELECT logintel.reconcile(), logintel.maintain()")
        assert scoring_db.execute("SELECT lines, predictions, pending FROM logintel.ml_status") == [(1, 1, 0)]
    assert_figures_add_up(scoring_db)


def test_more_days_than_one_transaction_has_locks_for_are_refused_in_one_line(scoring_db: Database) -> None:
    made = partitions(scoring_db, "predictions")
    with pytest.raises(psycopg.errors.ProgramLimitExceeded) as refused:
        scoring_db.execute("SELECT logintel.create_partitions('0001-01-01', '9999-12-31')")
    assert "\n" not in refused.value.diag.message_primary
    assert partitions(scoring_db, "predictions") == made
    days = int(scoring_db.value("SELECT logintel._most_days()"))
    assert str(days) in refused.value.diag.message_primary and "0001-01-01" in refused.value.diag.message_hint
    slots = "SELECT current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int"
    assert days > scoring_db.value(slots) * 350 / 6400  # nearly a year, where nothing is configured
    locks = []
    with scoring_db.connection.transaction():
        for first in (100, 120):
            scoring_db.execute(f"SELECT logintel.create_partitions({TODAY} + %s, {TODAY} + %s)", (first, first + 19))
            locks.append(scoring_db.value("""
                SELECT count(DISTINCT (locktype, classid, objid, relation)) FROM pg_locks WHERE pid = pg_backend_pid()"""))
    assert (locks[1] - locks[0]) / 20 * days < scoring_db.value(slots)


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
    assert db.value("SELECT count(*) FROM logintel_internal.attachments") == 0


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


STYLES = {"DateStyle": "SQL, DMY", "TimeZone": "Asia/Kolkata", "IntervalStyle": "sql_standard", "extra_float_digits": "-15",
          "quote_all_identifiers": "on"}  # fmt: skip
BOUNDS = (
    "SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = %s::regclass AND c.oid <> (SELECT partdefid FROM pg_partitioned_table WHERE partrelid = i.inhparent) ORDER BY 1"
)


def bounds(db: Database, table: str) -> list[str]:
    """The bounds of a table's daily partitions, as they are read in ISO and UTC."""
    reader = db.connect()
    reader.execute("SET TimeZone = 'UTC'")
    return [bound for (bound,) in reader.execute(BOUNDS, (table,)).fetchall()]


def day_bounds(*offsets: int) -> list[str]:
    days = [datetime.now(UTC).date() + timedelta(days=offset) for offset in offsets]
    return [f"FOR VALUES FROM ('{d} 00:00:00+00') TO ('{d + timedelta(days=1)} 00:00:00+00')" for d in days]


def use_styles(session: Database | psycopg.Connection) -> None:
    """Have this session print and read times as no other does; IST is India's time when printed, Israel's when read."""
    for name, value in STYLES.items():
        session.execute(f"SET {name} = '{value}'")


def test_the_bounds_of_a_day_and_what_retention_keeps_depend_on_no_style_of_dates(empty_db: Database) -> None:
    use_styles(empty_db)
    empty_db.execute("CREATE EXTENSION logintel CASCADE")
    empty_db.execute("SELECT logintel.create_log_entries()")
    midnight = f"({TODAY} - 3)::timestamp AT TIME ZONE 'UTC'"
    assert empty_db.value(f"SELECT logintel.create_partitions({TODAY} - 5, {TODAY} - 1)") == 10
    for first in (f"{midnight} - interval '1 second'", midnight, "now()", f"({TODAY} - 400)::timestamp"):
        empty_db.execute(f"INSERT INTO log_entries (message, timestamp) VALUES ('failed', {first})")
    for table in ("log_entries", PREDICTIONS):
        assert bounds(empty_db, table) == day_bounds(*range(-5, 8))
    keep_days(empty_db, 3)
    empty_db.execute("CALL logintel.maintain('45 s')")
    assert empty_db.execute("SELECT task, failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []
    assert bounds(empty_db, "log_entries") == bounds(empty_db, PREDICTIONS) == day_bounds(*range(-3, 8))
    assert empty_db.value("SELECT count(*) FROM log_entries") == 2
    assert empty_db.value("SELECT min(timestamp) = " + midnight + " FROM log_entries")
    assert empty_db.execute("SELECT * FROM logintel.doctor() WHERE status = 'problem'") == []


@pytest.mark.parametrize("name", ['"Logs".events', '"Logs"."' + "ä" * 31 + '"', '"Logs"."' + "x" * 60 + '"', "public.events"])
@pytest.mark.parametrize("quoted", ["on", "off"])
def test_a_managed_table_of_any_name_in_any_schema_gets_its_days(db: Database, name: str, quoted: str) -> None:
    db.execute("SELECT logintel.detach()")
    db.execute('CREATE SCHEMA "Logs"')
    db.execute(f"CREATE TABLE {name} (id bigint GENERATED ALWAYS AS IDENTITY, timestamp timestamptz, message text) PARTITION BY RANGE (timestamp)")
    db.execute(f"CREATE TABLE others PARTITION OF {name} DEFAULT")
    db.execute("SELECT logintel.attach(%s, manage_partitions => true)", (name,))
    db.execute(f"SET quote_all_identifiers = {quoted}")
    db.execute("CALL logintel.maintain('45 s')")
    assert bounds(db, name) == day_bounds(*range(8))
    keep_days(db, 1)
    db.execute(f"SELECT logintel.create_partitions({TODAY} - 3, {TODAY})")
    db.execute("CALL logintel.maintain('45 s')")
    assert bounds(db, name) == bounds(db, PREDICTIONS) == day_bounds(*range(-1, 8))


def test_a_table_that_has_the_name_of_a_day_is_kept_and_in_nobodys_way(scoring_db: Database) -> None:
    taken, expired = f"log_entries_{day(5)}", f"log_entries_{day(-9)}"
    scoring_db.execute(f"DROP TABLE {taken}, logintel_internal.predictions_{day(5)}")
    scoring_db.execute(f"CREATE VIEW {taken} AS SELECT 1 AS theirs; CREATE TABLE logintel_internal.predictions_{day(5)} (theirs text)")
    scoring_db.execute(f"CREATE TABLE {expired} (theirs text); INSERT INTO {expired} VALUES ('kept')")
    scoring_db.execute(f"CREATE TABLE logintel_internal.predictions_{day(-9)} PARTITION OF {PREDICTIONS} {day_bounds(-9)[0]}")
    scoring_db.execute(f"ALTER TABLE logintel_internal.predictions_{day(-9)} OWNER TO logintel_owner")
    keep_days(scoring_db, 3)
    scoring_db.execute("CALL logintel.maintain('45 s')")
    assert f"{day(5)}_2" in partitions(scoring_db, "log_entries") & partitions(scoring_db, "predictions")
    assert scoring_db.execute("SELECT task, failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []
    assert scoring_db.execute(f"SELECT * FROM {taken}") == [(1,)]
    assert scoring_db.execute(f"SELECT * FROM {expired}") == [("kept",)]


def test_a_day_that_was_detached_keeps_its_name_and_another_one_is_made(scoring_db: Database) -> None:
    insert(scoring_db, "job failed")
    for name in (f"log_entries_{day(0)}", f"log_entries_{day(0)}_2"):
        scoring_db.execute(f"ALTER TABLE log_entries DETACH PARTITION {name}")
        scoring_db.execute("CALL logintel.maintain('45 s')")
        assert scoring_db.execute("SELECT task, failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []
    assert f"{day(0)}_3" in partitions(scoring_db, "log_entries")
    insert(scoring_db, "job started")
    assert scoring_db.value("SELECT tableoid::regclass::text FROM log_entries") == f"log_entries_{day(0)}_3"
    assert scoring_db.value(f"SELECT count(*) FROM log_entries_{day(0)}") == 1
    assert scoring_db.value("SELECT count(*) FROM logintel.ml_predictions") == 1


def test_a_name_that_ends_in_no_day_is_nobodys_day(scoring_db: Database) -> None:
    for name, offset in (("log_entries_2020_02_31", -30), ("log_entries_2020_13_00", -31), (f"log_entries_{day(-40)}", -32)):
        scoring_db.execute(f"CREATE TABLE {name} PARTITION OF log_entries {day_bounds(offset)[0]}")
        insert_days(scoring_db, offset)
    keep_days(scoring_db, 35)
    scoring_db.execute("CALL logintel.maintain('45 s')")
    assert scoring_db.execute("SELECT task, failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []
    assert counts(scoring_db) == (9,) * 5


def test_without_its_default_partition_a_table_still_gets_and_loses_its_days(scoring_db: Database) -> None:
    scoring_db.execute(f"SELECT logintel.create_partitions({TODAY} - 5, {TODAY})")
    insert_days(scoring_db, -5, 0)
    scoring_db.execute(f"DROP TABLE log_entries_default, log_entries_{day(7)}, logintel_internal.predictions_{day(7)}")
    keep_days(scoring_db, 3)
    scoring_db.execute("CALL logintel.maintain('45 s')")
    assert scoring_db.execute("SELECT task, failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []
    assert bounds(scoring_db, "log_entries") == day_bounds(*range(-3, 8))
    insert_days(scoring_db, 7)
    assert counts(scoring_db) == (6,) * 5
    scoring_db.execute(f"INSERT INTO log_entries_{day(7)} (message, timestamp, id) OVERRIDING SYSTEM VALUE "
                       "SELECT message, timestamp, id + 100 FROM log_entries WHERE timestamp > now()")  # fmt: skip
    with pytest.raises(psycopg.errors.UniqueViolation):
        scoring_db.execute(f"INSERT INTO log_entries_{day(7)} OVERRIDING SYSTEM VALUE SELECT * FROM log_entries_{day(7)}")


@pytest.mark.parametrize("days", ["NULL, NULL", "current_date, NULL", "'infinity', 'infinity'", "'-infinity', current_date", "'0044-03-15 BC', '0001-01-01'"])
def test_days_that_are_none_are_refused_in_one_line(db: Database, days: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="there are no partitions from") as refused:
        db.execute(f"SELECT logintel.create_partitions({days})")
    assert "create_partitions(current_date - 30, current_date)" in refused.value.diag.message_hint


def test_the_upkeep_waits_for_nobody_who_keeps_the_log_table_locked_and_tells_it(scoring_db: Database) -> None:
    db = scoring_db
    db.execute("CALL logintel.maintain('45 s')")
    db.execute(f"CREATE TABLE log_entries_old PARTITION OF log_entries {day_bounds(-9)[0]}")
    db.execute(f"DROP TABLE log_entries_{day(7)}, logintel_internal.predictions_{day(7)}")
    keep_days(db, 3)
    owner = db.connect(autocommit=False)
    owner.execute("LOCK TABLE log_entries")
    db.execute("SET statement_timeout = '60s'")  # else a test that fails would hang
    db.execute("CALL logintel.maintain('2 s')")
    while db.value("SELECT count(*) FROM logintel.ml_upkeep WHERE ran_at IS NULL OR ran_at < (SELECT max(failing_since) FROM logintel.ml_upkeep)"):
        db.execute("CALL logintel.maintain('2 s')")
    [(failure, step)] = db.execute("SELECT failure, next_step FROM logintel.ml_upkeep WHERE task = 'create triggers'")
    assert failure == "55P03: public.log_entries_old keeps its triggers waiting"
    assert "End the transactions that have locked it" in step
    owner.rollback()
    db.execute("CALL logintel.maintain('45 s')")
    assert db.execute("SELECT task, failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []
    assert db.execute("SELECT * FROM logintel.doctor() WHERE status = 'problem'") == []
    db.execute("INSERT INTO log_entries_old (id, message, timestamp) OVERRIDING SYSTEM VALUE VALUES (77, 'failed', now() - interval '9 days')")
    assert counts(db) == (1,) * 5


def test_a_partition_that_is_locked_keeps_no_other_from_its_triggers(scoring_db: Database) -> None:
    for name, offset in (("a", -20), ("b", -21), ("c", -22)):
        scoring_db.execute(f"CREATE TABLE log_entries_{name} PARTITION OF log_entries {day_bounds(offset)[0]}")
    owner = scoring_db.connect(autocommit=False)
    owner.execute("LOCK TABLE log_entries_b")
    scoring_db.execute("SET statement_timeout = '60s'")
    assert scoring_db.value("SELECT logintel._task_121_create_triggers()") == 8
    owner.rollback()
    assert scoring_db.value("SELECT logintel._task_121_create_triggers()") == 4
