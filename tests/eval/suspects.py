"""How right suspicions are where sources mislabel as they do in life: a message in every one of its lines, or a service.

Lines are inserted as an application would, with the default models in force and nothing trained, and then with a model that
was trained on the lines as they are. Judged is what ml_suspects says of each template of a service.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import psycopg
from contenders import LEVEL
from datasets import loghub, readings, simulated
from results import PRODUCT, Figures, Result, compared, mean
from sklearn.metrics import roc_auc_score

from logintel.training.dataset import Line
from logintel.training.neighbours import refresh_neighbours

DRAWS = 10
SHARE = 0.2
"""Of the templates of WARN and above, how many are declared INFO in all their lines."""
SIMULATED_LINES = 10_000
RECORDED_BY_MISTAKE = ("NoRouteToHostException", "to FAILED")
"""Parts of templates that are recorded INFO, that nobody was asked to read, and that are problems to any reader."""

_WARN = LEVEL.classes.index("WARN")


@dataclass(frozen=True)
class Judged:
    """What was said of U templates of services that are declared up to INFO: the score, and whether it is suspected."""

    wrong: np.ndarray  # [U] of bool: a problem that was declared INFO
    scores: np.ndarray  # [U]
    suspected: np.ndarray  # [U] of bool


def consistent(connection: psycopg.Connection) -> Iterator[Result]:
    """A fifth of the problem templates of six systems in one table is silenced, in all their lines."""
    data = loghub()
    yield from _asked(connection, "suspects_consistent_{}", data.lines, data.templates, _some_templates)


def consistent_simulated(connection: psycopg.Connection) -> Iterator[Result]:
    """The same on lines of the simulator."""
    lines = simulated(SIMULATED_LINES, 0)
    _, templates = np.unique([line.shape.template for line in lines], return_inverse=True)
    yield from _asked(connection, "suspects_consistent_{}_simulated", lines, templates, _some_templates)


def _some_templates(problems: np.ndarray, templates: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Choose a share of the templates that are problems: [N] of bool, the lines to be silenced."""
    of_problems = np.unique(templates[problems])
    chosen = chance.choice(of_problems, round(SHARE * len(of_problems)), replace=False)
    return np.isin(templates, chosen) & problems


def _asked(connection: psycopg.Connection, name: str, lines: Sequence[Line], templates: np.ndarray,
           silence: Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]) -> Iterator[Result]:
    problems = np.array([LEVEL.classes.index(line.level) >= _WARN for line in lines])
    runs = []
    for seed in range(DRAWS):
        silenced = silence(problems, templates, np.random.default_rng(seed))
        _insert(connection, lines, silenced)
        before = _judged(connection, lines, silenced)
        refresh_neighbours(connection)
        after = _judged(connection, lines, silenced)
        runs.append({PRODUCT: after, "before_training": before})
    figures = mean([{who: _figures(found) for who, found in run.items()} for run in runs])
    yield from compared(name, figures)


def _insert(connection: psycopg.Connection, lines: Sequence[Line], silenced: np.ndarray) -> None:
    if connection.execute("SELECT count(*) FROM logintel.attachments").fetchone() == (0,):
        connection.execute("SELECT logintel.create_log_entries()")
    connection.execute("TRUNCATE log_entries")
    with connection.cursor() as cursor, cursor.copy("COPY log_entries (message, service, source_type, level) FROM STDIN") as copy:
        for line, is_silenced in zip(lines, silenced, strict=True):
            copy.write_row((line.shape.template, line.shape.service, line.shape.source_type,
                            "INFO" if is_silenced else line.level))
    connection.execute("CALL logintel.maintain('10 min')")


def _judged(connection: psycopg.Connection, lines: Sequence[Line], silenced: np.ndarray) -> Judged:
    wrong = {(line.shape.template, line.shape.service) for line, is_silenced in zip(lines, silenced, strict=True) if is_silenced}
    rows = connection.execute(
        "SELECT template, service, score, suspicion IS NOT NULL FROM logintel._judged_templates() WHERE NOT problem"
    ).fetchall()
    rows = [row for row in rows if row[:2] in wrong or not (row[0] in _read_as_problems() or any(part in row[0] for part in RECORDED_BY_MISTAKE))]
    return Judged(np.array([row[:2] in wrong for row in rows]), np.array([row[2] for row in rows]),
                  np.array([row[3] for row in rows]))


@cache
def _read_as_problems() -> frozenset[str]:
    """Templates that people read as WARN and above. To suspect one that is recorded up to INFO is neither right nor wrong here."""
    return frozenset(reading.line.shape.template for reading in readings()
                     if reading.line.level and LEVEL.classes.index(reading.line.level) >= _WARN)  # fmt: skip


def _figures(found: Judged) -> Figures:
    order = np.argsort(-found.scores, kind="stable")
    ranked = found.wrong[order]
    count = found.wrong.sum()
    precision = ranked.cumsum() / np.arange(1, len(ranked) + 1)
    recall = ranked.cumsum() / count
    return {
        "auc": roc_auc_score(found.wrong, found.scores),
        "precision_at_k": ranked[:count].mean(),
        "recall_at_precision_80": max(recall[precision >= 0.8], default=0.0),
        "flagged": found.suspected.sum(),
        "precision": found.wrong[found.suspected].mean() if found.suspected.any() else None,
        "recall": found.suspected[found.wrong].mean(),
    }
