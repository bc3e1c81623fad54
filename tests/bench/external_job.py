"""Scoring beside the product: scikit-learn's own pipelines, on every line, as a job outside the database would.

Stands alone, so that its text also runs as a trigger inside the server: the standard library, numpy, scikit-learn, and
logintel_server's tokens.
"""

import copyreg
import io
import pickle
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin

from logintel_server import tokens

ANOMALY_THRESHOLD = 0.7
# What mask() does, but for classes of codes; only where a run begins is there anything to look for.
_WITH_DIGIT = re.compile(r"(?<![A-Za-z_.@#%+*$!~^-])[A-Za-z_.@#%+*$!~^-]*+[0-9][A-Za-z0-9_.@#%+*$!~^:-]*")


class Scores(TransformerMixin, BaseEstimator):
    """What the trainer's step of that kind does: turns counts [N, V] into decision scores [N, C]."""

    def __init__(self, coefficients: np.ndarray, intercept: np.ndarray):
        """Keep coefficients [V, C] and intercept [C]."""
        self.coefficients = coefficients
        self.intercept = intercept
        self.n_features_in_ = len(coefficients)  # tells scikit-learn that nothing has to be fitted

    def fit(self, counts: object, y: object = None) -> "Scores":
        """Do nothing: the scores are another model's."""
        return self

    def transform(self, counts: object) -> np.ndarray:
        """Return the decision scores [N, C]."""
        return np.asarray(counts @ self.coefficients + self.intercept)


def pickled(models: Mapping[str, Mapping[str, Any]], own_step: type) -> bytes:
    """Pickle models that need scikit-learn and this module alone: `own_step`, the trainer's, becomes Scores."""
    file = io.BytesIO()
    pickler = pickle.Pickler(file)
    pickler.dispatch_table = copyreg.dispatch_table | {
        own_step: lambda step: (Scores, (step.coefficients, step.intercept))
    }
    pickler.dump(models)
    return file.getvalue()


class Job:
    """Scores lines with trained pipelines: {name: {"pipeline", "features", "metadata"}}.

    `levels` maps a source's spellings, in lower case, to levels.
    """

    def __init__(self, models: Mapping[str, Mapping[str, Any]], levels: Mapping[str, str]):
        self.models = models
        self.levels = levels
        self.vocabulary = frozenset(models["anomaly"]["metadata"].get("vocabulary", ()))

    def score(self, lines: Sequence[tuple[str, str, str, str]]) -> list[tuple]:
        """Score lines (message, service, source_type, level), all in one batch.

        Returns (level, confidence, is_anomaly, anomaly_score, anomaly_type, severity) for each.
        """
        features = [self._features(*line) for line in lines]
        with config_context(assume_finite=True):
            labels, confidences = self._levels(features)
            scores, types = self._anomalies(features)
        return [
            (label, confidence, score >= ANOMALY_THRESHOLD, score, kind if score >= ANOMALY_THRESHOLD else None,
             _severity(label, score >= ANOMALY_THRESHOLD))
            for label, confidence, score, kind in zip(labels, confidences, scores, types, strict=True)
        ]  # fmt: skip

    def _features(self, message: str | None, service: str | None, source_type: str | None, level: str | None) -> dict:
        shape = {"template": _WITH_DIGIT.sub("<*>", (message or "")[:4096]), "service": service,
                 "source_type": source_type}  # fmt: skip
        return tokens.features(shape, self.levels.get((level or "").strip().lower()))

    def _inputs(self, name: str, features: Sequence[Mapping[str, str]]) -> np.ndarray:
        names = self.models[name]["features"]
        return np.array([[row[feature] for feature in names] for row in features], object)

    def _levels(self, features: Sequence[Mapping[str, str]]) -> tuple[list[str], list[float]]:
        pipeline = self.models["level"]["pipeline"]
        probabilities = pipeline.predict_proba(self._inputs("level", features))
        return pipeline.classes_[probabilities.argmax(1)].tolist(), probabilities.max(1).tolist()

    def _anomalies(self, features: Sequence[Mapping[str, str]]) -> tuple[list[float], list[str]]:
        pipeline, metadata = self.models["anomaly"]["pipeline"], self.models["anomaly"]["metadata"]
        if metadata["kind"] == "classifier":
            probabilities = pipeline.predict_proba(self._inputs("anomaly", features))
            normal = metadata["classes"].index("none")
            scores = 1 - probabilities[:, normal]
            probabilities[:, normal] = -1
            return scores.tolist(), pipeline.classes_[probabilities.argmax(1)].tolist()
        decision = pipeline.decision_function(self._inputs("anomaly", features))
        isolation = 1 / (1 + np.exp(np.clip((decision - metadata["center"]) / metadata["scale"], -500, 500)))
        novelty = np.array([tokens.novelty(row["words"], self.vocabulary) for row in features])
        return np.maximum(isolation, novelty).tolist(), np.where(novelty >= isolation, "novelty", "outlier").tolist()


def _severity(level: str, is_anomaly: bool) -> str:
    if level in ("ERROR", "FATAL"):
        return "critical" if is_anomaly else "high"
    if level == "WARN":
        return "high" if is_anomaly else "medium"
    return "medium" if is_anomaly else "low"
