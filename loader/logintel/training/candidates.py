"""The kinds of classifiers that compete for each model, and how they learn from lines that disagree."""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from threadpoolctl import threadpool_limits

from logintel.training import default_scores
from logintel.training.export import SPACED

MAX_NGRAMS = 4000
"""Words and pairs of words a model knows: scoring time and memory grow with it."""

TREES = 100
TREE_SAMPLES = 2000
"""Inputs drawn for each tree, by weight and with replacement, however many there are: on real logs a fixed number did
better on unseen templates than as many as there are inputs."""
TREE_SIZE = 4000
"""Leaves times classes (and six more, for the nodes): keeps a forest below 5 MB however many shapes there are."""
MAX_INPUTS = 20_000
"""Inputs a model learns from; of more, these many are drawn."""

KNOWN_LINES = 3
"""A template with this many lines is known: what its lines say counts for more than what its words say."""
TEMPLATE_WEIGHT = 3
"""An input's lines are joined by this many lines' worth of what its whole template says."""
LEAF_PRIOR = 0.02
"""Lines' worth of the overall shares that is added to each leaf. Small: it is there to make ties impossible."""


class Task(NamedTuple):
    """What a candidate is made for."""

    target: str  # level, category or anomaly
    features: tuple[str, ...]
    classes: int
    known_templates: list[str]  # their words
    seed: int


def _text_features(features: tuple[str, ...], words: TfidfVectorizer) -> list[tuple[str, Any, int]]:
    others = [(name, CountVectorizer(binary=True, max_features=MAX_NGRAMS, **SPACED), i)
              for i, name in enumerate(features) if name != "words"]
    return [*([("words", words, features.index("words"))] if "words" in features else []), *others]


def logistic_regression(task: Task) -> Pipeline:
    """TF-IDF of words and pairs, tokens of the context, known templates, what the default model says: a linear model.

    The default model's scores make it right on messages it has not seen; how much they are worth here is learnt.
    """
    words = TfidfVectorizer(ngram_range=(1, 2), max_features=MAX_NGRAMS, **SPACED)
    inputs = _text_features(task.features, words)
    if "words" in task.features:
        column = task.features.index("words")
        inputs.append(("default", default_scores.features(task.target), column))
        if task.known_templates:
            known = OneHotEncoder(categories=[task.known_templates], handle_unknown="ignore")
            inputs.append(("template", known, [column]))
    return Pipeline([("features", ColumnTransformer(inputs)),
                     ("model", LogisticRegression(C=3, max_iter=3000, random_state=task.seed))])


