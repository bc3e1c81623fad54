"""Split tests: the challenger serves a fixed share of the lines, always the same ones, from the commit of the start on."""

import random
import threading

import psycopg
import pytest
from psycopg import IsolationLevel
from scipy import stats

from logintel.worker.scoring import score_batch
from support.dumps import restore
from support.lines import insert_new_shapes
from support.pending_lines import assert_every_line_is_scored_once, defer, wait_until
from support.servers import Database
from support.tables import MODELS, SCORES, at_most_rows_are_read
from support.tiny_models import deploy, tiny_model
from support.two_versions import STRONG, WEAK, maintain, outcome, results, start, weak_and_strong, write

ARMS = "SELECT log_entry_id, model_version FROM ml_predictions ORDER BY 1"
CHALLENGED = "SELECT i, logintel._in_share(i, %s, %s) FROM generate_series(1, %s) i"


@pytest.fixture
def two(db: Database) -> Database:
    """The weak model in force, which knows ten shapes, and the strong one registered."""
    weak_and_strong(db)
    write(db, "bad", range(10))
    maintain(db)
    db.execute("TRUNCATE log_entries RESTART IDENTITY")
    return db


def assert_every_line_is_on_its_side(db: Database, test_id: int, share: float, first: int = 1) -> None:
    """Check that lines from `first` on were scored by the version that their key chooses."""
    wrong = db.execute(
        "SELECT p.id, p.model_version FROM ml_predictions p WHERE p.id >= %s "
        "AND p.model_version NOT LIKE CASE WHEN logintel._in_share(p.id, %s, %s) THEN '%%level 2' ELSE '%%level 1' END",
        (first, test_id, share),
    )
    assert wrong == []


def test_the_share_is_what_was_asked_for_and_the_same_lines_each_time(two: Database) -> None:
    write(two, "bad", range(10))
    for share in (0.05, 0.5, 0.9):
        chosen = two.execute(CHALLENGED, (7, share, 10_000))
        low, high = stats.binom.interval(0.9999, 10_000, share)
        assert low <= sum(challenged for _, challenged in chosen) <= high
        assert two.execute(CHALLENGED, (7, share, 10_000)) == chosen
        other = two.execute(CHALLENGED, (8, share, 10_000))  # another test chooses independently
        assert sum(a and b for (_, a), (_, b) in zip(chosen, other, strict=True)) == pytest.approx(10_000 * share**2, abs=250)
    # One share is a part of a larger one: lines keep their side when a test is repeated by the same id with more.
    assert two.value("SELECT bool_and(logintel._in_share(i, 7, 0.5)) FROM generate_series(1, 10000) i WHERE logintel._in_share(i, 7, 0.1)")
    assert two.value("SELECT count(*) FROM generate_series(1, 1000) i WHERE logintel._in_share(i, 7, 0)") == 0


def test_each_line_is_served_by_its_side_however_it_is_written(two: Database) -> None:
    test = start(two, ", share => 0.3")
    write(two, "bad", range(10), lines=100)  # shapes that both know
    insert_new_shapes(two, 600)  # nobody does
    for n in range(20):
        write(two, "bad", [n % 10] if n % 2 else [20 + n])
    with two.connection.cursor().copy("COPY log_entries (level, message) FROM STDIN") as copy:
        for n in range(1000):
            copy.write_row(("ERROR", f"bad {'abcdefghij'[n % 10]} copied"))
    assert_every_line_is_scored_once(two, 2620)
    assert_every_line_is_on_its_side(two, test, 0.3)
    assert {version for _, version in two.execute(ARMS)} == {"level 1", "level 2"}
    before = two.execute(ARMS)
    two.execute("UPDATE log_entries SET message = replace(message, 'bad', 'worse bad')")
    assert two.execute(ARMS) == before  # a line that is scored again stays on its side
    maintain(two)
    assert sum(lines for (lines,) in results(two, "lines")) == 2620


@pytest.mark.parametrize("end", ["SELECT logintel.stop_ab_test('level')", "DELETE FROM logintel_internal.ab_tests"])
def test_when_a_split_test_is_over_or_gone_the_champion_serves_every_line(two: Database, end: str) -> None:
    start(two, ", share => 0.3")
    write(two, "bad", range(10), lines=10)
    assert {version for _, version in two.execute(ARMS)} == {"level 1", "level 2"}
    two.execute(end)
    two.execute("TRUNCATE log_entries")
    write(two, "bad", range(10), lines=10)
    insert_new_shapes(two, 50)
    assert {version for _, version in two.execute(ARMS)} == {"level 1"}
    assert_every_line_is_scored_once(two, 150)


