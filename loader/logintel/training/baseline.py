"""The baseline of a model: what its training lines were like, and how far that strays by itself from day to day.

The judgement of drift, sql/10_drift, compares a day's lines with it. Logs are bursty, and what is usual
differs from one to another, so the baseline also says how far the training lines stray: each window of them against the
rest and, where something is new, against all lines before.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from logintel.training.dataset import NORMAL, Line
from logintel.training.evaluation import ANOMALY_THRESHOLD
from logintel_server import tokens
from logintel_server.baselines import BINS

if TYPE_CHECKING:
    from logintel.training.models import TrainedModel

MINIMUM_LINES = 200
"""A window of fewer lines is not judged."""
MINIMUM_SERVICE_LINES = 50
MAX_TEMPLATES = 50_000
MAX_SERVICES = 1000
FLOOR = 0.0001
"""What an empty bin counts as, in the population stability index; the same in SQL."""
HALF_A_LINE = 0.5
"""Added to each bin before bins are compared: a few lines without a class do not prove that there is none of it."""

_WINDOW = timedelta(days=1)
_FEWEST_WINDOWS, _MOST_WINDOWS = 3, 10


@dataclass(frozen=True, eq=False)
class History:
    """N training lines, oldest first, and what is new in them when."""

    lines: Sequence[Line]

    @cached_property
    def services(self) -> np.ndarray:
        """The service of each line [N]; digits in it count instances, and are masked."""
        return np.array([tokens.without_instance(line.shape.service) for line in self.lines], object)

    @cached_property
    def templates(self) -> list[str]:
        """Digests of the templates, the most frequent first."""
        counts = Counter(line.shape.template for line in self.lines)
        return [tokens.digest(template) for template, _ in counts.most_common(MAX_TEMPLATES)]

    @cached_property
    def hours(self) -> list[float] | None:
        """Shares of the lines in each hour of the day, UTC; None where they have no time, or are of less than a day."""
        times = [line.timestamp for line in self.lines]
        if None in times or max(times) - min(times) < _WINDOW - timedelta(hours=1):
            return None
        counts = np.bincount([time.astimezone(UTC).hour for time in times], minlength=24)
        return (counts / len(times)).round(5).tolist()

    @cached_property
    def vocabulary(self) -> list[str]:
        """The words of all templates."""
        return sorted(set().union(*(_distinct(template) for template in {line.shape.template for line in self.lines})))

    @cached_property
    def _ages(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Numbers of the lines that were the first: of each line's template [N], service [N] and words (N arrays)."""
        templates: dict[str, int] = {}
        services: dict[str, int] = {}
        words: dict[str, int] = {}
        of_template: dict[str, np.ndarray] = {}
        for number, (line, service) in enumerate(zip(self.lines, self.services, strict=True)):
            template = line.shape.template
            services.setdefault(service, number)
            if templates.setdefault(template, number) == number:
                of_template[template] = np.array([words.setdefault(word, number) for word in _distinct(template)], int)
        return (np.array([templates[line.shape.template] for line in self.lines]),
                np.array([services[service] for service in self.services]),
                [of_template[line.shape.template] for line in self.lines])

    def windows(self, numbers: np.ndarray, minimum: int) -> list[np.ndarray]:
        """Cut lines `numbers` [K], ascending, into windows of at least `minimum` lines: the numbers of each.

        They are days of 24 hours, counted back from the last line, where there are enough such days, else equal parts.
        """
        times = [self.lines[number].timestamp for number in (0, -1, *numbers)]
        if None not in times:
            first, last = times[:2]
            full = (last - first + timedelta(hours=1)) // _WINDOW
            day = np.array([(last - time) // _WINDOW for time in times[2:]], int)
            days = [numbers[day == number] for number in reversed(range(full))]
            days = [found for found in days if len(found) >= minimum]
            if len(days) >= _FEWEST_WINDOWS:
                return days
        parts = min(_MOST_WINDOWS, len(numbers) // minimum)
        return np.array_split(numbers, parts) if parts >= _FEWEST_WINDOWS else []

    def novelty(self, windows: Sequence[np.ndarray]) -> dict[str, float | None]:
        """Return the largest share of what is new in a later window: no line before it had it."""
        later = windows[len(windows) // 2:]
        templates, services, words = self._ages
        return {
            "new_templates": _largest([np.mean(templates[window] >= window[0]) for window in later]),
            "unknown_words": _largest([np.mean([_mean(words[number] >= window[0]) for number in window])
                                       for window in later]),
            "new_services": _largest([np.mean(services[window] >= window[0]) for window in later]),
        }  # fmt: skip


def population_stability_index(expected: np.ndarray, actual: np.ndarray) -> float:
    """Return how far the counts, or shares, `actual` [B] are from `expected` [B]; the same as in SQL."""
    then, now = (np.maximum(values / values.sum(), FLOOR) for values in (expected, actual))
    return float(((now - then) * np.log(now / then)).sum())


def of_model(model: "TrainedModel", history: History) -> dict[str, Any]:
    """Make the baseline of a model that was trained on these lines, all of which it would have scored."""
    shapes = {(line.shape, line.level): line for line in history.lines}
    number = {shape: i for i, shape in enumerate(shapes)}
    row = np.array([number[line.shape, line.level] for line in history.lines])
    classes, confidences = predictions(model, list(shapes.values()))
    return of_predictions(history, classes[row], confidences[row])


def predictions(model: "TrainedModel", lines: Sequence[Line]) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes [N] of N lines, as predictions show them, and how sure the model is: [N].

    The class of an anomaly model is the type, or none below the threshold, and it is as sure as its score is high.
    """
    if model.name != "anomaly":
        return model.predict(lines)
    scores = model.anomaly_scores(lines)
    types = np.full(len(lines), "outlier", object)
    if model.metadata["kind"] == "classifier":
        named = np.array(model.metadata["classes"], object)
        anomalous = named != NORMAL
        types = named[anomalous][model.pipeline.predict_proba(model.inputs(lines))[:, anomalous].argmax(1)]
    return np.where(scores >= ANOMALY_THRESHOLD, types, NORMAL), scores


def of_predictions(history: History, classes: np.ndarray, confidences: np.ndarray) -> dict[str, Any]:
    """Make the baseline of a model that gives the N lines these `classes` [N] and `confidences` [N]."""
    # The server keeps confidences as reals.
    bins = np.minimum(confidences.astype(np.float32).astype(float) * BINS, BINS - 1).astype(int)
    predicted = {"classes": np.array(classes, object), "confidence": bins}
    everything = np.arange(len(history.lines))
    windows = history.windows(everything, MINIMUM_LINES)
    services = Counter(history.services).most_common(MAX_SERVICES)
    return {
        "lines": len(history.lines),
        "hours": history.hours,
        "anomaly_threshold": ANOMALY_THRESHOLD,
        **_shares(predicted, everything),
        "services": {service: _of_service(history, predicted, np.flatnonzero(history.services == service))
                     for service, lines in services if lines >= _FEWEST_WINDOWS * MINIMUM_SERVICE_LINES},
        "mix": {service: round(lines / len(history.lines), 6) for service, lines in services},
        "templates": history.templates,
        "vocabulary": history.vocabulary,
        "usual": _usual({**predicted, "services": history.services}, everything, windows) | history.novelty(windows),
    }  # fmt: skip


def _of_service(history: History, predicted: Mapping[str, np.ndarray], numbers: np.ndarray) -> dict[str, Any]:
    windows = history.windows(numbers, MINIMUM_SERVICE_LINES)
    usual = _usual(predicted, numbers, windows) | history.novelty(windows)
    del usual["new_services"]
    return {"lines": len(numbers), **_shares(predicted, numbers), "usual": usual}


def _shares(predicted: Mapping[str, np.ndarray], numbers: np.ndarray) -> dict[str, Any]:
    counts = Counter(predicted["classes"][numbers])
    bins = np.bincount(predicted["confidence"][numbers], minlength=BINS) / len(numbers)
    return {"classes": {name: round(lines / len(numbers), 6) for name, lines in sorted(counts.items())},
            "confidence": bins.round(6).tolist()}


def _usual(values: Mapping[str, np.ndarray], numbers: np.ndarray, windows: Sequence[np.ndarray]) -> dict[str, Any]:
    """Return how far the `values` [N] of a window's lines are from those of the other lines, at most."""
    found = {}
    for measure, value in values.items():
        names, coded = np.unique(value[numbers], return_inverse=True)
        total = np.bincount(coded)
        own = [np.bincount(coded[np.isin(numbers, window)], minlength=len(names)) for window in windows]
        found[measure] = _largest([population_stability_index(total - counts + HALF_A_LINE, counts + HALF_A_LINE)
                                   for counts in own])
    return found


def _distinct(template: str) -> set[str]:
    return set(tokens.tokenize(template)) - {tokens.MASK}


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _largest(values: Sequence[float]) -> float | None:
    return round(float(max(values)), 5) if values else None
