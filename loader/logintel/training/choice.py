"""Which candidate becomes the model: a linear one, unless another wins by more than chance.

A linear model is scored by SQL, on every server and without a start; any other needs Python.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.metrics import f1_score

from logintel.training.dataset import Examples
from logintel.training.evaluation import Evaluation, one_row_a_template

LINEAR = "logistic_regression"
"""The candidate that SQL can score."""
RESAMPLES = 200
CONFIDENCE = 1.645
"""Standard deviations that a gain has to exceed: one in twenty does by chance."""


class Choice(NamedTuple):
    """The candidate chosen, and what another one would gain or gains, where there is one to speak of."""

    best: Evaluation
    note: str | None


def choose(results: Sequence[Evaluation], examples: Examples, seed: int) -> Choice:
    """Choose by the mean of accuracy and macro-F1 on unseen templates; the first of equals."""
    best = max(results, key=lambda result: result.criterion)
    linear = next((result for result in results if result.candidate == LINEAR), best)
    if best is linear:
        return Choice(best, None)
    gain, chance = best.criterion - linear.criterion, CONFIDENCE * _noise(best, linear, examples, seed)
    name = f"{examples.target}: {best.candidate.replace('_', ' ')}"
    if gain > chance:
        return Choice(best, f"{name} gains {gain:.3f} on unseen templates, chance alone {chance:.3f}: it is chosen, "
                            "though SQL cannot score it")
    return Choice(linear, f"{name} would gain {gain:.3f} on unseen templates, chance alone {chance:.3f}: "
                          "the linear model is chosen, which SQL scores")


def _noise(one: Evaluation, other: Evaluation, examples: Examples, seed: int) -> float:
    """Return the standard deviation of the difference of two candidates' criteria, by drawing the templates again."""
    inputs, truth = one_row_a_template(examples)
    said = [result.unseen[inputs].argmax(1) for result in (one, other)]
    random = np.random.default_rng(seed)
    differences = []
    for _ in range(RESAMPLES):
        drawn = random.integers(0, len(truth), len(truth))
        differences.append(_criterion(truth[drawn], said[0][drawn]) - _criterion(truth[drawn], said[1][drawn]))
    return float(np.std(differences))


def _criterion(truth: np.ndarray, predicted: np.ndarray) -> float:
    f1 = f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0)
    return (np.mean(truth == predicted) + f1) / 2
