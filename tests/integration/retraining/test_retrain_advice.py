"""When a retraining is advised, why, and what a request becomes."""

from dataclasses import replace

import psycopg
import pytest

from logintel_server import tokens
from support.dumps import restore
from support.lines import insert
from support.pending_lines import wait_until
from support.servers import Database
from support.tiny_models import LEVELS, deploy, tiny_model

ADVICE = "SELECT advised, reasons, waits_for FROM logintel.ml_retrain_advice WHERE name = %s"
ADVISED = "SELECT name FROM logintel.ml_retrain_advice WHERE advised"
REQUESTS = "SELECT id, names, outcome FROM logintel.ml_retrainings ORDER BY id"


def write(db: Database, lines: int, *levels: str, message: str = "started") -> None:
    """Write lines that declare these levels, as often each, and count them."""
    for n, level in enumerate(levels):
        insert(db, *[message] * len(range(n, lines, len(levels))), level=level)
    db.execute("SELECT * FROM logintel.maintain()")


def deploy_own(db: Database, **metadata: object) -> None:
    """Deploy a level model that takes the words of tiny_models for what they are, with more metadata."""
    model = tiny_model()
    deploy(db, replace(model, metadata=model.metadata | {"tokens_version": tokens.VERSION} | metadata))


def judge(db: Database, verdicts: int, true_level: str) -> None:
    """Give a verdict on each of so many lines."""
    db.execute("SELECT logintel.give_feedback(l.id, true_level => %s) FROM log_entries l ORDER BY l.id DESC LIMIT %s",
               (true_level, verdicts))


def reasons(db: Database, name: str = "level") -> list[str]:
    [(advised, found, _)] = db.execute(ADVICE, (name,))
    assert advised == bool(found)
    return found


@pytest.mark.parametrize(("lines", "levels", "advised"), [
    (1000, ("INFO", "err"), True), (999, ("INFO", "err"), False), (1000, ("INFO",), False), (1000, ("INFO", "?"), False),
])
def test_lines_of_two_levels_speak_for_replacing_a_default_model(
    fresh_db: Database, lines: int, levels: tuple[str, ...], advised: bool
) -> None:
    write(fresh_db, lines, *levels)
    assert fresh_db.execute(ADVISED) == ([("level",)] if advised else [])
    if advised:
        assert reasons(fresh_db) == [
            "a default model is in force, which does not know your lines: 1,000 of them declare one of 2 levels"]
        assert fresh_db.execute("SELECT is_default, version, new_lines, new_verdicts, data FROM logintel.ml_retrain_advice "
                                "WHERE name = 'level'") == [
            (True, 1, 1000, 0, "the latest 1,000 of 1,000 lines of public.log_entries, 0 verdicts since the last training")]


def test_fifty_new_verdicts_speak_for_it(db: Database) -> None:
    deploy_own(db)
    write(db, 51, "ERROR", message="failed")
    judge(db, 49, "ERROR")
    assert reasons(db) == []
    judge(db, 50, "ERROR")
    assert reasons(db) == ["50 verdicts since it was trained"]
    deploy_own(db, trained_at="2100-01-01T00:00:00+00:00")
    assert reasons(db) == []


@pytest.mark.parametrize(("wrong", "right", "spoken_for"), [(3, 17, True), (2, 18, False), (3, 16, False)])
def test_being_wrong_more_often_than_recorded_speaks_for_it(db: Database, wrong: int, right: int, spoken_for: bool) -> None:
    deploy_own(db, accuracy=0.95)
    write(db, right, "ERROR", message="failed")
    judge(db, right, "ERROR")
    write(db, wrong, "ERROR", message="started")
    judge(db, wrong, "ERROR")
    assert reasons(db) == ["right in 85% of 20 verdicts since it was trained, and in 95% when it was"] * spoken_for


