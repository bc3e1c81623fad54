"""Upkeep runs from pg_cron after one call."""

from collections.abc import Iterator

import psycopg
import pytest

import servers
from logintel import cluster
from logintel.errors import UserError
from pending_lines import wait_until
from servers import Database, Server
from tiny_models import deploy

JOBS = [
    ("logintel backfill", 'SELECT logintel.backfill("limit" => 200000)'),
    ("logintel maintain", "SELECT logintel.maintain()"),
]


@pytest.fixture
def cron_db(server: Server) -> Iterator[Database]:
    """The database `cron` of a local cluster that has pg_cron, with the extension, a log table and models."""
    servers.choose_pg_config()
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
            for extension in ("pg_cron", "logintel"):
                database.execute(f"CREATE EXTENSION {extension} CASCADE")
            database.execute("SELECT logintel.create_log_entries()")
            deploy(database)
            yield database
            database.close()
    except UserError as error:
        pytest.skip(f"no local server with pg_cron: {error}")


def test_without_pg_cron_it_says_what_to_do(db: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedObject, match="pg_cron is not in this database") as raised:
        db.execute("SELECT logintel.schedule()")
    assert "CREATE EXTENSION pg_cron" in raised.value.diag.message_hint
    assert db.value("SELECT logintel.unschedule()") == 0


@pytest.mark.local_only
def test_one_call_schedules_upkeep_and_one_ends_it(cron_db: Database) -> None:
    for _ in range(2):
        cron_db.execute("SELECT logintel.schedule()")
        assert cron_db.execute("SELECT jobname, command FROM cron.job ORDER BY 1") == JOBS
    cron_db.execute("UPDATE logintel.settings SET value = 'deferred' WHERE name = 'mode'")
    cron_db.execute("INSERT INTO log_entries (message) VALUES ('slow')")
    succeeded = "SELECT count(DISTINCT jobid) FROM cron.job_run_details WHERE status = 'succeeded'"
    wait_until(lambda: cron_db.value(succeeded) == 2, seconds=90)
    assert cron_db.execute("SELECT lines, predictions, pending FROM ml_status") == [(1, 1, 0)]
    assert cron_db.value("SELECT counted_at IS NOT NULL FROM logintel.rollup_state")
    assert cron_db.value("SELECT logintel.unschedule()") == 2
    assert cron_db.execute("SELECT jobname FROM cron.job") == []
