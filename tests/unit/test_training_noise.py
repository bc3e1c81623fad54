"""Levels that sources got wrong: found by a model that was trained on them."""

from collections import Counter

import numpy as np
import pytest

from logintel.training import evaluation, labels
from logintel.training.candidates import CANDIDATES
from logintel.training.dataset import Line, Shape, group, level_of
from logintel.training.models import train_models
from support.training_lines import LOGHUB, loghub, simulated, with_wrong_levels

MINIMUM_CONFIDENCE = 0.6
SYSTEMS = ("Hadoop", "OpenStack", "Apache", "Android")


def precision_and_recall(
    lines: list[Line], wrong: np.ndarray, labels: np.ndarray, confidence: np.ndarray
) -> tuple[float, float]:
    """How many corrections are right, and how many wrong levels are corrected."""
    declared = np.array([line.level for line in lines])
    corrected = (labels != declared) & (confidence >= MINIMUM_CONFIDENCE)
    assert corrected.any()
    return (corrected & wrong).sum() / corrected.sum(), (corrected & wrong).sum() / wrong.sum()


def trained(candidate: str, lines: list[Line]) -> tuple[np.ndarray, np.ndarray]:
    """Train one candidate; return the label and the confidence it gives each line."""
    examples, _ = labels.level_examples(lines)
    fitted = evaluation.fit(candidate, examples, examples.counts(), seed=0)
    probabilities = fitted.probabilities(examples.inputs)[examples.line_input]
    return np.array(examples.classes)[probabilities.argmax(1)], probabilities.max(1)


@pytest.mark.skipif(not LOGHUB.exists(), reason="the real logs in ../shared/data are not there")
@pytest.mark.parametrize("seed", [1, 2])
def test_wrong_levels_in_real_logs_are_found(seed: int) -> None:
    lines, wrong = with_wrong_levels(loghub(*SYSTEMS), 0.03, seed)
    (level, *_), _ = train_models(lines, seed=seed)
    precision, recall = precision_and_recall(lines, wrong, *level.predict(lines))
    assert precision >= 0.95
    assert recall >= 0.95


@pytest.mark.skipif(not LOGHUB.exists(), reason="the real logs in ../shared/data are not there")
@pytest.mark.parametrize("candidate", CANDIDATES)
def test_each_candidate_finds_wrong_levels(candidate: str) -> None:
    lines, wrong = with_wrong_levels(loghub(*SYSTEMS), 0.03, seed=3)
    precision, recall = precision_and_recall(lines, wrong, *trained(candidate, lines))
    assert precision >= 0.93
    assert recall >= 0.93


@pytest.mark.parametrize("candidate", CANDIDATES)
@pytest.mark.parametrize("share", [0.03, 0.1])
def test_wrong_levels_in_simulated_logs_are_found(candidate: str, share: float) -> None:
    lines, wrong = with_wrong_levels([line for _, line in simulated(6000)], share, seed=1)
    often = Counter(line.shape.template for line in lines)
    labels, confidence = trained(candidate, lines)
    known = np.array([often[line.shape.template] >= 5 for line in lines])
    precision, recall = precision_and_recall(lines, wrong, labels, np.where(known, confidence, 0))
    assert precision >= 0.95
    assert recall >= 0.9 * wrong[known].sum() / wrong.sum()


def test_lines_of_a_template_vote_and_its_level_wins() -> None:
    lines = [Line(Shape(f"part {word} started", "app"), "INFO") for word in ("one", "two", "three") for _ in range(300)]
    broken = Shape("part five broke", "app")
    lines += [Line(broken, "ERROR")] * 90 + [Line(broken, "INFO")] * 10
    examples = group("level", lines, level_of, ("words", "context"))
    for candidate in CANDIDATES:
        fitted = evaluation.fit(candidate, examples, examples.counts(), seed=0)
        said = dict(zip(examples.inputs[:, 0], fitted.probabilities(examples.inputs), strict=True))
        error = examples.classes.index("ERROR")
        assert 0.65 < said["part five broke"][error] < 0.97, "a mixed template is not certain"
        assert said["part two started"][error] < 0.1


def test_the_context_of_a_message_can_change_its_level() -> None:
    lines = [Line(Shape("request completed", "web", "app", "", status), level)
             for status, level in (("2xx", "INFO"), ("5xx", "ERROR")) for _ in range(600)]
    lines += [Line(Shape(f"worker {word}", "jobs"), "INFO") for word in ("up", "idle", "busy")] * 10
    examples = group("level", lines, level_of, ("words", "context"))
    for candidate in CANDIDATES:
        fitted = evaluation.fit(candidate, examples, examples.counts(), seed=0)
        best = fitted.probabilities(examples.inputs).argmax(1)
        for given, label in zip(examples.inputs, best, strict=True):
            assert examples.classes[label] == ("ERROR" if "status=5xx" in given[1] else "INFO")
