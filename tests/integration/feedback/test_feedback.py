"""Verdicts of people: rows with a history, one of them current, on lines and on templates, and what readers see of them."""

import threading
from dataclasses import replace

import psycopg
import pytest
from psycopg import IsolationLevel

from support.servers import Database
from support.tiny_models import deploy, register, tiny_model

CURRENT = (
    "SELECT scope, log_entry_id, (shape).template, declared_level, true_level, true_category, is_anomaly, note "
    "FROM logintel_internal.feedback WHERE is_current ORDER BY id"
)
SHOWN = "SELECT log_entry_id, predicted_level, true_level FROM ml_corrections ORDER BY log_entry_id"


@pytest.fixture
def lines_db(db: Database) -> Database:
    """Lines 1 to 6: three of a template that is corrected, two of another one, one that nobody would correct."""
    deploy(db)
    db.execute(
        "INSERT INTO log_entries (level, message, service) VALUES "
        "('info', 'job 1 failed', 'a'), ('INFO', 'job 2 failed', 'b'), ('DEBUG', 'job 3 failed', 'a'), "
        "('INFO', 'node 1 panicked', 'a'), ('INFO', 'node 2 panicked', 'a'), ('ERROR', 'job 4 failed', 'a')"
    )
    return db


def test_a_newer_verdict_adds_to_the_one_before_and_both_stay(lines_db: Database) -> None:
    first = lines_db.value("SELECT logintel.give_feedback(1, true_level => ' Warning ', note => 'by eye')")
    second = lines_db.value("SELECT logintel.give_feedback(1, true_category => ' Jobs ')")
    third = lines_db.value("SELECT logintel.give_feedback(1, is_anomaly => false, note => ' ')")
    fourth = lines_db.value("SELECT logintel.give_feedback(1, true_level => 'FATAL')")
    assert first < second < third < fourth
    assert lines_db.execute(CURRENT) == [("line", 1, "job <*> failed", None, "FATAL", "Jobs", False, None)]
    assert lines_db.execute(
        "SELECT true_level, true_category, is_anomaly, note, is_current FROM logintel.ml_feedback"
    ) == [
        ("FATAL", "Jobs", False, None, True),
        ("WARN", "Jobs", False, None, False),
        ("WARN", "Jobs", None, None, False),
        ("WARN", None, None, "by eye", False),
    ]
    assert lines_db.value("SELECT bool_and(given_by = session_user AND given_at <= now()) FROM logintel_internal.feedback")


def test_what_feedback_cannot_be_is_said_with_the_next_step(lines_db: Database) -> None:
    for arguments, message, hint in (
        ("1", "the feedback on line 1 says nothing", "Give true_level"),
        ("1, true_category => '  '", "the feedback on line 1 says nothing", "Give true_level"),
        ("1, 'gelb'", 'there is no level "gelb"', "level_names"),
        ("1, ''", 'there is no level ""', "level_names"),
        ("99, 'ERROR'", "there is no log line 99", "key of a line"),
        ("NULL, 'ERROR'", "there is no log line", "key of a line"),
        ("1, true_category => repeat('x', 101)", 'the category "xxxxxxxxxxxxxxxxxxxx..." has 101 characters', "100"),
        ("1, 'ERROR', note => repeat('x', 10001)", "the note of the feedback has 10001 characters", "10000"),
    ):
        with pytest.raises(psycopg.Error) as caught:
            lines_db.execute(f"SELECT logintel.give_feedback({arguments})")
        assert message in caught.value.diag.message_primary
        assert hint in caught.value.diag.message_hint
    assert lines_db.execute("SELECT * FROM logintel_internal.feedback") == []


def test_lines_without_level_or_message_can_be_judged_whatever_their_key(db: Database) -> None:
    for key in ("smallint", "integer", "bigint"):
        db.execute("SELECT logintel.detach()")
        db.execute(f"CREATE TABLE of_{key} (no {key} PRIMARY KEY, message text, level text)")
        db.execute(f"""SELECT logintel.attach('of_{key}', '{{"id": "no"}}')""")
        db.execute(f"INSERT INTO of_{key} VALUES (1, NULL, NULL), (2, 'Größe 数据 7', 'gelb')")
        for line in (1, 2):
            db.execute(f"SELECT logintel.give_feedback({line}, 'ERROR'), "
                       f"logintel.give_feedback({line}, is_anomaly => true, whole_template => true)")
        assert [row[:5] for row in db.execute(CURRENT) if row[1]] == [
            ("line", 1, "", None, "ERROR"), ("template", 1, "", None, None),
            ("line", 2, "Größe 数据 <*>", None, "ERROR"), ("template", 2, "Größe 数据 <*>", None, None),
        ]