def test_another_version_of_what_models_read_speaks_for_it(db: Database) -> None:
    assert db.value("SELECT logintel._tokens_version()") == tokens.VERSION
    for outdated in ({"shape_version": 0}, {"tokens_version": tokens.VERSION - 1}):
        deploy_own(db, **outdated)
        assert reasons(db) == ["it was trained with another version of shapes or tokens"]
    deploy_own(db)
    assert reasons(db) == []


def test_ten_times_the_lines_speak_for_it_where_all_were_learnt_from(db: Database) -> None:
    write(db, 1, "INFO")
    deploy_own(db, samples={"lines": 100})
    write(db, 998, "INFO")
    db.execute("SELECT logintel.backfill()")
    write(db, 0, "INFO")
    assert reasons(db) == []
    write(db, 1, "INFO")
    assert reasons(db) == ["it was trained on 100 lines and there are 1,000"]
    deploy_own(db, samples={"lines": 100}, trained_with={"lines": 100})  # of more, it would learn from no more
    assert reasons(db) == []


def test_drift_on_the_latest_day_speaks_for_it(db: Database) -> None:
    deploy_own(db)
    # A table in the place of the view: how drift comes about is not what is tested here.
    db.execute("ALTER VIEW logintel.ml_drift RENAME TO real_drift")
    db.execute("CREATE TABLE logintel.ml_drift (name text, version int, day date, service text, measure text, value float8, state text)")
    db.execute("GRANT SELECT ON logintel.ml_drift TO PUBLIC")
    db.execute("INSERT INTO logintel.ml_drift VALUES ('level', 1, '2026-01-01', '', 'classes', 0.5, 'drift'), "
               "('level', 1, '2026-01-02', '', 'classes', 0.1, 'none'), ('level', 2, '2026-01-03', '', 'classes', 0.5, 'drift')")
    assert reasons(db) == []
    db.execute("INSERT INTO logintel.ml_drift VALUES ('level', 1, '2026-01-03', '', 'classes', 0.312, 'drift'), "
               "('level', 1, '2026-01-03', 'shop', 'new_templates', 0.5, 'drift'), ('level', 1, '2026-01-03', 'bank', 'classes', 0.2, 'watch')")
    assert reasons(db) == ["drift on 2026-01-03: new_templates of shop 0.50, classes 0.31"]


def test_a_running_test_is_waited_for(fresh_db: Database) -> None:
    write(fresh_db, 1000, *(level for _, level in LEVELS))
    deploy_version_two(fresh_db)
    test = fresh_db.value("SELECT logintel.start_ab_test('level', 2)")
    [(advised, found, waits_for)] = fresh_db.execute(ADVICE, ("level",))
    assert (advised, len(found), waits_for) == (False, 1, f"A/B test {test} to end")
    assert fresh_db.value("SELECT logintel.request_retraining()") is None


def deploy_version_two(db: Database) -> None:
    """Register an own level model beside the default one, which stays in force."""
    deploy(db, tiny_model())
    db.execute("SELECT logintel.rollback('level')")


def test_what_led_to_nothing_is_not_tried_again_at_once(fresh_db: Database) -> None:
    db = fresh_db
    write(db, 1000, "INFO", "ERROR", message="started")

    def retrain_with(outcome: str) -> None:
        retraining = db.value("SELECT logintel._begin_retraining()")
        assert retraining is not None
        db.execute("SELECT logintel._finish_retraining(%s, %s)", (retraining, outcome))

    retrain_with("failed: the lights went out")
    assert db.execute(ADVISED) == [("level",)]
    retrain_with("level refused")
    [(advised, _, waits_for)] = db.execute(ADVICE, ("level",))
    assert not advised
    assert waits_for.startswith("50 verdicts or 20") and waits_for.endswith(", since retraining 2 changed nothing")
    assert db.value("SELECT last_outcome FROM logintel.ml_retrain_advice WHERE name = 'level'") == "level refused"
    assert db.value("SELECT logintel._begin_retraining()") is None
    judge(db, 50, "INFO")
    assert db.execute(ADVISED) == [("level",)]
    retrain_with("level refused")
    assert db.execute(ADVISED) == []
    db.execute("UPDATE logintel_internal.retrainings SET finished_at = finished_at - interval '7 days'")
    assert db.execute(ADVISED) == [("level",)]


