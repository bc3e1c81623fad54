"""Models as files: model.onnx, the graph, and model.json, the rest. The default ones lie in models/NAME/VERSION."""

import json
from pathlib import Path
from typing import Any, NamedTuple

NAMES = ("level", "category", "anomaly")


class Files(NamedTuple):
    """What the two files of a model hold."""

    onnx: bytes
    metadata: dict[str, Any]
    golden: list[dict[str, Any]]


def read(name: str, folder: Path) -> Files:
    """Read the newest version of a default model. Raises OSError or ValueError where there is none."""
    return read_files(max((folder / name).iterdir(), key=lambda version: int(version.name)))


def read_files(folder: Path) -> Files:
    """Read the two files of one model. Raises OSError, or ValueError that says what is wrong with model.json."""
    described = json.loads((folder / "model.json").read_text("utf-8"))
    if not isinstance(described, dict) or not {"metadata", "golden"} <= described.keys():
        raise ValueError("it is no object with the keys metadata and golden")
    return Files((folder / "model.onnx").read_bytes(), described["metadata"], described["golden"])
