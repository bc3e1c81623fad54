"""onnxruntime in the server says what scikit-learn says in the loader, on tens of thousands of distinct lines."""

import csv
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from logintel.backfill import backfill_lines
from logintel.simulation import generate
from logintel.training.dataset import Line, read_lines
from logintel.training.models import TrainedModel, train_models
from logintel.writing import load_rows
from logintel_server.scoring import LEVELS
from support.servers import ROOT, Database
from support.tables import MODEL_SETS, SCORES

SHARED = ROOT.parent / "shared" / "data"
TOLERANCE = 1e-5


def real_lines() -> Iterator[dict[str, object]]:
    for path in sorted((SHARED / "loghub").glob("*_structured.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                yield {
                    "message": row["Content"],
                    "level": row.get("Level"),
                    "service": row.get("Component"),
                    "source_type": path.name.split("_")[0],
                }
    hdfs = SHARED / "hdfs_5k" / "hdfs_5k.csv"
    if hdfs.exists():
        with hdfs.open(newline="") as file:
            for row in csv.DictReader(file):
                yield {
                    "message": row["message"],
                    "level": row["level"],
                    "service": row["service"],
                    "source_type": "hdfs",
                }


def simulated_lines() -> Iterator[dict[str, object]]:
    for line in generate(14_000, seed=3, end=datetime(2026, 1, 1, tzinfo=UTC), days=3):
        row = line.row()
        yield {
            field: row[field]
            for field in (
                "message",
                "level",
                "service",
                "source_type",
                "category",
                "is_anomaly",
                "anomaly_type",
                "http_status",
                "response_time_ms",
            )
        }


def unicode_lines(count: int) -> Iterator[dict[str, object]]:
    """Lines of code points from everywhere, words of real letters among them."""
    chance = random.Random(0)
    words = (
        "failed",
        "connection",
        "Übergröße",
        "ошибка",
        "错误",
        "エラー",
        "خطأ",
        "naïve",
        "e\u0301",
        "İ",
        "ß",
        "🔥",
        "\u200b",
    )
    for _ in range(count):
        parts = [
            chance.choice(words)
            if chance.random() < 0.5
            else "".join(
                chr(chance.choice((chance.randrange(1, 0xD800), chance.randrange(0xE000, 0x110000)))) for _ in range(4)
            )
            for _ in range(chance.randrange(1, 12))
        ]
        yield {
            "message": chance.choice((" ", "\u00a0", "\u3000", "")).join(parts),
            "level": chance.choice(("INFO", "ERROR", None)),
        }


@pytest.fixture
def everything(db: Database) -> tuple[Database, list[Line], dict[str, TrainedModel]]:
    rows = [*simulated_lines(), *real_lines(), *unicode_lines(8_000)]
    rows = list({(row["message"], row.get("service")): row for row in rows}.values())
    assert len(rows) >= 20_000
    connection = db.connect()
    load_rows(connection, rows)
    with connection.transaction():
        lines = read_lines(connection, len(rows))
    models, _ = train_models(random.Random(0).sample(lines, 3_000), outliers=True)
    for model in models:
        connection.execute(
            "SELECT logintel.import_model(%s, %s, %s, %s)",
            (model.name, model.onnx, json.dumps(model.metadata), json.dumps(model.golden)),
        )
        connection.execute("SELECT logintel.deploy(%s)", (model.name,))
    assert backfill_lines(connection) == len(rows)
    return db, lines, {model.name: model for model in models}


def test_the_server_says_what_scikit_learn_says(
    everything: tuple[Database, list[Line], dict[str, TrainedModel]],
) -> None:
    db, lines, models = everything
    columns = "template, service, source_type, level, status_class, latency_bucket"
    scored = {
        row[:6]: row[6:]
        for row in db.execute(
            f"SELECT {columns}, predicted_level, level_probabilities, category, category_confidence, anomaly_score "
            f"FROM {SCORES} WHERE model_set_id = (SELECT max(id) FROM {MODEL_SETS})"
        )
    }
    by_shape = {line.shape: line for line in lines}
    assert by_shape.keys() == scored.keys()
    distinct = list(by_shape.values())
    server = [scored[line.shape] for line in distinct]

    level = models["level"]
    labels, _ = level.predict(distinct)
    assert [row[0] for row in server] == labels.tolist()
    probabilities = level.pipeline.predict_proba(level.inputs(distinct))
    classes = level.metadata["classes"]
    assert np.abs(np.array([[row[1][LEVELS.index(name)] for name in classes] for row in server]) - probabilities).max() < TOLERANCE

    labels, confidence = models["category"].predict(distinct)
    assert [row[2] for row in server] == labels.tolist()
    assert np.abs(np.array([row[3] for row in server]) - confidence).max() < TOLERANCE
    assert np.abs(np.array([row[4] for row in server]) - models["anomaly"].anomaly_scores(distinct)).max() < TOLERANCE
