"""What a graph says of its golden cases here, for the gate that compares it with what scikit-learn said."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from logintel_server import runtime, scoring, tokens

_OUTPUTS = {"classifier": {"label", "probabilities"}, "outlier": {"score"}}

_LETTERS = map("".join, itertools.product("abcdefghijklmnopqrst", repeat=2))
EXTREMES = (
    dict.fromkeys(tokens.SHAPE_FIELDS, ""),
    dict.fromkeys(tokens.SHAPE_FIELDS, "")
    | {"template": " ".join(itertools.islice(_LETTERS, tokens.MAX_TOKENS)), "service": "unknown", "level": "unknown"},
)
"""Shapes that come sooner or later: one that says nothing, and one of as many words as there can be, all unknown."""


def outputs(
    name: str, onnx: bytes, metadata: Mapping[str, Any], shapes: Sequence[Mapping[str, str]], levels: Sequence[str]
) -> tuple[list[str] | None, list[list[float]]]:
    """Run a graph on shapes, given the declared level of each, normalised; and on EXTREMES, a whole batch of each.

    Returns a label for each shape, None for outlier models, and a list of numbers for each: the probabilities of the
    classes, or one score. Raises runtime.ModelError where the graph does not fit its metadata.
    """
    model = runtime.open_model(name, name, onnx, metadata)
    _check_graph(model)
    inputs = set(model.inputs)
    for shape in EXTREMES:
        rows = 1 if model.tokenizer else runtime.ROWS
        model.run(scoring.made_columns([shape] * rows, [""] * rows, inputs))
    labels: list[str] = []
    numbers: list[list[float]] = []
    for first in range(0, len(shapes), runtime.MAX_SHAPES):
        some = slice(first, first + runtime.MAX_SHAPES)
        said, values = model.run(scoring.made_columns(shapes[some], levels[some], inputs))
        labels += [] if said is None else said.tolist()
        numbers += [[float(value) for value in row.reshape(-1)] for row in values]
    return labels or None, numbers


def _check_graph(model: runtime.Model) -> None:
    unknown = set(model.inputs) - set(tokens.FEATURES)
    if unknown or not model.inputs:
        raise runtime.ModelError(
            f"model {model.name} has inputs {sorted(unknown)}; a model reads some of {', '.join(tokens.FEATURES)}"
        )
    if model.name == "level" and "level" in model.inputs:
        raise runtime.ModelError("model level reads the declared level, which is what it has to judge")
    missing = _OUTPUTS[model.metadata["kind"]] - {output.name for output in model.session.get_outputs()}
    if missing:
        raise runtime.ModelError(f"model {model.name} has no output called {', '.join(sorted(missing))}")
