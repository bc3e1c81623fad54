"""Lines to learn from, and their grouping into the distinct inputs that a model sees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import psycopg

from logintel.errors import UserError
from logintel_server import tokens

NORMAL = "none"
"""Class of lines that are no anomaly."""
UNTYPED = "anomaly"
"""Class of anomalies whose type is not known."""


class Shape(NamedTuple):
    """The fields of the SQL type logintel.shape, '' where unknown."""

    template: str = ""
    service: str = ""
    source_type: str = ""
    level: str = ""
    status_class: str = ""
    latency_bucket: str = ""


class Line(NamedTuple):
    """One line: its shape, its normalised level, the labels it came with, and its time (None: unknown)."""

    shape: Shape
    level: str | None = None
    is_anomaly: bool | None = None
    anomaly_type: str | None = None
    category: str | None = None
    timestamp: datetime | None = None

    def features(self) -> dict[str, str]:
        """Return the features of the line by name, as the server will make them."""
        return tokens.features(self.shape._asdict(), self.level)


_LATEST_LINES = """
    SELECT shape.template, shape.service, shape.source_type, shape.level, shape.status_class, shape.latency_bucket,
           logintel.normalize_level(line.level), line.is_anomaly, line.anomaly_type, line.category,
           line."timestamp"
    FROM (SELECT * FROM logintel.log_lines ORDER BY "timestamp" DESC, id DESC LIMIT %s) AS line
    CROSS JOIN LATERAL logintel.shape(line.message, line.service, line.source_type, line.level, line.http_status,
                                      line.response_time_ms) AS shape
    ORDER BY line."timestamp", line.id"""


def read_lines(
    connection: psycopg.Connection, limit: int, read: Callable[[int], None] = lambda lines: None
) -> list[Line]:
    """Read the latest `limit` lines of the attached table, oldest first; `read` is told how many came each time.

    Raises UserError when the extension or an attached table is missing, or the role may not read them.
    """
    try:
        if connection.execute("SELECT FROM logintel.attachments").fetchone() is None:
            raise UserError("no log table is attached; run SELECT logintel.attach('your_table') or "
                            "SELECT logintel.create_log_entries()")
        lines: list[Line] = []
        shapes: dict[Shape, Shape] = {}
        with connection.cursor("logintel_train") as cursor:
            cursor.execute(_LATEST_LINES, (limit,))
            while rows := cursor.fetchmany(5000):
                for row in rows:
                    shape = Shape._make(row[:6])
                    lines.append(Line(shapes.setdefault(shape, shape), *row[6:]))
                read(len(rows))
        return lines
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName):
        raise UserError(f"the extension logintel is not installed in database {connection.info.dbname}; "
                        "run CREATE EXTENSION logintel CASCADE") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise UserError(f"role {connection.info.user} may not read the lines: {error.diag.message_primary}; "
                        "ask the owner for logintel.grant_manage()") from None


def shape_version(connection: psycopg.Connection) -> int:
    """Return the version of the SQL function that makes shapes."""
    [(version,)] = connection.execute("SELECT logintel.shape_version()").fetchall()
    return version


def level_of(line: Line) -> str | None:
    """Return the label that a level model learns."""
    return line.level


def category_of(line: Line) -> str | None:
    """Return the label that a category model learns."""
    return line.category or None


def anomaly_of(line: Line) -> str | None:
    """Return the label that an anomaly model learns: NORMAL, a type, or UNTYPED; None where nothing is known."""
    if line.is_anomaly is False:
        return NORMAL
    named = line.anomaly_type if line.anomaly_type and line.anomaly_type.lower() != NORMAL else None
    return named or (UNTYPED if line.is_anomaly else None)


@dataclass(frozen=True)
class Examples:
    """N lines in order of time as a model with F features sees them: M distinct inputs, with labels of C classes."""

    target: str  # level, category or anomaly
    features: tuple[str, ...]
    inputs: np.ndarray  # [M, F] of str
    lines: list[Line]  # M: one line of each input
    templates: np.ndarray  # [M] number of the input's template; templates with the same words are one
    classes: tuple[str, ...]
    line_input: np.ndarray  # [N]
    line_class: np.ndarray  # [N]

    def counts(self, chosen: np.ndarray | None = None) -> np.ndarray:
        """Count the lines of each input and class: [M, C]. `chosen` [N] of bool limits it to some lines."""
        counts = np.zeros((len(self.inputs), len(self.classes)))
        picked = slice(None) if chosen is None else chosen
        np.add.at(counts, (self.line_input[picked], self.line_class[picked]), 1)
        return counts


def group(target: str, lines: Sequence[Line], label_of: Callable[[Line], str | None], features: Sequence[str],
          classes: Sequence[str] | None = None) -> Examples:
    """Group the lines that have a label of `target`. `classes` gives their order, which else is alphabetical."""
    known: dict[tuple[Shape, str | None], int] = {}
    inputs: dict[tuple[str, ...], int] = {}
    firsts: list[Line] = []
    templates: dict[str, int] = {}
    template_of_input: list[int] = []
    labelled = [(line, label) for line in lines if (label := label_of(line)) is not None]
    present = {label for _, label in labelled}
    ordered = tuple(name for name in classes or sorted(present) if name in present)
    line_input = np.empty(len(labelled), int)
    for i, (line, _) in enumerate(labelled):
        key = (line.shape, line.level)
        if key not in known:
            made = line.features()
            values = tuple(made[name] for name in features)
            known[key] = inputs.setdefault(values, len(inputs))
            if known[key] == len(firsts):
                firsts.append(line)
                template_of_input.append(templates.setdefault(made["words"], len(templates)))
        line_input[i] = known[key]
    number = {name: i for i, name in enumerate(ordered)}
    return Examples(target, tuple(features), np.array(list(inputs), object).reshape(len(inputs), len(features)), firsts,
                    np.array(template_of_input, int), ordered, line_input,
                    np.array([number[label] for _, label in labelled], int))
