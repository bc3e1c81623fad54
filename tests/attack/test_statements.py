"""Figures add up whatever a single statement does to the log table: moved lines, waiting ones, odd times, shared keys."""

from collections.abc import Iterator

import psycopg
import pytest

from support.lines import insert
from support.pending_lines import defer
from support.recount import Recount, settle
from support.servers import Database, Server
from support.tables import pending, predictions
from support.tiny_models import WITHOUT_DEFAULTS, deploy

STATUS = "SELECT lines, predictions, pending FROM logintel.ml_status"
LAST_HOUR = "294276-12-31 23:30:00+00"


@pytest.fixture
def scored_db(db: Database) -> Database:
    """The usual tiny models are in force."""
    deploy(db)
    return db


def assert_figures_add_up(db: Database, table: str = "log_entries") -> None:
    """Check every figure against the rows, at once and when all that waits is scored and the upkeep has counted."""
    recount = Recount(db.connection, table)
    assert [str(difference) for difference in recount.differences() or []] == []
    settle(db.connection)
    assert recount.differences() == []
    lines = db.value(f"SELECT count(*) FROM {table}")
    assert db.execute(STATUS) == [(lines, lines, 0)]


# E1


@pytest.mark.parametrize("waits", [False, True])
def test_lines_that_a_statement_of_their_owner_moves_to_another_day_count_once(scored_db: Database, waits: bool) -> None:
    if waits:
        defer(scored_db)
    insert(scored_db, "started", "failed", "slow", "entering", "panicked", timestamp="2031-05-04 10:00:00+00")
    scored_db.execute("CREATE TABLE own_day (LIKE log_entries_default INCLUDING ALL)")
    scored_db.execute(
        "WITH moved AS (DELETE FROM log_entries_default WHERE timestamp >= '2031-05-04' RETURNING *) INSERT INTO own_day SELECT * FROM moved"
    )
    scored_db.execute(
        "ALTER TABLE log_entries ATTACH PARTITION own_day FOR VALUES FROM ('2031-05-04 00:00+00') TO ('2031-05-05 00:00+00')"
    )
    scored_db.execute("SELECT * FROM logintel.maintain()")
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("waits", [False, True])
def test_lines_that_a_new_day_takes_out_of_the_default_partition_count_once(scored_db: Database, waits: bool) -> None:
    if waits:
        defer(scored_db)
    insert(scored_db, "started", "failed", "slow", "entering", "panicked", timestamp="2031-05-04 10:00:00+00")
    assert scored_db.value("SELECT logintel.create_partitions('2031-05-04', '2031-05-04')") == 2
    assert scored_db.value("SELECT count(*) FROM log_entries_2031_05_04") == 5
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("mode", ["inline", "deferred", "off"])
def test_lines_deleted_and_inserted_by_one_statement_count_once(scored_db: Database, mode: str) -> None:
    insert(scored_db, "started", "failed", "slow")
    scored_db.execute("UPDATE logintel.settings SET value = %s WHERE name = 'mode'", (mode,))
    scored_db.execute(
        "WITH moved AS (DELETE FROM log_entries RETURNING *) "
        "INSERT INTO log_entries OVERRIDING SYSTEM VALUE SELECT * FROM moved"
    )
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("mode", ["inline", "deferred", "off"])
def test_waiting_lines_deleted_and_inserted_by_one_statement_count_once(scored_db: Database, mode: str) -> None:
    scored_db.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    insert(scored_db, "started", "failed", "slow")
    scored_db.execute("UPDATE logintel.settings SET value = %s WHERE name = 'mode'", (mode,))
    scored_db.execute(
        "WITH moved AS (DELETE FROM log_entries RETURNING *) "
        "INSERT INTO log_entries OVERRIDING SYSTEM VALUE SELECT * FROM moved"
    )
    assert_figures_add_up(scored_db)


# E2


def test_a_waiting_line_that_is_deleted_waits_no_more(scored_db: Database) -> None:
    defer(scored_db)
    insert(scored_db, *["started"] * 100)
    assert scored_db.execute(STATUS) == [(100, 0, 100)]
    scored_db.execute("DELETE FROM log_entries")
    assert scored_db.execute(STATUS) == [(0, 0, 0)]
    assert pending(scored_db) == []
    scored_db.execute("SELECT * FROM logintel.reconcile()")
    assert scored_db.execute(STATUS) == [(0, 0, 0)]
    assert_figures_add_up(scored_db)


