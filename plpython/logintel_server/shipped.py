"""The default models, beside this package where it is installed: models/NAME/VERSION/model.onnx and model.json."""

import json
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "models"
NAMES = ("level", "category", "anomaly")


def models() -> Iterator[tuple[str, bytes, str, str]]:
    """Yield name, ONNX graph, metadata and golden cases (both JSON) of the newest version of each default model.

    Raises OSError where they are not installed.
    """
    for name in NAMES:
        folder = max((FOLDER / name).iterdir(), key=lambda version: int(version.name))
        described = json.loads((folder / "model.json").read_text("utf-8"))
        yield (
            name,
            (folder / "model.onnx").read_bytes(),
            json.dumps(described["metadata"]),
            json.dumps(described["golden"]),
        )
