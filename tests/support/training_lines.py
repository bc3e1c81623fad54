"""Lines for tests of training that have no server to make shapes."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from logintel.defaults.masks import mask
from logintel.simulation import SimulatedLine, generate
from logintel.training.dataset import Line, Shape

LOGHUB = Path(__file__).parents[3] / "shared" / "data" / "loghub"
LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
LOGHUB_LEVELS = {"V": "DEBUG", "D": "DEBUG", "I": "INFO", "notice": "INFO", "W": "WARN", "WARNING": "WARN",
                 "E": "ERROR", "error": "ERROR"} | {level: level for level in LEVELS}


def simulated(count: int, seed: int = 1, corrupt: float = 0.0) -> list[tuple[SimulatedLine, Line]]:
    """Simulated lines with the truth about them, oldest first."""
    lines = generate(count, seed=seed, end=datetime(2026, 1, 1, tzinfo=UTC), days=3, corrupt=corrupt)
    return [(line, _line_of(line)) for line in lines]


def _line_of(line: SimulatedLine) -> Line:
    levels = {spelling: level for level, spelling in line.template.source.spellings.items()}
    status = f"{line.http_status // 100}xx" if line.http_status else ""
    latency = "" if line.response_time_ms is None else "<1s" if line.response_time_ms < 1000 else ">=30s"
    shape = Shape(mask(line.message), line.service, line.source_type, line.level, status, latency)
    return Line(shape, levels[line.level], line.is_anomaly, line.anomaly_type, line.category)


def loghub(*systems: str) -> list[Line]:
    """Lines of real systems."""
    lines = []
    for system in systems:
        with (LOGHUB / f"{system}_2k.log_structured.csv").open(newline="") as file:
            lines += [Line(Shape(mask(row["Content"]), row.get("Component") or "", system, row.get("Level", "")),
                           LOGHUB_LEVELS.get(row.get("Level", ""))) for row in csv.DictReader(file)]
    return lines


def with_wrong_levels(lines: Sequence[Line], share: float, seed: int) -> tuple[list[Line], np.ndarray]:
    """Give a share of the lines another level. Returns the lines and which ones are wrong [N]."""
    chance = np.random.default_rng(seed)
    wrong = np.zeros(len(lines), bool)
    wrong[chance.choice(len(lines), int(len(lines) * share), replace=False)] = True
    changed = []
    for line, is_wrong in zip(lines, wrong, strict=True):
        level = chance.choice([level for level in LEVELS if level != line.level]) if is_wrong else line.level
        changed.append(line._replace(shape=line.shape._replace(level=str(level)), level=str(level)))
    return changed, wrong
