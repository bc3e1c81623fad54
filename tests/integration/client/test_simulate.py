"""`logintel simulate` into a database: the log table and the truth about it."""

from datetime import UTC, datetime, timedelta

import pytest

from logintel.errors import UserError
from logintel.simulation import generate
from logintel.simulation.command import simulate
from support.servers import Database

pytestmark = pytest.mark.any_server

END = datetime(2026, 3, 15, 10)
FIELDS = (
    "log_id", "timestamp", "level", "message", "source_type", "host", "service", "category", "is_anomaly",
    "anomaly_type", "http_status", "response_time_ms",
)  # fmt: skip
PLAYED_DOWN = {
    "error_as_info": ("INFO", "ERROR"), "warn_as_debug": ("DEBUG", "WARN"), "fatal_as_debug": ("DEBUG", "FATAL"),
}  # fmt: skip
# level_names knows every spelling of the simulated systems.
WRITTEN_AND_TRUE = """
    SELECT DISTINCT t.problem, logintel.normalize_level(l.level), t.true_level, l.is_anomaly = t.true_is_anomaly
    FROM log_entries l JOIN simulated_truth t USING (log_id)"""


def counts(db: Database) -> tuple[object, object]:
    return db.value("SELECT count(*) FROM log_entries"), db.value("SELECT count(*) FROM simulated_truth")


def test_every_line_arrives_with_its_truth(db: Database, capsys: pytest.CaptureFixture[str]):
    simulate(lines=6000, end=END, corrupt=0.1, dsn=db.dsn)
    assert counts(db) == (6000, 6000)
    assert db.value("SELECT count(*) FROM log_entries JOIN simulated_truth USING (log_id)") == 6000
    said = capsys.readouterr().out.splitlines()
    anomalies = db.value("SELECT count(*) FROM simulated_truth WHERE true_is_anomaly")
    problems = db.value("SELECT count(problem) FROM simulated_truth")
    assert said[0] == "public.log_entries: wrote 6,000 lines"
    assert said[1].startswith(f"anomalies: {anomalies:,} lines (")
    assert said[2].startswith(f"corrupted: {problems:,} lines (")
    assert said[3] == "truth: public.simulated_truth, to be joined by log_id"


def test_the_table_holds_what_the_generator_makes(db: Database):
    simulate(lines=300, days=2, end=END, seed=5, corrupt=0.2, dsn=db.dsn)
    expected = list(generate(300, seed=5, end=END.replace(tzinfo=UTC), days=2.0, corrupt=0.2))
    rows = db.execute(f'SELECT {", ".join(FIELDS)} FROM log_entries ORDER BY id')
    assert rows == [tuple(getattr(line, field) for field in FIELDS) for line in expected]
    truth = db.execute("SELECT true_level, true_category, true_is_anomaly, true_anomaly_type, problem "
                       "FROM simulated_truth JOIN log_entries USING (log_id) ORDER BY id")  # fmt: skip
    assert truth == [tuple(line.truth().values()) for line in expected]


def test_lines_differ_from_their_truth_by_their_problem_alone(db: Database):
    simulate(lines=6000, end=END, corrupt=0.3, dsn=db.dsn)
    found = db.execute(WRITTEN_AND_TRUE)
    for problem, written, true, same_flag in found:
        assert (written, true) == PLAYED_DOWN.get(problem, (true, true))
        assert same_flag == (problem != "anomaly_flag_missing")
    assert {problem for problem, *_ in found} == {None, "anomaly_flag_missing", *PLAYED_DOWN}


def test_a_further_run_adds_to_both_tables(db: Database):
    simulate(lines=200, dsn=db.dsn)
    simulate(lines=300, dsn=db.dsn)
    assert counts(db) == (500, 500)


def test_the_same_lines_are_not_written_twice(db: Database):
    simulate(lines=200, end=END, dsn=db.dsn)
    with pytest.raises(UserError, match=r"in public\.simulated_truth already: choose another --seed or --end"):
        simulate(lines=200, end=END, dsn=db.dsn)
    assert counts(db) == (200, 200)


def test_live_lines_come_one_by_one_at_the_present_time(db: Database):
    before = datetime.now(UTC)
    simulate(live=True, rate=60, seconds=2, corrupt=0.3, dsn=db.dsn)
    after = datetime.now(UTC)
    [(first, last)] = db.execute("SELECT min(timestamp), max(timestamp) FROM log_entries")
    assert counts(db) == (120, 120)
    assert before <= first <= last <= after
    assert last - first > timedelta(seconds=1)
    assert db.value("SELECT count(DISTINCT xmin::text) FROM log_entries") > 40


def test_a_table_of_ones_own_gets_the_fields_it_has(db: Database, capsys: pytest.CaptureFixture[str]):
    db.execute("SELECT logintel.detach()")
    db.execute("CREATE TABLE own (nr bigserial PRIMARY KEY, log_id text, at timestamptz, txt text, lvl text)")
    db.execute("""SELECT logintel.attach('own', '{"id": "nr", "timestamp": "at", "message": "txt", "level": "lvl"}')""")
    simulate(lines=100, dsn=db.dsn)
    simulate(live=True, rate=20, seconds=1, dsn=db.dsn)
    assert db.value("SELECT count(*) FROM own JOIN simulated_truth USING (log_id) WHERE txt <> '' AND lvl <> ''") == 120
    assert "note: public.own has no column for anomaly_type, category, is_anomaly; left out" in capsys.readouterr().err


def test_a_table_that_cannot_be_joined_to_its_truth_is_refused(db: Database):
    db.execute("ALTER TABLE log_entries DROP COLUMN log_id")
    with pytest.raises(UserError, match=r"run ALTER TABLE public\.log_entries ADD log_id text"):
        simulate(lines=10, dsn=db.dsn)


def test_without_a_log_table_the_next_step_is_named(db: Database):
    db.execute("SELECT logintel.detach()")
    with pytest.raises(UserError, match=r"SELECT logintel\.create_log_entries\(\)"):
        simulate(lines=10, dsn=db.dsn)


def test_a_refusal_of_the_server_is_one_line_that_says_how_much_is_in(db: Database):
    db.execute("ALTER TABLE log_entries ADD CONSTRAINT no_fatal CHECK (level <> 'FATAL')")
    with pytest.raises(UserError, match="no_fatal") as raised:
        simulate(lines=6000, dsn=db.dsn)
    assert str(raised.value).endswith("0 lines are in")
    assert "\n" not in str(raised.value)
    assert counts(db) == (0, 0)
