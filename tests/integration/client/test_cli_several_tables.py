"""The command line where several log tables are attached: it takes the table, and asks where it has to be told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from logintel.errors import UserError
from logintel.writing import load_rows
from support.lines import insert
from support.processes import start
from support.servers import Database
from support.tiny_models import deploy

pytestmark = pytest.mark.any_server


@pytest.fixture
def two(db: Database) -> Database:
    """The standard table and a table `app`; the one has key 1, and so has the other."""
    deploy(db)
    db.execute("CREATE TABLE app (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, log_id text, at timestamptz, level text, "
               "message text, service text)")
    db.execute("SELECT logintel.attach('app')")
    insert(db, "slow")
    db.execute("INSERT INTO app (at, level, message) VALUES (now(), 'INFO', 'job 1 failed')")
    return db


def run(db: Database, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "logintel", *arguments], capture_output=True, text=True, timeout=120,
        env={**os.environ, "DATABASE_URL": db.dsn},
    )  # fmt: skip


def test_load_asks_which_table_and_writes_into_that_one(two: Database, tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text('{"message": "panicked", "level": "INFO"}\n')
    refused = run(two, "load", str(file))
    assert refused.returncode == 1
    assert "several log tables are attached (public.log_entries, public.app): name one with --table" in refused.stderr
    done = run(two, "load", "--table", "app", str(file))
    assert done.returncode == 0, done.stderr
    assert two.value("SELECT count(*) FROM app") == 2
    assert two.value("SELECT count(*) FROM log_entries") == 1
    assert "pg_class is not attached" in run(two, "load", "--table", "pg_class", str(file)).stderr


def test_rows_are_loaded_into_the_table_that_is_named(two: Database) -> None:
    assert load_rows(two.connection, [{"message": "slow"}], log_table="app") == 1
    assert two.value("SELECT count(*) FROM app") == 2
    with pytest.raises(UserError, match="several log tables"):
        load_rows(two.connection, [{"message": "slow"}])


def test_backfill_and_the_worker_score_one_table_or_all(two: Database) -> None:
    two.execute("UPDATE logintel.settings SET value = 'deferred' WHERE name = 'mode'")
    insert(two, "gone away", "gone too")
    two.execute("INSERT INTO app (message) VALUES ('gone away'), ('gone'), ('far')")
    assert two.logintel("backfill", "--table", "app") == "processed 3 pending lines\n"
    assert two.value("SELECT count(*) FROM logintel_internal.pending") == 2
    two.execute("INSERT INTO app (message) VALUES ('never seen')")
    assert two.logintel("worker", "--once", "--maintain-every", "0") == "scored 3 lines\n"
    assert two.execute("SELECT log_table::text, predictions, pending FROM logintel.ml_status ORDER BY 1") == [
        ("app", 5, 0), ("log_entries", 3, 0)]  # fmt: skip


def test_status_shows_each_table(two: Database) -> None:
    shown = two.logintel("status")
    assert "public.app" in shown or " app " in shown
    documents = [json.loads(line) for line in two.logintel("status", "--json").splitlines()]
    assert [document["predictions"] for document in documents] == [1, 1]


def test_tail_shows_lines_of_one_key_in_two_tables(two: Database) -> None:
    keys = [json.loads(line)["log_entry_id"] for line in two.logintel("tail", "--no-follow", "--json").splitlines()]
    assert keys == [1, 1]
    [line] = two.logintel("tail", "--no-follow", "--json", "--table", "app").splitlines()
    assert json.loads(line)["message"] == "job 1 failed"
    environment = {**os.environ, "DATABASE_URL": two.dsn}
    with start("-m", "logintel", "tail", "--json", env=environment, stdout=subprocess.PIPE, text=True) as process:
        shown = [json.loads(process.stdout.readline()) for _ in range(2)]
        insert(two, "slow")
        two.execute("INSERT INTO app (message) VALUES ('slow')")
        shown += [json.loads(process.stdout.readline()) for _ in range(2)]
        process.kill()
    assert sorted((line["log_entry_id"], line["log_table"]) for line in shown) == [
        (1, "app"), (1, "log_entries"), (2, "app"), (2, "log_entries")]  # fmt: skip


def test_training_reads_all_tables_or_one(fresh_db: Database) -> None:
    db = fresh_db
    db.execute("CREATE TABLE app (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, log_id text, at timestamptz, level text, "
               "message text, service text)")
    db.execute("SELECT logintel.attach('app')")
    db.logintel("simulate", "--table", "log_entries", "--lines", "300")
    db.execute("INSERT INTO app (at, level, message) SELECT now(), (ARRAY['INFO', 'ERROR'])[1 + g % 2], "
               "(ARRAY['order accepted ', 'order refused '])[1 + g % 2] || chr(97 + g % 26) || chr(97 + g % 7) FROM generate_series(1, 1100) g")
    db.logintel("train", "--lines", "1300", "--deploy")
    db.logintel("train", "--table", "app")
    learnt = "SELECT trained_from ->> 'table', (trained_from ->> 'lines')::int FROM logintel.ml_models WHERE name = 'level' AND version > 1 ORDER BY version"
    assert db.execute(learnt) == [("public.log_entries, public.app", 1300), ("public.app", 1100)]