def test_a_verdict_on_a_template_speaks_of_all_its_lines_where_none_is_nearer(lines_db: Database) -> None:
    lines_db.execute("SELECT logintel.give_feedback(1, 'WARN', whole_template => true)")
    lines_db.execute("SELECT logintel.give_feedback(2, 'FATAL')")
    assert lines_db.execute(SHOWN) == [
        (1, "ERROR", "WARN"), (2, "ERROR", "FATAL"), (3, "ERROR", "WARN"), (4, "FATAL", None), (5, "FATAL", None),
    ]
    assert lines_db.value("SELECT count(given_at) FROM logintel_internal._score_truth") == 4, "each score of the template"
    assert lines_db.execute("SELECT log_entry_id, true_level FROM logintel_internal._line_truth") == [(2, "FATAL")]


def test_corrections_are_rejected_by_template_and_declared_level(lines_db: Database) -> None:
    assert lines_db.value("SELECT logintel.reject_corrections('job <*> failed', 'they are retried')") == 3
    assert [row[:5] + row[7:] for row in lines_db.execute(CURRENT)] == [
        ("template", None, "job <*> failed", "DEBUG", "DEBUG", "they are retried"),
        ("template", None, "job <*> failed", "INFO", "INFO", "they are retried"),
    ]
    assert [row[0] for row in lines_db.execute(SHOWN)] == [4, 5]
    assert lines_db.value("SELECT corrections FROM ml_stats") == 5, "statistics stay what the models say"
    lines_db.execute("INSERT INTO log_entries (level, message) VALUES ('info', 'job 9 failed')")
    assert [row[0] for row in lines_db.execute(SHOWN)] == [4, 5], "lines to come are rejected too"


def test_a_line_whose_own_verdict_says_otherwise_is_not_rejected_with_its_template(lines_db: Database) -> None:
    lines_db.execute("SELECT logintel.give_feedback(1, 'ERROR'), logintel.give_feedback(5, 'INFO')")
    lines_db.execute("SELECT logintel.reject_corrections('job <*> failed')")
    assert lines_db.execute(SHOWN) == [(1, "ERROR", "ERROR"), (4, "FATAL", None)]
    lines_db.execute("SELECT logintel.maintain()")
    assert lines_db.execute(SHOWN) == [(1, "ERROR", "ERROR"), (4, "FATAL", None)]
    lines_db.execute("SELECT logintel.give_feedback(1, is_anomaly => true), logintel.withdraw_feedback(5)")
    assert lines_db.execute(SHOWN) == [(1, "ERROR", "ERROR"), (4, "FATAL", None), (5, "FATAL", None)]


def test_accepted_corrections_stay_and_say_so_and_one_may_think_again(lines_db: Database) -> None:
    assert lines_db.value("SELECT logintel.accept_corrections('job <*> failed')") == 3
    assert lines_db.execute(SHOWN)[:3] == [(1, "ERROR", "ERROR"), (2, "ERROR", "ERROR"), (3, "ERROR", "ERROR")]
    assert lines_db.value("SELECT logintel.reject_corrections('job <*> failed')") == 3
    assert lines_db.value("SELECT logintel.accept_corrections('job <*> failed', 'after all')") == 3
    assert [row[3:5] + row[7:] for row in lines_db.execute(CURRENT)] == [
        ("DEBUG", "ERROR", "after all"), ("INFO", "ERROR", "after all")]
    assert lines_db.value("SELECT count(*) FROM logintel_internal.feedback") == 6


def test_what_most_lines_are_predicted_is_accepted(db: Database) -> None:
    model = tiny_model("level", (("service=a", "FATAL"), ("service=b", "ERROR"), ("service=c", "WARN")), "context")
    golden = [case | {"shape": case["shape"] | {"template": "", "service": case["shape"]["template"][-1]}} for case in model.golden]
    deploy(db, replace(model, golden=golden))
    db.execute("INSERT INTO log_entries (level, message, service) SELECT 'INFO', 'node ' || n || ' says x', s FROM "
               "(VALUES ('a', 3), ('b', 4), ('c', 2)) AS t (s, lines), generate_series(1, lines) AS n")
    assert db.value("SELECT logintel.accept_corrections('node <*> says x')") == 9
    assert [row[2:5] for row in db.execute(CURRENT)] == [("node <*> says x", "INFO", "ERROR")]
    assert db.value("SELECT service FROM logintel.ml_feedback") == "b"


def test_what_is_not_corrected_cannot_be_accepted_or_rejected(lines_db: Database) -> None:
    for function in ("accept_corrections", "reject_corrections"):
        for uncorrected in ("server started", "no such thing", None):
            with pytest.raises(psycopg.errors.NoDataFound) as caught:
                lines_db.execute(f"SELECT logintel.{function}(%s)", (uncorrected,))
            assert "is corrected" in caught.value.diag.message_primary
            assert "ml_corrections" in caught.value.diag.message_hint


