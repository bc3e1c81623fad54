"""What makes an hour be measured again, what is kept when its lines are gone, and who never waits for it."""

from datetime import UTC, datetime

import psycopg
import pytest

from support.lines import insert
from support.measured import measured
from support.servers import Database
from support.tables import MODELS, PENDING, models
from support.tiny_models import BY_PYTHON, WITHOUT_DEFAULTS, deploy, tiny_model

TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)
FAILURES = "SELECT name, version, sum(failures)::int, sum(predictions)::int FROM ml_model_metrics GROUP BY 1, 2 ORDER BY 1"


@pytest.fixture
def scoring_db(db: Database) -> Database:
    deploy(db)
    db.execute("SELECT * FROM logintel.reconcile()")  # which the first maintain() would do: it counts all afresh
    return db


def write(db: Database | psycopg.Connection, *messages: str, time: str = "2026-03-01 10:05Z") -> None:
    insert(db, *messages, timestamp=time)


def maintain(db: Database | psycopg.Connection) -> int:
    return dict(db.execute("SELECT * FROM logintel.maintain()"))["measure models"]


def break_models(db: Database) -> None:
    db.execute(BY_PYTHON)
    db.execute(f"UPDATE {MODELS} SET onnx = 'no model'")


def test_deleted_lines_leave_their_hour(scoring_db: Database) -> None:
    write(scoring_db, "failed", "failed", "slow")
    maintain(scoring_db)
    scoring_db.execute("DELETE FROM log_entries WHERE message = 'slow'")
    assert maintain(scoring_db) == 1
    assert measured(scoring_db)[TEN, "level", 1]["predictions"] == 2


def test_a_version_whose_lines_all_went_to_another_leaves_the_hour(scoring_db: Database) -> None:
    write(scoring_db, "failed", "slow")
    maintain(scoring_db)
    deploy(scoring_db, tiny_model())
    scoring_db.execute("UPDATE log_entries SET message = message || ' again'")
    maintain(scoring_db)
    rows = {key[1:]: row["predictions"] for key, row in measured(scoring_db).items() if key[0] == TEN}
    assert rows == {("anomaly", 1): 2, ("level", 2): 2}


@pytest.mark.parametrize("erase", ["DELETE FROM log_entries", "TRUNCATE log_entries", "SELECT logintel.detach()"])
def test_an_hour_without_lines_keeps_its_figures(scoring_db: Database, erase: str) -> None:
    write(scoring_db, "failed", "slow")
    maintain(scoring_db)
    before = measured(scoring_db)[TEN, "level", 1]
    scoring_db.execute(erase)
    maintain(scoring_db)
    maintain(scoring_db)
    assert measured(scoring_db)[TEN, "level", 1] == before


def test_retention_does_not_erase_the_series(scoring_db: Database) -> None:
    scoring_db.execute("SELECT logintel.create_partitions('2026-03-01', '2026-03-01')")
    write(scoring_db, "failed", "slow")
    maintain(scoring_db)
    before = measured(scoring_db)[TEN, "level", 1]
    scoring_db.execute("UPDATE logintel.settings SET value = '30' WHERE name = 'retention_days'")
    assert dict(scoring_db.execute("SELECT * FROM logintel.maintain()"))["drop days"] == 1
    maintain(scoring_db)
    assert scoring_db.value("SELECT count(*) FROM log_entries") == 0
    assert measured(scoring_db)[TEN, "level", 1] == before


def test_lines_that_failed_are_counted_once_and_stay_counted(scoring_db: Database) -> None:
    write(scoring_db, "failed")
    intact = models(scoring_db, "onnx, id")
    break_models(scoring_db)
    session = scoring_db.connect()  # a new session, which has no model loaded
    write(session, "failed", "brand new", "brand new too")
    maintain(scoring_db)
    assert scoring_db.execute(FAILURES) == [("anomaly", 1, 2, 2), ("level", 1, 2, 2)]
    write(session, "news again")
    for _ in range(2):
        maintain(scoring_db)
        assert scoring_db.execute(FAILURES) == [("anomaly", 1, 3, 2), ("level", 1, 3, 2)]
    assert scoring_db.value("SELECT count(*) FROM logintel_internal.failures") == 0
    for model in intact:
        scoring_db.execute(f"UPDATE {MODELS} SET onnx = %s WHERE id = %s", model)
    assert scoring_db.connect().execute("SELECT logintel.backfill()").fetchone() == (3,)
    scoring_db.execute("SELECT * FROM logintel.reconcile()")
    maintain(scoring_db)
    assert scoring_db.execute(FAILURES) == [("anomaly", 1, 3, 5), ("level", 1, 3, 5)]


