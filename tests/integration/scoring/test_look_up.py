"""The look-up of known shapes: by the index for each line, whatever the planner knew when it made the plan."""

import psycopg
import pytest

from support.servers import Database
from support.tiny_models import deploy, tiny_model
from support.two_versions import start, weak_and_strong, write

KNOWN = "'known ' || translate(i::text, '0123456789', 'abcdefghij')"
EXPLAIN = (
    "LOAD 'auto_explain'", "SET auto_explain.log_min_duration = 0", "SET auto_explain.log_nested_statements = on",
    "SET client_min_messages = log",
)  # fmt: skip


def insert(session: psycopg.Connection, first: int, last: int, message: str = KNOWN) -> None:
    session.execute(f"INSERT INTO log_entries (message) SELECT {message} FROM generate_series({first}, {last}) i")


def plans(session: psycopg.Connection, first: int, last: int, message: str = KNOWN) -> list[str]:
    """Insert lines and return the plans of all statements that this ran on scores."""
    notices: list[str] = []
    session.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    for statement in EXPLAIN:
        session.execute(statement)
    insert(session, first, last, message)
    return [notice for notice in notices if " on scores" in notice]


def assert_looked_up_by_index(plan: str, index: str = "scores_canonical_key") -> None:
    """Check that scores are found by set and hash alone, one by one."""
    assert plan.count(" on scores") == plan.count(f"using {index} on scores") > 0
    for condition in plan.split(f"using {index} on scores")[1:]:
        assert "Index Cond: ((model_set_id = " in condition and " AND (shape_hash = " in condition
    assert "Hash Join" not in plan and "Merge Join" not in plan and "Seq Scan on scores" not in plan


@pytest.fixture
def scoring_db(db: Database) -> Database:
    """The tiny model in force, which knows no shape yet."""
    deploy(db, tiny_model())
    return db


@pytest.fixture
def known_db(scoring_db: Database) -> Database:
    """3,000 shapes that the model in force knows, and statistics of them."""
    insert(scoring_db.connection, 1, 3_000)
    scoring_db.execute("SELECT logintel.maintain()")
    scoring_db.execute("ANALYZE logintel_internal.scores")
    return scoring_db


@pytest.mark.parametrize("lines", [1, 1_000, 3_000])
def test_lines_find_their_scores_by_the_index_however_many_there_are(known_db: Database, lines: int) -> None:
    [plan] = plans(known_db.connect(), 1, lines)
    assert_looked_up_by_index(plan)


def test_a_session_of_large_batches_finds_one_line_by_the_index(known_db: Database) -> None:
    session = known_db.connect()
    for _ in range(8):
        insert(session, 1, 1_000)
    [plan] = plans(session, 7, 7)
    assert_looked_up_by_index(plan)


def test_a_set_that_the_statistics_do_not_know_is_looked_up_by_the_index(known_db: Database) -> None:
    deploy(known_db, tiny_model("level"))
    for lines in (1, 100):
        [plan] = plans(known_db.connect(), 1, lines)
        assert_looked_up_by_index(plan)


def test_plans_made_for_a_tiny_table_are_right_when_it_has_grown(scoring_db: Database) -> None:
    insert(scoring_db.connection, 1, 8)
    scoring_db.execute("ANALYZE logintel_internal.scores")
    session = scoring_db.connect()
    for i in range(9, 30):
        insert(session, i, i)
    hot, *cold = plans(session, 30, 30)
    assert_looked_up_by_index(hot)
    assert len(cold) == 3  # the shapes that nobody knows, their scores, and the predictions
    for plan in cold:
        if not plan.startswith("Query Text: \n    INSERT INTO logintel_internal.scores"):
            assert "Seq Scan on scores" not in plan and "Hash Join" not in plan, plan


def test_a_line_of_a_split_test_is_looked_up_by_the_index(db: Database) -> None:
    weak_and_strong(db)
    write(db, "bad", range(10))
    start(db, ", share => 0.3")
    [plan] = [p for p in plans(db.connect(), 1, 1, "'bad a'") if "scores_canonical_key" in p]
    assert_looked_up_by_index(plan)


def test_lines_that_are_left_out_are_noted_and_only_they_are_scored_again(scoring_db: Database) -> None:
    """One statement of known and new shapes: whichever order they come in, each line has one prediction."""
    insert(scoring_db.connection, 1, 5)
    scoring_db.execute("SELECT logintel.maintain()")
    for message in (KNOWN, f"CASE WHEN i % 2 = 0 THEN 'new ' || i % 7 || chr(97 + i % 5) ELSE {KNOWN} END"):
        insert(scoring_db.connection, 1, 5, message)
    insert(scoring_db.connection, 4, 9)
    assert scoring_db.value("SELECT count(*) = count(DISTINCT id) FROM ml_predictions") is True
    assert (
        scoring_db.value("SELECT count(*) FROM ml_predictions")
        == scoring_db.value("SELECT count(*) FROM log_entries")
        == 21
    )
    assert scoring_db.value("SELECT count(*) FROM logintel_internal.pending") == 0


def test_the_write_path_is_short_enough_to_read(scoring_db: Database) -> None:
    body = scoring_db.value("SELECT logintel._hot_path(0, 'new_lines', '1')")
    assert len(body.splitlines()) <= 45