def test_the_level_of_a_whole_template_takes_the_place_of_what_was_said_of_some_of_its_lines(lines_db: Database) -> None:
    lines_db.execute("SELECT logintel.accept_corrections('job <*> failed')")
    lines_db.execute("SELECT logintel.give_feedback(1, true_category => 'Jobs', whole_template => true)")
    assert len(lines_db.execute(CURRENT)) == 3
    lines_db.execute("SELECT logintel.give_feedback(1, 'WARN', whole_template => true)")
    assert [row[3:6] for row in lines_db.execute(CURRENT)] == [(None, "WARN", "Jobs")]
    assert lines_db.execute(SHOWN)[0] == (1, "ERROR", "WARN")


def test_a_withdrawn_verdict_is_history(lines_db: Database) -> None:
    lines_db.execute("SELECT logintel.give_feedback(1, 'INFO'), logintel.accept_corrections('job <*> failed')")
    assert lines_db.value("SELECT logintel.withdraw_feedback(1)") == 1
    assert lines_db.value("SELECT logintel.withdraw_feedback(6, whole_template => true)") == 2
    assert lines_db.execute(CURRENT) == []
    assert [row[2] for row in lines_db.execute(SHOWN)] == [None] * 5
    assert lines_db.execute("SELECT is_current, count(*) FROM logintel.ml_feedback GROUP BY 1") == [(False, 3)]
    for arguments in ("1", "1, whole_template => true", "99"):
        with pytest.raises(psycopg.errors.NoDataFound, match="there is no current verdict on ") as caught:
            lines_db.execute(f"SELECT logintel.withdraw_feedback({arguments})")
        assert "ml_feedback" in caught.value.diag.message_hint


def test_the_verdict_on_a_deleted_line_stays_and_is_of_no_other_line(lines_db: Database) -> None:
    lines_db.execute("SELECT logintel.give_feedback(4, 'INFO')")
    assert [row[0] for row in lines_db.execute(SHOWN)] == [1, 2, 3, 5]
    lines_db.execute("DELETE FROM log_entries WHERE id = 4")
    lines_db.execute("INSERT INTO log_entries (id, level, message) OVERRIDING SYSTEM VALUE VALUES (4, 'INFO', 'disk failed')")
    assert (4, "ERROR", None) in lines_db.execute(SHOWN)
    assert lines_db.execute("SELECT * FROM logintel_internal._line_truth") == []
    lines_db.execute("SELECT logintel.give_feedback(4, 'ERROR')")
    assert [row[1:5] for row in lines_db.execute(CURRENT)] == [
        (4, "node <*> panicked", None, "INFO"), (4, "disk failed", None, "ERROR")]
    assert lines_db.execute("SELECT log_entry_id, true_level FROM logintel_internal._line_truth") == [(4, "ERROR")]
    lines_db.execute("DELETE FROM log_entries WHERE id = 4")
    assert lines_db.value("SELECT logintel.withdraw_feedback(4)") == 2


@pytest.mark.parametrize("ending", ["SELECT logintel.detach()", "TRUNCATE log_entries"])
def test_verdicts_outlive_the_log_table(lines_db: Database, ending: str) -> None:
    lines_db.execute("SELECT logintel.give_feedback(1, 'ERROR'), logintel.give_feedback(2, 'WARN', whole_template => true)")
    lines_db.execute(ending)
    assert [row[:5] for row in lines_db.execute(CURRENT)] == [
        ("line", None, "job <*> failed", None, "ERROR"), ("template", None, "job <*> failed", None, "WARN")]


def test_readers_see_what_the_models_in_force_say_of_each_verdict(lines_db: Database) -> None:
    lines_db.execute("SELECT logintel.give_feedback(1, 'ERROR'), logintel.give_feedback(2, 'INFO'), "
                     "logintel.give_feedback(3, true_category => 'Jobs'), logintel.give_feedback(4, 'FATAL', is_anomaly => true, "
                     "whole_template => true), logintel.give_feedback(5, 'FATAL', is_anomaly => false)")
    query = ("SELECT scope, log_entry_id, service, declared_level, predicted_level, predicted_category, predicted_anomaly, agrees "
             "FROM logintel.ml_feedback ORDER BY id")
    assert lines_db.execute(query) == [
        ("line", 1, "a", "INFO", "ERROR", None, False, True),
        ("line", 2, "b", "INFO", "ERROR", None, False, False),
        ("line", 3, "a", "DEBUG", "ERROR", None, False, None),
        ("template", 4, "a", None, "FATAL", None, True, True),
        ("line", 5, "a", "INFO", "FATAL", None, True, False),
    ]
    lines_db.execute("SELECT logintel.maintain()")
    register(lines_db, tiny_model("level", (("failed", "INFO"), ("panicked", "FATAL"))))
    lines_db.execute("SELECT logintel.deploy('level')")
    assert [row[-1] for row in lines_db.execute(query)] == [False, True, None, True, False]


