"""Who is compared: each contender learns a target from lines, and then gives lines a probability for each class."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from results import PRODUCT
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline

from logintel.simulation.templates import ANOMALY_TYPES, CATEGORIES
from logintel.training import default_models, evaluation, export, labels
from logintel.training.candidates import CANDIDATES, Fitted
from logintel.training.dataset import NORMAL, UNTYPED, Examples, Line, anomaly_of, category_of, level_of
from logintel.training.models import TrainedModel, train_models


@dataclass(frozen=True)
class Target:
    """What is predicted: the model's name, the classes and their order, and what the keyword rule looks for.

    Keywords stand in the order in which they are looked for; a line without any is of the class `otherwise`.
    """

    model: str
    classes: tuple[str, ...]
    label_of: Callable[[Line], str | None]
    keywords: dict[str, str]
    otherwise: str

    def numbers(self, lines: Sequence[Line]) -> np.ndarray:
        """Return the class of each line by its number: [N]."""
        return np.array([self.classes.index(self.label_of(line)) for line in lines])

    def ordered(self, probabilities: np.ndarray, classes: Sequence[str]) -> np.ndarray:
        """Bring columns that belong to `classes` into the target's order: [N, C]. Classes of others have none."""
        columns = np.zeros((len(probabilities), len(self.classes)))
        for column, name in zip(probabilities.T, classes, strict=True):
            if name in self.classes:
                columns[:, self.classes.index(name)] = column
        return columns


_ERROR = "error|fail|exception|fatal|critical|panic|crash|abort|corrupt|denied|refused|cannot|unable|not found|lost"
_WARN = "warn|retry|retries|retrying|timeout|timed out|slow|deprecat|exceed|missing|invalid|expired|unexpected"
LEVEL = Target("level", labels.LEVELS, level_of, {"ERROR": _ERROR, "WARN": _WARN}, "INFO")
CATEGORY = Target(
    "category", CATEGORIES, category_of,
    {"Authentication": "login|logged in|password|credential|authenticat|token", "Error": "exception|traceback|assert",
     "Security": "security|denied|attack|certificate|forbidden|privilege|malware",
     "Database": "database|query|sql|table|transaction|index|replica",
     "Network": "network|connection|connect|socket|packet|dns|port|route|link|peer",
     "Performance": "slow|latency|took|duration|throughput", "System": "kernel|disk|memory|cpu|process|service|node"},
    "Application",
)  # fmt: skip
ANOMALY = Target(
    "anomaly", (NORMAL, *ANOMALY_TYPES), anomaly_of,
    {"security_breach": "attack|breach|intrusion|unauthori[sz]ed|malware|brute force|escalat",
     "data_corruption": "corrupt|checksum|inconsisten|mismatch", "resource_exhaustion": "out of|exhaust|full|no space",
     "network_anomaly": "unreachable|packet loss|connection (lost|reset)|link down|partition",
     "performance_issue": "slow|latency|timed out|timeout", "system_failure": _ERROR},
    NORMAL,
)  # fmt: skip
UNTYPED_ANOMALY = Target("anomaly", (NORMAL, UNTYPED), anomaly_of, {UNTYPED: f"{_ERROR}|{_WARN}"}, NORMAL)

_EXAMPLES = {"level": labels.level_examples, "category": labels.category_examples,
             "anomaly": labels.anomaly_examples}  # fmt: skip

Predictor = Callable[[Sequence[Line]], np.ndarray]
"""From N lines to probabilities [N, C]."""
Learner = Callable[[Target, Sequence[Line], int], Predictor]
"""Learns a target from lines; the number is a seed."""


def majority(target: Target, lines: Sequence[Line], seed: int) -> Predictor:
    """Say that every line is of the most frequent class."""
    return _always(target, target.classes[np.bincount(target.numbers(lines)).argmax()])


def keyword_rule(target: Target, lines: Sequence[Line], seed: int) -> Predictor:
    """Decide by words such as `error`, and learn nothing."""
    rules = [(name, re.compile(pattern, re.IGNORECASE)) for name, pattern in target.keywords.items()]

    def label(line: Line) -> str:
        return next((name for name, rule in rules if rule.search(line.shape.template)), target.otherwise)

    return lambda asked: np.array([[name == label(line) for name in target.classes] for line in asked], float)


