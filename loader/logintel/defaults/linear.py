"""How a default model is made: n-grams that are there or not, and a logistic regression that knows what is known."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from logintel.defaults.lexicon import lexicon
from logintel.training.export import SPACED

TRUSTED_STATEMENTS = 3000
"""See Lexicon.scales()."""


def pipeline(vocabulary: Sequence[str], coefficients: np.ndarray, intercept: np.ndarray,
             classes: Sequence[str]) -> Pipeline:
    """Make a pipeline of known weights: n-grams `vocabulary` [V], `coefficients` [C, V], `intercept` [C]; log odds."""
    model = LogisticRegression()
    model.coef_, model.intercept_, model.classes_ = coefficients, intercept, np.array(classes)
    model.n_features_in_ = len(vocabulary)
    return Pipeline([("features", _features(vocabulary)), ("model", model)])


def fit(words: Sequence[str], weights: np.ndarray, classes: Sequence[str], *, vocabulary: Sequence[str], c: float,
        evidence: np.ndarray | None = None) -> Pipeline:
    """Fit a pipeline to texts [N], each counting weights [N, C] towards the classes.

    Each n-gram of `vocabulary` [V] may move the less the more often it was counted in the lexicon: words that occur
    everywhere would otherwise learn the style of whoever wrote the corpora. `evidence` [V, E] are weights of the
    n-grams that the regression starts from: it learns how much each of the E sums is worth, and what to add.
    """
    counts = _features(vocabulary).transform(np.array(words, object).reshape(-1, 1)).astype(float)
    scales = lexicon().scales(vocabulary, TRUSTED_STATEMENTS)
    inputs = [counts @ sparse.diags(scales)]
    if evidence is not None:
        inputs.append(sparse.csr_matrix(counts @ evidence))
    rows, labels = np.nonzero(weights)
    model = LogisticRegression(C=c, max_iter=3000)
    with threadpool_limits(1):
        model.fit(sparse.hstack(inputs).tocsr()[rows], labels, sample_weight=weights[rows, labels])
    own = model.coef_[:, : len(vocabulary)] * scales
    coefficients = own if evidence is None else own + model.coef_[:, len(vocabulary) :] @ evidence.T
    return pipeline(vocabulary, coefficients, model.intercept_, classes)


def soften(made: Pipeline, temperature: float) -> Pipeline:
    """Divide a pipeline's scores by a temperature, and return it."""
    made["model"].coef_ = made["model"].coef_ / temperature
    made["model"].intercept_ = made["model"].intercept_ / temperature
    return made


def ngrams(words: Sequence[str], minimum: int) -> list[str]:
    """Return the words and pairs that occur in at least `minimum` of the texts, in alphabetical order."""
    counts = CountVectorizer(binary=True, ngram_range=(1, 2), min_df=minimum, **SPACED).fit(words)
    return counts.get_feature_names_out().tolist()


def _features(vocabulary: Sequence[str]) -> ColumnTransformer:
    """Return a fitted step from words [N, 1] to n-grams that are there or not [N, V]."""
    vectorizer = CountVectorizer(binary=True, ngram_range=(1, 2), vocabulary=list(vocabulary), **SPACED)
    return ColumnTransformer([("words", vectorizer, 0)]).fit(np.array([["a"]], object))
