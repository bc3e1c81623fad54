"""Metrics and drift add up what changed: the sums are those of all lines, and what did not change is not read."""

import random
from collections.abc import Sequence
from datetime import datetime

import psycopg
import pytest

from support.drifting import DAY, baseline, with_baseline, write
from support.measured import CATEGORIES, about, expected, first_hours, insert_many, maintain, measured
from support.servers import Database
from support.tiny_models import deploy, tiny_model

TASKS = "SELECT logintel._task_091_measure_models(), logintel._task_101_measure_drift()"
READ_AGAIN = (
    "INSERT INTO logintel_internal.count_changes (hour, score_id, lines, is_new, is_recount) "
    "SELECT date_trunc('hour', \"timestamp\", 'UTC'), score_id, count(*), false, true FROM logintel_internal.predictions GROUP BY 1, 2"
)
LARGE = ("scores", "hourly_counts", "score_totals", "predictions")


@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_all_lines_however_they_came_and_went(db: Database, seed: int) -> None:
    anomalies = tiny_model("anomaly", (("slow", "none"), ("panicked", "system_failure")))
    deploy(db, tiny_model(), anomalies, tiny_model("category", CATEGORIES))
    db.execute("SELECT * FROM logintel.reconcile()")
    # A snapshot that stays open keeps scores that lost their lines, whose latencies the reference has to find.
    db.connect(autocommit=False).execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1")
    choose = random.Random(seed)
    first: dict[int, datetime] = {}
    late: list[psycopg.Connection] = []

    def write_late() -> None:
        session = db.connect(autocommit=False)
        session.execute("INSERT INTO log_entries (timestamp, level, message) VALUES ('2026-03-01 09:10Z', 'ERROR', 'job failed late')")
        late.append(session)

    def judge() -> None:
        db.execute(
            "SELECT logintel.give_feedback(id, %s, %s, %s, whole_template => %s) FROM log_entries ORDER BY random() LIMIT 10",
            (choose.choice(("INFO", "ERROR", "FATAL")), choose.choice(("System", None)), choose.random() < 0.5, choose.random() < 0.5),
        )

    steps = [
        lambda: insert_many(db, 40, choose.randint(1, 1000)),
        lambda: db.execute("DELETE FROM log_entries WHERE id IN (SELECT id FROM log_entries ORDER BY random() LIMIT 9)"),
        lambda: db.execute("UPDATE log_entries SET message = 'slow ' || message WHERE id IN (SELECT min(id) + 1 FROM log_entries)"),
        lambda: db.execute("UPDATE logintel_internal.feedback SET is_current = false WHERE id % 3 = 0"),
        lambda: [session.commit() for session in late],
        write_late,
        judge,
        judge,
    ]
    insert_many(db, 60, seed)
    for number in range(12):
        for step in choose.sample(steps, 3):
            step()
        if number == 6:
            deploy(db, tiny_model("level", (("started", "DEBUG"), ("failed", "FATAL"), ("other", "WARN"))))
        maintain(db)
        first = first_hours(db) | first
        shown, wanted = measured(db), expected(db, first)
        assert shown.keys() == wanted.keys()
        for key, row in wanted.items():
            assert shown[key] == about(row), (number, key)
    assert any(row["accuracy"] for row in wanted.values())


def drift(db: Database) -> Sequence[tuple]:
    return db.execute("SELECT measure, service, value, lines, evidence FROM ml_drift ORDER BY 1, 2")


def test_drift_is_that_of_all_lines_however_they_came_and_went(db: Database) -> None:
    deploy(db, with_baseline(tiny_model(), baseline()))
    db.execute("SELECT * FROM logintel.reconcile()")
    write(db)
    maintain(db)
    for lines, message, service in ((300, "slow failed", "api"), (90, "basket slow", "cart"), (40, "zebra", "db-7")):
        db.execute(
            "INSERT INTO log_entries (timestamp, service, message) SELECT '2026-03-02 12:00Z', %s, %s FROM generate_series(1, %s)",
            (service, message, lines),
        )
        maintain(db)
        db.execute("DELETE FROM log_entries WHERE id % 11 = 0 OR message = 'zebra' AND id % 2 = 0")
        maintain(db)
    added = drift(db)
    assert {(measure, service) for measure, service, *_ in added} >= {("new_templates", None), ("classes", "api")}
    assert db.value("SELECT lines FROM ml_drift WHERE measure = 'classes' AND service IS NULL") == db.value("SELECT count(*) FROM log_entries")
    db.execute("SELECT logintel._on_lines_forgotten_101_clear_drift_sums(0)")
    db.execute(READ_AGAIN)
    assert db.value("SELECT logintel._task_101_measure_drift()") == 1
    again = drift(db)
    assert [row[:2] + row[3:] for row in again] == [row[:2] + row[3:] for row in added]
    assert [row[2] for row in again] == pytest.approx([row[2] for row in added])


def test_the_list_of_what_is_new_is_bounded_and_keeps_the_most_frequent(db: Database) -> None:
    deploy(db, with_baseline(tiny_model(), baseline()))
    write(db)
    for often, words in ((1, "a"), (7, "b"), (2, "c")):  # 20 frequent ones among 300
        db.execute(
            "INSERT INTO log_entries (timestamp, service, message) SELECT '2026-03-02 12:00Z', 'api', repeat(%s, n) || ' new' "
            "FROM generate_series(1, CASE %s WHEN 7 THEN 20 ELSE 140 END) n, generate_series(1, %s)",
            (words, often, often),
        )
        maintain(db)
    assert db.value("SELECT max(count) FROM (SELECT count(*) FROM logintel_internal.drift_news GROUP BY day, measure, model_id, service) c") == 100
    [(value, evidence)] = db.execute("SELECT value, evidence FROM ml_drift WHERE measure = 'new_templates' AND service IS NULL")
    assert value == pytest.approx(560 / 1560)
    assert [row["lines"] for row in evidence] == [7] * 10


def reads(db: Database) -> dict[str, int]:
    """Rows of large tables that the tasks read."""
    session = db.connect(autocommit=False)
    session.execute(TASKS)
    rows = session.execute(
        "SELECT regexp_replace(relname, '^(predictions).*', '\\1'), sum(seq_tup_read + coalesce(idx_tup_fetch, 0) + coalesce(idx_scan, 0))::int "
        "FROM pg_stat_xact_user_tables WHERE schemaname = 'logintel_internal' GROUP BY 1"
    ).fetchall()
    session.commit()
    return {name: count for name, count in rows if name in LARGE}


def test_what_did_not_change_is_not_read(db: Database) -> None:
    deploy(db, with_baseline(tiny_model(), baseline()))
    db.execute("SELECT * FROM logintel.reconcile()")
    write(db)
    db.execute("INSERT INTO log_entries (timestamp, message) SELECT '2026-03-02 12:00Z', 'word ' || repeat('x', n) FROM generate_series(1, 500) n")
    db.execute("SELECT logintel.give_feedback(id, 'ERROR', whole_template => true) FROM log_entries LIMIT 1")
    maintain(db)
    assert dict.fromkeys(LARGE, 0) == reads(db)
    db.execute("INSERT INTO log_entries (timestamp, message) VALUES (%s, 'word xx')", (DAY,))
    db.execute("SELECT logintel._roll_up()")
    for name, rows in reads(db).items():
        assert rows < 25, name
