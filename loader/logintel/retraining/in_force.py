"""The version in force, which a retrained model is compared with: what it knows, and what it says of lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg

from logintel.plpy import PlpyConnection
from logintel.training.dataset import NORMAL, UNTYPED, Line
from logintel_server import runtime, scoring
from logintel_server.tokens import SHAPE_FIELDS

_SET_IN_FORCE = "(SELECT DISTINCT f.model_set_id FROM logintel_internal._in_force f)"
_IN_FORCE = """
    SELECT f.version, m.metadata
    FROM logintel_internal._in_force f JOIN logintel_internal.models m ON m.id = f.model_id WHERE f.name = %s"""
_COLUMNS = {"level": "predicted_level", "category": "category", "anomaly": "anomaly_score"}


@dataclass(frozen=True)
class InForce:
    """The version of a model that is in force."""

    connection: psycopg.Connection
    name: str
    version: int
    metadata: dict[str, Any]
    threshold: float  # of the anomaly score

    @property
    def is_default(self) -> bool:
        """Whether it is a default model."""
        return self.metadata.get("origin") == "default"

    @property
    def knows(self) -> frozenset[str] | None:
        """Digests of the templates that it was trained on; None where nobody recorded them."""
        if self.is_default:  # built from other systems' lines
            return frozenset()
        templates = self.metadata.get("baseline", {}).get("templates")
        return None if templates is None else frozenset(templates)

    def classes(self, lines: Sequence[Line]) -> np.ndarray:
        """Return what it says of K lines: their classes [K]; of anomalies NORMAL or UNTYPED."""
        plpy, column, said = PlpyConnection(self.connection), _COLUMNS[self.name], []
        with self.connection.transaction():
            [(model_set,)] = self.connection.execute(f"SELECT {_SET_IN_FORCE}").fetchall()
            for start in range(0, len(lines), runtime.MAX_SHAPES):
                shapes = [line.shape for line in lines[start : start + runtime.MAX_SHAPES]]
                columns = {field: [getattr(shape, field) for shape in shapes] for field in SHAPE_FIELDS}
                said += scoring.score_shapes(plpy, model_set, columns)[column]
        return binary(np.array(said, float), self.threshold) if self.name == "anomaly" else np.array(said, object)


def binary(scores: np.ndarray, threshold: float) -> np.ndarray:
    """Return the classes [K] that anomaly scores [K] mean."""
    return np.where(scores >= threshold, UNTYPED, NORMAL).astype(object)


def find(connection: psycopg.Connection, name: str) -> InForce | None:
    """Return the version in force of a model; None where there is none."""
    rows = connection.execute(_IN_FORCE, (name,)).fetchall()
    [(threshold,)] = connection.execute(
        "SELECT value::float FROM logintel.settings WHERE name = 'anomaly_threshold'").fetchall()
    return InForce(connection, name, *rows[0], threshold) if rows else None