def test_a_waiting_line_that_is_truncated_with_its_partition_waits_no_more(scored_db: Database) -> None:
    defer(scored_db)
    insert(scored_db, "started", "slow", timestamp="2031-05-04 10:00:00+00")
    insert(scored_db, "started")
    scored_db.execute("TRUNCATE log_entries_default")
    assert scored_db.execute(STATUS) == [(1, 0, 1)]
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("worker_commits", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM log_entries WHERE id = 1",
        "UPDATE log_entries SET message = 'job failed' WHERE id = 1",
        "UPDATE log_entries SET timestamp = timestamp + interval '1 day' WHERE id = 1",
        "UPDATE log_entries SET id = DEFAULT WHERE id = 1",
    ],
)
def test_a_line_that_is_changed_while_a_worker_has_it_in_hand_counts_once(
    scored_db: Database, change: str, worker_commits: bool
) -> None:
    insert(scored_db, "slow", "started")
    scored_db.execute("DELETE FROM log_entries")
    defer(scored_db)
    scored_db.execute("TRUNCATE log_entries RESTART IDENTITY")
    insert(scored_db, "panicked", "entering")
    recount = Recount(scored_db.connection)
    worker = scored_db.connect(autocommit=False)
    worker.execute("SELECT logintel.backfill()")
    scored_db.execute("SET lock_timeout = '2s'")  # who writes waits for no worker
    scored_db.execute(change)
    assert [str(difference) for difference in recount.differences() or []] == []
    if worker_commits:
        worker.commit()
    else:
        worker.rollback()
    assert_figures_add_up(scored_db)


# E3 and E4


@pytest.mark.parametrize("time", [LAST_HOUR, "infinity", "-infinity", "9999-12-31 23:30:00+00", "0044-03-15 BC"])
def test_an_anomaly_and_a_correction_of_any_time_are_shown(scored_db: Database, time: str) -> None:
    insert(scored_db, "panicked", level="DEBUG", timestamp=time)
    insert(scored_db, "panicked", level="DEBUG")
    for _ in range(2):
        assert scored_db.execute("SELECT log_entry_id FROM ml_anomalies ORDER BY 1") == [(1,), (2,)]
        assert scored_db.execute("SELECT log_entry_id FROM ml_corrections ORDER BY 1") == [(1,), (2,)]
        assert scored_db.value("SELECT predictions FROM ml_stats") == 2
        scored_db.execute("SELECT * FROM logintel.maintain()")
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("time", [LAST_HOUR, "infinity", "-infinity", "10000-01-01 00:00:00+00", "0001-12-31 23:59:59+00 BC"])
def test_a_time_outside_the_years_1_to_9999_counts_as_none(scored_db: Database, time: str) -> None:
    insert(scored_db, "started", timestamp=time)
    assert scored_db.value("SELECT timestamp = predicted_at FROM ml_predictions")
    assert scored_db.value("SELECT time = date_trunc('hour', now(), 'UTC') FROM ml_stats_by_hour")
    scored_db.execute("DELETE FROM log_entries")
    assert predictions(scored_db) == []
    assert_figures_add_up(scored_db)


@pytest.mark.parametrize("time", ["9999-12-31 23:59:59.999999+00", "0001-01-01 00:00:00+00"])
def test_the_first_and_the_last_moment_of_the_years_1_to_9999_are_times(scored_db: Database, time: str) -> None:
    insert(scored_db, "started", timestamp=time)
    assert scored_db.value("SELECT timestamp = %s FROM ml_predictions", (time,))
    assert_figures_add_up(scored_db)


# E5

SECOND = """
    INSERT INTO log_entries (id, timestamp, message) OVERRIDING SYSTEM VALUE
    SELECT id, timestamp - interval '1 day', 'job panicked' FROM log_entries WHERE id = 1
"""


@pytest.fixture
def shared_key_db(scored_db: Database) -> Database:
    """Two lines have the key 1, at different times: the standard key is (id, timestamp)."""
    insert(scored_db, "started")
    scored_db.execute(SECOND)
    return scored_db


def test_two_lines_of_one_id_have_a_prediction_each(shared_key_db: Database) -> None:
    assert shared_key_db.execute("SELECT predicted_level FROM ml_predictions ORDER BY timestamp") == [("FATAL",), ("INFO",)]
    assert shared_key_db.execute("SELECT predicted_level, message FROM ml_recent_predictions ORDER BY 1") == [
        ("FATAL", "job panicked"), ("INFO", "started"),
    ]  # fmt: skip
    assert_figures_add_up(shared_key_db)


def test_of_two_lines_of_one_id_each_is_deleted_with_its_own_prediction(shared_key_db: Database) -> None:
    shared_key_db.execute("DELETE FROM log_entries WHERE message = 'started'")
    assert shared_key_db.execute("SELECT predicted_level FROM ml_predictions") == [("FATAL",)]
    assert_figures_add_up(shared_key_db)


def test_of_two_lines_of_one_id_each_is_changed_by_itself(shared_key_db: Database) -> None:
    shared_key_db.execute("UPDATE log_entries SET message = 'job slow' WHERE message = 'started'")
    assert shared_key_db.execute("SELECT predicted_level FROM ml_predictions ORDER BY timestamp") == [("FATAL",), ("WARN",)]
    assert_figures_add_up(shared_key_db)