def random_forest(task: Task) -> Pipeline:
    """TF-IDF of words and pairs, tokens of the context, and a hundred trees.

    A word counts once and lengths are not normalised: values are zero or the word's weight and thresholds half of it,
    so that float32 in ONNX takes the same branches as float64 here. Scores of the default model could not promise that,
    so this candidate starts from nothing.
    """
    words = TfidfVectorizer(ngram_range=(1, 2), max_features=MAX_NGRAMS, binary=True, norm=None, **SPACED)
    return Pipeline([("features", ColumnTransformer(_text_features(task.features, words))),
                     ("model", RandomForestClassifier(TREES, max_samples=TREE_SAMPLES, random_state=task.seed,
                                                      max_leaf_nodes=TREE_SIZE // (task.classes + 6)))])


CANDIDATES: dict[str, Callable[[Task], Pipeline]] = {
    "logistic_regression": logistic_regression,
    "random_forest": random_forest,
}
"""The first one wins a tie."""


def transformer(task: Task) -> Pipeline:
    """What logistic_regression() reads, and the embedding of the words by a transformer: still a linear model."""
    from logintel.training.transformer import Embedding

    pipeline = logistic_regression(task)
    if "words" in task.features:
        pipeline["features"].transformers.append(("embedding", Embedding(), task.features.index("words")))
    return pipeline


EXTRAS: dict[str, Callable[[Task], Pipeline]] = {"transformer": transformer}
"""Candidates that need more than logintel itself: they compete where they are asked for."""


def votes(counts: np.ndarray, templates: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Turn line counts [M, C] into training weights [M, C]; inputs of one template share a number in `templates` [M].

    Within a template lines vote, so that a few wrong labels are outvoted. Across templates the number of lines is
    damped, so that a frequent template does not drown the rare ones. What verdicts say of the inputs that are `judged`
    [M] is not put to the vote, and makes their template a known one.
    """
    counts = counts * np.where(judged, KNOWN_LINES / np.clip(counts.sum(1), 1, KNOWN_LINES), 1)[:, None]
    lines = counts.sum(1, keepdims=True)
    by_template = np.zeros((templates.max() + 1, counts.shape[1]))
    np.add.at(by_template, templates, counts)
    of_template = np.where(judged, 0, TEMPLATE_WEIGHT)[:, None] * _shares(by_template)[templates]
    shares = _shares(counts + of_template)
    return np.where(lines > 0, (1 + np.log(np.maximum(lines, 1))) * shares, 0)


def _shares(values: np.ndarray) -> np.ndarray:
    return values / np.maximum(values.sum(1, keepdims=True), 1e-9)


class Fitted:
    """A candidate fitted to inputs [M, F] with weights [M, C]. It may have seen fewer than the C classes."""

    def __init__(self, candidate: str, target: str, features: tuple[str, ...], classes: tuple[str, ...],
                 inputs: np.ndarray, weights: np.ndarray, seed: int):
        """Fit. Features without a single token are left out. One class alone needs no pipeline, and gets none."""
        rows, labels = np.nonzero(_thinned(weights, seed))
        self.shares = weights.sum(0) / weights.sum()
        self.columns = [i for i in range(len(features)) if any(inputs[rows, i])]
        self.features = tuple(features[i] for i in self.columns)
        self.pipeline: Pipeline | None = None
        if len(np.unique(labels)) > 1 and self.columns:
            known = _known_templates(inputs[:, features.index("words")], weights) if "words" in self.features else []
            made = (CANDIDATES | EXTRAS)[candidate]
            self.pipeline = made(Task(target, self.features, len(np.unique(labels)), known, seed))
            self.inputs = inputs[rows][:, self.columns]
            with threadpool_limits(1):  # BLAS threads would wait for each other most of the time
                self.pipeline.fit(self.inputs, np.array(classes)[labels], model__sample_weight=weights[rows, labels])
            self.order = [classes.index(name) for name in self.pipeline.classes_]
            if candidate == "random_forest":
                _add_prior_to_leaves(self.pipeline["model"], self.shares[self.order])

    def probabilities(self, inputs: np.ndarray) -> np.ndarray:
        """Return the probability of each of the C classes for inputs [K, F]: [K, C]."""
        if self.pipeline is None:
            return np.tile(self.shares, (len(inputs), 1))
        probabilities = np.zeros((len(inputs), len(self.shares)))
        if len(inputs):
            probabilities[:, self.order] = self.pipeline.predict_proba(inputs[:, self.columns])
        return probabilities

    def soften(self, temperature: float) -> None:
        """Divide a logistic regression's scores by `temperature`, for good, but for those of known templates.

        It says how sure to be of messages never seen. A known template's own weight makes up for it.
        """
        features, model = self.pipeline["features"], self.pipeline["model"]
        block = features.output_indices_.get("template", slice(0, 0))
        counts = features.transform(self.inputs)
        member = counts[:, block]
        scores = (counts @ model.coef_.T + model.intercept_) * (1 - 1 / temperature)
        mean = (member.T @ scores) / np.maximum(member.sum(0), 1).reshape(-1, 1)
        model.coef_ /= temperature
        model.intercept_ /= temperature
        model.coef_[:, block] += np.asarray(mean).T


def _known_templates(words: np.ndarray, weights: np.ndarray) -> list[str]:
    """Words [M] of the templates that have KNOWN_LINES lines, given the weights [M, C] that votes() made of them."""
    lines: Counter[str] = Counter()
    for text, weight in zip(words, weights.sum(1), strict=True):
        lines[text] += round(np.exp(weight - 1)) if weight else 0
    return sorted(text for text, _ in lines.most_common(MAX_NGRAMS) if lines[text] >= KNOWN_LINES)


def _thinned(weights: np.ndarray, seed: int) -> np.ndarray:
    """Return weights [M, C] with all but MAX_INPUTS of their rows set to zero."""
    used = np.flatnonzero(weights.any(1))
    if len(used) <= MAX_INPUTS:
        return weights
    share = weights[used].sum(1) / weights[used].sum()
    kept = np.random.default_rng(seed).choice(used, MAX_INPUTS, replace=False, p=share)
    thinned = np.zeros_like(weights)
    thinned[kept] = weights[kept]
    return thinned


def _add_prior_to_leaves(forest: RandomForestClassifier, prior: np.ndarray) -> None:
    """Mix `prior` [C] into the class shares of all leaves, the more the less they weigh.

    Trees with pure leaves give exact ties, such as 50 trees against 50, which scikit-learn and ONNX break differently.
    """
    for tree in forest.estimators_:
        share = LEAF_PRIOR / (tree.tree_.weighted_n_node_samples + LEAF_PRIOR)
        value = tree.tree_.value
        value[:, 0, :] = (1 - share)[:, None] * value[:, 0, :] + share[:, None] * prior
