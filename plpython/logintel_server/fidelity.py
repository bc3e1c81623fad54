"""What a graph says of its golden cases here, for the gate that compares it with what scikit-learn said."""

import json
from typing import Any

from logintel_server import runtime, scoring, tokens

_OUTPUTS = {"classifier": {"label", "probabilities"}, "outlier": {"score"}}


def outputs(plpy: Any, name: str, onnx: bytes, metadata: str, golden: str) -> tuple[list[str] | None, str]:
    """Run a graph on the shapes of its golden cases; metadata and golden cases are JSON that the gate has checked.

    Returns a label for each case, None for outlier models, and as JSON a list of numbers for each: the probabilities
    of the classes, or one score. Raises runtime.ModelError where the graph does not fit its metadata.
    """
    described, cases = json.loads(metadata), json.loads(golden)
    model = runtime.open_model(name, name, onnx, described)
    _check_graph(model)
    labels: list[str] = []
    numbers: list[list[float]] = []
    for first in range(0, len(cases), runtime.MAX_SHAPES):
        shapes = [case["shape"] for case in cases[first : first + runtime.MAX_SHAPES]]
        said, values = model.run(scoring.feature_columns(plpy, shapes, set(model.inputs)))
        labels += [] if said is None else [str(label) for label in said]
        numbers += [[float(value) for value in row.reshape(-1)] for row in values]
    return labels or None, json.dumps(numbers)


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
