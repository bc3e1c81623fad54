"""How well a candidate does on lines it was not trained on: random ones, later ones, and templates never seen."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.metrics import average_precision_score, confusion_matrix, f1_score, roc_auc_score
from sklearn.model_selection import GroupKFold

from logintel.training.candidates import Fitted, votes
from logintel.training.dataset import NORMAL, Examples

FOLDS = 5
SOFTENED = ("logistic_regression", "transformer")
"""Candidates whose confidence is calibrated by a temperature, which ONNX gets by smaller coefficients."""
HELD_OUT = 0.2
"""Share of the lines that the random split and the split by time test on."""
PROBLEMS = ("WARN", "ERROR", "FATAL")
ANOMALY_THRESHOLD = 0.7
TEMPERATURES = (0.5, 2.0)
CALIBRATION_BINS = 10


@dataclass
class Evaluation:
    """Figures of one candidate. `splits` maps a split to its figures; models/README.md explains them."""

    candidate: str
    splits: dict[str, dict[str, Any]] = field(default_factory=dict)
    confusion: list[list[int]] = field(default_factory=list)
    temperature: float | None = None
    unseen: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    """Probabilities [M, C] of the inputs, each from a candidate that has not seen its template."""

    @property
    def criterion(self) -> float:
        """What candidates are chosen by: right on unseen templates, in all and in each class."""
        unseen = self.splits["unseen_templates"]
        return (unseen["accuracy"] + unseen["macro_f1"]) / 2


def evaluate(candidate: str, examples: Examples, seed: int, step: Callable[[str], None]) -> Evaluation:
    """Measure one candidate on unseen templates, on random lines and on later ones. `step` is told what comes next."""
    result = Evaluation(candidate)
    step("unseen templates")
    unseen = _unseen_probabilities(candidate, examples, seed)
    inputs, truth = one_row_a_template(examples)
    if candidate in SOFTENED:
        result.temperature = temperature(unseen[inputs], truth)
        unseen = softened(unseen, result.temperature)
    result.unseen = unseen
    lines = len(examples.line_input)
    tests = {"random_split": np.random.default_rng(seed).random(lines) < HELD_OUT,
             "time_split": np.arange(lines) >= lines * (1 - HELD_OUT)}
    for name, test in tests.items():
        step(name.replace("_", " "))
        fitted = fit(candidate, examples, examples.counts(~test), seed)
        if result.temperature and fitted.pipeline:
            fitted.soften(result.temperature)
        result.splits[name] = _figures_by_line(examples, fitted.probabilities(examples.inputs), test)
    result.splits["unseen_templates_by_line"] = _figures_by_line(examples, unseen, np.ones(lines, bool))
    result.splits["unseen_templates"] = figures(examples.classes, truth, unseen[inputs], np.ones(len(truth)))
    result.confusion = confusion_matrix(truth, unseen[inputs].argmax(1), labels=range(len(examples.classes))).tolist()
    return result


def fit(candidate: str, examples: Examples, counts: np.ndarray, seed: int) -> Fitted:
    """Fit a candidate to the lines that `counts` [M, C] counts by input and class."""
    weights = votes(counts, examples.templates, examples.judged)
    return Fitted(candidate, examples.target, examples.features, examples.classes, examples.inputs, weights, seed)


def figures(
    classes: tuple[str, ...], truth: np.ndarray, probabilities: np.ndarray, weight: np.ndarray
) -> dict[str, Any]:
    """Measure probabilities [K, C] against true class numbers [K], each row counting `weight` [K].

    Figures that the data cannot give, such as an AUC with one class only, are None.
    """
    predicted = probabilities.argmax(1)
    result = {
        "accuracy": np.average(predicted == truth, weights=weight),
        "macro_f1": f1_score(truth, predicted, labels=np.unique(truth), average="macro", sample_weight=weight,
                             zero_division=0),
        "calibration_error": _calibration_error(truth, probabilities, weight),
    }
    if set(classes) & set(PROBLEMS):
        columns = [name in PROBLEMS for name in classes]
        result |= _problem_figures(np.isin(truth, np.flatnonzero(columns)), probabilities[:, columns].sum(1), weight)
    if NORMAL in classes:
        normal = classes.index(NORMAL)
        result |= _anomaly_figures(truth != normal, 1 - probabilities[:, normal], weight)
    return {name: None if value is None else round(float(value), 4) for name, value in result.items()}


def _unseen_probabilities(candidate: str, examples: Examples, seed: int) -> np.ndarray:
    """Probabilities [M, C] of each input, from a candidate that has not seen its template."""
    counts = examples.counts()
    probabilities = np.zeros_like(counts)
    folds = GroupKFold(min(FOLDS, examples.templates.max() + 1), shuffle=True, random_state=seed)
    for _, test in folds.split(examples.inputs, groups=examples.templates):
        kept = counts.copy()
        kept[test] = 0
        probabilities[test] = fit(candidate, examples, kept, seed).probabilities(examples.inputs[test])
    return probabilities


def one_row_a_template(examples: Examples) -> tuple[np.ndarray, np.ndarray]:
    """Return the input that speaks for each template [T], and the class that most of its lines carry [T].

    It is the most frequent one, or of those with verdicts, where there are any.
    """
    counts = examples.counts()
    by_weight = np.lexsort((-counts.sum(1), ~examples.judged))
    _, first = np.unique(examples.templates[by_weight], return_index=True)
    inputs = by_weight[first]
    return inputs, counts[inputs].argmax(1)


def _figures_by_line(examples: Examples, probabilities: np.ndarray, chosen: np.ndarray) -> dict[str, Any]:
    counts = examples.counts(chosen)
    inputs, truth = np.nonzero(counts)
    return figures(examples.classes, truth, probabilities[inputs], counts[inputs, truth])


def _problem_figures(problem: np.ndarray, score: np.ndarray, weight: np.ndarray) -> dict[str, float | None]:
    both = len(np.unique(problem)) == 2
    return {"problem_accuracy": np.average((score >= 0.5) == problem, weights=weight),
            "problem_auc": roc_auc_score(problem, score, sample_weight=weight) if both else None}


def _anomaly_figures(anomalous: np.ndarray, score: np.ndarray, weight: np.ndarray) -> dict[str, float | None]:
    found = score >= ANOMALY_THRESHOLD
    hits = weight[found & anomalous].sum()
    precision = hits / weight[found].sum() if found.any() else None
    recall = hits / weight[anomalous].sum() if anomalous.any() else None
    return {"precision": precision, "recall": recall,
            "f1": 2 * hits / (weight[found].sum() + weight[anomalous].sum()) if anomalous.any() else None,
            "pr_auc": average_precision_score(anomalous, score, sample_weight=weight) if anomalous.any() else None}


def _calibration_error(truth: np.ndarray, probabilities: np.ndarray, weight: np.ndarray) -> float:
    """Expected calibration error: how far confidence is from accuracy, mean over bins of equal width."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truth
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weight * (confidence - right))
    return np.abs(gaps).sum() / weight.sum()


def temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The temperature that makes probabilities [T, C] likeliest, given the true classes [T]."""
    rows = np.arange(len(truth))

    def surprise(tried: float) -> float:
        return -np.log(softened(probabilities, tried)[rows, truth] + 1e-6).mean()

    return round(float(minimize_scalar(surprise, bounds=TEMPERATURES, method="bounded").x), 3)


def softened(probabilities: np.ndarray, by: float | None) -> np.ndarray:
    """What dividing a linear model's scores by a temperature makes of its probabilities [K, C]; None: nothing."""
    if by is None:
        return probabilities
    powers = np.maximum(probabilities, 1e-12) ** (1 / by)
    return powers / powers.sum(1, keepdims=True)
