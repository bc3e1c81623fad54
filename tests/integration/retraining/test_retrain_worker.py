"""Retrainings that `logintel worker` requests and does."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from logintel.simulation import generate
from logintel.writing import load_rows
from support.pending_lines import wait_until
from support.servers import Database
from support.tables import models

pytestmark = pytest.mark.any_server

OUTCOMES = "SELECT outcome FROM logintel.ml_retrainings ORDER BY id"


def load(db: Database, lines: int) -> None:
    load_rows(db.connection, [line.row() for line in generate(lines, seed=1, end=datetime(2026, 1, 1, tzinfo=UTC), days=2)])
    db.execute("SELECT * FROM logintel.maintain()")


@contextlib.contextmanager
def worker(dsn: str, log: Path) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-m", "logintel", "worker", "--poll", "0.1", "--maintain-every", "0.5", "--dsn", dsn]
    with open(log, "w") as stderr, subprocess.Popen(command, stderr=stderr, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()
    assert "Traceback" not in log.read_text()


def children(process: subprocess.Popen) -> list[Path]:
    return [Path(f"/proc/{pid}") for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def test_one_call_and_a_worker_retrain_what_is_advised_as_whoever_may_manage(fresh_db: Database, tmp_path: Path) -> None:
    db, log = fresh_db, tmp_path / "worker.log"
    role = db.create_role("operator")
    db.execute("SELECT logintel.grant_manage(%s), logintel.grant_work(%s)", (role, role))
    load(db, 1100)
    db.connect(user=role).execute("SELECT logintel.schedule(6)")
    with worker(make_conninfo(db.dsn, options=f"-c role={role}"), log) as process:
        wait_until(lambda: db.value("SELECT count(*) FROM logintel.ml_retrainings WHERE outcome IS NOT NULL"), seconds=120)
        wait_until(lambda: len(children(process)) == 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert db.execute(OUTCOMES) == [("level 2 in A/B test 1, decided by declared levels",)]
    assert "failed" not in log.read_text()


def test_a_retraining_that_fails_is_a_complaint_and_one_that_runs_ends_with_the_worker(fresh_db: Database, tmp_path: Path) -> None:
    db, log = fresh_db, tmp_path / "worker.log"
    db.execute("INSERT INTO log_entries (message) VALUES ('too little')")
    db.execute("SELECT logintel.request_retraining('{level}')")
    with worker(db.dsn, log) as process:
        wait_until(lambda: "logintel retrain failed: training needs 1,000 lines and there are 1" in log.read_text(), seconds=60)
        assert process.poll() is None
        assert db.execute(OUTCOMES) == [("failed: training needs 1,000 lines and there are 1; load more lines, or raise --lines",)]
        load(db, 3000)
        db.execute("SELECT logintel.request_retraining('{level}')")
        wait_until(lambda: db.value("SELECT count(*) FROM logintel.ml_retrainings WHERE started_at IS NOT NULL") == 2, seconds=60)
        started = children(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert not any(child.exists() for child in started)
    assert db.execute("SELECT logintel.request_retraining('{level}')") == [(3,)]
    assert db.execute(OUTCOMES)[1:] == [("failed: interrupted",), (None,)]
    assert len(models(db)) == 3


def test_a_request_is_left_to_who_may_retrain(fresh_db: Database, tmp_path: Path) -> None:
    db, log = fresh_db, tmp_path / "worker.log"
    role = db.create_role("worker")
    db.execute("SELECT logintel.grant_work(%s)", (role,))
    db.execute("SELECT logintel.request_retraining('{level}')")
    dsn = make_conninfo(db.dsn, options=f"-c role={role}")
    with worker(dsn, log) as process:
        wait_until(lambda: f"{role} may not retrain models, it lacks EXECUTE on " in log.read_text(), seconds=60)
        db.execute("INSERT INTO log_entries (message) VALUES ('failed')")
        wait_until(lambda: db.value("SELECT count(*) FROM logintel.ml_upkeep WHERE ran_at IS NULL") == 0, seconds=60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert log.read_text().count("may not retrain") == 1
    done = subprocess.run([sys.executable, "-m", "logintel", "retrain", "--dsn", dsn], text=True, capture_output=True)
    assert done.returncode == 1
    assert f"SELECT logintel.grant_manage('{role}')" in done.stderr
    assert db.execute("SELECT started_at, outcome FROM logintel.ml_retrainings") == [(None, None)]
