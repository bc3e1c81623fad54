"""What ml_model_metrics has to show, computed line by line from what is stored, by numpy and scikit-learn."""

import itertools
import random
from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_score, recall_score

from support.servers import Database
from support.tables import MODEL_SETS, MODELS, PREDICTIONS, SCORES

FIGURES = (
    "predictions", "coverage", "feedback_lines", "accuracy", "declared_lines", "declared_accuracy", '"precision"', "recall",
    "false_positive_rate", "calibration_error", "declared_calibration_error", "mean_confidence", "abstained_share",
    "latency_mean_us", "latency_p95_us", "latency_max_us", "known_share", "failures",
)
BINS = 10
WORDS = ("started", "failed", "slow", "entering", "panicked", "other")
CATEGORIES = (("started", "System"), ("failed", "Error"), ("slow", "Performance"))


class Line(NamedTuple):
    id: int
    hour: datetime
    score_id: int
    model_set_id: int
    declared: str | None
    template: str
    prediction: dict[str, Any]
    confidence: dict[str, float | None]


def insert_many(db: Database, number: int, seed: int) -> None:
    """Insert random lines of four hours."""
    choose = random.Random(seed)
    rows = [
        (f"2026-03-01T{choose.randint(8, 11):02}:30Z", choose.choice(("DEBUG", "info", "ERROR", "odd", None)),
         " ".join(choose.choices(WORDS, k=choose.randint(1, 4))))
        for _ in range(number)
    ]
    with db.connection.cursor() as cursor:
        cursor.executemany("INSERT INTO log_entries (timestamp, level, message) VALUES (%s, %s, %s)", rows)


def maintain(db: Database) -> int:
    """Do the upkeep; return how many hours were measured."""
    return dict(db.execute("SELECT * FROM logintel.maintain()"))["measure models"]


def measured(db: Database) -> dict[tuple, dict[str, Any]]:
    """Return what maintain() measured, by hour, name and version."""
    rows = db.execute(f"SELECT window_start, name, version, {', '.join(FIGURES)} FROM logintel.ml_model_metrics")
    return {row[:3]: dict(zip((name.strip('"') for name in FIGURES), row[3:], strict=True)) for row in rows}


def about(row: dict[str, Any]) -> dict[str, Any]:
    """Let figures differ by rounding, and the percentile by the width of a bucket of the histogram."""
    return {
        name: value if value is None else pytest.approx(value, rel=0.045 if name == "latency_p95_us" else 0, abs=1e-6)
        for name, value in row.items()
    }


def expected(db: Database, first_counted: dict[int, datetime] | None = None) -> dict[tuple, dict[str, Any]]:
    """Compute the same for the hours that have lines, all of them scored and none failed.

    `first_counted` is the hour of the first line that was counted of each score; of those that are there when not given.
    """
    models = defaultdict(list)
    for set_id, name, version in db.execute(
        f"SELECT s.id, m.name, m.version FROM {MODEL_SETS} s JOIN {MODELS} m ON m.id = ANY (s.model_ids)"
    ):
        models[set_id].append((name, version))
    lines = _lines(db)
    first_hour = first_counted or first_hours(db)
    scored = [score for score in db.execute(
        "SELECT id, model_set_id, date_trunc('hour', scored_at, 'UTC'), latency_us::float8 FROM logintel_internal.scores WHERE at_write"
    ) if score[0] in first_hour]
    verdicts = _verdicts(db)
    result = {}
    served = {(line.hour, *model) for line in lines for model in models[line.model_set_id]}
    worked = {(hour, *model) for _, set_id, hour, _ in scored for model in models[set_id]}
    for hour, name, version in served | worked:
        own = [line for line in lines if line.hour == hour and (name, version) in models[line.model_set_id]]
        learned = [id for id, set_id, *_ in scored if first_hour[id] == hour and (name, version) in models[set_id]]
        latencies = [latency for _, set_id, at, latency in scored if at == hour and (name, version) in models[set_id]]
        result[hour, name, version] = {
            "predictions": len(own),
            "coverage": 1.0 if any(line.hour == hour for line in lines) else None,
            "known_share": 1 - min(len(learned), len(own)) / len(own) if own else None,
            "failures": 0,
            "mean_confidence": np.mean([line.confidence[name] for line in own]) if own else None,
            "latency_mean_us": np.mean(latencies) if latencies else None,
            "latency_p95_us": np.percentile(latencies, 95) if latencies else None,
            "latency_max_us": max(latencies) if latencies else None,
            **_against_feedback(name, own, verdicts),
            **_against_declared(db, name, own),
        }
    return result


