"""`logintel worker`: scores what is pending, each line once, whatever is killed or restarted meanwhile."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from logintel.worker.scoring import Stopped, score_batch
from support.lines import insert_new_shapes
from support.pending_lines import (
    LINES_AND_PREDICTIONS,
    assert_every_line_is_scored_once,
    blocked_sessions,
    defer,
    scores_locked,
    wait_until,
)
from support.processes import start
from support.servers import Database, Server, cluster
from support.tables import MODELS, PREDICTIONS, SCORES, models, scores
from support.tiny_models import deploy, tiny_model

pytestmark = pytest.mark.any_server


@dataclass
class Running:
    """A worker command that runs."""

    process: subprocess.Popen
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def children(self) -> list[int]:
        try:
            return [
                int(pid)
                for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            ]
        except FileNotFoundError:
            return []

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@contextlib.contextmanager
def running(db: Database, folder: Path, *options: str, dsn: str | None = None) -> Iterator[Running]:
    log = folder / "worker.log"
    command = ["-m", "logintel", "worker", "--poll", "0.1", *options, "--dsn", dsn or db.dsn]
    with (
        open(log, "w") as stderr,
        start(*command, stderr=stderr, stdout=subprocess.DEVNULL) as process,
    ):
        worker = Running(process, log)
        try:
            yield worker
        finally:
            process.kill()
    assert "Traceback" not in worker.said


def once(db: Database, *options: str, dsn: str | None = None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "logintel", "worker", "--once", *options, "--dsn", dsn or db.dsn]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_in_deferred_mode_new_shapes_wait_for_the_worker(db: Database) -> None:
    deploy(db)
    db.execute("INSERT INTO log_entries (message) VALUES ('started')")
    defer(db)
    db.execute("INSERT INTO log_entries (message) VALUES ('started'), ('panicked at 7'), ('failed')")
    assert db.execute(LINES_AND_PREDICTIONS) == [(4, 2, 2)]
    done = once(db)
    assert (done.returncode, done.stdout) == (0, "scored 2 lines\n")
    assert db.execute("SELECT predicted_level, is_anomaly FROM ml_predictions ORDER BY log_entry_id") == [
        ("INFO", False), ("INFO", False), ("FATAL", True), ("ERROR", False),
    ]  # fmt: skip
    db.execute("INSERT INTO log_entries (message) VALUES ('panicked at 8')")
    assert db.execute(LINES_AND_PREDICTIONS) == [(5, 5, 0)]
    assert once(db).stdout == "scored 0 lines\n"


def test_it_catches_up_in_any_mode_with_lines_from_before_the_attachment(db: Database) -> None:
    db.execute("SELECT logintel.detach()")
    insert_new_shapes(db, 30)
    db.execute("SELECT logintel.attach('log_entries')")
    db.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    deploy(db)
    assert once(db, "--batch", "7").stdout == "scored 30 lines\n"
    assert_every_line_is_scored_once(db, 30)


def test_it_says_what_the_server_says(trained_db: Database) -> None:
    db = trained_db
    exact = "predicted_level, category, labels, anomaly_type"
    close = "level_confidence, category_confidence, anomaly_score, level_probabilities"
    columns = f"DISTINCT ON (shape_hash) shape_hash, {exact}, {close}"
    db.execute("SELECT logintel.maintain()")
    in_the_server = scores(db, columns, "WHERE canonical ORDER BY 1")
    lines = db.value("SELECT count(*) FROM log_entries")
    db.execute(f"DELETE FROM {PREDICTIONS}")
    db.execute(f"DELETE FROM {SCORES}")
    db.execute("SELECT logintel.reconcile()")
    assert once(db).stdout == f"scored {lines:,} lines\n"
    assert_every_line_is_scored_once(db, lines)
    db.execute("SELECT logintel.maintain()")
    outside = scores(db, columns, "WHERE canonical ORDER BY 1")
    assert [row[:5] for row in outside] == [row[:5] for row in in_the_server]
    for ours, theirs in zip(outside, in_the_server, strict=True):
        assert ours[5:8] == pytest.approx(theirs[5:8], abs=1e-5)
        assert ours[8] == pytest.approx(theirs[8], abs=1e-5)


def test_several_workers_score_each_line_once(db: Database, tmp_path: Path) -> None:
    deploy(db)
    defer(db)
    insert_new_shapes(db, 3000)
    with running(db, tmp_path, "--max-workers", "2", "--batch", "50") as worker:
        wait_until(lambda: "2 workers running" in worker.said)
        for prefix in "abcde":
            insert_new_shapes(db, 200, prefix)
        wait_until(lambda: db.execute(LINES_AND_PREDICTIONS) == [(4000, 4000, 0)])
        assert len(worker.children()) == 2
        assert worker.end(signal.SIGTERM) == 0
    assert worker.children() == []
    assert_every_line_is_scored_once(db, 4000)


def test_a_worker_killed_in_the_middle_of_a_batch_loses_nothing_and_is_replaced(db: Database, tmp_path: Path) -> None:
    deploy(db)
    defer(db)
    insert_new_shapes(db, 500)
    with running(db, tmp_path, "--max-workers", "1") as worker:
        with scores_locked(db):
            wait_until(lambda: blocked_sessions(db) == 1)
            [child] = worker.children()
            os.kill(child, signal.SIGKILL)
            wait_until(lambda: "killed by signal 9; another takes its place" in worker.said)
            assert db.value("SELECT pending FROM logintel.ml_status") == 500
        wait_until(lambda: db.value("SELECT pending FROM logintel.ml_status") == 0)
        assert worker.children() != [child]
    assert_every_line_is_scored_once(db, 500)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_and_a_second_one_gives_up_the_batch_in_hand(
    db: Database, tmp_path: Path, number: int, code: int
) -> None:
    deploy(db)
    defer(db)
    insert_new_shapes(db, 10)
    with running(db, tmp_path) as worker, scores_locked(db):
        wait_until(lambda: blocked_sessions(db) == 1)
        children = worker.children()
        worker.process.send_signal(number)
        time.sleep(0.3)
        assert worker.end(number) == code
        assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert db.execute(LINES_AND_PREDICTIONS) == [(10, 0, 10)]


def test_the_password_that_it_was_given_is_on_no_command_line_of_its_processes(db: Database, tmp_path: Path) -> None:
    password = conninfo_to_dict(db.dsn).get("password") or pytest.skip("this server asks for no password")
    deploy(db)
    defer(db)
    insert_new_shapes(db, 10)
    seen: list[bytes] = []
    with running(db, tmp_path) as worker:

        def a_child_is_seen() -> bool:  # which is not yet what it is to be just after the fork
            seen.extend(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in worker.children())
            return any(b"logintel.worker.child" in command for command in seen)

        wait_until(a_child_is_seen)
        wait_until(lambda: not db.value("SELECT count(*) FROM logintel_internal.pending"))
        assert worker.end(signal.SIGTERM) == 0
    assert password not in worker.said
    assert not any(password.encode() in command for command in seen)


def test_complaints_that_find_no_room_do_not_keep_it_from_scoring(db: Database) -> None:
    deploy(db)
    defer(db)
    insert_new_shapes(db, 10)
    command = [sys.executable, "-m", "logintel", "worker", "--once"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, env={**os.environ, "DATABASE_URL": db.dsn}, stdout=subprocess.PIPE, stderr=full, text=True, timeout=120
        )
    assert (done.returncode, done.stdout) == (0, "scored 10 lines\n")


def test_children_end_with_a_supervisor_that_was_killed(db: Database, tmp_path: Path) -> None:
    deploy(db)
    with running(db, tmp_path) as worker:
        wait_until(worker.children)
        [child] = worker.children()
        assert worker.end(signal.SIGKILL) == -signal.SIGKILL
        wait_until(
            lambda: not Path(f"/proc/{child}").exists() or "\nState:\tZ" in Path(f"/proc/{child}/status").read_text()
        )


@pytest.mark.local_only
def test_a_restart_of_the_server_is_one_line_and_no_more(server: Server, tmp_path: Path) -> None:
    with cluster.temporary() as own:
        db = Server("local", own.dsn("postgres")).create_database()
        db.execute("CREATE EXTENSION logintel_python CASCADE")
        db.execute("SELECT logintel.create_log_entries()")
        deploy(db)
        defer(db)
        with running(db, tmp_path, "--maintain-every", "1") as worker:
            insert_new_shapes(db, 20, "before")
            wait_until(lambda: db.execute(LINES_AND_PREDICTIONS) == [(20, 20, 0)])
            db.close()
            own.down()
            time.sleep(1)
            own.up()
            del db.connection
            insert_new_shapes(db, 20, "after")
            wait_until(lambda: db.execute(LINES_AND_PREDICTIONS) == [(40, 40, 0)])
            assert worker.end(signal.SIGTERM) == 0
        assert_every_line_is_scored_once(db, 40)
        db.close()
    told = [line for line in worker.said.splitlines() if "worker" not in line]
    assert len(told) == 1, worker.said
    assert told[0].startswith("logintel: no connection: ")


def test_without_a_model_it_says_so_once_and_goes_on_when_there_is_one(db: Database, tmp_path: Path) -> None:
    insert_new_shapes(db, 10)
    done = once(db)
    assert done.returncode == 1
    assert "no model is deployed; Train one" in done.stderr
    with running(db, tmp_path) as worker:
        wait_until(lambda: "no model is deployed" in worker.said)
        time.sleep(2)
        deploy(db)
        wait_until(lambda: db.execute(LINES_AND_PREDICTIONS) == [(10, 10, 0)])
    assert worker.said.count("no model is deployed") == 1


def test_a_broken_model_is_named(db: Database) -> None:
    deploy(db)
    insert_new_shapes(db, 10)
    defer(db)
    insert_new_shapes(db, 10, "y")
    db.execute(f"UPDATE {MODELS} SET onnx = 'broken' WHERE name = 'level'")
    done = once(db)
    assert done.returncode == 1
    assert re.search("^logintel: scoring failed: model level 1 is corrupt.*$", done.stderr, re.MULTILINE)
    assert "Traceback" not in done.stderr
    assert db.execute(LINES_AND_PREDICTIONS) == [(20, 10, 10)]


def test_it_does_the_upkeep(db: Database, tmp_path: Path) -> None:
    deploy(db)
    defer(db)
    insert_new_shapes(db, 10)
    with running(db, tmp_path, "--maintain-every", "0.5") as worker:
        wait_until(lambda: db.execute(LINES_AND_PREDICTIONS) == [(10, 10, 0)] and not scores(db, rest="WHERE NOT canonical"))
        assert worker.end(signal.SIGTERM) == 0
    assert "failed" not in worker.said


def test_who_may_work_may_run_it(db: Database) -> None:
    operator = db.create_role("operator")
    db.execute("SELECT logintel.grant_work(%s::regrole)", (operator,))
    deploy(db)
    defer(db)
    insert_new_shapes(db, 10)
    done = once(db, dsn=make_conninfo(db.dsn, options=f"-c role={operator}"))
    assert (done.returncode, done.stdout) == (0, "scored 10 lines\n"), done.stderr


def test_models_deployed_while_a_batch_is_in_hand(db: Database) -> None:
    deploy(db)
    defer(db)
    insert_new_shapes(db, 300)
    db.execute("SELECT logintel.reconcile()")  # or the first batch would do it, and keep deployments out meanwhile
    db.execute("SET lock_timeout = '10s'")
    session = db.connect()

    def deploy_others() -> bool:
        if len(models(db, rest="WHERE name = 'level'")) == 1:
            deploy(db, tiny_model("level", (("started", "FATAL"), ("failed", "INFO"))))
        return False

    batch = score_batch(session, 1000, deploy_others)
    assert batch.taken == 300
    while score_batch(session, 1000).taken:
        pass
    assert_every_line_is_scored_once(db, 300)
    assert db.execute("SELECT DISTINCT predicted_level, model_version FROM ml_predictions") == [
        ("INFO", "anomaly 1, level 2")
    ]


def test_a_batch_that_is_stopped_is_rolled_back(db: Database) -> None:
    deploy(db)
    defer(db)
    insert_new_shapes(db, 300)
    session, asked = db.connect(), []
    with pytest.raises(Stopped):
        score_batch(session, 1000, lambda: asked.append(1) or len(asked) == 2)
    assert db.execute(LINES_AND_PREDICTIONS) == [(300, 0, 300)]
    assert score_batch(session, 1000) == (300, 300)
    assert score_batch(session, 1000) == (0, 0)
