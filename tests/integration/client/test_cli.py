"""The command line: help that a newcomer can follow, and one line with the next step for every mistake."""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from logintel.cli import app
from support.servers import Database
from support.tiny_models import deploy, register, tiny_model

pytestmark = pytest.mark.any_server

COMMANDS = sorted(command.name or command.callback.__name__ for command in app.registered_commands)


def run(*arguments: str, db: Database | None = None) -> subprocess.CompletedProcess:
    environment = {**os.environ, "COLUMNS": "120"}
    dsn = ("--dsn", db.dsn) if db else ()
    return subprocess.run(
        [sys.executable, "-m", "logintel", *arguments, *dsn],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
    )


def fails(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 1, f"{done.stdout}{done.stderr}"
    assert re.fullmatch(r"logintel: [^\n]+\n", done.stderr), done.stderr
    return done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_has_help(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    options = re.findall(r"^[│ ]+\*?\s*(--[a-z-]+)\s+(.*)$", done.stdout, re.MULTILINE)
    assert options
    for option, rest in options:
        assert re.search(r"[A-Z][a-z]", rest), f"{command} {option} has no help text: {rest!r}"


def test_deploy_rollback_status_and_doctor(db: Database) -> None:
    deploy(db)
    register(db, tiny_model())
    assert run("deploy", "level", db=db).stdout == "in force: anomaly 1, level 2\n"
    assert run("rollback", "level", db=db).stdout == "in force: anomaly 1, level 1\n"
    assert run("deploy", "level", "2", db=db).stdout == "in force: anomaly 1, level 2\n"
    assert "anomaly 1, level 2" in run("status", db=db).stdout
    assert run("doctor", db=db).returncode == 0
    assert "publish scores" in run("maintain", db=db).stdout


def test_backfill_scores_what_is_pending_and_can_be_repeated(db: Database) -> None:
    db.execute("INSERT INTO log_entries (message) SELECT 'failed ' || g FROM generate_series(1, 2500) g")
    deploy(db)
    assert run("backfill", "--batch", "1000", db=db).stdout == "processed 2,500 pending lines\n"
    assert run("backfill", db=db).stdout == "processed 0 pending lines\n"


def test_mistakes_are_one_line_with_the_next_step(db: Database, empty_db: Database) -> None:
    assert 'there is no model "level"; Train one with "logintel train"' in fails(run("deploy", "level", db=db))
    assert "has no earlier deployment" in fails(run("rollback", "anomaly", db=db))
    db.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    assert "no model is deployed" in fails(run("backfill", db=db))
    assert "CREATE EXTENSION logintel" in fails(run("status", db=empty_db))
    assert "cannot connect" in fails(run("status", "--dsn", "host=127.0.0.1 port=1 dbname=x"))
    assert "the connection string cannot be read" in fails(run("status", "--dsn", "host='"))


def test_an_export_that_finds_no_room_leaves_nothing(db: Database, tmp_path: Path) -> None:
    deploy(db)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        assert "cannot be written: File too large; name another folder" in fails(run("export", "level", str(tmp_path), db=db))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(tmp_path) == []


def test_a_table_that_finds_no_room_is_one_line(db: Database) -> None:
    for command in ("status", "maintain", "pause"):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "logintel", command],
                env={**os.environ, "DATABASE_URL": db.dsn, "PYTHONUNBUFFERED": "1"}, stdout=full, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        assert "standard output cannot be written: No space left on device" in fails(done)
    assert db.value("SELECT mode FROM logintel.ml_status") == "off"


def test_doctor_exits_with_1_when_there_are_problems(db: Database) -> None:
    done = run("doctor", db=db)
    assert done.returncode == 1
    assert "doctor found 1 problem" in done.stderr
    assert "no model is deployed" in done.stdout


def test_the_client_reads_times_and_is_not_cut_short_whatever_the_database_has_as_a_default(db: Database) -> None:
    deploy(db)
    for name, value in (("DateStyle", "SQL, DMY"), ("IntervalStyle", "sql_standard"), ("statement_timeout", "1ms")):
        db.execute(f"ALTER DATABASE {db.name} SET {name} = '{value}'")
    for command in (("status",), ("maintain",), ("doctor",), ("backfill",), ("pause",), ("resume",), ("simulate", "--lines", "300")):
        assert run(*command, db=db).returncode == 0, command
    assert "training needs 1,000 lines" in fails(run("train", db=db))
    assert db.value("SELECT count(*) FROM logintel.ml_upkeep WHERE ran_at IS NULL OR failure IS NOT NULL") == 0


@pytest.mark.parametrize("name", ["nosuch", "nosuch.csv"])
def test_a_file_that_is_not_there_is_not_asked_for_its_format(db: Database, name: str) -> None:
    assert fails(run("load", f"/tmp/{name}", db=db)) == f"logintel: /tmp/{name}: no such file\n"


def test_the_version_is_that_of_the_package_and_of_the_extension(db: Database) -> None:
    version = db.value("SELECT default_version FROM pg_available_extensions WHERE name = 'logintel'")
    assert run("--version").stdout == f"logintel {version}\n"


def test_a_shell_completes_commands() -> None:
    asked = {"_LOGINTEL_COMPLETE": "complete_bash", "COMP_WORDS": "logintel corr", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, "-m", "logintel"], env=os.environ | asked, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "corrections\n", "")