def template_vote(target: Target, lines: Sequence[Line], seed: int) -> Predictor:
    """Remember the classes of each template; a template never seen is of the most frequent class."""
    counts: dict[str, np.ndarray] = {}
    for line, number in zip(lines, target.numbers(lines), strict=True):
        counts.setdefault(line.shape.template, np.zeros(len(target.classes)))[number] += 1
    unseen = majority(target, lines, seed)(lines[:1])[0]

    def predict(asked: Sequence[Line]) -> np.ndarray:
        votes = np.array([counts.get(line.shape.template, unseen) for line in asked])
        return votes / votes.sum(1, keepdims=True)

    return predict


def tfidf_forest(target: Target, lines: Sequence[Line], seed: int) -> Predictor:
    """The recipe: TF-IDF of 1,000 features of the message, and a forest of 100 trees."""
    pipeline = tfidf_forest_pipeline(target, lines, seed)

    def predict(asked: Sequence[Line]) -> np.ndarray:
        return target.ordered(pipeline.predict_proba([line.shape.template for line in asked]), pipeline.classes_)

    return predict


def tfidf_forest_pipeline(target: Target, lines: Sequence[Line], seed: int) -> Pipeline:
    """Fit the recipe to messages."""
    pipeline = make_pipeline(TfidfVectorizer(max_features=1000), RandomForestClassifier(100, random_state=seed))
    return pipeline.fit([line.shape.template for line in lines], [target.label_of(line) for line in lines])


def default_model(target: Target, lines: Sequence[Line], seed: int) -> Predictor:
    """The model that ships: it has seen none of the lines, and does not learn."""
    model = default_models.models()[target.model]
    return lambda asked: target.ordered(model.probabilities(asked), model.metadata["classes"])


def trained(target: Target, lines: Sequence[Line], seed: int) -> Predictor:
    """What `logintel train` registers, run as the server runs it."""
    model = trained_model(target, lines, seed)

    def predict(asked: Sequence[Line]) -> np.ndarray:
        [probabilities] = export.run(model.onnx, model.features, model.inputs(asked), ("probabilities",))
        return target.ordered(probabilities, model.metadata["classes"])

    return predict


def trained_model(target: Target, lines: Sequence[Line], seed: int) -> TrainedModel:
    """Train as `logintel train` does and return the target's model."""
    models, _ = train_models(lines, seed=seed, outliers=True)
    return next(model for model in models if model.name == target.model)


def candidate(name: str, target: Target, lines: Sequence[Line], seed: int) -> Predictor:
    """One kind of model, whether `logintel train` would choose it or not. Its confidence is not calibrated."""
    examples, fitted = fitted_candidate(name, target, lines, seed)

    def predict(asked: Sequence[Line]) -> np.ndarray:
        made = [line.features() for line in asked]
        inputs = np.array([[row[feature] for feature in examples.features] for row in made], object)
        return target.ordered(fitted.probabilities(inputs), examples.classes)

    return predict


def fitted_candidate(name: str, target: Target, lines: Sequence[Line], seed: int) -> tuple[Examples, Fitted]:
    """Fit a candidate to lines, and return what it learnt from too."""
    examples, _ = _EXAMPLES[target.model](lines)
    return examples, evaluation.fit(name, examples, examples.counts(), seed)


def _always(target: Target, label: str) -> Predictor:
    row = [float(name == label) for name in target.classes]
    return lambda asked: np.tile(row, (len(asked), 1))


BASELINES: dict[str, Learner] = {"majority": majority, "keyword_rule": keyword_rule, "tfidf_forest": tfidf_forest}
TRAINED: dict[str, Learner] = {
    PRODUCT: trained,
    **{name: partial(candidate, name) for name in CANDIDATES},
    "default_model": default_model,
    **BASELINES,
}
"""Contenders where there are lines to learn from."""
