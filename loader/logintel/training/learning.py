"""From the attached table to registered models: what `logintel train` and `logintel retrain` have in common."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from logintel import progress
from logintel.training import lineage, neighbours
from logintel.training.candidates import CANDIDATES
from logintel.training.dataset import Line, read_lines, shape_version
from logintel.training.models import NAMES, TrainedModel, train_models


@dataclass(frozen=True)
class Learnt:
    """Models, what was odd or missing, and the lines that they were learnt from, oldest first."""

    models: list[TrainedModel]
    notes: list[str]
    lines: list[Line]


def learn(connection: psycopg.Connection, *, lines: int, seed: int = 0, outliers: bool = False,
          transformer: bool = False, names: Sequence[str] = NAMES, log_table: str | None = None) -> Learnt:
    """Train models of these `names` on the latest lines of all log tables, or of one.

    Holds nothing open meanwhile. Progress on stderr.
    """
    if transformer:
        from logintel.training.transformer import check_installed

        check_installed()
    with progress.bar("reading lines", lines, columns=(), transient=True) as show:
        with lineage.one_snapshot(connection), connection.transaction():
            read = read_lines(connection, lines, lambda count: show(advance=count), log_table=log_table)
            version = shape_version(connection)
            trained_from = lineage.trained_from(connection, lines, read, log_table=log_table)
            replaced = lineage.in_force(connection)
            doubted = neighbours.doubted(connection)
        show(total=None)
        models, notes = train_models(read, seed=seed, outliers=outliers, shape_version=version, names=names,
                                     doubted=doubted,
                                     candidates=(*CANDIDATES, *(("transformer",) if transformer else ())),
                                     step=lambda description: show(description=description))
    for model in models:
        model.metadata.update(
            trained_from=trained_from, replaces=replaced.get(model.name),
            trained_with={"lines": lines, "outliers": outliers, "seed": seed, "transformer": transformer})
    return Learnt(models, notes, read)


def register(connection: psycopg.Connection, model: TrainedModel) -> int:
    """Register a model and return its version. Raises psycopg.Error where the server refuses it."""
    [(version,)] = connection.execute(
        "SELECT logintel.import_model(%s, %s, %s, %s)",
        (model.name, model.onnx, json.dumps(model.metadata), json.dumps(model.golden))).fetchall()
    return version