def test_a_request_is_open_until_it_is_done(fresh_db: Database) -> None:
    db = fresh_db
    assert db.value("SELECT logintel.request_retraining()") is None
    assert db.execute(REQUESTS) == []
    write(db, 1000, "INFO", "ERROR")
    assert [db.value("SELECT logintel.request_retraining()") for _ in range(2)] == [1, 1]
    assert db.value("SELECT logintel.request_retraining('{anomaly,level}')") == 1
    assert db.execute(REQUESTS) == [(1, ["level", "anomaly"], None)]
    assert db.value("SELECT reasons FROM logintel.ml_retrainings")[0].startswith("level: a default model is in force")
    assert db.value("SELECT logintel._begin_retraining()") == 1
    assert db.value("SELECT logintel.request_retraining()") == 1  # it runs
    db.execute("SELECT logintel._finish_retraining(1, 'level refused; anomaly refused')")
    assert db.value("SELECT logintel.request_retraining('{category}')") == 2
    for query, message in (("SELECT logintel._finish_retraining(1, 'again')", "retraining 1 is not running"),
                           ("SELECT logintel.request_retraining('{levels}')", 'unknown model name "levels"'),
                           ("SELECT logintel._begin_retraining('{}')", "unknown model name")):
        with pytest.raises(psycopg.Error, match=message):
            db.execute(query)


def test_one_runs_at_a_time_and_one_whose_session_ended_is_over(db: Database) -> None:
    session = db.connect()
    assert session.execute("SELECT logintel._begin_retraining('{level}', force => true)").fetchall() == [(1,)]
    with pytest.raises(psycopg.errors.ObjectInUse, match="retraining 1 has been running since"):
        db.execute("SELECT logintel._begin_retraining(force => true)")
    pid = session.info.backend_pid
    session.close()
    wait_until(lambda: db.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", (pid,)) == 0)
    assert db.value("SELECT logintel._begin_retraining(force => true)") == 2
    assert db.execute(REQUESTS) == [(1, ["level"], "failed: interrupted"), (2, ["level", "category", "anomaly"], None)]


@pytest.mark.local_only  # pg_dump must be as new as the server
def test_a_dump_brings_retrainings_along(db: Database, empty_db: Database) -> None:
    db.execute("SELECT logintel._begin_retraining(force => true)")
    db.execute("SELECT logintel._finish_retraining(1, 'level refused', '{\"lines\": 7}')")
    db.execute("SELECT logintel._begin_retraining(force => true)")
    restore(db, empty_db)
    assert empty_db.execute("SELECT * FROM logintel.ml_retrainings") == db.execute("SELECT * FROM logintel.ml_retrainings")
    assert empty_db.value("SELECT logintel.request_retraining('{level}')") == 3
    assert empty_db.execute(REQUESTS)[1:] == [(2, ["level", "category", "anomaly"], "failed: interrupted"), (3, ["level"], None)]


def test_who_manages_may_request_and_who_reads_may_only_look(fresh_db: Database) -> None:
    manager, reader = fresh_db.create_role("manager"), fresh_db.create_role("reader")
    fresh_db.execute("SELECT logintel.grant_manage(%s)", (manager,))
    fresh_db.execute("SELECT logintel.grant_read(%s)", (reader,))
    write(fresh_db, 1000, "INFO", "ERROR")
    assert fresh_db.connect(user=manager).execute("SELECT logintel.request_retraining()").fetchall() == [(1,)]
    session = fresh_db.connect(user=reader)
    assert session.execute(ADVISED).fetchall() == [("level",)]
    assert session.execute("SELECT names, requested_by FROM logintel.ml_retrainings").fetchall() == [(["level"], manager)]
    for call in ("request_retraining()", "_begin_retraining()", "_finish_retraining(1, 'done')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(f"SELECT logintel.{call}")
