"""What A/B tests count and score between the runs of the upkeep, and what they leave alone."""

import psycopg
import pytest

from support.servers import Database
from support.two_versions import maintain, results, start, weak_and_strong, write


@pytest.fixture
def two(db: Database) -> Database:
    """The weak model in force, the strong one registered."""
    weak_and_strong(db)
    return db


def test_each_line_counts_once_wherever_it_stands_between_write_and_test(two: Database) -> None:
    write(two, "bad", range(3))
    start(two)
    write(two, "bad", range(5))
    assert results(two, "lines")[0] == (5,)  # not rolled up
    two.execute("SELECT logintel._roll_up()")
    assert results(two, "lines")[0] == (5,)  # rolled up, and not read by the tests
    for _ in range(2):
        maintain(two)
        assert results(two, "lines", "lines_compared") == [(5, 5)] * 2
    write(two, "bad", range(5, 7))
    maintain(two)
    assert results(two, "lines", "lines_compared") == [(7, 7)] * 2


def test_lines_that_are_counted_afresh_are_no_evidence(two: Database) -> None:
    write(two, "bad", range(3))
    start(two)
    write(two, "bad", range(5))
    maintain(two)
    two.execute("TRUNCATE logintel_internal.hourly_counts, logintel_internal.score_totals")
    two.execute("UPDATE logintel_internal.rollup_state SET counted = NULL")  # as where a dump was restored
    assert results(two, "lines")[0] == (5,)
    maintain(two)
    write(two, "bad", range(2))
    maintain(two)
    assert results(two, "lines")[0] == (7,)


def test_a_split_tests_challenger_learns_what_the_champion_meets(two: Database) -> None:
    start(two, ", share => 0.5")
    write(two, "bad", range(40))
    maintain(two)
    unknown = ("SELECT count(*) FROM logintel_internal.scores s WHERE s.model_set_id = 1 AND NOT EXISTS (SELECT FROM "
               "logintel_internal.scores k WHERE k.model_set_id = 2 AND k.shape_hash = s.shape_hash)")
    assert two.value("SELECT count(*) FROM logintel_internal.scores WHERE model_set_id = 1") > 0
    assert two.value(unknown) == 0


def test_who_stops_a_test_that_does_not_run_is_told_what_does(two: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedObject) as refused:
        two.execute("SELECT logintel.stop_ab_test('level')")
    assert refused.value.diag.message_hint == "Start one: SELECT logintel.start_ab_test(name, challenger)."
    start(two)
    with pytest.raises(psycopg.errors.UndefinedObject) as refused:
        two.execute("SELECT logintel.stop_ab_test('category')")
    assert refused.value.diag.message_hint == "Running: level."
