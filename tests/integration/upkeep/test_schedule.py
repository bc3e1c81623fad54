"""Upkeep runs from pg_cron after one call."""

from collections.abc import Iterator

import psycopg
import pytest

from logintel.errors import UserError
from support.pending_lines import wait_until
from support.servers import Database, Server, cluster
from support.tables import is_rolled_up
from support.tiny_models import deploy

JOBS = [
    ("logintel backfill", "* * * * *", 'SELECT logintel.backfill(max_lines => 200000)'),
    ("logintel maintain", "* * * * *", "CALL logintel.maintain('45 s')"),
]
REQUESTS = ("logintel request retraining", "0 */6 * * *", "SELECT logintel.request_retraining()")
SCHEDULED = "SELECT jobname, schedule, command FROM cron.job ORDER BY 1"
EVERY = "SELECT value FROM logintel.settings WHERE name = 'retrain_every_hours'"


@pytest.fixture
def cron_db(server: Server) -> Iterator[Database]:
    """The database `cron` of a local cluster that has pg_cron, with the extension, a log table and models."""
    settings = {
        "fsync": "off",
        "shared_preload_libraries": "pg_cron",
        "cron.database_name": "cron",
        "cron.use_background_workers": "on",
    }
    try:
        running = cluster.temporary(settings)
        with running as server:
            database = Database(Server("local", server.dsn()), "cron")
            database.server.execute("CREATE DATABASE cron")
            database.execute("SET search_path = public, logintel")
            for extension in ("pg_cron", "logintel_python"):
                database.execute(f"CREATE EXTENSION {extension} CASCADE")
            database.execute("SELECT logintel.create_log_entries()")
            deploy(database)
            yield database
            database.close()
    except UserError as error:
        pytest.skip(f"no local server with pg_cron: {error}")


def test_without_pg_cron_the_worker_does_it(db: Database) -> None:
    said = [line for (line,) in db.execute("SELECT logintel.schedule()")]
    assert said[1] == "logintel worker: every 6 hours, retrains what ml_retrain_advice advises"
    assert said[-1] == 'pg_cron is not in this database: keep "logintel worker" running, it does all of this'
    assert db.value(EVERY) == "6"
    assert len(db.execute("SELECT logintel.schedule(0)")) == 2
    assert db.value(EVERY) == "0"
    db.execute("SELECT logintel.schedule(24)")
    assert db.value("SELECT logintel.unschedule()") == 1
    assert db.value("SELECT logintel.unschedule()") == 0
    assert db.value(EVERY) == "0"


@pytest.mark.parametrize("hours", [-1, 25])
def test_hours_that_no_schedule_can_have_are_refused(db: Database, hours: int) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=f"cannot be requested every {hours} hours"):
        db.execute("SELECT logintel.schedule(%s)", (hours,))


def test_who_manages_may_schedule(db: Database) -> None:
    role = db.create_role("manager")
    db.execute("SELECT logintel.grant_manage(%s)", (role,))
    manager = db.connect(user=role)
    manager.execute("SELECT logintel.schedule()")
    assert manager.execute("SELECT logintel.unschedule()").fetchall() == [(1,)]


@pytest.mark.local_only
def test_one_call_schedules_upkeep_and_one_ends_it(cron_db: Database) -> None:
    for _ in range(2):
        cron_db.execute("SELECT logintel.schedule()")
        assert cron_db.execute(SCHEDULED) == [*JOBS, REQUESTS]
    assert cron_db.value(EVERY) == "0"  # the requests are pg_cron's
    for hours in (24, 1):
        cron_db.execute("SELECT logintel.schedule(%s)", (hours,))
        assert cron_db.execute(SCHEDULED)[2][1] == f"0 */{hours} * * *"
    cron_db.execute("SELECT logintel.schedule(0)")
    assert cron_db.execute(SCHEDULED) == JOBS
    cron_db.execute("UPDATE logintel.settings SET value = 'deferred' WHERE name = 'mode'")
    cron_db.execute("INSERT INTO log_entries (message) VALUES ('slow')")
    succeeded = "SELECT count(DISTINCT jobid) FROM cron.job_run_details WHERE status = 'succeeded'"
    wait_until(lambda: cron_db.value(succeeded) == 2, seconds=90)
    assert cron_db.execute("SELECT lines, predictions, pending FROM ml_status") == [(1, 1, 0)]
    assert is_rolled_up(cron_db)
    assert cron_db.value("SELECT logintel.unschedule()") == 2
    assert cron_db.execute("SELECT jobname FROM cron.job") == []
