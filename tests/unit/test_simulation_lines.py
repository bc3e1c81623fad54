"""Simulated lines: the same for the same arguments, spread like real ones, and true about themselves."""

import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logintel.simulation import SimulatedLine, generate, templates
from logintel.simulation.corruption import PLAYED_DOWN, PROBLEMS, corrupted
from logintel.simulation.lines import Simulation
from logintel.simulation.templates import ANOMALY_TYPES, CATEGORIES, LEVELS

END = datetime(2026, 3, 15, 10, 30, tzinfo=UTC)
WEEK = {"seed": 7, "end": END, "days": 7.0}
MANY = 30_000


@pytest.fixture(scope="module")
def week() -> list[SimulatedLine]:
    return list(generate(MANY, **WEEK))


@pytest.fixture(scope="module")
def corrupted_week() -> list[SimulatedLine]:
    return list(generate(MANY, **WEEK, corrupt=0.2))


def text_of(line: SimulatedLine) -> tuple:
    return line.timestamp, line.message, line.host, line.service, line.http_status, line.response_time_ms


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 300), st.integers(), st.floats(0.01, 40), st.sampled_from([0.0, 0.1, 0.5]))
def test_lines_are_as_many_as_asked_for_in_order_and_in_the_period(lines: int, seed: int, days: float, rate: float):
    times = [line.timestamp for line in generate(lines, seed=seed, end=END, days=days, corrupt=rate)]
    assert len(times) == lines
    assert times == sorted(times)
    assert not times or END - timedelta(days=days) <= times[0] <= times[-1] <= END


def test_the_same_arguments_give_the_same_lines(week: list[SimulatedLine]):
    assert list(generate(MANY, **WEEK)) == week
    assert [text_of(line) for line in generate(MANY, **WEEK | {"seed": 8})] != [text_of(line) for line in week]


def test_the_period_is_the_same_in_every_time_zone(week: list[SimulatedLine]):
    [first] = generate(1, **WEEK)
    elsewhere = END.astimezone(tz=datetime.fromisoformat("2026-01-01T00:00+05:30").tzinfo)
    assert list(generate(1, **WEEK | {"end": elsewhere})) == [first]


def test_log_ids_are_unique_within_and_across_runs(week: list[SimulatedLine], corrupted_week: list[SimulatedLine]):
    later = list(generate(100, **WEEK | {"end": END + timedelta(microseconds=1)}))
    ids = [line.log_id for line in (*week, *corrupted_week, *later)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    "wrong", [{"lines": -1}, {"days": 0}, {"end": END.replace(tzinfo=None)}, {"corrupt": 0.6}, {"corrupt": -0.1}]
)
def test_arguments_out_of_range_are_refused(wrong: dict):
    with pytest.raises(ValueError, match=r"corrupt is from 0 to 0\.5"):
        Simulation(**{"lines": 10, **WEEK, **wrong})


def test_every_level_category_and_anomaly_type_occurs(week: list[SimulatedLine]):
    assert {line.true_level for line in week} == set(LEVELS)
    assert {line.true_category for line in week} == set(CATEGORIES)
    assert {line.true_anomaly_type for line in week} == {None, *ANOMALY_TYPES}
    assert {line.source_type for line in week} == {template.source.name for template in templates()}


def test_levels_are_as_frequent_as_in_real_logs(week: list[SimulatedLine]):
    counts = Counter(line.true_level for line in week)
    assert counts["INFO"] > counts["DEBUG"] > counts["WARN"] > counts["ERROR"] > counts["FATAL"]
    assert 0.002 < counts["FATAL"] / MANY < 0.02


def test_the_words_of_a_line_have_one_level_each(week: list[SimulatedLine]):
    levels = defaultdict(set)
    for line in week:
        levels[line.service, re.sub(r"\S*[0-9]\S*", "<*>", line.message)].add(line.true_level)
    assert all(len(found) == 1 for found in levels.values())


def test_a_few_percent_are_anomalous_and_almost_all_of_them_in_incidents(week: list[SimulatedLine]):
    simulation = Simulation(MANY, **WEEK)
    start, length = END - timedelta(days=7), simulation.schedule.slot_length
    spans = [
        (start + length * incident.first, start + length * (incident.last + 1), incident)
        for incident in simulation.schedule.incidents
    ]
    anomalies = [line for line in week if line.true_is_anomaly]
    explained = [
        line for line in anomalies
        if any(begin <= line.timestamp <= end and line.true_anomaly_type == incident.anomaly_type
               and line.source_type in incident.systems for begin, end, incident in spans)
    ]  # fmt: skip
    assert 0.02 < len(anomalies) / MANY < 0.06
    assert len(explained) > 0.8 * len(anomalies)
    assert {incident.anomaly_type for *_, incident in spans} == set(ANOMALY_TYPES)


