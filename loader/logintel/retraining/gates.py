"""Gates: a retrained model has to be no worse than the version in force. What cannot be judged keeps no model out."""

from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest, norm

TOLERANCE = 0.01
"""A loss up to this is none."""
SIGNIFICANCE = 0.05
"""A loss that chance alone would bring about more often than this is none."""
PERMUTATIONS = 2000


class Gate(NamedTuple):
    """What one gate says of a model, with the figures behind it."""

    gate: str
    passed: bool | None  # None: it cannot be judged
    detail: str


class Figure(NamedTuple):
    """How right a version is, from 0 to 1, and on how many templates that was measured."""

    value: float
    templates: int


def paired(gate: str, what: str, ours: np.ndarray, theirs: np.ndarray) -> Gate:
    """Compare who is right on the same K templates: the new model, `ours` [K] of bool, or the one in force, `theirs`.

    It fails where the new one is worse by more than TOLERANCE and McNemar's exact test, one-sided, does not put that
    down to chance.
    """
    if not len(ours):
        return Gate(gate, None, f"there are no {what}")
    gained, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    chance = binomtest(lost, lost + gained, alternative="greater").pvalue if lost else 1.0
    return _gate(gate, f"right on {{}} of {{}} {what}", Figure(ours.mean(), len(ours)),
                   Figure(theirs.mean(), len(theirs)), chance)


def paired_anomalies(gate: str, what: str, truth: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> Gate:
    """Compare who finds the anomalies among the same K templates: `truth`, `ours`, `theirs` [K] of bool.

    Anomalies are rare, and who finds none is nearly always right, so it is F1 that counts. It fails where the new model
    is worse by more than TOLERANCE and a permutation test, one-sided, does not put that down to chance: whose answer is
    whose is drawn at random for each template.
    """
    if not truth.any():
        return paired(gate, what, ~ours, ~theirs)
    chosen = np.random.default_rng(0)
    value, other = _f1(truth, ours), _f1(truth, theirs)
    as_bad = 0
    for _ in range(PERMUTATIONS):
        swapped = chosen.random(len(truth)) < 0.5
        drawn, left = np.where(swapped, theirs, ours), np.where(swapped, ours, theirs)
        as_bad += _f1(truth, left) - _f1(truth, drawn) >= other - value - 1e-12
    return _gate(gate, f"F1 of anomalies {{}} on {{}} {what}", Figure(value, len(truth)), Figure(other, len(truth)),
                   (1 + as_bad) / (1 + PERMUTATIONS))


def recorded(gate: str, ours: Figure, theirs: Figure) -> Gate:
    """Compare accuracies that each version recorded on templates of its own, unseen by it.

    It fails where the new one is worse by more than TOLERANCE and a two-proportion z-test, one-sided, does not put that
    down to chance.
    """
    error = np.sqrt(sum(figure.value * (1 - figure.value) / figure.templates for figure in (ours, theirs)))
    loss = theirs.value - ours.value
    chance = norm.sf(loss / error) if error else float(loss <= 0)
    return _gate(gate, "right on {} of {} unseen templates", ours, theirs, chance)


def refusals(gates: list[Gate]) -> list[Gate]:
    """Return the gates that keep the model out."""
    return [gate for gate in gates if gate.passed is False]


def _f1(truth: np.ndarray, said: np.ndarray) -> float:
    return float(2 * (truth & said).sum() / (truth.sum() + said.sum()))


def _gate(gate: str, says: str, ours: Figure, theirs: Figure, chance: float) -> Gate:
    passed = theirs.value - ours.value <= TOLERANCE or chance >= SIGNIFICANCE
    others = f" of {theirs.templates:,}" if theirs.templates != ours.templates else ""
    said = says.format(f"{ours.value:.1%}", f"{ours.templates:,}")
    detail = f"{said}, the version in force {theirs.value:.1%}{others}"
    return Gate(gate, bool(passed), detail if passed else f"{detail}; by chance with p = {chance:.2g}")
