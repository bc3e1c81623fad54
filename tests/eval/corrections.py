"""How right corrections are: lines whose declared level was played down, found by models that were trained on them."""

from collections.abc import Iterator, Mapping, Sequence

import metrics
import numpy as np
from contenders import LEVEL, TRAINED, template_vote
from datasets import loghub, simulated
from levels import unseen_system_probabilities
from results import Figures, Result, compared, mean
from sklearn.metrics import roc_auc_score

from logintel.simulation.corruption import PLAYED_DOWN
from logintel.training.dataset import Line

SEEDS = (0, 1, 2)
SHARE = 0.03
"""Share of the lines whose level is played down: ERROR as INFO, WARN and FATAL as DEBUG."""
LARGEST_SHARE = 1 / 3
"""At most this share of the lines that can be played down is, so that their templates keep saying what they are."""
SIMULATED_LINES = 10_000

PLANTED = 0.3
DRAWS = 20

_WARN = LEVEL.classes.index("WARN")

Counts = dict[str, np.ndarray]
"""Contender -> corrections, those of them that are right, and lines that were played down."""


def pooled() -> Iterator[Result]:
    """All systems' lines in one table: 3% are played down, and everything is trained on all of them as they are."""
    data = loghub()
    counts = sum_of(_corrected(data.lines, seed) for seed in SEEDS)
    yield from compared("corrections_{}", _figures(counts))


def by_system() -> Iterator[Result]:
    """The same with a table for each system."""
    data = loghub()
    for system in dict.fromkeys(data.systems[data.levels >= LEVEL.classes.index("WARN")]):
        lines = data.chosen(data.systems == system)
        counts = sum_of(_corrected(lines, seed) for seed in SEEDS)
        yield from compared(f"corrections_{{}}_{system.lower()}", _figures(counts))


def on_simulated_lines() -> Iterator[Result]:
    """The same on lines of the simulator."""
    counts = sum_of(_corrected(simulated(SIMULATED_LINES, seed), seed) for seed in SEEDS)
    yield from compared("corrections_{}_simulated", _figures(counts))


def play_down(lines: Sequence[Line], seed: int) -> tuple[list[Line], np.ndarray]:
    """Play down the levels of a share of the lines. Returns all lines, and which ones were played down [N]."""
    can_be = np.flatnonzero([line.level in PLAYED_DOWN for line in lines])
    count = round(min(SHARE * len(lines), LARGEST_SHARE * len(can_be)))
    wrong = np.zeros(len(lines), bool)
    wrong[np.random.default_rng(seed).choice(can_be, count, replace=False)] = True
    return [_declared(line, PLAYED_DOWN[line.level][0]) if is_wrong else line
            for line, is_wrong in zip(lines, wrong, strict=True)], wrong  # fmt: skip


def _declared(line: Line, level: str) -> Line:
    return line._replace(shape=line.shape._replace(level=level), level=level)


def _corrected(true_lines: Sequence[Line], seed: int) -> Counts:
    """Play levels down, train on what is declared then, and count corrections."""
    lines, wrong = play_down(true_lines, seed)
    declared = LEVEL.numbers(lines)
    counts = {}
    for name, learner in {**TRAINED, "template_vote": template_vote}.items():
        probabilities = learner(LEVEL, lines, seed)(lines)
        corrected = metrics.corrects(declared, probabilities)
        if name == "default_model":  # it corrects only problems that a source declares as none: see model_sets
            corrected &= (probabilities.argmax(1) >= _WARN) & (declared < _WARN)
        counts[name] = np.array([corrected.sum(), (corrected & wrong).sum(), wrong.sum()])
    return counts


def sum_of(runs: Iterator[Counts]) -> Counts:
    """Add up the counts of several runs."""
    total: Counts = {}
    for run in runs:
        total = {name: counts + total.get(name, 0) for name, counts in run.items()}
    return total


def _figures(total: Counts) -> dict[str, dict[str, float | None]]:
    return {name: {"precision": right / made if made else None, "recall": right / wrong}
            for name, (made, right, wrong) in total.items()}  # fmt: skip


def unseen_systems() -> Iterator[Result]:
    """Templates that are played down as a whole, in a system never seen: ranked by P(WARN and above).

    In each of 20 draws 30% of a system's templates of WARN and above are declared INFO. Mean of draws, then of systems.
    """
    said = unseen_system_probabilities()
    data = loghub()
    rows = data.representatives()
    problem = data.levels[rows] >= LEVEL.classes.index("WARN")
    systems = [own for system in dict.fromkeys(data.systems) if problem[own := data.systems[rows] == system].any()]
    by_system = [_planted(problem[own], {name: metrics.problem_score(p[own]) for name, p in said.items()})
                 for own in systems]  # fmt: skip
    yield from compared("corrections_unseen_system_{}", mean(by_system))


def _planted(problem: np.ndarray, scores: Mapping[str, np.ndarray]) -> dict[str, Figures]:
    """Figures of the scores [T] that contenders give the templates of one system; `problem` [T]: WARN and above."""
    chance = np.random.default_rng(0)
    draws = []
    for _ in range(DRAWS):
        count = max(1, round(PLANTED * problem.sum()))
        planted = np.isin(np.arange(len(problem)), chance.choice(np.flatnonzero(problem), count, replace=False))
        suspects = chance.permutation(np.flatnonzero(planted | ~problem))  # equal scores are ranked at random
        draws.append({name: _ranked(planted[suspects], values[suspects]) for name, values in scores.items()})
    return mean(draws)


def _ranked(planted: np.ndarray, scores: np.ndarray) -> Figures:
    first = np.argsort(-scores, kind="stable")[: planted.sum()]
    return {"auc": roc_auc_score(planted, scores), "precision_at_k": planted[first].mean()}
