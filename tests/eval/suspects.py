"""How right suspicions are where sources mislabel as they do in life: a message in every one of its lines, or a service.

Lines are inserted as an application would, with the default models in force and nothing trained, and then with a model that
was trained on the lines as they are. Judged is what ml_suspects says of each template of a service.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import compress

import numpy as np
import psycopg
from contenders import LEVEL
from datasets import loghub, readings, simulated, without_levels
from results import PRODUCT, Figures, Result, compared, mean
from sklearn.metrics import roc_auc_score

from logintel.training.dataset import Line
from logintel.training.neighbours import refresh_neighbours

DRAWS = 10
SHARE = 0.2
"""Of the templates of WARN and above, how many are declared INFO in all their lines."""
SIMULATED_LINES = 10_000
LEAST_PROBLEMS = 5
"""A service that is to be stamped has as many templates of WARN and above."""
RECORDED_BY_MISTAKE = ("NoRouteToHostException", "to FAILED")
"""Parts of templates that are recorded INFO, that nobody was asked to read, and that are problems to any reader."""

_WARN = LEVEL.classes.index("WARN")


@dataclass(frozen=True)
class Judged:
    """What was said of U templates of services that are declared up to INFO: the score, and whether it is suspected."""

    units: list[tuple[str, str]]  # [U] template and service
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


def natural(connection: psycopg.Connection) -> Iterator[Result]:
    """Eight systems as they are, in one table: templates that are recorded up to INFO and that people read as problems.

    Judged are the templates that people read. Nothing is planted.
    """
    lines = [*loghub().lines, *without_levels()]
    read = {reading.line.shape.template for reading in readings() if reading.line.level}
    _insert(connection, lines, np.zeros(len(lines), bool))
    found = {}
    for who in ("before_training", PRODUCT):
        judged = _judged(connection, lambda unit: unit[0] in _read_as_problems(), lambda unit: unit[0] in read)
        found[who] = judged
        refresh_neighbours(connection)
    figures = {who: _figures(judged) for who, judged in found.items()}
    yield from compared("suspects_natural_{}", {who: figures[who] for who in (PRODUCT, "before_training")})
    yield from compared("suspects_natural_{}", {PRODUCT: {"kept_after_training": _kept([tuple(found.values())])}})


def stamped(connection: psycopg.Connection) -> Iterator[Result]:
    """One service of the simulator after the other stamps INFO on all that it writes: its problems, and whether it is told."""
    lines = simulated(SIMULATED_LINES, 0)
    services = {line.shape.service for line in lines}
    hidden, suspected, right, told = 0, 0, 0, []
    for service in sorted(services):
        silenced = np.array([line.shape.service == service for line in lines])
        wrong = {_unit(line) for line in lines if line.shape.service == service and LEVEL.classes.index(line.level) >= _WARN}
        if len(wrong) < LEAST_PROBLEMS:
            continue
        _insert(connection, lines, silenced)
        refresh_neighbours(connection)
        judged = _judged(connection, wrong.__contains__, lambda unit, own=service: unit[1] == own)
        hidden, suspected, right = (hidden + judged.wrong.sum(), suspected + judged.suspected.sum(),
                                    right + (judged.suspected & judged.wrong).sum())
        told += connection.execute("SELECT finding IS NOT NULL FROM logintel.ml_sources WHERE service = %s", (service,)).fetchall()
    yield from compared("suspects_stamped_source_{}", {PRODUCT: {
        "recall": right / hidden, "precision": right / suspected, "told": np.mean([row[0] for row in told])}})  # fmt: skip


def _unit(line: Line) -> tuple[str, str]:
    return line.shape.template, line.shape.service


def _asked(connection: psycopg.Connection, name: str, lines: Sequence[Line], templates: np.ndarray,
           silence: Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]) -> Iterator[Result]:
    problems = np.array([LEVEL.classes.index(line.level) >= _WARN for line in lines])
    runs, kept = [], []
    for seed in range(DRAWS):
        silenced = silence(problems, templates, np.random.default_rng(seed))
        wrong = {_unit(line) for line, is_silenced in zip(lines, silenced, strict=True) if is_silenced}
        _insert(connection, lines, silenced)
        before = _judged(connection, wrong.__contains__, lambda unit, own=wrong: unit in own or not _mistaken(unit[0]))
        refresh_neighbours(connection)
        after = _judged(connection, wrong.__contains__, lambda unit, own=wrong: unit in own or not _mistaken(unit[0]))
        runs.append({PRODUCT: _figures(after), "before_training": _figures(before)})
        kept.append((before, after))
    yield from compared(name, mean(runs))
    yield from compared(name, {PRODUCT: {"kept_after_training": _kept(kept)}})


def _insert(connection: psycopg.Connection, lines: Sequence[Line], silenced: np.ndarray) -> None:
    if connection.execute("SELECT count(*) FROM logintel.attachments").fetchone() == (0,):
        connection.execute("SELECT logintel.create_log_entries()")
    connection.execute("TRUNCATE log_entries")
    with connection.cursor() as cursor, cursor.copy("COPY log_entries (message, service, source_type, level) FROM STDIN") as copy:
        for line, is_silenced in zip(lines, silenced, strict=True):
            copy.write_row((line.shape.template, line.shape.service, line.shape.source_type,
                            "INFO" if is_silenced else line.level))
    connection.execute("CALL logintel.maintain('10 min')")


def _judged(connection: psycopg.Connection, is_wrong: Callable[[tuple[str, str]], bool],
            counts: Callable[[tuple[str, str]], bool]) -> Judged:
    rows = connection.execute(
        "SELECT template, service, score, suspicion IS NOT NULL FROM logintel._judged_templates() WHERE NOT problem ORDER BY 1, 2"
    ).fetchall()
    rows = [row for row in rows if counts(row[:2])]
    return Judged([row[:2] for row in rows], np.array([is_wrong(row[:2]) for row in rows]),
                  np.array([row[2] for row in rows]), np.array([row[3] for row in rows]))  # fmt: skip


def _mistaken(template: str) -> bool:
    """Whether it is recorded up to INFO by mistake: to suspect it is neither right nor wrong where others are planted."""
    return template in _read_as_problems() or any(part in template for part in RECORDED_BY_MISTAKE)


@cache
def _read_as_problems() -> frozenset[str]:
    """Templates that people read as WARN and above. To suspect one that is recorded up to INFO is neither right nor wrong here."""
    return frozenset(reading.line.shape.template for reading in readings()
                     if reading.line.level and LEVEL.classes.index(reading.line.level) >= _WARN)  # fmt: skip


def _kept(pairs: Sequence[tuple[Judged, Judged]]) -> float | None:
    """Share of the right suspicions before training that are still there after it."""
    right = [set(compress(before.units, before.suspected & before.wrong)) for before, _ in pairs]
    still = [own & set(compress(after.units, after.suspected)) for own, (_, after) in zip(right, pairs, strict=True)]
    return sum(map(len, still)) / sum(map(len, right)) if any(right) else None


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
