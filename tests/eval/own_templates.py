"""How right the default models are on the project's own templates, those that a model was not built from.

They say nothing of real logs: the same people wrote what was learnt and what is asked.
"""

from collections.abc import Callable, Iterator
from functools import cache

import metrics
import numpy as np
from contenders import ANOMALY, BASELINES, CATEGORY, LEVEL, Target
from results import PRODUCT, Result, compared
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold

from logintel.defaults import build
from logintel.defaults.corpora import entries
from logintel.training import default_models, evaluation
from logintel_server.scoring import LABEL_PROBABILITY

FOLDS = 5
SEED = 0
SPLITS = {"": build.by_template, "_unseen_system": build.by_system}
"""What a figure's name ends in, and what is kept together in one fold."""

Figures = dict[str, float | None]


def levels() -> Iterator[Result]:
    """Levels, of templates and of systems that were not learnt from."""
    yield from _compared("level_own_templates_{}", LEVEL, metrics.of_levels)


def categories() -> Iterator[Result]:
    """The category, and all categories that apply."""
    yield from _compared("category_{}", CATEGORY, _of_categories)


def anomalies() -> Iterator[Result]:
    """Whether a template is an anomaly, and of which type."""
    yield from _compared("anomaly_{}", ANOMALY, metrics.of_anomaly_types)


def _compared(name: str, target: Target, measure: Callable[[np.ndarray, np.ndarray], Figures]) -> Iterator[Result]:
    truth = target.numbers([entry.line for entry in entries()])
    for suffix, groups in SPLITS.items():
        said = {PRODUCT: _default_model(target, groups()), **_baselines(target, groups())}
        yield from compared(name + suffix, {who: measure(truth, probabilities) for who, probabilities in said.items()})


def _default_model(target: Target, groups: np.ndarray) -> np.ndarray:
    """Probabilities [N, C] of default models that were built without the group, with the calibration that ships."""
    probabilities, classes = build.crossvalidated(target.model, groups)
    temperature = default_models.models()[target.model].metadata["temperature"]
    return target.ordered(evaluation.softened(probabilities, temperature), classes)


def _baselines(target: Target, groups: np.ndarray) -> dict[str, np.ndarray]:
    lines = [entry.line for entry in entries()]
    said = {name: np.zeros((len(lines), len(target.classes))) for name in BASELINES}
    for kept, test in GroupKFold(FOLDS, shuffle=True, random_state=SEED).split(lines, groups=groups):
        for name, learner in BASELINES.items():
            predict = learner(target, [lines[i] for i in kept], SEED)
            said[name][test] = predict([lines[i] for i in test])
    return said


def _of_categories(truth: np.ndarray, probabilities: np.ndarray) -> Figures:
    """Labels are what the server stores: the likeliest category, and all from LABEL_PROBABILITY on."""
    labels = probabilities >= LABEL_PROBABILITY
    labels[np.arange(len(labels)), probabilities.argmax(1)] = True
    applies = _all_categories()
    return {"accuracy": (probabilities.argmax(1) == truth).mean(),
            "macro_f1": metrics.macro_f1(truth, probabilities),
            "calibration_error": metrics.calibration_error(truth, probabilities),
            "multilabel_f1": f1_score(applies, labels, average="micro"),
            "multilabel_macro_f1": f1_score(applies, labels, average="macro", zero_division=0)}  # fmt: skip


@cache
def _all_categories() -> np.ndarray:
    """Which categories apply to each template: [N, C] of bool."""
    return np.array([[name in entry.categories for name in CATEGORY.classes] for entry in entries()])