def test_managers_give_feedback_and_readers_read_it(lines_db: Database) -> None:
    manager, reader = (lines_db.create_role(name) for name in ("manager", "reader"))
    lines_db.execute("SELECT logintel.grant_manage(%s::regrole), logintel.grant_read(%s::regrole)", (manager, reader))
    session = lines_db.connect(user=manager)
    for query in ("give_feedback(1, 'ERROR')", "withdraw_feedback(1)", "accept_corrections('job <*> failed')",
                  "reject_corrections('node <*> panicked')"):
        session.execute(f"SELECT logintel.{query}")
    session = lines_db.connect(user=reader)
    assert session.execute("SELECT DISTINCT given_by FROM logintel.ml_feedback").fetchall() == [(manager,)]
    assert len(session.execute("SELECT * FROM logintel.ml_corrections").fetchall()) == 3
    for query in ("SELECT logintel.give_feedback(1, 'ERROR')", "SELECT logintel.withdraw_feedback(6, true)",
                  "SELECT logintel.reject_corrections('job <*> failed')", "SELECT * FROM logintel_internal.feedback",
                  "SELECT * FROM logintel_internal._line_truth", "SELECT * FROM logintel_internal._score_truth"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(query)


def test_two_who_judge_the_same_at_once_are_both_heard(lines_db: Database) -> None:
    for whole_template in (False, True):
        first, second = (lines_db.connect(autocommit=False) for _ in range(2))
        first.execute("SELECT logintel.give_feedback(1, 'ERROR', whole_template => %s)", (whole_template,))
        thread = threading.Thread(target=give_and_commit, args=(second, whole_template))
        thread.start()
        while not lines_db.value("SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'logintel_internal.feedback'::regclass AND NOT granted)"):
            assert thread.is_alive()
        first.commit()
        thread.join(30)
    assert [row[0:1] + row[4:6] for row in lines_db.execute(CURRENT)] == [("line", "ERROR", "Jobs"), ("template", "ERROR", "Jobs")]
    assert lines_db.value("SELECT count(*) FROM logintel_internal.feedback") == 4


def give_and_commit(session: psycopg.Connection, whole_template: bool) -> None:
    session.execute("SELECT logintel.give_feedback(1, true_category => 'Jobs', whole_template => %s)", (whole_template,))
    session.commit()


def test_who_cannot_see_what_the_other_said_is_asked_to_retry(lines_db: Database) -> None:
    lines_db.execute("SELECT logintel.give_feedback(1, true_category => 'Jobs'), logintel.give_feedback(2, true_category => 'Jobs')")
    for line, isolation in ((1, IsolationLevel.REPEATABLE_READ), (2, IsolationLevel.SERIALIZABLE),
                            (3, IsolationLevel.REPEATABLE_READ), (4, IsolationLevel.SERIALIZABLE)):
        session = lines_db.connect(autocommit=False)
        session.isolation_level = isolation
        session.execute("SELECT count(*) FROM logintel_internal.feedback")
        lines_db.execute("SELECT logintel.give_feedback(%s, is_anomaly => true)", (line,))
        with pytest.raises(psycopg.errors.SerializationFailure):
            session.execute("SELECT logintel.give_feedback(%s, 'ERROR')", (line,))
        session.rollback()
        session.execute("SELECT logintel.give_feedback(%s, 'ERROR')", (line,))
        session.commit()
    assert [row[1:2] + row[4:7] for row in lines_db.execute(CURRENT)] == [
        (1, "ERROR", "Jobs", True), (2, "ERROR", "Jobs", True), (3, "ERROR", None, True), (4, "ERROR", None, True)]


def test_a_template_of_very_many_lines_is_judged_by_its_scores(lines_db: Database) -> None:
    lines_db.execute("INSERT INTO log_entries (level, message) SELECT 'INFO', 'job ' || g || ' failed' FROM generate_series(1, 20000) g")
    lines_db.execute("SELECT logintel.maintain()")
    read = ("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables "
            "WHERE relid IN (SELECT relid FROM pg_partition_tree('log_entries'))")
    with lines_db.connect(autocommit=False) as session:
        assert session.execute("SELECT logintel.reject_corrections('job <*> failed')").fetchone() == (20003,)
        assert session.execute(read).fetchone() == (0,), "no line is read"
    assert [row[0] for row in lines_db.execute(SHOWN)] == [4, 5]
