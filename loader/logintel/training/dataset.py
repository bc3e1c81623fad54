"""Lines to learn from, and their grouping into the distinct inputs that a model sees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from typing import NamedTuple

import numpy as np
import psycopg

from logintel.errors import HOW_TO_INSTALL, UserError
from logintel.writing.copying import attached_table
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


class Verdict(NamedTuple):
    """What people say that a line is in truth (None: they say nothing of that)."""

    level: str | None = None
    category: str | None = None
    is_anomaly: bool | None = None

    def is_of(self, target: str) -> bool:
        """Tell whether it says what a model of `target` learns."""
        return {"level": self.level, "category": self.category, "anomaly": self.is_anomaly}[target] is not None


class Line(NamedTuple):
    """One line: its shape, normalised level, the labels it came with, the verdict on it, its time (None: unknown)."""

    shape: Shape
    level: str | None = None
    is_anomaly: bool | None = None
    anomaly_type: str | None = None
    category: str | None = None
    verdict: Verdict | None = None
    timestamp: datetime | None = None

    def features(self) -> dict[str, str]:
        """Return the features of the line by name, as the server will make them."""
        return tokens.features(self.shape._asdict(), self.level)


# A verdict on a line is of its key and its shape: it is not of another line that got the key. Where no line among the
# latest stands for a verdict, on a line or on a template, the shape that the verdict keeps does.
_LATEST_LINES = """
    WITH latest AS MATERIALIZED (
        SELECT line.id, line."timestamp", shape, logintel.normalize_level(line.level) AS declared_level,
               line.is_anomaly, line.anomaly_type, line.category, md5(shape.template) AS template_hash,
               a.id AS attachment_id
        FROM (SELECT * FROM logintel.log_lines
              WHERE %(log_table)s::regclass IS NULL OR log_table = %(log_table)s::regclass
              ORDER BY "timestamp" DESC, id DESC LIMIT %(limit)s) AS line
        JOIN logintel_internal.attachments a ON a.log_table = line.log_table
        CROSS JOIN LATERAL logintel._shape(line.message, line.service, line.source_type, line.level, line.http_status,
                                          line.response_time_ms) AS shape),
    others AS (
        SELECT v.* FROM logintel_internal.feedback v WHERE v.is_current AND v.scope = 'line'
            AND (%(log_table)s::regclass IS NULL OR v.attachment_id = (
                SELECT a.id FROM logintel_internal.attachments a WHERE a.log_table = %(log_table)s::regclass))
            AND NOT EXISTS (SELECT FROM latest l WHERE l.attachment_id = v.attachment_id AND l.id = v.log_entry_id
                            AND l.shape = v.shape)
        UNION ALL
        SELECT v.* FROM logintel_internal.feedback v WHERE v.is_current AND v.scope = 'template'
            AND NOT EXISTS (SELECT FROM latest l WHERE l.template_hash = md5((v.shape).template))),
    lines AS (
        SELECT l.*, v.id AS verdict_id FROM latest l
        LEFT JOIN logintel_internal.feedback v
            ON v.is_current AND v.scope = 'line' AND v.attachment_id = l.attachment_id
            AND v.log_entry_id = l.id AND v.shape = l.shape
        UNION ALL
        SELECT o.log_entry_id, '-infinity', o.shape, logintel.normalize_level((o.shape).level), NULL, NULL, NULL,
               NULL, o.attachment_id, o.id
        FROM others o)
    SELECT (l.shape).template, (l.shape).service, (l.shape).source_type, (l.shape).level, (l.shape).status_class,
           (l.shape).latency_bucket, l.declared_level, l.is_anomaly, l.anomaly_type, l.category,
           truth.true_level, truth.true_category, truth.is_anomaly,
           CASE WHEN l."timestamp" BETWEEN '0001-01-03' AND '9999-12-29' THEN l."timestamp" END  -- Python's time
    FROM lines l
    LEFT JOIN logintel_internal.feedback own ON own.id = l.verdict_id AND own.scope = 'line'
    CROSS JOIN LATERAL logintel._truth(own, (l.shape).template, l.declared_level) AS truth
    ORDER BY l."timestamp", l.id, l.verdict_id"""


def read_lines(
    connection: psycopg.Connection, limit: int, read: Callable[[int], None] = lambda lines: None, *,
    log_table: str | None = None,
) -> list[Line]:
    """Read the latest `limit` lines of all attached tables, or of one, oldest first.

    `read` is told how many came each time.

    Lines come with the verdict on them: their own, or else their template's. Before them come lines with a verdict that
    are older, or gone.

    Raises UserError when the extension or an attached table is missing, or the role may not read them.
    """
    try:
        if connection.execute("SELECT FROM logintel_internal.attachments").fetchone() is None:
            raise UserError("no log table is attached; run SELECT logintel.attach('your_table') or "
                            "SELECT logintel.create_log_entries()")
        if log_table:
            attached_table(connection, log_table)
        lines: list[Line] = []
        shapes: dict[Shape, Shape] = {}
        with connection.cursor("logintel_train") as cursor:
            cursor.execute(_LATEST_LINES, {"limit": limit, "log_table": log_table})
            while rows := cursor.fetchmany(5000):
                for row in rows:
                    shape = Shape._make(row[:6])
                    verdict = Verdict._make(row[10:13])
                    lines.append(Line(shapes.setdefault(shape, shape), *row[6:10],
                                      None if verdict == Verdict() else verdict, row[13]))
                read(len(rows))
        return lines
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName):
        raise UserError(f"logintel is not installed in database {connection.info.dbname}; "
                        f"{HOW_TO_INSTALL}") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise UserError(f"role {connection.info.user} may not read the lines: {error.diag.message_primary}; "
                        "ask the owner for logintel.grant_manage()") from None


def shape_version(connection: psycopg.Connection) -> int:
    """Return the version of the SQL function that makes shapes."""
    [(version,)] = connection.execute("SELECT logintel._shape_version()").fetchall()
    return version


def level_of(line: Line) -> str | None:
    """Return the label that a level model learns."""
    return (line.verdict and line.verdict.level) or line.level


def category_of(line: Line) -> str | None:
    """Return the label that a category model learns."""
    return (line.verdict and line.verdict.category) or line.category or None


def anomaly_of(line: Line) -> str | None:
    """Return the label that an anomaly model learns: NORMAL, a type, or UNTYPED; None where nothing is known."""
    is_anomaly = line.is_anomaly
    if line.verdict and line.verdict.is_anomaly is not None:
        is_anomaly = line.verdict.is_anomaly
    if is_anomaly is False:
        return NORMAL
    named = line.anomaly_type if line.anomaly_type and line.anomaly_type.lower() != NORMAL else None
    return named or (UNTYPED if is_anomaly else None)


@dataclass(frozen=True)
class Examples:
    """N lines in order of time as a model with F features sees them: M distinct inputs, with labels of C classes."""

    target: str  # level, category or anomaly
    features: tuple[str, ...]
    inputs: np.ndarray  # [M, F] of str
    lines: list[Line]  # M: one line of each input
    templates: np.ndarray  # [M] number of the input's template; templates with the same words are one
    judged: np.ndarray  # [M] of bool: verdicts say the labels of all of the input's lines
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
    """Group the lines that have a label of `target`. `classes` gives their order, which else is alphabetical.

    A model can't tell the lines of one input apart, so verdicts on some of them say what all of them are.
    """
    known: dict[tuple[Shape, str | None], int] = {}
    inputs: dict[tuple[str, ...], int] = {}
    firsts: list[Line] = []
    templates: dict[str, int] = {}
    template_of_input: list[int] = []
    labelled = [(line, label) for line in lines if (label := label_of(line)) is not None]
    labels = [label for _, label in labelled]
    line_input = np.empty(len(labelled), int)
    verdicts: dict[int, list[str]] = {}
    for i, (line, label) in enumerate(labelled):
        key = (line.shape, line.level)
        if key not in known:
            made = line.features()
            values = tuple(made[name] for name in features)
            known[key] = inputs.setdefault(values, len(inputs))
            if known[key] == len(firsts):
                firsts.append(line)
                template_of_input.append(templates.setdefault(made["words"], len(templates)))
        line_input[i] = known[key]
        if line.verdict and line.verdict.is_of(target):
            verdicts.setdefault(known[key], []).append(label)
    _let_verdicts_speak(labels, line_input, verdicts)
    present = set(labels)
    ordered = tuple(name for name in classes or sorted(present) if name in present)
    number = {name: i for i, name in enumerate(ordered)}
    return Examples(target, tuple(features), np.array(list(inputs), object).reshape(len(inputs), len(features)), firsts,
                    np.array(template_of_input, int), np.array([n in verdicts for n in range(len(inputs))], bool),
                    ordered, line_input, np.array([number[label] for label in labels], int))


def _let_verdicts_speak(labels: list[str], line_input: np.ndarray, verdicts: dict[int, list[str]]) -> None:
    """Give all lines of an input that has `verdicts` the labels of these, in turn, so that each has its share."""
    if verdicts:
        turns = {number: cycle(said) for number, said in verdicts.items()}
        for i, number in enumerate(line_input):
            if number in turns:
                labels[i] = next(turns[number])