def test_two_lines_of_one_id_wait_each_by_itself(scored_db: Database) -> None:
    scored_db.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    insert(scored_db, "started")
    scored_db.execute(SECOND)
    assert scored_db.execute(STATUS) == [(2, 0, 2)]
    scored_db.execute("DELETE FROM log_entries WHERE message = 'started'")
    assert scored_db.execute(STATUS) == [(1, 0, 1)]
    assert_figures_add_up(scored_db)


# E6


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
    assert turkish_db.value("SELECT lower('I')") == "ı"
    deploy(turkish_db)
    names = ("INFO", "info", "WARNING", "Critical", " FATAL ", "Informational")
    found = [turkish_db.value("SELECT logintel.normalize_level(%s)", (name,)) for name in names]
    assert found == ["INFO", "INFO", "WARN", "FATAL", "FATAL", "INFO"]
    for name in names:
        insert(turkish_db, "entering", level=name)
    told = turkish_db.execute("SELECT declared_level FROM ml_predictions ORDER BY log_entry_id")
    assert [level for (level,) in told] == found
    assert turkish_db.value("SELECT count(*) FROM ml_corrections") == len(names)
    assert_figures_add_up(turkish_db)


# E8


def test_a_local_time_is_of_the_time_zone_in_which_the_table_was_attached(empty_db: Database) -> None:
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    empty_db.execute(WITHOUT_DEFAULTS)
    empty_db.execute("CREATE TABLE events (id bigint PRIMARY KEY, ts timestamp, message text)")
    empty_db.execute("SET TimeZone = 'Asia/Tokyo'")
    empty_db.execute("""SELECT logintel.attach('events', '{"timestamp": "ts"}')""")
    deploy(empty_db)
    writer, reader = empty_db.connect(), empty_db.connect()
    writer.execute("SET TimeZone = 'America/New_York'")
    writer.execute("INSERT INTO events VALUES (1, '2031-05-04 21:30', 'panicked')")
    said = []
    for zone in ("America/New_York", "UTC", "Asia/Tokyo"):
        reader.execute(f"SET TimeZone = '{zone}'")
        for view, column in (("ml_anomalies", "timestamp"), ("ml_predictions", "timestamp"), ("ml_recent_predictions", "timestamp")):
            said += reader.execute(f"SELECT ({column} AT TIME ZONE 'UTC')::text FROM {view}").fetchall()
        said += reader.execute("SELECT (time + interval '30 min') AT TIME ZONE 'UTC' || '' FROM ml_stats_by_hour").fetchall()
    assert set(said) == {("2031-05-04 12:30:00",)}
    for zone in ("America/New_York", "UTC"):
        writer.execute(f"SET TimeZone = '{zone}'")
        writer.execute("UPDATE events SET message = message || ' again' WHERE id = 1")
    assert reader.execute("SELECT count(*) FROM ml_predictions").fetchone() == (1,)


# E9


@pytest.fixture
def parent_db(empty_db: Database) -> Database:
    """The attached table has a child by inheritance, as partitions were made once."""
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    empty_db.execute(WITHOUT_DEFAULTS)
    empty_db.execute(
        "CREATE TABLE log_entries (id bigint PRIMARY KEY, timestamp timestamptz, level text, message text, service text, "
        "source_type text, http_status int, response_time_ms float8)"
    )
    empty_db.execute("CREATE TABLE child (PRIMARY KEY (id)) INHERITS (log_entries)")
    empty_db.execute("SELECT logintel.attach('log_entries')")
    deploy(empty_db)
    empty_db.execute("SELECT logintel.backfill()")
    return empty_db


def test_lines_of_a_child_by_inheritance_are_scored_when_they_are_written(parent_db: Database) -> None:
    parent_db.execute("INSERT INTO child (id, timestamp, message) VALUES (1, now(), 'panicked')")
    insert(parent_db, "started", id=2, timestamp="2031-05-04")
    assert parent_db.execute(STATUS) == [(2, 2, 0)]
    parent_db.execute("UPDATE log_entries SET message = 'failed' WHERE id = 1")
    assert parent_db.value("SELECT predicted_level FROM ml_predictions WHERE id = 1") == "ERROR"
    parent_db.execute("DELETE FROM child")
    assert parent_db.execute(STATUS) == [(1, 1, 0)]
    assert_figures_add_up(parent_db)


def test_a_child_that_came_later_gets_its_triggers_from_the_upkeep(parent_db: Database) -> None:
    parent_db.execute("CREATE TABLE late (PRIMARY KEY (id)) INHERITS (log_entries)")
    parent_db.execute("INSERT INTO late (id, timestamp, message) VALUES (1, now(), 'panicked')")
    parent_db.execute("SELECT * FROM logintel.maintain()")
    assert parent_db.execute(STATUS) == [(1, 0, 1)]
    parent_db.execute("INSERT INTO late (id, timestamp, message) VALUES (2, now(), 'panicked')")
    assert parent_db.execute(STATUS) == [(2, 1, 1)]
    parent_db.execute("TRUNCATE ONLY late")
    assert parent_db.execute(STATUS) == [(0, 0, 0)]
    assert_figures_add_up(parent_db)
