"""How right suspicions are where sources mislabel as they do in life: a message in every one of its lines, or a service.

Lines are inserted as an application would, with the default models in force and nothing trained, and then with a model that
was trained on the lines as they are. Judged is what ml_suspects says of each template of a service.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import compress

import metrics
import numpy as np
import psycopg
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from contenders import LEVEL, keyword_rule
from datasets import SYSTEMS, loghub, readings, simulated, without_levels
from results import PRODUCT, Figures, Result, compared, mean
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from logintel.training.dataset import Line, Shape
from logintel.training.neighbours import refresh_neighbours

DRAWS = 10
SHARE = 0.2
"""Of the templates of WARN and above, how many are declared INFO in all their lines."""
SIMULATED_LINES = 10_000
FOLDS = 5
LEAST_PROBLEMS = 5
"""A service that is to be stamped has as many templates of WARN and above."""
RECORDED_BY_MISTAKE = ("NoRouteToHostException", "to FAILED")
"""Parts of templates that are recorded INFO, that nobody was asked to read, and that are problems to any reader."""

_WARN = LEVEL.classes.index("WARN")


Unit = tuple[str, str]
"""A template and its service."""


@dataclass(frozen=True)
class Judged:
    """What was said of U templates of services that are declared up to INFO: the score, and whether it is suspected."""

    units: list[Unit]  # [U]
    wrong: np.ndarray  # [U] of bool: a problem that was declared INFO
    scores: np.ndarray  # [U]
    suspected: np.ndarray  # [U] of bool

    def by(self, scores: np.ndarray, suspected: np.ndarray) -> "Judged":
        """What somebody else says of the same units."""
        return Judged(self.units, self.wrong, scores, suspected)

    def drawn(self, rows: np.ndarray) -> "Judged":
        """The units of these numbers, without their names."""
        return Judged([], self.wrong[rows], self.scores[rows], self.suspected[rows])


def consistent(connection: psycopg.Connection) -> Iterator[Result]:
    """A fifth of the problem templates of six systems in one table is silenced, in all their lines."""
    data = loghub()
    yield from _asked(connection, "suspects_consistent_{}", data.lines, data.templates, _some_templates)


def consistent_by_system(connection: psycopg.Connection) -> Iterator[Result]:
    """The same with a table for each system that has as many problem templates. They have few: a draw silences one or two."""
    data = loghub()
    for system in SYSTEMS:
        own = data.systems == system
        problems = own & (data.levels >= _WARN)
        if len(np.unique(data.templates[problems])) >= LEAST_PROBLEMS:
            yield from _asked(connection, f"suspects_consistent_{{}}_{system.lower()}", data.chosen(own), data.templates[own],
                              _some_templates)  # fmt: skip


def renamed_release(connection: psycopg.Connection) -> Iterator[Result]:
    """After a training a release says a fifth of the problems in other words, and as INFO: every third word is another."""
    data = loghub()
    problems = data.levels >= _WARN
    runs, pairs = [], []
    for seed in range(DRAWS):
        chosen = _some_templates(problems, data.templates, np.random.default_rng(seed))
        renamed = [_renamed(line) for line in data.chosen(chosen)]
        wrong = {_unit(line) for line in renamed}
        _insert(connection, data.chosen(~chosen), np.zeros((~chosen).sum(), bool))
        refresh_neighbours(connection)
        _add(connection, renamed, np.ones(len(renamed), bool))
        before = _judged(connection, wrong.__contains__, lambda unit, own=wrong: unit in own or not _mistaken(unit[0]))
        refresh_neighbours(connection)
        after = _judged(connection, wrong.__contains__, lambda unit, own=wrong: unit in own or not _mistaken(unit[0]))
        runs.append(_said(connection, before, after))
        pairs.append((before, after))
    yield from _figures_of("suspects_renamed_release_{}", runs, pairs)


def _renamed(line: Line) -> Line:
    words = line.shape.template.split()
    words[2::3] = [f"{word}ed" if word.isalpha() else word for word in words[2::3]]
    return line._replace(shape=Shape(**{**line.shape._asdict(), "template": " ".join(["release:", *words])}))


def silenced_service(connection: psycopg.Connection) -> Iterator[Result]:
    """One service of the simulator after the other declares all of its problems INFO, and the rest as it did."""
    lines = simulated(SIMULATED_LINES, 0)
    runs, pairs = [], []
    for service in sorted({line.shape.service for line in lines}):
        silenced = np.array([line.shape.service == service and LEVEL.classes.index(line.level) >= _WARN for line in lines])
        wrong = {_unit(line) for line, is_silenced in zip(lines, silenced, strict=True) if is_silenced}
        if len(wrong) < LEAST_PROBLEMS:
            continue
        _insert(connection, lines, silenced)
        before = _judged(connection, wrong.__contains__, lambda unit, own=service: unit[1] == own)
        refresh_neighbours(connection)
        after = _judged(connection, wrong.__contains__, lambda unit, own=service: unit[1] == own)
        runs.append(_said(connection, before, after))
        pairs.append((before, after))
    yield from _figures_of("suspects_silenced_service_{}", runs, pairs)


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
    yield from _figures_of("suspects_natural_{}", [_said(connection, found["before_training"], found[PRODUCT])],
                           [(found["before_training"], found[PRODUCT])])  # fmt: skip
    suspected = {(row[0], row[1]) for row in connection.execute("SELECT template, service FROM logintel.ml_suspects").fetchall()}
    for name, of in (("", loghub().lines), ("_of_no_level", without_levels())):
        units = {_unit(line) for line in of}
        yield Result(f"suspects_natural_per_thousand{name}", round(1000 * len(suspected & units) / len(units), 1),
                     "suspects of 1,000 templates", {"templates": len(units)})  # fmt: skip


def stamped(connection: psycopg.Connection) -> Iterator[Result]:
    """One service of the simulator after the other stamps INFO on all that it writes, and no other writes its messages."""
    lines = simulated(SIMULATED_LINES, 0)
    asked = []
    for service in sorted({line.shape.service for line in lines}):
        wrong = {_unit(line) for line in lines if line.shape.service == service and LEVEL.classes.index(line.level) >= _WARN}
        if len(wrong) >= LEAST_PROBLEMS:
            asked.append(_stamped(connection, lines, service, wrong))
    yield from _of_stamped("suspects_stamped_source_alone_{}", asked)


def stamped_beside_others(connection: psycopg.Connection) -> Iterator[Result]:
    """Five services write the messages of six systems: four with the levels that are recorded, one stamps INFO."""
    recorded = [line for line in loghub().lines if not _mistaken(line.shape.template)]
    names = [f"service {number}" for number in range(5)]
    lines = [line._replace(shape=Shape(**{**line.shape._asdict(), "service": name})) for line in recorded for name in names]
    wrong = {_unit(line) for line in lines if line.shape.service == names[0] and LEVEL.classes.index(line.level) >= _WARN}
    yield from _of_stamped("suspects_stamped_source_{}", [_stamped(connection, lines, names[0], wrong)])


def _stamped(connection: psycopg.Connection, lines: Sequence[Line], service: str, wrong: set[Unit]) -> tuple[Judged, bool]:
    """What is said of the templates of a service that stamps INFO after a training, and whether the service is told."""
    _insert(connection, lines, np.array([line.shape.service == service for line in lines]))
    refresh_neighbours(connection)
    judged = _judged(connection, wrong.__contains__, lambda unit: unit[1] == service)
    [(told,)] = connection.execute("SELECT finding IS NOT NULL FROM logintel.ml_sources WHERE service = %s", (service,)).fetchall()
    return judged, told


def _of_stamped(name: str, asked: Sequence[tuple[Judged, bool]]) -> Iterator[Result]:
    right = sum((judged.suspected & judged.wrong).sum() for judged, _ in asked)
    yield from compared(name, {PRODUCT: {
        "recall": right / sum(judged.wrong.sum() for judged, _ in asked),
        "precision": right / sum(judged.suspected.sum() for judged, _ in asked),
        "told": np.mean([told for _, told in asked])}})  # fmt: skip


def _unit(line: Line) -> tuple[str, str]:
    return line.shape.template, line.shape.service


def _asked(connection: psycopg.Connection, name: str, lines: Sequence[Line], templates: np.ndarray,
           silence: Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]) -> Iterator[Result]:
    problems = np.array([LEVEL.classes.index(line.level) >= _WARN for line in lines])
    runs, pairs = [], []
    for seed in range(DRAWS):
        silenced = silence(problems, templates, np.random.default_rng(seed))
        wrong = {_unit(line) for line, is_silenced in zip(lines, silenced, strict=True) if is_silenced}
        _insert(connection, lines, silenced)
        before = _judged(connection, wrong.__contains__, lambda unit, own=wrong: unit in own or not _mistaken(unit[0]))
        refresh_neighbours(connection)
        after = _judged(connection, wrong.__contains__, lambda unit, own=wrong: unit in own or not _mistaken(unit[0]))
        runs.append(_said(connection, before, after))
        pairs.append((before, after))
    yield from _figures_of(name, runs, pairs)


def _said(connection: psycopg.Connection, before: Judged, after: Judged) -> dict[str, Judged]:
    """What all contenders say of the units that are judged after a training."""
    lines = [_line_of(unit) for unit in after.units]
    words = dict(_of_units(connection, "words"))
    own = np.array([words[unit] for unit in after.units])
    by_keywords = keyword_rule(LEVEL, [], 0)(lines)[:, _WARN:].sum(1) if lines else np.array([])
    return {PRODUCT: after, "before_training": before, "words_alone": after.by(own, own >= 0),
            "keyword_rule": after.by(by_keywords, by_keywords >= 0.5), "cleanlab": _by_cleanlab(connection, after)}  # fmt: skip


def _by_cleanlab(connection: psycopg.Connection, judged: Judged) -> Judged:
    """Confident learning by its defaults, over cross-fitted probabilities of problem or not."""
    declared = dict(_of_units(connection, "problem"))
    units, labels = list(declared), np.array(list(declared.values()), int)
    if np.bincount(labels, minlength=2).min() < FOLDS:
        return judged.by(np.zeros(len(judged.units)), np.zeros(len(judged.units), bool))
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(max_iter=1000))
    said = cross_val_predict(model, [" ".join(unit) for unit in units], labels, method="predict_proba",
                             cv=StratifiedKFold(FOLDS, shuffle=True, random_state=0))  # fmt: skip
    places = {unit: i for i, unit in enumerate(units)}
    rows = [places[unit] for unit in judged.units]
    return judged.by(1 - get_label_quality_scores(labels, said)[rows], find_label_issues(labels, said)[rows])


def _of_units(connection: psycopg.Connection, column: str) -> list[tuple[Unit, float]]:
    rows = connection.execute(f"SELECT template, service, {column} FROM logintel._judged_templates()").fetchall()
    return [(row[:2], row[2]) for row in rows]


def _line_of(unit: Unit) -> Line:
    line = _any_line()
    return line._replace(shape=Shape(**{**line.shape._asdict(), "template": unit[0], "service": unit[1]}))


@cache
def _any_line() -> Line:
    """What else than its template and service a line has; the simulator takes its time to make one."""
    return simulated(1, 0)[0]


def _figures_of(name: str, runs: Sequence[dict[str, Judged]], pairs: Sequence[tuple[Judged, Judged]]) -> Iterator[Result]:
    """Figures of several draws: their mean, with intervals for the product's."""
    groups = np.repeat(np.arange(len(runs)), [len(run[PRODUCT].units) for run in runs])
    first = np.searchsorted(groups, np.arange(len(runs)))

    def measure(rows: np.ndarray) -> Figures:
        drawn = [run[PRODUCT].drawn(rows[groups[rows] == i] - first[i]) for i, run in enumerate(runs)]
        return mean([{PRODUCT: _figures(found)} for found in drawn])[PRODUCT]

    intervals = metrics.intervals(measure, groups)
    yield from compared(name, mean([{who: _figures(judged) for who, judged in run.items()} for run in runs]), intervals)
    yield from compared(name, {PRODUCT: {"kept_after_training": _kept(pairs)}})


def _insert(connection: psycopg.Connection, lines: Sequence[Line], silenced: np.ndarray) -> None:
    """Insert these lines alone, the silenced ones [N] as INFO."""
    if connection.execute("SELECT count(*) FROM logintel_internal.attachments").fetchone() == (0,):
        connection.execute("SELECT logintel.create_log_entries()")
    connection.execute("TRUNCATE log_entries")
    _add(connection, lines, silenced)


def _add(connection: psycopg.Connection, lines: Sequence[Line], silenced: np.ndarray) -> None:
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
    if not 0 < found.wrong.sum() < len(found.wrong):  # as may happen where templates are drawn again
        return dict.fromkeys(("auc", "precision_at_k", "recall_at_precision_80", "flagged", "precision", "recall"))
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
