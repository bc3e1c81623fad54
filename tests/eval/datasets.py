"""The lines that are evaluated on: real ones of ../shared/data where that folder is, and the simulator's."""

import csv
import gzip
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import block_array, coo_array
from scipy.sparse.csgraph import connected_components

from logintel.defaults.masks import mask
from logintel.simulation import SimulatedLine, generate
from logintel.training.dataset import NORMAL, Line, Shape
from logintel.training.labels import LEVELS
from logintel_server.tokens import MASK

REAL = Path(__file__).parents[3] / "shared" / "data"
SYSTEMS = ("Android", "Apache", "HDFS", "Hadoop", "OpenStack", "Spark")
"""Those of loghub whose lines have levels."""

_SPELLINGS = {
    "V": "DEBUG", "D": "DEBUG", "I": "INFO", "notice": "INFO", "W": "WARN", "WARNING": "WARN", "E": "ERROR",
    "error": "ERROR", **{level: level for level in LEVELS},
}  # fmt: skip
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_LATENCIES = {0: "<100ms", 100: "<500ms", 500: "<1s", 1000: "<5s", 5000: "<30s", 30_000: ">=30s"}


@dataclass(frozen=True, eq=False)
class RealLines:
    """N lines of several systems, each system's in order of time, and their true templates."""

    lines: list[Line]
    systems: np.ndarray  # [N] of str
    templates: np.ndarray  # [N] number of (system, EventId)
    groups: np.ndarray  # [N] number of the template, the same for templates that share words: they stay in one fold

    @property
    def levels(self) -> np.ndarray:
        """The level of each line: [N] number in LEVELS."""
        return np.array([LEVELS.index(line.level) for line in self.lines])

    def representatives(self) -> np.ndarray:
        """Return one line of each template, of its most frequent shape: [T] of line numbers."""
        often = Counter(zip(self.templates, self.lines, strict=True))
        counts = np.array([often[pair] for pair in zip(self.templates, self.lines, strict=True)])
        order = np.argsort(-counts, kind="stable")
        _, first = np.unique(self.templates[order], return_index=True)
        return order[first]

    def chosen(self, rows: np.ndarray) -> list[Line]:
        """Return the lines of a mask [N], or of line numbers [K]."""
        return [self.lines[i] for i in np.arange(len(self.lines))[rows]]


@dataclass(frozen=True)
class Session:
    """All lines of one HDFS block, in order of time."""

    lines: list[Line]
    is_anomaly: bool


class Reading(NamedTuple):
    """A template as people read it: its line has their labels, None where they did not agree."""

    system: str
    event: str
    line: Line


@cache
def loghub() -> RealLines:
    """Read the loghub systems that have levels."""
    lines, systems, events = [], [], []
    for system in SYSTEMS:
        for row in _rows(REAL / "loghub" / f"{system}_2k.log_structured.csv"):
            shape = Shape(mask(row["Content"]), row.get("Component") or "", system, row["Level"])
            lines.append(Line(shape, _SPELLINGS[row["Level"]]))
            systems.append(system)
            events.append((system, row["EventId"]))
    return RealLines(lines, np.array(systems), _numbers(events), _groups(lines, events))


def without_levels() -> list[Line]:
    """Read the loghub systems whose lines have no level, Linux and OpenSSH, as a log driver would write them: INFO."""
    return [Line(Shape(mask(row["Content"]), row.get("Component") or "", system, "INFO"), "INFO")
            for system in ("Linux", "OpenSSH") for row in _rows(REAL / "loghub" / f"{system}_2k.log_structured.csv")]


def _groups(lines: Sequence[Line], events: Sequence[tuple[str, str]]) -> np.ndarray:
    """Number what has words in common: lines of one event, and events that share a line's words."""
    events_and_words = np.stack([_numbers(events), _numbers([line.features()["words"] for line in lines])])
    size = events_and_words.max(1) + 1
    linked = coo_array((np.ones(len(lines)), tuple(events_and_words)), size)
    _, groups = connected_components(block_array([[None, linked], [linked.T, None]]), directed=False)
    return groups[events_and_words[0]]


def _numbers(values: Sequence[Hashable]) -> np.ndarray:
    """Number distinct values in the order in which they come."""
    number = {value: i for i, value in enumerate(dict.fromkeys(values))}
    return np.array([number[value] for value in values])


@cache
def statements() -> tuple[list[Line], np.ndarray]:
    """Read the logging statements of ../shared/data/statements_open.csv.gz: a line of each, and their systems [N]."""
    with gzip.open(REAL / "statements_open.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [Line(Shape(mask(_PLACEHOLDER.sub(MASK, row["message"]))), row["level"]) for row in rows]
    return lines, np.array([row["system"] for row in rows])


@cache
def readings() -> list[Reading]:
    """Read ../shared/data/gold_open.csv, with the most frequent shape of each template."""
    often: dict[str, Counter[str]] = defaultdict(Counter)
    for file in sorted((REAL / "loghub").glob("*_2k.log_structured.csv")):
        for row in _rows(file):
            often[f"{file.name.split('_')[0]}:{row['EventId']}"][mask(row["Content"])] += 1
    found = []
    for row in _rows(REAL / "gold_open.csv"):
        [(template, _)] = often[row["id"]].most_common(1)
        anomaly = row["anomaly_type"] or None
        is_anomaly = None if anomaly is None else anomaly != NORMAL
        line = Line(Shape(template), row["true_level"] or None, is_anomaly, anomaly, row["category"] or None)
        found.append(Reading(*row["id"].split(":"), line))
    return found


def hdfs_sessions() -> list[Session]:
    """Read the HDFS sessions, ordered by their first line."""
    sessions: dict[str, Session] = {}
    rows = sorted(_rows(REAL / "hdfs_5k" / "hdfs_5k.csv"), key=lambda row: row["timestamp"])
    for row in rows:
        anomalous = row["is_anomaly"] == "1"
        shape = Shape(mask(row["message"]), row["service"], "HDFS", row["level"])
        session = sessions.setdefault(row["block_id"], Session([], anomalous))
        session.lines.append(Line(shape, row["level"], anomalous))
    return list(sessions.values())


def simulated(count: int, seed: int, days: float = 7) -> list[Line]:
    """Make lines of the simulator as a table holds them, oldest first, every label true."""
    made = generate(count, seed=seed, end=datetime(2026, 1, 1, tzinfo=UTC), days=days)
    return [table_line(line) for line in made]


def table_line(line: SimulatedLine) -> Line:
    """A simulated line as a table holds it, every label true."""
    status = f"{line.http_status // 100}xx" if line.http_status else ""
    took = line.response_time_ms
    latency = "" if took is None else list(_LATENCIES.values())[bisect_right(list(_LATENCIES), took) - 1]
    shape = Shape(mask(line.message), line.service, line.source_type, line.level, status, latency)
    return Line(shape, line.true_level, line.true_is_anomaly, line.true_anomaly_type, line.true_category)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)
