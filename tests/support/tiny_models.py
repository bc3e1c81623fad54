"""Small models for tests of everything but training: made in a blink, and right on the words they are given."""

import functools
import json
from dataclasses import dataclass
from typing import Any

from skl2onnx import to_onnx
from skl2onnx.common.data_types import StringTensorType
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from logintel.defaults.masks import SHAPE_VERSION
from logintel_server.tokens import SHAPE_FIELDS
from support.servers import Database
from support.tables import DEPLOYMENTS, MODEL_SETS, MODELS, SERVING

LEVELS = (
    ("started", "INFO"),
    ("failed", "ERROR"),
    ("slow", "WARN"),
    ("entering", "DEBUG"),
    ("panicked", "FATAL"),
)
"""Words that the usual tiny level model knows, and what it says of them."""

ANOMALIES = (
    ("started", "none"),
    ("entering", "none"),
    ("slow", "none"),
    ("failed", "none"),
    ("panicked", "system_failure"),
)


WITHOUT_DEFAULTS = f"TRUNCATE {SERVING}, {DEPLOYMENTS}, {MODEL_SETS}, {MODELS} RESTART IDENTITY CASCADE"
"""Takes the default models out of a database that has just got the extension: a test's own are version 1 then."""

BY_PYTHON = "DELETE FROM logintel_internal.layouts"
"""Has onnxruntime score, as it does with models that are not linear, until the upkeep lays the models out again."""


@dataclass(frozen=True)
class TinyModel:
    """The arguments of import_model()."""

    name: str
    onnx: bytes
    metadata: dict[str, Any]
    golden: list[dict[str, Any]]


@functools.cache
def tiny_model(name: str = "level", classes: tuple[tuple[str, str], ...] = LEVELS, feature: str = "words") -> TinyModel:
    """Make a linear classifier that gives each word of `classes` its class, nearly for certain."""
    return _made(name, classes, feature, LogisticRegression(C=1000, max_iter=1000))


@functools.cache
def tiny_forest(name: str = "level", classes: tuple[tuple[str, str], ...] = LEVELS) -> TinyModel:
    """Make a classifier that is not linear, and knows the same words."""
    return _made(name, classes, "words", RandomForestClassifier(20, bootstrap=False, random_state=0))


def _made(name: str, classes: tuple[tuple[str, str], ...], feature: str, model: ClassifierMixin) -> TinyModel:
    words, labels = zip(*classes, strict=True)
    pipeline = make_pipeline(CountVectorizer(token_pattern="[^ ]+", lowercase=False, binary=True), model)
    pipeline.fit(words, labels)
    onnx = to_onnx(
        pipeline,
        initial_types=[(feature, StringTensorType([None, 1]))],
        options={id(pipeline[-1]): {"zipmap": False}, id(pipeline[0]): {"tokenexp": "[^ ]+"}},
        target_opset=18,
    )
    probabilities = pipeline.predict_proba(words)
    golden = [
        {"shape": dict.fromkeys(SHAPE_FIELDS, "") | {"template": word}, "label": label, "probabilities": row.tolist()}
        for word, label, row in zip(words, labels, probabilities, strict=True)
    ]
    metadata = {"kind": "classifier", "target": name, "classes": pipeline.classes_.tolist(), "shape_version": SHAPE_VERSION}
    return TinyModel(name, onnx.SerializeToString(), metadata, golden)


def register(db: Database, model: TinyModel) -> int:
    """Register a model and return its version."""
    return db.value(
        "SELECT logintel.import_model(%s, %s, %s, %s)",
        (model.name, model.onnx, json.dumps(model.metadata), json.dumps(model.golden)),
    )


def deploy(db: Database, *models: TinyModel) -> None:
    """Register models and put them into force; the usual level and anomaly models when none is given."""
    for model in models or (tiny_model(), tiny_model("anomaly", ANOMALIES)):
        register(db, model)
        db.execute("SELECT logintel.deploy(%s)", (model.name,))
