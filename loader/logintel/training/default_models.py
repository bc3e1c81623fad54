"""The default models as they come with this package."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from logintel.training import export
from logintel.training.dataset import Line
from logintel_server import shipped

FOLDER = Path(str(resources.files("logintel_models")))
NAMES = shipped.NAMES


class DefaultModel(shipped.Files):
    """The newest version of a default model."""

    def probabilities(self, lines: Sequence[Line]) -> np.ndarray:
        """Return the probability of each of the classes in the metadata for N lines: [N, C]."""
        words = np.array([[line.features()["words"]] for line in lines], object)
        return export.run(self.onnx, ["words"], words, ["probabilities"])[0]


@cache
def model(name: str) -> DefaultModel:
    """Read a default model."""
    return DefaultModel(*shipped.read(name, FOLDER))


def models() -> dict[str, DefaultModel]:
    """Read all default models, by name."""
    return {name: model(name) for name in NAMES}