def test_one_row_finds_its_score_by_the_index_in_a_split_test_too(two: Database) -> None:
    start(two, ", share => 0.3")
    insert_new_shapes(two, 3000)
    maintain(two)
    two.execute(f"ANALYZE {SCORES}")
    writer = two.connect()
    with at_most_rows_are_read(two, SCORES, 100, by=writer):
        for _ in range(10):
            writer.execute("INSERT INTO log_entries (message) VALUES ('bad a')")


def test_starting_and_stopping_is_visible_at_commit_and_gone_on_rollback(two: Database) -> None:
    admin = two.connect(autocommit=False)
    for end, versions in ((admin.rollback, {"level 1"}), (admin.commit, {"level 1", "level 2"})):
        admin.execute("SELECT logintel.start_ab_test('level', 2, share => 0.5)")
        write(two, "bad", range(10), lines=10)
        assert {version for _, version in two.execute(ARMS)} == {"level 1"}  # not before the commit
        end()
        write(two, "bad", range(10), lines=10)
        assert {version for _, version in two.execute(ARMS)} == versions
    admin.execute("SELECT logintel.stop_ab_test('level')")
    admin.rollback()
    assert start_is_running(two)
    two.execute("TRUNCATE log_entries")
    two.execute("SELECT logintel.stop_ab_test('level')")
    write(two, "bad", range(10), lines=10)
    assert {version for _, version in two.execute(ARMS)} == {"level 1"}


def start_is_running(db: Database) -> bool:
    return db.value("SELECT count(*) FROM logintel_internal.ab_tests WHERE ended_at IS NULL") == 1


def test_a_snapshot_from_before_the_start_goes_on_with_the_champion(two: Database) -> None:
    # The challenger's scores are visible to the snapshot: they are there from a test before.
    start(two, ", share => 0.5")
    write(two, "bad", range(10), lines=20)
    two.execute("SELECT logintel.stop_ab_test('level')")
    session = two.connect(autocommit=False)
    session.isolation_level = IsolationLevel.REPEATABLE_READ
    session.execute("SELECT 1")
    start(two, ", share => 0.9")
    first = two.value("SELECT max(id) + 1 FROM log_entries")
    session.execute("INSERT INTO log_entries (level, message) SELECT level, message FROM log_entries")
    insert = "INSERT INTO log_entries (message) VALUES ('bad and ' || repeat('x', %s))"
    for n in range(10):
        session.execute(insert, (n,))
    session.commit()
    assert two.execute("SELECT DISTINCT model_version FROM ml_predictions WHERE id >= %s", (first,)) == [("level 1",)]


def test_writers_beside_starts_and_stops_have_every_line_scored_once_and_named(two: Database) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []

    def keep_writing(seed: int) -> None:
        choose = random.Random(seed)
        try:
            with psycopg.connect(two.dsn, autocommit=True) as connection:
                connection.execute("SET lock_timeout = '2s'")
                while not stop.is_set():
                    words = [choose.choice("abcdefghijklmnop") * choose.randint(1, 3) for _ in range(choose.randint(1, 4))]
                    connection.execute("INSERT INTO log_entries (message) SELECT 'bad ' || unnest(%s::text[])", (words,))
        except BaseException as failure:  # told to the test below
            failures.append(failure)

    writers = [threading.Thread(target=keep_writing, args=(n,)) for n in range(3)]
    for writer in writers:
        writer.start()
    try:
        wait_until(lambda: failures or two.value("SELECT count(*) FROM log_entries"))
        for _ in range(8):
            test = start(two, ", share => 0.5")
            two.execute("SELECT logintel.maintain()")
            two.execute("SELECT logintel.stop_ab_test('level')")
        test = start(two, ", share => 0.5")
        quiet = two.value("SELECT max(id) FROM log_entries") + 50
        while two.value("SELECT max(id) FROM log_entries") < quiet + 100 and not failures:
            two.execute("SELECT logintel.maintain()")
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert failures == []
    assert_every_line_is_scored_once(two, two.value("SELECT count(*) FROM log_entries"))
    assert_every_line_is_on_its_side(two, test, 0.5, first=quiet)


def test_lines_that_waited_are_served_by_their_side_too(two: Database) -> None:
    test = start(two, ", share => 0.5")
    defer(two)
    insert_new_shapes(two, 700)
    with two.connect() as worker:
        while score_batch(worker, 300).taken:  # outside the server, in batches that hold lines of both sides
            pass
    insert_new_shapes(two, 700, "y")
    while two.value("SELECT logintel.backfill()"):
        pass
    two.execute("INSERT INTO log_entries (message) SELECT 'bad again ' || repeat('z', g) FROM generate_series(1, 20) g")
    two.execute("SELECT logintel.predict_log(id) FROM log_entries WHERE message LIKE 'bad again%%'")
    assert_every_line_is_scored_once(two, 1420)
    assert_every_line_is_on_its_side(two, test, 0.5)
    two.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    write(two, "bad", range(10))
    assert two.value("SELECT pending FROM ml_status") == 10


