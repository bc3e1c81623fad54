"""The models in models/NAME/VERSION: model.onnx, the graph, and model.json, its metadata and golden cases."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from logintel.training import export
from logintel.training.dataset import Line

FOLDER = Path(str(resources.files("logintel_models")))
NAMES = ("level", "category", "anomaly")


@dataclass(frozen=True)
class ShippedModel:
    """The newest version of a default model."""

    version: int
    onnx: bytes
    metadata: dict[str, Any]
    golden: list[dict[str, Any]]

    def probabilities(self, lines: Sequence[Line]) -> np.ndarray:
        """Return the probability of each of the classes in the metadata for N lines: [N, C]."""
        words = np.array([[line.features()["words"]] for line in lines], object)
        return export.run(self.onnx, ["words"], words, ["probabilities"])[0]


@cache
def model(name: str) -> ShippedModel:
    """Read a default model."""
    folder = max((FOLDER / name).iterdir(), key=lambda version: int(version.name))
    described = json.loads((folder / "model.json").read_text("utf-8"))
    return ShippedModel(int(folder.name), (folder / "model.onnx").read_bytes(), **described)


def models() -> dict[str, ShippedModel]:
    """Read all default models, by name."""
    return {name: model(name) for name in NAMES}
