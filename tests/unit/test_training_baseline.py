"""The baseline of a model: what its training lines were like, and how far they stray by themselves."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logintel.training.baseline import History, of_predictions, population_stability_index
from logintel.training.dataset import Line, Shape

START = datetime(2026, 3, 2, tzinfo=UTC)
COUNTS = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=30)


def lines_of(days: Sequence[Sequence[tuple[str, str]]]) -> list[Line]:
    """Lines (service, template) of some days, each day's evenly spread."""
    return [Line(Shape(template, service), timestamp=START + timedelta(days=number + i / len(day)))
            for number, day in enumerate(days) for i, (service, template) in enumerate(day)]  # fmt: skip


@given(COUNTS)
def test_the_index_is_zero_for_the_same_shares_symmetric_and_never_negative(counts: list[tuple[int, int]]) -> None:
    expected, actual = (np.array(side, float) + 0.5 for side in zip(*counts, strict=True))
    index = population_stability_index(expected, actual)
    assert index >= 0
    assert index == pytest.approx(population_stability_index(actual, expected))
    assert population_stability_index(expected, expected * 3) == pytest.approx(0, abs=1e-12)


def test_windows_are_whole_days_back_from_the_last_line() -> None:
    history = History(lines_of([[("api", "a")] * 250] * 5))
    windows = history.windows(np.arange(1250), 200)
    assert [len(window) for window in windows] == [250] * 5
    assert np.concatenate(windows).tolist() == list(range(1250))
    # Half a day at the beginning is no day.
    assert [len(window) for window in History(history.lines[125:]).windows(np.arange(1125), 200)] == [250] * 4


@pytest.mark.parametrize("timed", [True, False])
def test_lines_of_few_days_are_cut_into_equal_parts(timed: bool) -> None:
    lines = lines_of([[("api", "a")] * 1000] * 2)
    history = History(lines if timed else [line._replace(timestamp=None) for line in lines])
    assert [len(window) for window in history.windows(np.arange(2000), 200)] == [200] * 10
    assert history.windows(np.arange(599), 200) == []
    assert (history.hours is None) == (not timed)


def test_shares_and_what_is_usual_are_those_of_the_lines() -> None:
    quiet, storm = ["INFO"] * 180 + ["ERROR"] * 20, ["INFO"] * 100 + ["ERROR"] * 100
    classes = np.array([*quiet, *quiet, *storm, *quiet])
    history = History(lines_of([[("api-7", "a")] * 200] * 4))
    made = of_predictions(history, classes, np.full(800, 0.95))
    assert made["classes"] == {"ERROR": 0.2, "INFO": 0.8}
    assert made["confidence"] == [0] * 9 + [1]
    assert made["hours"] == pytest.approx([1 / 24] * 24, abs=0.01)
    assert made["mix"] == {"api-#": 1}
    assert made["services"].keys() == {"api-#"}
    assert made["usual"]["classes"] == pytest.approx(
        population_stability_index(np.array([60.5, 540.5]), np.array([100.5, 100.5])), abs=1e-4)  # fmt: skip
    assert made["usual"]["confidence"] == made["usual"]["new_services"] == 0


def test_usually_new_is_what_no_line_before_a_window_had() -> None:
    common = [("api", "known words")] * 180
    days = [[*common, *[(f"job{letter}", f"word{letter} <*>")] * 20] for letter in "abcd"]
    usual = of_predictions(History(lines_of(days)), np.full(800, "INFO"), np.ones(800))["usual"]
    assert usual["new_templates"] == usual["unknown_words"] == usual["new_services"] == pytest.approx(0.1)
    again = of_predictions(History(lines_of(days[:1] * 4)), np.full(800, "INFO"), np.ones(800))["usual"]
    assert again["new_templates"] == again["unknown_words"] == again["new_services"] == 0


def test_a_few_lines_have_no_usual() -> None:
    usual = of_predictions(History(lines_of([[("api", "a")] * 300])), np.full(300, "INFO"), np.ones(300))["usual"]
    assert set(usual.values()) == {None}