def test_incidents_shift_statuses_and_response_times(week: list[SimulatedLine]):
    def times(kind: str | None) -> list[float]:
        return [line.response_time_ms for line in week if line.true_anomaly_type == kind and line.response_time_ms]

    def failed(kind: str | None) -> float:
        found = [line.http_status for line in week if line.true_anomaly_type == kind and line.http_status]
        return sum(status >= 500 for status in found) / len(found)

    assert median(times(None)) < 100
    assert median(times("performance_issue")) > 3000
    assert failed(None) < 0.05
    assert failed("system_failure") > 0.8


def test_ordinary_lines_of_a_system_in_trouble_show_it(week: list[SimulatedLine]):
    suffering = [line for line in week if line.true_is_anomaly and not line.template.anomaly_type]
    assert suffering
    assert all(line.template.response_time_ms[1] * 100 >= line.response_time_ms for line in suffering)
    told = [line for line in suffering if line.template.failing_statuses]
    assert all(line.http_status >= 500 and str(line.http_status) in line.message for line in told)


def test_new_templates_occur_only_after_the_release(week: list[SimulatedLine]):
    times = [line.timestamp for line in week if line.template.is_new]
    assert len(times) > 100
    assert END - timedelta(days=7 * 0.31) < min(times) < END - timedelta(days=7 * 0.28)


def test_shops_are_busy_by_day_and_jobs_by_night(week: list[SimulatedLine]):
    def lines_at(system: str, hours: range) -> int:
        return sum(line.source_type == system and line.timestamp.hour in hours for line in week)

    assert lines_at("gateway", range(12, 16)) > 3 * lines_at("gateway", range(1, 5))
    assert lines_at("batch", range(1, 5)) > 3 * lines_at("batch", range(12, 16))


def test_problems_are_put_into_the_very_same_lines(week: list[SimulatedLine], corrupted_week: list[SimulatedLine]):
    assert [text_of(line) for line in corrupted_week] == [text_of(line) for line in week]
    assert [line.truth() | {"problem": None} for line in corrupted_week] == [line.truth() for line in week]
    assert all(line.problem is None for line in week)


def test_each_problem_strikes_at_its_rate(corrupted_week: list[SimulatedLine]):
    problems = Counter(line.problem for line in corrupted_week)
    levels = Counter(line.true_level for line in corrupted_week)
    eligible = {problem: levels[level] for level, (_, problem) in PLAYED_DOWN.items()}
    eligible["anomaly_flag_missing"] = sum(line.true_is_anomaly for line in corrupted_week)
    assert set(problems) == {None, *PROBLEMS}
    for problem, lines in eligible.items():
        spread = 4 * (0.2 * 0.8 / lines) ** 0.5
        assert abs(problems[problem] / lines - 0.2) < spread, problem


def test_what_is_written_differs_from_the_truth_by_the_problem_and_by_nothing_else(corrupted_week: list[SimulatedLine]):
    written_as = {problem: lower for lower, problem in PLAYED_DOWN.values()}
    for line in corrupted_week:
        assert line.level == line.template.source.spellings[written_as.get(line.problem, line.true_level)]
        missing = line.problem == "anomaly_flag_missing"
        assert line.is_anomaly == (line.true_is_anomaly and not missing)
        assert line.anomaly_type == (None if missing else line.true_anomaly_type)
        assert line.category == line.true_category


@given(
    st.sampled_from(LEVELS), st.sampled_from([None, *ANOMALY_TYPES]), st.floats(0, 0.5), st.integers()
)  # fmt: skip
def test_a_line_has_one_problem_at_most_and_never_one_it_cannot_have(
    level: str, kind: str | None, rate: float, seed: int
):
    written, flagged, problem = corrupted(level, kind, rate, Random(seed))
    if problem is None:
        assert (written, flagged) == (level, kind)
    elif problem == "anomaly_flag_missing":
        assert kind is not None
        assert (written, flagged) == (level, None)
    else:
        assert (written, problem) == PLAYED_DOWN[level]
        assert flagged == kind


def test_levels_are_spelled_as_each_source_spells_them(week: list[SimulatedLine]):
    spellings = defaultdict(set)
    for line in week:
        spellings[line.source_type].add(line.level)
    assert spellings["checkout"] == {"DEBUG", "INFO", "WARN", "ERROR", "FATAL"}
    assert spellings["kvd"] == {"debug", "info", "warning", "err", "crit"}
    assert spellings["relstore"] == {"DEBUG1", "LOG", "WARNING", "ERROR", "FATAL"}