def test_an_insert_that_is_rolled_back_failed_nobody(scoring_db: Database) -> None:
    break_models(scoring_db)
    session = scoring_db.connect(autocommit=False)
    write(session, "brand new")
    session.rollback()
    maintain(scoring_db)
    assert scoring_db.execute(FAILURES) == []


def test_where_no_model_was_to_score_none_failed(db: Database) -> None:
    write(db, "failed")
    deploy(db)
    db.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    write(db, "failed")
    maintain(db)
    assert {row[2] for row in db.execute(FAILURES)} == {0}


def test_coverage_counts_the_lines_that_wait_until_they_wait_no_more(scoring_db: Database) -> None:
    write(scoring_db, "failed", "slow", "started")
    maintain(scoring_db)
    scoring_db.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    write(scoring_db, "failed", time="2026-02-28 09:00Z")
    scoring_db.execute(f"UPDATE {PENDING} SET queued_at = '2026-03-01 10:59Z'")
    maintain(scoring_db)
    assert {row["coverage"] for key, row in measured(scoring_db).items() if key[0] == TEN} == {0.75}
    scoring_db.execute("UPDATE logintel.settings SET value = 'inline' WHERE name = 'mode'")
    assert scoring_db.value("SELECT logintel.backfill()") == 1
    maintain(scoring_db)
    assert {row["coverage"] for key, row in measured(scoring_db).items() if key[0] == TEN} == {1.0}
    assert maintain(scoring_db) == 0


def test_an_hour_in_which_all_lines_wait_shows_no_coverage_of_what_was_in_force(scoring_db: Database) -> None:
    scoring_db.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    write(scoring_db, "failed", "slow")
    scoring_db.execute(f"UPDATE {PENDING} SET queued_at = now() + interval '1 day'")
    maintain(scoring_db)
    shown = [(name, version, row["predictions"], row["coverage"]) for (_, name, version), row in measured(scoring_db).items()]
    assert sorted(shown) == [("anomaly", 1, 0, 0.0), ("level", 1, 0, 0.0)]
    scoring_db.execute("DELETE FROM log_entries")
    while scoring_db.value("SELECT logintel.backfill()"):
        pass
    maintain(scoring_db)
    assert measured(scoring_db) == {}


def test_lines_of_any_time_are_measured(scoring_db: Database) -> None:
    times = ("-infinity", "4713-01-01 00:00:00Z BC", "294276-12-31 23:59:59.999999Z", "infinity")
    for time in times:
        write(scoring_db, "failed", time=time)
    scoring_db.execute("SELECT count(logintel.give_feedback(id, 'ERROR')) FROM log_entries")
    maintain(scoring_db)
    shown = scoring_db.execute(
        "SELECT predictions, accuracy FROM ml_model_metrics m WHERE name = 'level' AND window_start > now() - interval '2 hours'"
    )
    assert shown == [(len(times), 1.0)]  # a time that no clock has is none: they count when they were written


def test_a_dropped_version_keeps_its_series(scoring_db: Database) -> None:
    write(scoring_db, "failed")
    maintain(scoring_db)
    before = measured(scoring_db)[TEN, "level", 1]
    scoring_db.execute(WITHOUT_DEFAULTS)
    scoring_db.execute(
        "INSERT INTO logintel_internal.count_changes (hour, score_id, lines, is_new, is_recount) "
        "SELECT hour, score_id, 0, false, false FROM logintel_internal.hourly_counts"
    )
    assert maintain(scoring_db) == 1
    assert measured(scoring_db)[TEN, "level", 1] == before


def test_who_judges_and_who_fails_never_waits_for_who_measures_nor_the_other_way_round(scoring_db: Database) -> None:
    write(scoring_db, "failed", "slow")
    maintain(scoring_db)
    break_models(scoring_db)
    judge, writer, upkeep = (scoring_db.connect(autocommit=False) for _ in range(3))
    for session in (judge, writer, upkeep):
        session.execute("SET lock_timeout = '2s'")
    judge.execute("SELECT logintel.give_feedback(1, 'ERROR')")
    write(writer, "brand new")
    maintain(upkeep)
    upkeep.commit()
    maintain(upkeep)
    judge.execute("SELECT logintel.give_feedback(1, 'INFO', whole_template => true)")
    write(writer, "new again")
    for session in (judge, writer, upkeep):
        session.commit()
    assert measured(scoring_db)[TEN, "level", 1]["feedback_lines"] == 0
    maintain(scoring_db)
    assert measured(scoring_db)[TEN, "level", 1]["feedback_lines"] == 1
    assert sorted(row[2] for row in scoring_db.execute(FAILURES)) == [2, 2]
