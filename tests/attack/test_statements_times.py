"""Figures add up whatever time a line claims, and in whichever time zone it is written and read."""

import pytest

from support.lines import insert
from support.recount import assert_figures_add_up
from support.servers import Database
from support.tables import predictions
from support.tiny_models import WITHOUT_DEFAULTS, deploy

LAST_HOUR = "294276-12-31 23:30:00+00"


@pytest.fixture
def scored_db(db: Database) -> Database:
    """The usual tiny models are in force."""
    deploy(db)
    return db


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


@pytest.mark.parametrize(
    "time", [LAST_HOUR, "infinity", "-infinity", "10000-01-01 00:00:00+00", "0001-12-31 23:59:59+00 BC"]
)
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


def test_a_local_time_is_of_the_time_zone_that_the_attachment_names(empty_db: Database) -> None:
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    empty_db.execute(WITHOUT_DEFAULTS)
    empty_db.execute("CREATE TABLE events (id bigint PRIMARY KEY, ts timestamp, message text)")
    empty_db.execute("SET TimeZone = 'Europe/Berlin'")
    empty_db.execute("SELECT logintel.attach('events', time_zone => 'Asia/Tokyo')")
    deploy(empty_db)
    writer, reader = empty_db.connect(), empty_db.connect()
    writer.execute("SET TimeZone = 'America/New_York'")
    writer.execute("INSERT INTO events VALUES (1, '2031-05-04 21:30', 'panicked')")
    said = []
    for zone in ("America/New_York", "UTC", "Asia/Tokyo"):
        reader.execute(f"SET TimeZone = '{zone}'")
        for view in ("ml_anomalies", "ml_predictions", "ml_recent_predictions"):
            said += reader.execute(f"SELECT (timestamp AT TIME ZONE 'UTC')::text FROM {view}").fetchall()
        hours = "SELECT ((time + interval '30 min') AT TIME ZONE 'UTC')::text FROM ml_stats_by_hour"
        said += reader.execute(hours).fetchall()
    assert set(said) == {("2031-05-04 12:30:00",)}
    for zone in ("America/New_York", "UTC"):
        writer.execute(f"SET TimeZone = '{zone}'")
        writer.execute("UPDATE events SET message = message || ' again' WHERE id = 1")
    assert reader.execute("SELECT count(*) FROM ml_predictions").fetchone() == (1,)
