"""Scores: what the models of a set say of shapes."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from logintel_server import runtime, tokens

LABEL_PROBABILITY = 0.3
"""A category applies beside the likeliest one from this probability on."""

NORMAL = "none"
"""The class of an anomaly classifier that is no anomaly."""


def score_shapes(plpy: Any, model_set_id: int, shapes: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Score up to runtime.MAX_SHAPES shapes (mappings with tokens.SHAPE_FIELDS) with the models of a set.

    Returns a mapping with the attributes of the SQL type logintel._score for each shape, in their order.
    Raises runtime.ModelError.
    """
    if len(shapes) > runtime.MAX_SHAPES:
        raise ValueError(f"{len(shapes)} shapes in one call; at most {runtime.MAX_SHAPES} are scored at once")
    models = runtime.models_of_set(plpy, model_set_id)
    started = time.perf_counter()
    columns = feature_columns(plpy, shapes, {name for model in models for name in model.inputs} | {"words"})
    scores: list[dict[str, Any]] = [dict.fromkeys(_ATTRIBUTES) for _ in shapes]
    for model in models:
        for score, said in zip(scores, _READERS[model.name](model, columns), strict=True):
            score.update(said)
    latency_us = (time.perf_counter() - started) * 1e6 / max(len(shapes), 1)
    for score in scores:
        score["latency_us"] = latency_us
    return scores


_ATTRIBUTES = (
    "predicted_level",
    "level_confidence",
    "level_probabilities",
    "category",
    "category_confidence",
    "labels",
    "anomaly_score",
    "anomaly_type",
    "latency_us",
)


def feature_columns(plpy: Any, shapes: Sequence[Mapping[str, str]], names: set[str]) -> dict[str, list[str]]:
    """Feature columns of N shapes by name. Levels are looked up in the database only where a model reads them."""
    levels = normalized_levels(plpy, shapes) if "level" in names else [""] * len(shapes)
    rows = [tokens.features(shape, level) for shape, level in zip(shapes, levels, strict=True)]
    return {name: [row[name] for row in rows] for name in names}


def normalized_levels(plpy: Any, shapes: Sequence[Mapping[str, str]]) -> list[str]:
    """The declared level of each shape, normalised; '' where it is unknown."""
    declared = sorted({shape["level"] for shape in shapes})
    known = plpy.execute(
        plpy.prepare("SELECT d AS declared, logintel.normalize_level(d) AS level FROM unnest($1) AS d", ["text[]"]),
        [declared],
    )
    level_of = {row["declared"]: row["level"] or "" for row in known}
    return [level_of[shape["level"]] for shape in shapes]


def _read_level(model: runtime.Model, columns: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    labels, probabilities = model.run(columns)
    classes = model.metadata["classes"]
    return [
        {
            "predicted_level": str(label),
            "level_confidence": float(row.max()),
            "level_probabilities": json.dumps({name: round(float(p), 6) for name, p in zip(classes, row, strict=True)}),
        }
        for label, row in zip(labels, probabilities, strict=True)
    ]


def _read_category(model: runtime.Model, columns: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    labels, probabilities = model.run(columns)
    classes = model.metadata["classes"]
    return [
        {
            "category": str(label),
            "category_confidence": float(row.max()),
            "labels": [name for name, p in zip(classes, row, strict=True) if name == label or p >= LABEL_PROBABILITY],
        }
        for label, row in zip(labels, probabilities, strict=True)
    ]


def _read_anomaly(model: runtime.Model, columns: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    if model.metadata["kind"] == "outlier":
        return _read_outlier(model, columns)
    _, probabilities = model.run(columns)
    normal = model.metadata["classes"].index(NORMAL)
    anomalous = [(i, name) for i, name in enumerate(model.metadata["classes"]) if name != NORMAL]
    return [
        {"anomaly_score": 1 - float(row[normal]), "anomaly_type": max(anomalous, key=lambda a: row[a[0]])[1]}
        for row in probabilities
    ]


def _read_outlier(model: runtime.Model, columns: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    _, scores = model.run(columns)
    said = []
    for words, score in zip(columns["words"], scores, strict=True):
        novelty = tokens.novelty(words, model.vocabulary)
        isolation = _logistic((model.metadata["center"] - float(score)) / model.metadata["scale"])
        said.append(
            {"anomaly_score": max(novelty, isolation), "anomaly_type": "novelty" if novelty >= isolation else "outlier"}
        )
    return said


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))


_READERS = {"level": _read_level, "category": _read_category, "anomaly": _read_anomaly}
