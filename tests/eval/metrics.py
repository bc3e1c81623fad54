"""Figures of probabilities [N, C] against true class numbers [N]. What the data cannot give is None."""

from collections.abc import Callable, Mapping

import numpy as np
from contenders import ANOMALY, LEVEL
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from logintel.training.evaluation import ANOMALY_THRESHOLD, PROBLEMS

MINIMUM_CONFIDENCE = 0.6
"""The setting classification_min_confidence: below it, a level is no correction."""

DRAWS = 500
"""How often templates are drawn again for an interval."""

_BINS = 10
_PROBLEM = np.isin(LEVEL.classes, PROBLEMS)
_SEVERITIES = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])
"""From levels to three classes: up to INFO, WARN, ERROR and above."""


def of_levels(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float | None]:
    """All that is asked of a level model."""
    confident = probabilities.max(1) >= MINIMUM_CONFIDENCE
    right = probabilities.argmax(1) == truth
    severity, severities = _SEVERITIES[truth].argmax(1), probabilities @ _SEVERITIES
    return {
        "accuracy": right.mean(),
        "macro_f1": macro_f1(truth, probabilities),
        "auc": problem_auc(truth, probabilities),
        "problem_accuracy": ((problem_score(probabilities) >= 0.5) == _PROBLEM[truth]).mean(),
        "three_class_accuracy": (severities.argmax(1) == severity).mean(),
        "three_class_macro_f1": macro_f1(severity, severities),
        "calibration_error": calibration_error(truth, probabilities),
        "share_confident": confident.mean(),
        "accuracy_confident": right[confident].mean() if confident.any() else None,
    }


def corrects(declared: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Whether declared levels [N], by number, are corrected by probabilities [N, 5], as _corrects() in SQL has it: [N] of bool."""
    kinds = np.array([1, 1, 2, 3, 3])
    said, by_source = kinds[probabilities.argmax(1)], kinds[declared]
    higher = (probabilities * (kinds > by_source[:, None])).sum(1)
    lower = (probabilities * (kinds < by_source[:, None])).sum(1)
    return ((said > by_source) & (higher >= MINIMUM_CONFIDENCE)) | ((said < by_source) & (lower >= (1 + MINIMUM_CONFIDENCE) / 2))


def problem_score(probabilities: np.ndarray) -> np.ndarray:
    """P(WARN and above)."""
    return probabilities[:, _PROBLEM].sum(1)


def problem_auc(truth: np.ndarray, probabilities: np.ndarray) -> float | None:
    """AUC of WARN and above against the rest."""
    problem = _PROBLEM[truth]
    return roc_auc_score(problem, problem_score(probabilities)) if 0 < problem.sum() < len(problem) else None


def macro_f1(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Macro-F1 of the classes that occur."""
    return f1_score(truth, probabilities.argmax(1), labels=np.unique(truth), average="macro", zero_division=0)


def calibration_error(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Expected calibration error: how far confidence is from accuracy, mean over ten bins of equal width."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truth
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return np.abs(np.bincount(bins, confidence - right)).sum() / len(truth)


def of_anomaly_scores(anomalous: np.ndarray, scores: np.ndarray) -> dict[str, float | None]:
    """F1 at the anomaly threshold, and PR AUC, of anomaly scores [N]."""
    if not anomalous.any():
        return {"f1": None, "pr_auc": None}
    return {"f1": f1_score(anomalous, scores >= ANOMALY_THRESHOLD, zero_division=0),
            "pr_auc": average_precision_score(anomalous, scores)}  # fmt: skip


def of_anomaly_types(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float | None]:
    """Figures of an anomaly classifier whose first class is none. The type is judged where there is an anomaly."""
    anomalous = truth > 0
    return {**of_anomaly_scores(anomalous, 1 - probabilities[:, 0]),
            "type_macro_f1": macro_f1(truth[anomalous] - 1, probabilities[anomalous][:, 1:]),
            "class_macro_f1": macro_f1(truth, probabilities)}  # fmt: skip


def by_anomaly_type(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float | None]:
    """F1 of each type: a line has it where the anomaly score reaches the threshold and the type is the likeliest."""
    found = np.where(1 - probabilities[:, 0] >= ANOMALY_THRESHOLD, 1 + probabilities[:, 1:].argmax(1), 0)
    return {name: f1_score(truth == number, found == number, zero_division=0) if (truth == number).any() else None
            for number, name in enumerate(ANOMALY.classes) if number}  # fmt: skip


def problem_calibration_error(truth: np.ndarray, probabilities: np.ndarray, weight: np.ndarray | None = None) -> float:
    """How far P(WARN and above) is from the share of such, mean over ten bins, each template counting `weight` [N]."""
    score = problem_score(probabilities)
    bins = np.minimum((score * _BINS).astype(int), _BINS - 1)
    weight = np.ones(len(truth)) if weight is None else weight
    return np.abs(np.bincount(bins, weight * (score - _PROBLEM[truth]))).sum() / weight.sum()


def intervals(measure: Callable[[np.ndarray], Mapping[str, float | None]], groups: np.ndarray,
              seed: int = 0) -> dict[str, tuple[float, float]]:
    """Return where 95% of each figure are when templates are drawn again, as many of each group [N] as it has.

    `measure` makes figures of the numbers of templates [N]. Draws without a figure are left out.
    """
    chance = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    draws = [measure(np.concatenate([chance.choice(own, len(own)) for own in members])) for _ in range(DRAWS)]
    found = {name: [draw[name] for draw in draws if draw[name] is not None] for name in draws[0]}
    return {name: tuple(np.quantile(values, (0.025, 0.975)).round(4).tolist()) for name, values in found.items()}
