"""The workflow for a CI service: what it runs works, in order, against a real database."""

import os
import subprocess
import sys

import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from support.servers import ROOT, Database

pytestmark = pytest.mark.any_server

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "logintel.yml").read_text())
[JOB] = WORKFLOW["jobs"].values()
COMMANDS = [line.strip() for step in JOB["steps"] for line in step.get("run", "").splitlines()]


def url(db: Database) -> str:
    """The connection string as a URL, as secrets hold it."""
    given = conninfo_to_dict(db.dsn)
    login = f"{given['user']}:{given['password']}" if "password" in given else given["user"]
    return f"postgresql://{login}@{given['host']}:{given.get('port', 5432)}/{given['dbname']}"


def run(command: str, **variables: str) -> subprocess.CompletedProcess:
    words = command.split()
    assert words[0] == "logintel", command
    return subprocess.run([sys.executable, "-m", "logintel", *words[1:]], env={**os.environ, **variables},
                          capture_output=True, text=True, timeout=300)


def test_it_runs_every_six_hours_one_at_a_time_with_no_more_rights_than_it_needs() -> None:
    triggers = WORKFLOW[True]  # YAML 1.1 reads the key `on` as true
    [schedule] = triggers["schedule"]
    assert schedule["cron"].split()[1:] == ["*/6", "*", "*", "*"]
    assert "workflow_dispatch" in triggers
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert WORKFLOW["concurrency"] == {"group": "logintel", "cancel-in-progress": False}
    assert 0 < JOB["timeout-minutes"] < 6 * 60
    assert [step["env"] for step in JOB["steps"] if "env" in step] == [{"DATABASE_URL": "${{ secrets.DATABASE_URL }}"}]
    assert COMMANDS[0] == "pip install ."


def test_its_commands_score_count_and_retrain(fresh_db: Database) -> None:
    db = fresh_db
    db.logintel("pause")
    db.logintel("simulate", "--lines", "1100")
    db.logintel("resume")
    said = {}
    for command in COMMANDS:
        if command.startswith("logintel"):
            done = run(command, DATABASE_URL=url(db))
            assert done.returncode == 0, f"{command}\n{done.stderr}"
            said[command] = done.stdout
    assert list(said) == ["logintel backfill", "logintel maintain", "logintel retrain"]
    assert said["logintel backfill"] == "processed 1,100 pending lines\n"
    assert "templates unknown to version 1, the version in force" in said["logintel retrain"]
    assert "level 2 in A/B test 1, decided by declared levels" in said["logintel retrain"]
    assert db.execute("SELECT names, outcome, report #>> '{models,level,version}' FROM logintel.ml_retrainings") == [
        (["level"], "level 2 in A/B test 1, decided by declared levels", "2")
    ]
    assert db.execute("SELECT name, share, metric, auto, ended_at FROM logintel_internal.ab_tests") == [("level", 0, "declared", True, None)]
    assert db.execute("SELECT advised, waits_for FROM logintel.ml_retrain_advice WHERE name = 'level'") == [
        (False, "A/B test 1 to end")
    ]
    again = run(COMMANDS[-1], DATABASE_URL=url(db))
    assert (again.returncode, again.stdout.split(":")[0]) == (0, "nothing to retrain")


def test_an_unset_secret_is_named() -> None:
    [check] = [command for command in COMMANDS if command.startswith("test -n")]
    done = subprocess.run(["bash", "-ec", check], env={"DATABASE_URL": ""}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "::error::the secret DATABASE_URL is not set\n")


def test_an_option_outranks_the_url_and_the_url_outranks_the_usual_variables(db: Database) -> None:
    there, nowhere = url(db), "postgresql://nobody@127.0.0.1:1/nowhere"
    given = {"DATABASE_URL": nowhere, "PGPORT": "1", "PGHOST": "127.0.0.1"}
    assert run("logintel maintain", **given | {"DATABASE_URL": there}).returncode == 0
    assert run(f"logintel maintain --dsn {there}", **given).returncode == 0
    assert "cannot connect" in run("logintel maintain", **given).stderr
    assert "DATABASE_URL" in run("logintel maintain --help", COLUMNS="120").stdout
    variables = {f"PG{ {'dbname': 'DATABASE'}.get(name, name.upper()) }": str(value)
                 for name, value in conninfo_to_dict(db.dsn).items()}
    assert run("logintel maintain", **variables, DATABASE_URL="").returncode == 0
