"""Scores: what the models of a set say of shapes. Shapes and scores are columns, which pass between SQL and Python at a
third of the cost of rows.
"""

import math
import time
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from logintel_server import runtime, tokens, watching

LABEL_PROBABILITY = 0.25
"""A category applies beside the likeliest one from this probability on."""

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""The levels in the order of the probabilities in a score."""

NORMAL = "none"
"""The class of an anomaly classifier that is no anomaly."""

SCORE_COLUMNS = (
    "predicted_level",
    "level_confidence",
    "level_probabilities",
    "category",
    "category_confidence",
    "labels",
    "anomaly_score",
    "anomaly_type",
    "unknown_words",
    "is_new_template",
)


def score_shapes(plpy: Any, model_set_id: int, shapes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Score up to runtime.MAX_SHAPES shapes, N values for each of tokens.SHAPE_FIELDS, with the models of a set.

    Returns the attributes of the SQL type logintel._scores: for each of SCORE_COLUMNS N values, or None where no model
    of the set says anything of it, and latency_us, a shape's share of the time. level_probabilities has one value for
    each shape and each of LEVELS, flat; labels are written as SQL arrays. Raises runtime.ModelError, among others for
    what is not done by the time in the setting logintel.deadline (seconds since 1970; empty: no such time).
    """
    rows = [
        dict(zip(tokens.SHAPE_FIELDS, values, strict=True))
        for values in zip(*(shapes[f] for f in tokens.SHAPE_FIELDS), strict=True)
    ]
    if len(rows) > runtime.MAX_SHAPES:
        raise ValueError(f"{len(rows)} shapes in one call; at most {runtime.MAX_SHAPES} are scored at once")
    try:
        with runtime.until_deadline(plpy):
            return _scores(plpy, runtime.models_of_set(plpy, model_set_id), rows)
    except watching.Interrupted:
        runtime.let_server_end(plpy)
        raise runtime.ModelError(f"model set {model_set_id} was interrupted") from None


def _scores(plpy: Any, models: Sequence[Any], rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    started = time.perf_counter()
    columns = feature_columns(plpy, rows, {name for model in models for name in model.inputs} | {"words"})
    scores: dict[str, Any] = dict.fromkeys(SCORE_COLUMNS)
    for model in models:
        scores |= _READERS[model.name](model, columns)
    scores |= _novelty(models, rows, columns["words"])
    return scores | {"latency_us": (time.perf_counter() - started) * 1e6 / max(len(rows), 1)}


def feature_columns(plpy: Any, shapes: Sequence[Mapping[str, str]], names: set[str]) -> dict[str, list[str]]:
    """Feature columns of N shapes by name. Levels are looked up in the database only where a model reads them."""
    levels = normalized_levels(plpy, shapes) if "level" in names else [""] * len(shapes)
    return made_columns(shapes, levels, names)


def made_columns(
    shapes: Sequence[Mapping[str, str]], levels: Sequence[str], names: set[str]
) -> dict[str, list[str]]:
    """Feature columns of N shapes by name, given the declared level of each, normalised."""
    made = list(zip(shapes, levels, strict=True))
    return {name: [tokens.MAKERS[name](shape, level) for shape, level in made] for name in names}


def normalized_levels(plpy: Any, shapes: Sequence[Mapping[str, str]]) -> list[str]:
    """The declared level of each shape, normalised; '' where it is unknown."""
    declared = sorted({shape["level"] for shape in shapes})
    known = plpy.execute(
        runtime.prepared(
            plpy,
            "SELECT d AS declared, n.level FROM unnest($1) AS d "
            "JOIN logintel.level_names n ON n.name = logintel._level_name(d)",
            ["text[]"],
        ),
        [declared],
    )
    level_of = {row["declared"]: row["level"] for row in known}
    return [level_of.get(shape["level"], "") for shape in shapes]


def _read_level(model: runtime.Model, columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    import numpy

    labels, probabilities = model.run(columns)
    by_level = numpy.zeros((len(probabilities), len(LEVELS)), probabilities.dtype)
    by_level[:, [LEVELS.index(name) for name in model.metadata["classes"]]] = probabilities
    return {
        "predicted_level": labels.tolist(),
        "level_confidence": _rounded(probabilities.max(axis=1)),
        "level_probabilities": _rounded(by_level.reshape(-1)),
    }


def _read_category(model: runtime.Model, columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    labels, probabilities = model.run(columns)
    classes = model.metadata["classes"]
    return {
        "category": labels.tolist(),
        "category_confidence": _rounded(probabilities.max(axis=1)),
        "labels": [
            _sql_array([name for name, p in zip(classes, row, strict=True) if name == label or p >= LABEL_PROBABILITY])
            for label, row in zip(labels, probabilities.round(7), strict=True)  # as many digits as are shown
        ],
    }


def _read_anomaly(model: runtime.Model, columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    if model.metadata["kind"] == "outlier":
        return _read_outlier(model, columns)
    _, probabilities = model.run(columns)
    classes = model.metadata["classes"]
    normal = classes.index(NORMAL)
    anomalous = [i for i in range(len(classes)) if i != normal]
    return {
        "anomaly_score": _rounded(1 - probabilities[:, normal]),
        "anomaly_type": [classes[anomalous[i]] for i in probabilities[:, anomalous].argmax(axis=1)],
    }


def _read_outlier(model: runtime.Model, columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    _, scores = model.run(columns)
    center, scale, vocabulary = model.metadata["center"], model.metadata["scale"], model.vocabulary
    said = [
        (tokens.novelty(words, vocabulary), _logistic((center - score) / scale))
        for words, score in zip(columns["words"], scores.tolist(), strict=True)
    ]
    return {
        "anomaly_score": [max(both) for both in said],
        "anomaly_type": ["novelty" if novelty >= isolation else "outlier" for novelty, isolation in said],
    }


def _novelty(
    models: Sequence[runtime.Model], rows: Sequence[Mapping[str, str]], words: Sequence[str]
) -> dict[str, Any]:
    """What is new in shapes, by the baseline of the first model that has one: of level, else category, else anomaly."""
    by_name = {model.name: model.known for model in models}
    known = next((by_name[name] for name in _READERS if by_name.get(name)), None)
    if not known:
        return {}
    return {
        "unknown_words": [_four_places(tokens.novelty(text, known.vocabulary)) for text in words],
        "is_new_template": [tokens.digest(row["template"]) not in known.templates for row in rows],
    }


def _four_places(share: float) -> float:
    # As SQL rounds: a half goes up.
    return float(Decimal(str(share)).quantize(Decimal("0.0001"), ROUND_HALF_UP))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))


def _rounded(values: Any) -> list[float]:
    # PL/Python passes numbers as text: seven digits are all that a real has, and half of what a float prints.
    return values.astype("float64").round(7).tolist()


def _sql_array(names: Sequence[str]) -> str:
    quoted = (name.replace("\\", "\\\\").replace('"', '\\"') for name in names)
    return "{" + ",".join(f'"{name}"' for name in quoted) + "}"


_READERS = {"level": _read_level, "category": _read_category, "anomaly": _read_anomaly}
