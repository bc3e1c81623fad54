"""The gate for models: what the server's onnxruntime says has to be what scikit-learn said."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from logintel_server import baselines, runtime, scoring, tokens

TOLERANCE = 1e-5
"""Largest difference of a probability, or of an outlier score, that counts as equal."""

_OUTPUTS = {"classifier": {"label", "probabilities"}, "outlier": {"score"}}


def check_model(plpy: Any, name: str, onnx: bytes, metadata: str, golden: str) -> None:
    """Raise runtime.ModelError unless the graph fits its metadata and reproduces its golden cases."""
    described, cases = json.loads(metadata), json.loads(golden)
    _check_metadata(name, described)
    if not isinstance(cases, list) or not cases:
        raise runtime.ModelError(f"model {name} has no golden cases: give a list of shapes with expected outputs")
    model = runtime.open_model(name, name, onnx, described)
    _check_graph(model)
    for first in range(0, len(cases), runtime.MAX_SHAPES):
        _check_cases(plpy, model, cases[first : first + runtime.MAX_SHAPES], first)


def _check_metadata(name: str, metadata: Any) -> None:
    kind = metadata.get("kind") if isinstance(metadata, dict) else None
    if kind not in _OUTPUTS or (kind == "outlier" and name != "anomaly"):
        raise runtime.ModelError(
            f"model {name}: its metadata has the kind {kind!r}; use classifier, or outlier for anomaly"
        )
    needed = ("classes",) if kind == "classifier" else ("vocabulary", "center", "scale")
    missing = [key for key in needed if key not in metadata]
    if missing:
        raise runtime.ModelError(f"model {name}: its metadata lacks {', '.join(missing)}")
    if "baseline" in metadata and (fault := baselines.fault(metadata["baseline"])):
        raise runtime.ModelError(f"model {name}: its baseline {fault}")
    if name == "level" and not set(metadata["classes"]) <= set(scoring.LEVELS):
        raise runtime.ModelError(
            f"model {name}: its classes are {metadata['classes']}; they can be {', '.join(scoring.LEVELS)}"
        )
    if name == "anomaly" and kind == "classifier" and scoring.NORMAL not in metadata["classes"]:
        raise runtime.ModelError(
            f"model {name}: its classes lack '{scoring.NORMAL}', which lines that are no anomaly have"
        )


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


def _check_cases(plpy: Any, model: runtime.Model, cases: Sequence[Mapping[str, Any]], first: int) -> None:
    try:
        shapes = [{field: case["shape"][field] for field in tokens.SHAPE_FIELDS} for case in cases]
        expected = [
            (case["label"], case["probabilities"])
            if model.metadata["kind"] == "classifier"
            else (None, [case["score"]])
            for case in cases
        ]
    except (KeyError, TypeError) as error:
        raise runtime.ModelError(f"model {model.name}: a golden case lacks {error}") from None
    labels, values = model.run(scoring.feature_columns(plpy, shapes, set(model.inputs)))
    for i, (label, numbers) in enumerate(expected):
        got = [float(v) for v in values[i].reshape(-1)]
        if label is not None and str(labels[i]) != label:
            raise runtime.ModelError(
                f"model {model.name}: golden case {first + i + 1} is {label!r} in scikit-learn, "
                f"{labels[i]!r} in this server; the conversion to ONNX changed the model"
            )
        if label is not None and label not in model.metadata["classes"]:
            raise runtime.ModelError(
                f"model {model.name}: golden case {first + i + 1} is {label!r}, which is none of its classes "
                f"{model.metadata['classes']}"
            )
        if len(got) != len(model.metadata.get("classes", [0])):
            raise runtime.ModelError(
                f"model {model.name} gives {len(got)} probabilities for {model.metadata['classes']}"
            )
        worst = max((abs(a - b) for a, b in zip(got, numbers, strict=False)), default=0.0)
        if len(got) != len(numbers) or not worst <= TOLERANCE:
            raise runtime.ModelError(
                f"model {model.name}: golden case {first + i + 1} is off by {worst:.2g}, more than "
                f"{TOLERANCE:g}; the conversion to ONNX changed the model"
            )
