"""What a model costs: time for a new shape on one core, size, time to load, memory of a process that loaded it.

Times are CPU times, which what else runs on the machine changes little.
"""

import json
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import onnx
from contenders import LEVEL, fitted_candidate, tfidf_forest_pipeline
from datasets import REAL, loghub, simulated
from results import Result
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from logintel.training import default_models, export
from logintel.training.candidates import CANDIDATES
from logintel.training.dataset import Line
from logintel_server import runtime

BATCH = runtime.MAX_SHAPES
SECONDS = 1.0
"""How long each model is run for each batch size."""
LOADS = 9
SIMULATED_LINES = 10_000
SEED = 0

Costs = dict[str, float]
_UNITS = {"us": "µs", "us_single": "µs", "mb": "MB", "load_ms": "ms", "memory_mb": "MB"}


def costs() -> Iterator[Result]:
    """Of the default models together, of each, of every candidate, and of the recipe in scikit-learn."""
    lines = loghub().lines if REAL.exists() else simulated(SIMULATED_LINES, SEED)
    shapes = list(dict.fromkeys(lines))
    default = {f"default_{name}": model.onnx for name, model in default_models.models().items()}
    trained = {f"level_{name}": _exported(name, lines) for name in CANDIDATES}
    measured = {name: _of_graph(graph, shapes) for name, graph in (default | trained).items()}
    measured["tfidf_forest"] = _of_pipeline(tfidf_forest_pipeline(LEVEL, lines, SEED), shapes)
    total = {cost: sum(measured[name][cost] for name in default) for cost in _UNITS if cost != "memory_mb"}
    total["memory_mb"] = _memory_mb(list(default.values()), ".onnx")
    nothing = {"nothing_loaded": round(_memory_mb([], ".onnx"), 3)}
    for cost, unit in _UNITS.items():
        others = {name: round(found[cost], 3) for name, found in measured.items()}
        yield Result(f"cost_default_models_{cost}", round(total[cost], 3), unit,
                     others | (nothing if cost == "memory_mb" else {}))  # fmt: skip
    features = _us(lambda chosen: [line.features() for line in chosen], shapes, BATCH)
    yield Result("cost_features_us", round(features, 3), "µs")


def _exported(candidate: str, lines: Sequence[Line]) -> bytes:
    _, fitted = fitted_candidate(candidate, LEVEL, lines, SEED)
    return export.convert(fitted.pipeline, fitted.features)


def _metadata(graph: bytes) -> dict[str, object]:
    """What the server has to know of a classifier to run it."""
    attributes = (attribute for node in onnx.load_from_string(graph).graph.node for attribute in node.attribute)
    labels = next(attribute.strings for attribute in attributes if attribute.name == "classlabels_strings")
    return {"kind": "classifier", "classes": [label.decode() for label in labels]}


def _of_graph(graph: bytes, shapes: Sequence[Line]) -> Costs:
    metadata = _metadata(graph)

    def load() -> runtime.Model:
        return runtime.open_model("level", "measured", graph, metadata)

    model = load()

    def columns(chosen: Sequence[Line]) -> Mapping[str, list[str]]:
        made = [line.features() for line in chosen]
        return {name: [row[name] for row in made] for name in model.inputs}

    return {"us": _us(model.run, shapes, BATCH, columns), "us_single": _us(model.run, shapes, 1, columns),
            "mb": len(graph) / 1e6, "load_ms": _ms(load), "memory_mb": _memory_mb([graph], ".onnx")}  # fmt: skip


def _of_pipeline(pipeline: Pipeline, shapes: Sequence[Line]) -> Costs:
    stored = pickle.dumps(pipeline)

    def messages(chosen: Sequence[Line]) -> list[str]:
        return [line.shape.template for line in chosen]

    with threadpool_limits(1):
        return {"us": _us(pipeline.predict_proba, shapes, BATCH, messages),
                "us_single": _us(pipeline.predict_proba, shapes, 1, messages),
                "mb": len(stored) / 1e6, "load_ms": _ms(lambda: pickle.loads(stored)),
                "memory_mb": _memory_mb([stored], ".pickle")}  # fmt: skip


def _us(run: Callable, shapes: Sequence[Line], batch: int, prepare: Callable = list) -> float:
    """Microseconds of CPU time a shape: the median over batches of shapes, each prepared before the clock runs."""
    source, taken = cycle(shapes), []
    run(prepare(list(islice(source, batch))))
    end = time.process_time() + SECONDS
    while not taken or time.process_time() < end:
        prepared = prepare(list(islice(source, batch)))
        started = time.process_time()
        run(prepared)
        taken.append(time.process_time() - started)
    return float(np.median(taken)) * 1e6 / batch


def _ms(load: Callable[[], object]) -> float:
    taken = []
    for _ in range(LOADS):
        started = time.process_time()
        load()
        taken.append(time.process_time() - started)
    return float(np.median(taken)) * 1e3


def _memory_mb(models: Sequence[bytes], suffix: str) -> float:
    """Private memory of a process that has loaded and run the models."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}{suffix}" for number in range(len(models))]
        for file, model in zip(files, models, strict=True):
            file.write_bytes(model)
            if suffix == ".onnx":
                file.with_suffix(".json").write_text(json.dumps(_metadata(model)))
        command = [sys.executable, str(Path(__file__).with_name("loading.py")), *map(str, files)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["mb"]
