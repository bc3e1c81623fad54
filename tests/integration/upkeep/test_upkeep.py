"""Upkeep is a list of tasks: each commits, one that fails stops no other, and what there was no time for comes first."""

import contextlib
import threading

import psycopg
import pytest

from support.lines import insert_new_shapes
from support.pending_lines import wait_until
from support.servers import Database
from support.tiny_models import deploy

COUNTED = "SELECT coalesce(sum(lines), 0) FROM logintel_internal.score_totals"
RAN = "SELECT task FROM logintel.ml_upkeep WHERE ran_at IS NOT NULL ORDER BY ran_at DESC LIMIT 1"


def add_task(db: Database, name: str, body: str) -> None:
    """Add a task to the upkeep, as a capability does: by a function of the right name."""
    db.execute(f"CREATE FUNCTION logintel._task_{name}() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN {body} END$$")


def upkeep(connection: psycopg.Connection, budget: str = "45 s") -> list[str]:
    """Call the procedure and return its notices and warnings."""
    said: list[str] = []
    connection.add_notice_handler(lambda notice: said.append(notice.message_primary))
    connection.execute(f"CALL logintel.maintain('{budget}')")
    return said


def test_what_the_budget_leaves_comes_first_the_next_time(db: Database) -> None:
    tasks = [task for (task,) in db.execute("SELECT task FROM logintel.ml_upkeep")]
    ran = []
    for _ in range(2 * len(tasks) + 1):
        upkeep(db.connection, "0 s")  # enough for one task
        ran.append(db.value(RAN))
    assert ran == [*tasks, *tasks, tasks[0]]
    upkeep(db.connection)
    assert [task for (task,) in db.execute("SELECT task FROM logintel.ml_upkeep ORDER BY ran_at")] == [*tasks[1:], tasks[0]]
    upkeep(db.connection)
    assert [task for (task,) in db.execute("SELECT task FROM logintel.ml_upkeep ORDER BY ran_at")] == tasks


def test_a_task_that_fails_stops_no_other_and_is_told_until_it_succeeds(db: Database) -> None:
    deploy(db)
    add_task(db, "001_fail", "RAISE division_by_zero USING MESSAGE = 'no divisor', HINT = 'give one';")
    db.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    said = upkeep(db.connection)
    assert said == ["upkeep failed to fail: no divisor"]
    assert db.value(COUNTED) == 1
    [(done, failure, since, step)] = db.execute(
        "SELECT done, failure, failing_since, next_step FROM logintel.ml_upkeep WHERE task = 'fail'")
    assert (done, failure, step) == (None, "22012: no divisor", "give one")
    problems = "SELECT \"check\", next_step FROM logintel.doctor() WHERE status = 'problem'"
    assert db.execute(problems) == [("upkeep", "give one")]
    assert ("fail", None) in db.execute("SELECT * FROM logintel.maintain()")
    assert db.value("SELECT failing_since FROM logintel.ml_upkeep WHERE task = 'fail'") == since
    db.execute("CREATE OR REPLACE FUNCTION logintel._task_001_fail() RETURNS bigint LANGUAGE sql AS 'SELECT 7::bigint'")
    upkeep(db.connection)
    assert db.execute("SELECT done, failure, failing_since FROM logintel.ml_upkeep WHERE task = 'fail'") == [(7, None, None)]
    assert db.execute(problems) == []


def test_a_second_one_returns_at_once_and_says_so(db: Database) -> None:
    first = db.connect(autocommit=False)
    first.execute("SELECT logintel.maintain()")
    db.execute("SET lock_timeout = '1 s'")
    assert upkeep(db.connection) == ["another maintain() is running"]
    assert db.execute("SELECT * FROM logintel.maintain()") == []
    first.rollback()
    assert upkeep(db.connect()) == []


