"""`make eval`: its figures are what they are called, and their names stay."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EVAL = Path(__file__).parent.parent / "eval"
FIGURES = ["level_unseen_templates_accuracy", "level_unseen_templates_macro_f1", "level_unseen_templates_auc", "level_unseen_templates_calibration_error", "level_unseen_system_auc", "level_unseen_system_three_class_accuracy", "level_unseen_statements_auc", "level_unseen_statements_accuracy", "level_human_auc", "level_human_problem_accuracy", "level_problem_calibration_error", "anomaly_human_auc", "anomaly_human_f1", "anomaly_ordinary_share", "anomaly_ordinary_share_apache", "category_human_accuracy", "category_human_macro_f1", "grouping_accuracy", "grouping_accuracy_android", "level_time_split_accuracy", "level_random_split_accuracy", "corrections_precision", "corrections_recall", "corrections_unseen_system_auc", "corrections_unseen_system_precision_at_k", "corrections_recall_simulated", "anomaly_hdfs_sessions_f1", "anomaly_hdfs_sessions_pr_auc", "anomaly_type_macro_f1", "anomaly_f1", "anomaly_simulated_f1", "category_macro_f1", "category_multilabel_f1_micro", "drift_false_alarm_rate", "drift_watch_rate", "drift_detected_new_service", "drift_detected_reworded_release", "drift_detected_shifted_mix", "cost_default_models_us", "cost_default_models_mb", "ab_wrong_promotion_rate", "ab_wrong_promotion_rate_split", "ab_wrong_stop_rate", "ab_promotion_power", "ab_promotion_power_split", "ab_harmful_stop_power"]


@pytest.fixture
def evaluation(monkeypatch: pytest.MonkeyPatch):
    """The modules of tests/eval, by name."""
    monkeypatch.syspath_prepend(str(EVAL))
    return __import__


def test_every_figure_that_was_promised_belongs_to_one_question(evaluation) -> None:
    run = evaluation("run")
    for figure in FIGURES:
        assert len(run._chosen(figure)) == 1, figure


def test_an_unknown_question_is_answered_in_one_line() -> None:
    done = subprocess.run([sys.executable, EVAL / "run.py", "--only", "nothing"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("eval: no question is called nothing; there are level_unseen_templates,")
    assert done.stderr.count("\n") == 1


def test_figures_of_the_perfect_the_useless_and_the_overconfident(evaluation) -> None:
    metrics = evaluation("metrics")
    truth = np.array([0, 1, 1, 2, 3, 4])
    perfect = metrics.of_levels(truth, np.eye(5)[truth])
    assert all(perfect[name] == 1 for name in ("accuracy", "macro_f1", "auc", "three_class_accuracy", "share_confident"))
    assert perfect["calibration_error"] == 0
    useless = metrics.of_levels(truth, np.tile([0.1, 0.6, 0.1, 0.1, 0.1], (6, 1)))
    assert useless["accuracy"] == pytest.approx(2 / 6)
    assert useless["auc"] == 0.5
    assert useless["calibration_error"] == pytest.approx(0.6 - 2 / 6)
    assert metrics.of_levels(truth, np.eye(5)[[1] * 6])["calibration_error"] == pytest.approx(4 / 6)


def test_calibration_is_how_far_what_is_said_is_from_what_is_counting_lines_where_asked(evaluation) -> None:
    metrics = evaluation("metrics")
    truth = np.array([0, 1, 3, 4])
    probabilities = np.array([[0.9, 0, 0.1, 0, 0], [0, 0.9, 0, 0.1, 0], [0.1, 0.1, 0, 0.8, 0], [0.1, 0.1, 0, 0, 0.8]])
    assert metrics.problem_calibration_error(truth, np.eye(5)[truth]) == 0
    assert metrics.problem_calibration_error(truth, probabilities) == pytest.approx((2 * 0.1 + 2 * 0.2) / 4)
    weight = np.array([1, 1, 1, 7])
    assert metrics.problem_calibration_error(truth, probabilities, weight) == pytest.approx((2 * 0.1 + 8 * 0.2) / 10)


def test_a_line_is_grouped_rightly_with_all_of_its_kind_and_no_others(evaluation) -> None:
    grouping = evaluation("grouping")
    assert grouping.grouping_accuracy("aabbc", "xxyyz") == 1
    assert grouping.grouping_accuracy("aabbc", "xxyzz") == pytest.approx(2 / 5)
    assert grouping.grouping_accuracy("aaaaa", "xxyyz") == grouping.grouping_accuracy("abcde", "xxxxx") == 0


def test_an_interval_holds_most_draws_of_each_group_and_is_a_point_where_nothing_varies(evaluation) -> None:
    metrics = evaluation("metrics")
    values, groups = np.array([0.0] * 50 + [1.0] * 50), np.array(["a"] * 50 + ["b"] * 50)
    found = metrics.intervals(lambda rows: {"mean": values[rows].mean()}, groups)
    assert found["mean"] == (0.5, 0.5)  # as many of each group as there are
    low, high = metrics.intervals(lambda rows: {"mean": values[rows].mean()}, np.zeros(100))["mean"]
    assert 0.38 < low < 0.44 < 0.56 < high < 0.62


def test_levels_are_played_down_and_nothing_else_changes(evaluation) -> None:
    from logintel.training.dataset import Line, Shape

    lines = [Line(Shape(f"line {i}", level="ERROR"), "ERROR") for i in range(90)] + [Line(Shape("up", level="INFO"), "INFO")] * 910
    played, wrong = evaluation("corrections").play_down(lines, seed=0)
    assert wrong.sum() == 30  # 3% of 1,000
    assert all((before == after) != changed for before, after, changed in zip(lines, played, wrong, strict=True))
    assert {line.level for line, changed in zip(played, wrong, strict=True) if changed} == {"INFO"}
