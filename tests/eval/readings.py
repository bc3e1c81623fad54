"""How right the default models are on open sets that nothing was learnt from: published statements, human readings."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import metrics
import numpy as np
from contenders import ANOMALY, CATEGORY, LEVEL, Target, default_model, keyword_rule
from datasets import Line, loghub
from datasets import readings as read_readings
from datasets import statements as read_statements
from results import PRODUCT, Figures, Result, compared
from sklearn.metrics import roc_auc_score

from logintel.training.evaluation import ANOMALY_THRESHOLD

CONTENDERS = {PRODUCT: default_model, "keyword_rule": keyword_rule}
ORDINARY = ("Apache", "OpenStack", "HDFS")
"""Systems whose ordinary lines are looked at one by one; the others are beside them."""

_WARN = LEVEL.classes.index("WARN")


def statements() -> Iterator[Result]:
    """Levels of statements, mean of the four systems. None has FATAL."""
    lines, systems = read_statements()
    truth, said = LEVEL.numbers(lines), _said(LEVEL, lines)

    def figures(probabilities: np.ndarray, rows: np.ndarray) -> Figures:
        by_system = [_of_statements(truth[own], probabilities[own])
                     for own in (rows[systems[rows] == system] for system in np.unique(systems))]
        return {name: float(np.mean([found[name] for found in by_system])) for name in by_system[0]}

    yield from _compared("level_unseen_statements_{}", said, figures, systems)


def _of_statements(truth: np.ndarray, probabilities: np.ndarray) -> Figures:
    known = metrics.of_levels(truth, probabilities)
    return {name: known[name] for name in ("auc", "accuracy", "problem_accuracy")}


def human() -> Iterator[Result]:
    """Levels, anomalies and categories as people read them; a template counts where its readers agreed."""
    for target, measure in ((LEVEL, _of_levels), (ANOMALY, _of_anomalies), (CATEGORY, _of_categories)):
        lines = [reading.line for reading in read_readings() if target.label_of(reading.line) is not None]
        truth, said = target.numbers(lines), _said(target, lines)
        yield from _compared(
            f"{target.model}_human_{{}}", said,
            lambda probabilities, rows, truth=truth, measure=measure: measure(truth[rows], probabilities[rows]),
            np.zeros(len(lines)))


def _of_levels(truth: np.ndarray, probabilities: np.ndarray) -> Figures:
    known = metrics.of_levels(truth, probabilities)
    return {name: known[name] for name in ("auc", "problem_accuracy", "accuracy", "three_class_accuracy")}


def _of_anomalies(truth: np.ndarray, probabilities: np.ndarray) -> Figures:
    anomalous, scores = truth > 0, 1 - probabilities[:, 0]
    auc = roc_auc_score(anomalous, scores) if 0 < anomalous.sum() < len(anomalous) else None
    return {"auc": auc, **metrics.of_anomaly_scores(anomalous, scores)}


def _of_categories(truth: np.ndarray, probabilities: np.ndarray) -> Figures:
    return {"accuracy": (probabilities.argmax(1) == truth).mean(), "macro_f1": metrics.macro_f1(truth, probabilities)}


def problem_calibration() -> Iterator[Result]:
    """P(WARN and above) of the templates that systems with levels have, one row a template, and by line."""
    data = loghub()
    rows = data.representatives()
    truth, said = data.levels[rows], _said(LEVEL, data.chosen(rows))
    often = np.bincount(data.templates)[data.templates[rows]]

    def figures(probabilities: np.ndarray, chosen: np.ndarray) -> Figures:
        known = truth[chosen], probabilities[chosen]
        return {"error": metrics.problem_calibration_error(*known),
                "error_by_line": metrics.problem_calibration_error(*known, often[chosen])}  # fmt: skip

    yield from _compared("level_problem_calibration_{}", said, figures, np.zeros(len(rows)))


def ordinary_lines() -> Iterator[Result]:
    """Lines of up to INFO that are no anomaly to people: how many reach the anomaly threshold."""
    data = loghub()
    anomalous = {(system, line.shape.template) for system, _, line in read_readings() if line.is_anomaly}
    ordinary = np.flatnonzero([level < _WARN and (system, line.shape.template) not in anomalous for level, system, line
                               in zip(data.levels, data.systems, data.lines, strict=True)])
    said = _said(ANOMALY, data.chosen(ordinary))
    flagged = {name: 1 - probabilities[:, 0] >= ANOMALY_THRESHOLD for name, probabilities in said.items()}
    systems = data.systems[ordinary]
    parts = {"": np.ones(len(systems), bool), **{f"_{name.lower()}": systems == name for name in ORDINARY}}
    for suffix, own in parts.items():
        shares = {name: {"share": found[own].mean()} for name, found in flagged.items()}
        yield from compared(f"anomaly_ordinary_{{}}{suffix}", shares)


def _said(target: Target, lines: Sequence[Line]) -> dict[str, np.ndarray]:
    """What each contender says of the lines, having learnt from none: probabilities [N, C]."""
    return {name: learner(target, [], 0)(lines) for name, learner in CONTENDERS.items()}


def _compared(name: str, said: Mapping[str, np.ndarray], measure: Callable[[np.ndarray, np.ndarray], Figures],
              groups: np.ndarray) -> Iterator[Result]:
    """Compare what contenders say [N, C]; `measure` makes figures of probabilities [N, C] and numbers of rows."""
    everything = np.arange(len(groups))
    figures = {who: measure(probabilities, everything) for who, probabilities in said.items()}
    intervals = metrics.intervals(lambda rows: measure(said[PRODUCT], rows), groups)
    yield from compared(name, figures, intervals)