def test_what_a_task_did_is_seen_while_a_later_one_runs(db: Database) -> None:
    deploy(db)
    db.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    db.execute("CREATE TABLE gate (open boolean); GRANT ALL ON gate TO PUBLIC")
    add_task(db, "999_wait", "LOCK TABLE public.gate; RETURN 0;")
    holder = db.connect(autocommit=False)
    holder.execute("LOCK TABLE gate")
    running = psycopg.connect(db.dsn, autocommit=True)
    pid = running.info.backend_pid
    thread = threading.Thread(target=running.execute, args=("CALL logintel.maintain('45 s')",))
    thread.start()
    try:
        wait_until(lambda: db.value("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s", (pid,)) == 1)
        assert db.value(COUNTED) == 1
        assert db.value("SELECT count(*) FROM logintel.ml_upkeep WHERE ran_at IS NULL") == 1
        db.execute("SET lock_timeout = '1 s'")
        assert upkeep(db.connect()) == ["another maintain() is running"]
        assert db.value("SELECT count(*) FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == 0  # a task at work is none
        db.execute("UPDATE logintel_internal.locks SET name = name WHERE name <> 'upkeep'")  # nor is any other lock kept
    finally:
        holder.rollback()
        thread.join()
        running.close()


def test_upkeep_waits_for_no_deployment_and_keeps_none_waiting(db: Database) -> None:
    deploy(db)
    insert_new_shapes(db, 20)
    deploying = db.connect(autocommit=False)
    deploying.execute("SELECT logintel._lock_deployments(), logintel._publish_scores()")
    db.execute("SET lock_timeout = '1 s'")
    assert upkeep(db.connection) == []
    assert db.value(COUNTED) == 20
    deploying.commit()


def test_functions_of_others_are_no_tasks(db: Database) -> None:
    role = db.create_role("intruder")
    db.execute(f"GRANT CREATE ON SCHEMA logintel TO {role}")
    db.connect(user=role).execute(
        "CREATE FUNCTION logintel._task_001_steal() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''ran''; END'")
    assert upkeep(db.connection) == []
    assert db.value("SELECT count(*) FROM logintel.ml_upkeep WHERE task = 'steal'") == 0
    db.execute("DROP FUNCTION logintel._task_001_steal()")
    db.execute(f"REVOKE CREATE ON SCHEMA logintel FROM {role}")


@pytest.mark.parametrize("grant", ["grant_work", "grant_manage"])
def test_who_works_or_manages_may_call_it(db: Database, grant: str) -> None:
    role = db.create_role("keeper")
    db.execute(f"SELECT logintel.{grant}(%s)", (role,))
    keeper = db.connect(user=role)
    assert upkeep(keeper) == []
    assert keeper.execute("SELECT count(*) FROM logintel.ml_upkeep WHERE failure IS NOT NULL").fetchall() == [(0,)]


PROBLEMS = "SELECT \"check\", detail FROM logintel.doctor() WHERE status = 'problem' AND \"check\" <> 'models'"


def test_a_task_that_a_statement_timeout_ends_is_told_and_keeps_no_other_from_running(db: Database) -> None:
    tasks = [task for (task,) in db.execute("SELECT task FROM logintel.ml_upkeep")]
    add_task(db, "001_take_too_long", "PERFORM pg_sleep(60); RETURN 0;")
    limited = db.connect()
    limited.execute("SET statement_timeout = '1s'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        limited.execute("CALL logintel.maintain('45 s')")
    [(task, failure, since, ran_at)] = db.execute(
        "SELECT task, failure, failing_since, ran_at FROM logintel.ml_upkeep WHERE failure IS NOT NULL")
    assert (task, ran_at) == ("take too long", None)
    assert failure.startswith("it did not end: a statement_timeout")
    [(check, detail)] = db.execute(PROBLEMS)
    assert check == "upkeep" and "maintain() fails to take too long" in detail
    while {task for (task,) in db.execute("SELECT task FROM logintel.ml_upkeep WHERE ran_at IS NOT NULL")} != set(tasks):
        limited_run(limited)
    assert db.value("SELECT failing_since FROM logintel.ml_upkeep WHERE task = 'take too long'") == since
    db.execute("CREATE OR REPLACE FUNCTION logintel._task_001_take_too_long() RETURNS bigint LANGUAGE sql AS 'SELECT 7::bigint'")
    upkeep(db.connection)
    assert db.execute("SELECT done, failure FROM logintel.ml_upkeep WHERE task = 'take too long'") == [(7, None)]
    assert db.execute(PROBLEMS) == []


def limited_run(connection: psycopg.Connection) -> None:
    """Let a maintain() run that may be ended."""
    with contextlib.suppress(psycopg.OperationalError):
        connection.execute("CALL logintel.maintain('45 s')")


@pytest.mark.parametrize("call", ["CALL logintel.maintain('45 s')", "SELECT * FROM logintel.maintain()"])
def test_under_a_statement_timeout_the_next_call_does_what_one_has_no_time_for(db: Database, call: str) -> None:
    for name in ("001_rest", "002_rest_again", "003_rest_more"):
        add_task(db, name, "PERFORM pg_sleep(1.5); RETURN 0;")
    db.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {db.name} SET statement_timeout = '4s'")
    calls = 0
    while db.value("SELECT count(*) FROM logintel.ml_upkeep WHERE ran_at IS NULL"):
        db.connect().execute(call)  # is not ended
        calls += 1
        assert calls < 50
    assert db.execute(PROBLEMS) == []


def test_a_cancelled_task_is_told_and_so_is_one_whose_session_was_lost(db: Database) -> None:
    add_task(db, "001_take_long", "PERFORM pg_sleep(60); RETURN 0;")
    for ended_by in ("pg_cancel_backend", "pg_terminate_backend"):
        running = psycopg.connect(db.dsn, autocommit=True)
        ended = threading.Thread(target=limited_run, args=(running,))
        db.execute("DELETE FROM logintel_internal.upkeep_tasks")
        ended.start()
        wait_until(lambda pid=running.info.backend_pid: db.value("SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = %s", (pid,)))
        assert db.value("SELECT count(*) FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == 0
        db.execute(f"SELECT {ended_by}(%s)", (running.info.backend_pid,))
        ended.join()
        wait_until(lambda: db.value("SELECT count(*) FROM logintel.ml_upkeep WHERE failure LIKE 'it did not end%%'") == 1)
        running.close()


def test_the_procedure_fails_inside_a_transaction_before_it_has_done_anything(db: Database) -> None:
    add_task(db, "001_shout", "RAISE WARNING 'ran'; RETURN 0;")
    session = db.connect(autocommit=False)
    said: list[str] = []
    session.add_notice_handler(lambda notice: said.append(notice.message_primary))
    with pytest.raises(psycopg.errors.InvalidTransactionTermination):
        session.execute("CALL logintel.maintain('45 s')")
    assert said == []
    assert "autocommit" in db.value("SELECT obj_description('logintel.maintain(interval)'::regprocedure, 'pg_proc')")


@pytest.mark.parametrize("budget", ["300000 years", "-1 s"])
def test_any_budget_is_one(db: Database, budget: str) -> None:
    assert upkeep(db.connection, budget) == []
