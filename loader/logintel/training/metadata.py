"""What is stored with a model beside its graph; models/README.md documents each key."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from logintel.training.dataset import Examples
from logintel.training.evaluation import Evaluation
from logintel_server import tokens

LIBRARIES = ("numpy", "scikit-learn", "skl2onnx", "onnx", "onnxruntime")


def of_training(examples: Examples, seed: int, shape_version: int | None, notes: Sequence[str]) -> dict[str, Any]:
    """Return what is known of any training: when, with what, on how much."""
    lines = np.bincount(examples.line_class, minlength=len(examples.classes))
    return {
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "samples": {
            "lines": len(examples.line_input),
            "shapes": len(examples.inputs),
            "templates": int(examples.templates.max()) + 1,
            "lines_by_class": {name: int(n) for name, n in zip(examples.classes, lines, strict=True)},
        },
        "seed": seed,
        "shape_version": shape_version,
        "tokens_version": tokens.VERSION,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        "notes": list(notes),
    }


def of_classifier(best: Evaluation, results: Sequence[Evaluation], classes: Sequence[str],
                  examples: Examples) -> dict[str, Any]:
    """Return how the candidates did and which one was chosen. `classes` are in the order of the graph's columns."""
    return {
        "kind": "classifier",
        "classes": list(classes),
        "candidate": best.candidate,
        "chosen_by": "mean of accuracy and macro_f1 on unseen templates, a linear model unless beyond chance",
        "temperature": best.temperature,
        **best.splits["unseen_templates"],
        "accuracy_random_split": best.splits["random_split"]["accuracy"],
        "accuracy_time_split": best.splits["time_split"]["accuracy"],
        "evaluation": {result.candidate: result.splits for result in results},
        "confusion_matrix": {"classes": list(examples.classes), "rows": best.confusion},
    }