def first_hours(db: Database) -> dict[int, datetime]:
    """Return the hour of the first line of each score that has one."""
    return dict(db.execute("SELECT score_id, min(date_trunc('hour', \"timestamp\", 'UTC')) FROM logintel_internal.predictions GROUP BY 1"))


def _lines(db: Database) -> list[Line]:
    threshold = np.float32(db.value("SELECT logintel._setting('anomaly_threshold')"))
    lines = []
    for *fields, level, level_confidence, category, category_confidence, score in db.execute(
        "SELECT p.log_entry_id, date_trunc('hour', p.timestamp, 'UTC'), s.id, s.model_set_id, logintel.normalize_level(l.level), s.template, "
        "s.predicted_level, s.level_confidence::float8, s.category, s.category_confidence::float8, s.anomaly_score::float8 "
        f"FROM {PREDICTIONS} p JOIN {SCORES} s ON s.id = p.score_id JOIN logintel.log_lines l ON l.id = p.log_entry_id"
    ):
        found = score >= threshold
        lines.append(Line(
            *fields,
            prediction={"level": level, "category": category, "anomaly": found},
            confidence={"level": level_confidence, "category": category_confidence, "anomaly": score if found else 1 - score},
        ))
    return lines


def _verdicts(db: Database) -> dict[tuple, dict[str, Any]]:
    """Return the verdicts in force, by line or by template and declared level."""
    return {
        ("line", line) if scope == "line" else ("template", template, declared):
            {"level": level, "category": category, "anomaly": anomaly}
        for scope, line, template, declared, level, category, anomaly in db.execute(
            "SELECT scope, log_entry_id, (shape).template, declared_level, true_level, true_category, is_anomaly "
            "FROM logintel_internal.feedback f WHERE is_current AND (scope = 'template' OR EXISTS (  -- of the line as it was judged\n"
            f"SELECT FROM {PREDICTIONS} p JOIN {SCORES} s ON s.id = p.score_id "
            "WHERE p.log_entry_id = f.log_entry_id AND s.shape_hash = f.shape_hash))"
        )
    }


def _truth(line: Line, name: str, verdicts: dict[tuple, dict[str, Any]]) -> Any:
    for key in (("line", line.id), ("template", line.template, line.declared), ("template", line.template, None)):
        if verdicts.get(key, {}).get(name) is not None:
            return verdicts[key][name]
    return None


def _against_feedback(name: str, lines: list[Line], verdicts: dict[tuple, dict[str, Any]]) -> dict[str, Any]:
    judged = [(line, truth) for line in lines if (truth := _truth(line, name, verdicts)) is not None]
    truth = [truth for _, truth in judged]
    predicted = [line.prediction[name] for line, _ in judged]
    figures = dict.fromkeys(("accuracy", "precision", "recall", "false_positive_rate", "calibration_error"))
    figures["feedback_lines"] = len(judged)
    if judged:
        figures["accuracy"] = accuracy_score(truth, predicted)
    if judged and name == "anomaly":
        figures["precision"] = precision_score(truth, predicted) if any(predicted) else None
        figures["recall"] = recall_score(truth, predicted) if any(truth) else None
        figures["false_positive_rate"] = 1 - recall_score(truth, predicted, pos_label=False) if not all(truth) else None
    elif judged:
        figures["calibration_error"] = calibration_error([line.confidence[name] for line, _ in judged], np.equal(truth, predicted))
    return figures


def _against_declared(db: Database, name: str, lines: list[Line]) -> dict[str, Any]:
    figures = dict.fromkeys(("declared_lines", "declared_accuracy", "declared_calibration_error", "abstained_share"))
    if name == "level":
        known = [line for line in lines if line.declared]
        right = [line.declared == line.prediction["level"] for line in known]
        figures["declared_lines"] = len(known)
        if known:
            figures["declared_accuracy"] = np.mean(right)
            figures["declared_calibration_error"] = calibration_error([line.confidence["level"] for line in known], right)
        if lines:
            minimum = np.float32(db.value("SELECT logintel._setting('classification_min_confidence')"))
            figures["abstained_share"] = np.mean([line.confidence["level"] < minimum for line in lines])
    return figures


def calibration_error(confidence: list[float], right: list[bool]) -> float:
    """The textbook's: in each bin, mean confidence against accuracy, weighted by the size of the bin."""
    inner_edges = [edge / BINS for edge in range(1, BINS)]
    error = 0.0
    pairs = sorted(zip(np.digitize(confidence, inner_edges), confidence, right, strict=True))
    for _, members in itertools.groupby(pairs, key=lambda pair: pair[0]):
        rows = list(members)
        error += len(rows) * abs(np.mean([row[1] for row in rows]) - np.mean([row[2] for row in rows]))
    return error / len(pairs)