def test_a_challenger_that_fails_leaves_its_own_lines_until_maintain_stops_it(two: Database) -> None:
    test = start(two, ", share => 0.5")
    two.execute(f"UPDATE {MODELS} SET sha256 = 'broken' WHERE version = 2")
    session = two.connect()
    session.execute("INSERT INTO log_entries (message) SELECT 'good ' || repeat('x', g) FROM generate_series(1, 100) g")
    challenged = two.value("SELECT count(*) FROM log_entries WHERE logintel._in_share(id, %s, 0.5)", (test,))
    assert two.execute("SELECT predictions, pending FROM ml_status") == [(100 - challenged, challenged)]
    maintain(two)
    assert outcome(two)[1].startswith("the challenger fails: ")
    assert two.value("SELECT logintel.backfill()") == challenged
    assert_every_line_is_scored_once(two, 100)


def test_two_sides_are_compared_and_the_better_promoted(two: Database) -> None:
    start(two, ", share => 0.5, metric => 'declared', minimum_sample => 20, auto => true")
    write(two, "bad", range(60), lines=3)
    maintain(two)
    state, reason = outcome(two)
    assert state == "promoted" and "on the smaller side, right on 5" in reason
    [champion, challenger] = results(two, "version", "lines", "accuracy_declared", "agreement", "lower", "upper", "only_right")
    assert (champion[0], champion[2], challenger[0], challenger[2]) == (1, 0, 2, 1)
    assert champion[1] + challenger[1] == 180
    assert champion[3] is None and 0.8 < champion[4] < champion[5] <= 1 and champion[6] is None
    write(two, "bad", [1])
    assert two.value("SELECT model_version FROM ml_predictions ORDER BY id DESC LIMIT 1") == "level 2"


def test_lines_are_split_by_one_test_at_a_time_beside_shadow_tests(two: Database) -> None:
    deploy(two, *(tiny_model("category", ((known, "System"), ("other", "Error"))) for known in ("good", "bad")))
    two.execute("SELECT logintel.rollback('category')")
    start(two, ", share => 0.5")
    with pytest.raises(psycopg.errors.ObjectInUse, match="a split test is running already: level 2 against 1"):
        two.execute("SELECT logintel.start_ab_test('category', 2, share => 0.1)")
    two.execute("SELECT logintel.start_ab_test('category', 2)")
    write(two, "bad", range(10), lines=10)
    maintain(two)
    assert results(two, "lines", "lines_compared") == [(100, 100)] * 2  # those of both sides of the split


def test_another_deployment_reaches_both_sides(two: Database) -> None:
    test = start(two, ", share => 0.5")
    deploy(two, tiny_model("anomaly", (("bad", "system_failure"), ("good", "none"))))
    write(two, "bad", range(10), lines=10)
    assert {version for _, version in two.execute(ARMS)} == {"anomaly 1, level 1", "anomaly 1, level 2"}
    assert_every_line_is_on_its_side(two, test, 0.5)


@pytest.mark.local_only  # pg_dump must be as new as the server
def test_a_split_test_goes_on_where_a_dump_is_restored(two: Database, empty_db: Database) -> None:
    test = start(two, ", share => 0.5, metric => 'declared'")
    write(two, "bad", range(10), lines=4)
    maintain(two)
    restore(two, empty_db)
    shown = ("state", "lines", "accuracy_declared", "templates_declared")
    assert results(empty_db, *shown) == results(two, *shown)
    for db in (two, empty_db):
        db.execute("INSERT INTO public.log_entries (level, message) SELECT 'ERROR', 'bad ' || repeat('x', g % 7) FROM generate_series(1, 100) g")
        maintain(db)
    assert empty_db.execute(ARMS) == two.execute(ARMS)
    assert_every_line_is_on_its_side(empty_db, test, 0.5)
    empty_db.execute("SELECT logintel.stop_ab_test('level')")
    assert empty_db.execute("SELECT start_ab_test('level', 2)") == [(test + 1,)]


def test_a_test_begins_at_zero_and_its_models_speak_for_themselves(two: Database) -> None:
    write(two, "bad", range(10), lines=5)
    two.execute("SELECT logintel.deploy('level', 2)")
    write(two, "bad", range(10))
    two.execute("SELECT logintel.rollback('level')")
    two.execute("SELECT logintel.rescore()")  # lends version 2's scores those of version 1
    assert {row for row in two.execute("SELECT DISTINCT model_version, predicted_level FROM ml_predictions")} == {("level 1", "INFO")}
    start(two, ", share => 0.5")
    assert results(two, "lines") == [(0,), (0,)]
    write(two, "bad", range(10), lines=10)
    assert {row for row in two.execute("SELECT DISTINCT model_version, predicted_level FROM ml_predictions WHERE id > 60")} == {
        ("level 1", "INFO"), ("level 2", "ERROR")}
    assert WEAK != STRONG
