"""What each default model is made of: how much the lexicon says and how much the corpora teach."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline

from logintel.defaults import lexicon, linear
from logintel.defaults.corpora import Entry
from logintel.simulation.templates import ANOMALY_TYPES, CATEGORIES, LEVELS
from logintel.training.dataset import NORMAL


@dataclass(frozen=True)
class Recipe:
    """How one default model is made. What is not given is not done, and a temperature is fitted on unseen systems."""

    classes: tuple[str, ...]
    prior: tuple[float, ...] | None = None  # shares of the classes that the model assumes; None: those of the corpora
    c: float | None = None  # inverse strength of the regularisation; None: the corpora teach this model nothing
    counted_only: bool = True  # whether the n-grams are the lexicon's, or those of two templates of the corpora
    problem_weight: float = 0.0  # what the lexicon's log odds of a problem count for every type of anomaly
    module_weight: float = 0.0  # what the log lifts of kinds of modules count for their category
    temperature: float | None = None


RECIPES = {
    # Levels are what the lexicon says. The prior has less DEBUG than its statements, so that a message without known
    # words is INFO; the shares of problems in a running system would be lower yet, and miss more of them. The
    # temperature keeps P(WARN and above) near those shares: the regression, much regularised, is too unsure of itself.
    "level": Recipe(LEVELS, (0.26, 0.33, 0.15, 0.22, 0.04), temperature=0.6),
    "category": Recipe(CATEGORIES, c=1.0, counted_only=False, module_weight=0.5),
    # The corpora have trouble in harmless words and harmless lines in alarming ones on purpose: what they teach is
    # held back, and words keep a part of what they mean elsewhere.
    "anomaly": Recipe((NORMAL, *ANOMALY_TYPES), (0.5,) + 6 * (0.5 / 6,), c=0.05, problem_weight=0.2, temperature=1.0),
}
PROBLEM = (-0.5, -0.5, 0.45, 0.5, 0.05)
"""From the lexicon's scores, DEBUG to FATAL, to the log odds of a problem, nearly: those of its likelier levels."""
MODULES = {"auth": "Authentication", "security": "Security", "network": "Network", "metrics": "Performance",
           "database": "Database"}
"""Kinds of modules whose words tell a category."""


def fitted(name: str, entries: Sequence[Entry], labels: np.ndarray) -> Pipeline:
    """Make a default model of what the lexicon says and what `entries` [N] of the classes `labels` [N] teach.

    Its scores are to be divided by the model's temperature.
    """
    recipe = RECIPES[name]
    if recipe.c is None:
        return _counted(recipe)
    weights = np.eye(len(recipe.classes))[labels]
    if recipe.prior:
        weights *= np.array(recipe.prior) * len(labels) / weights.sum(0)
    words = [entry.words for entry in entries]
    known = lexicon.lexicon()
    vocabulary = sorted(known.weights) if recipe.counted_only else linear.ngrams(words, 2)
    evidence = known.matrix(vocabulary) if recipe.problem_weight else None
    made = linear.fit(words, weights, recipe.classes, vocabulary=vocabulary, c=recipe.c, evidence=evidence)
    made["model"].coef_ = made["model"].coef_ + _given(recipe, vocabulary)
    return made


def _counted(recipe: Recipe) -> Pipeline:
    """Return the lexicon's regression of levels, with another prior than that of its statements."""
    known = lexicon.lexicon()
    vocabulary = sorted(known.weights)
    intercept = known.intercept + np.log(recipe.prior) - np.log(lexicon.LEVEL_SHARES)
    return linear.pipeline(vocabulary, known.matrix(vocabulary).T, intercept, recipe.classes)


def _given(recipe: Recipe, vocabulary: Sequence[str]) -> np.ndarray:
    """Return what n-grams [V] count for each class [C, V], whatever the corpora teach."""
    given = np.zeros((len(recipe.classes), len(vocabulary)))
    if recipe.problem_weight:
        given[1:] += recipe.problem_weight * lexicon.lexicon().matrix(vocabulary) @ PROBLEM
    if recipe.module_weight:
        rows = [recipe.classes.index(category) for category in MODULES.values()]
        given[rows] += recipe.module_weight * lexicon.modules().matrix(vocabulary, tuple(MODULES)).T
    return given
