"""When a retrained model is worse than the version in force, and when that is chance."""

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import test_proportions_2indep as two_proportions

from logintel.retraining import gates
from logintel.retraining.gates import Figure, paired, paired_anomalies, recorded


def answers(both: int, gained: int, lost: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Who is right: the new model, and the one in force."""
    ours = [True] * both + [True] * gained + [False] * (lost + neither)
    theirs = [True] * both + [False] * gained + [True] * lost + [False] * neither
    return np.array(ours), np.array(theirs)


@pytest.mark.parametrize(("table", "passed"), [
    ((80, 0, 0, 20), True),  # the same
    ((80, 10, 0, 10), True),  # better
    ((80, 0, 4, 16), True),  # worse, as chance would have it in one of 16 cases
    ((80, 0, 5, 15), False),
    ((80, 10, 12, 0), True),  # both are wrong somewhere else
    ((50, 10, 30, 10), False),
    ((10_000, 0, 90, 0), True),  # surely worse, by less than a point
    ((10_000, 0, 110, 0), False),
])
def test_it_fails_who_is_worse_by_a_point_and_by_more_than_chance(table: tuple[int, ...], passed: bool) -> None:
    assert paired("feedback", "templates", *answers(*table)).passed is passed


def test_nothing_to_judge_by_is_said_and_keeps_nobody_out() -> None:
    gate = paired("feedback", "templates with a verdict", *answers(0, 0, 0, 0))
    assert gate == ("feedback", None, "there are no templates with a verdict")
    assert gates.refusals([gate]) == []


def test_figures_are_in_the_words() -> None:
    gate = paired("feedback", "templates", *answers(50, 10, 30, 10))
    assert gate.detail.startswith("right on 60.0% of 100 templates, the version in force 80.0%; by chance with p = ")


def test_the_tests_agree_with_statsmodels(monkeypatch: pytest.MonkeyPatch) -> None:
    chances: list[float] = []
    monkeypatch.setattr(gates, "_gate", lambda *given: chances.append(given[-1]))
    drawn = np.random.default_rng(1)
    for _ in range(50):
        gained, lost = sorted(drawn.integers(0, 40, 2))
        paired("", "", *answers(30, gained, lost + 1, 5))
        table = [[30, gained], [lost + 1, 5]]
        assert chances.pop() == pytest.approx(mcnemar(table, exact=True).pvalue / 2)
        (right, other), (templates, others) = drawn.integers(10, 90, 2), drawn.integers(100, 500, 2)
        recorded("", Figure(right / templates, templates), Figure(other / others, others))
        expected = two_proportions(right, templates, other, others, method="wald", compare="diff", alternative="smaller",
                                   correction=False)
        assert chances.pop() == pytest.approx(expected.pvalue)


def test_equal_models_are_seldom_refused_and_clearly_worse_ones_always() -> None:
    drawn = np.random.default_rng(2)
    equal = [paired("", "", *(drawn.random((2, 500)) < 0.8)).passed for _ in range(400)]
    assert 0 < equal.count(False) <= 400 * 0.06
    worse = [paired("", "", drawn.random(500) < 0.7, drawn.random(500) < 0.8).passed for _ in range(100)]
    assert worse.count(False) >= 90


def anomalies(found: int, missed: int, false_alarms: int) -> np.ndarray:
    """What a model says of 50 anomalous and 950 normal templates."""
    assert found + missed == 50
    return np.array([True] * found + [False] * missed + [True] * false_alarms + [False] * (950 - false_alarms))


def test_finding_no_anomaly_is_worse_though_it_is_nearly_always_right() -> None:
    truth, none, noisy = anomalies(50, 0, 0), anomalies(0, 50, 0), anomalies(30, 20, 60)
    assert (none == truth).mean() > (noisy == truth).mean()
    gate = paired_anomalies("unseen templates", "templates", truth, none, noisy)
    assert gate.passed is False
    assert gate.detail.startswith("F1 of anomalies 0.0% on 1,000 templates, the version in force 42.9%; by chance with p")
    assert paired_anomalies("", "", truth, noisy, none).passed
    assert paired_anomalies("", "", truth, anomalies(25, 25, 5), noisy).passed


def test_equal_anomaly_models_are_seldom_refused() -> None:
    drawn = np.random.default_rng(3)
    truth = anomalies(50, 0, 0)
    said = np.where(drawn.random((60, 2, 1000)) < 0.9, truth, ~truth)
    assert [paired_anomalies("", "", truth, *pair).passed for pair in said].count(False) <= 7


def test_without_an_anomaly_false_alarms_decide() -> None:
    nothing, alarms = np.zeros(100, bool), np.arange(100) < 10
    assert paired_anomalies("feedback", "templates", nothing, alarms, nothing).passed is False
    assert paired_anomalies("feedback", "templates", nothing, nothing, alarms).passed is True


def test_recorded_figures_are_compared_across_different_numbers_of_templates() -> None:
    assert recorded("unseen templates", Figure(0.7, 1000), Figure(0.8, 900)).passed is False
    assert recorded("unseen templates", Figure(0.7, 20), Figure(0.8, 900)).passed is True
    assert recorded("unseen templates", Figure(1.0, 20), Figure(1.0, 900)).passed is True
    assert "right on 70.0% of 20 unseen templates, the version in force 80.0% of 900" in recorded(
        "unseen templates", Figure(0.7, 20), Figure(0.8, 900)).detail
