"""How right levels are: of templates never seen, of systems never seen, of later lines, and of random ones."""

from collections.abc import Iterator, Mapping
from functools import cache

import metrics
import numpy as np
from contenders import BASELINES, LEVEL, TRAINED, Learner, default_model, template_vote, trained
from datasets import RealLines, loghub
from results import PRODUCT, Result, compared, mean
from sklearn.model_selection import GroupKFold

SEEDS = (0, 1, 2)
FOLDS = 5
LATER = 0.2
"""Share of the lines that splits by time and at random test on."""

ON_UNSEEN_SYSTEMS: dict[str, Learner] = {PRODUCT: default_model, "trained_on_others": trained, **BASELINES}
"""On the day it is installed, the product is its default models."""

_BY_LINE = ("accuracy", "macro_f1", "auc")


def unseen_templates() -> Iterator[Result]:
    """One row a template, five folds by template, mean of the seeds. Training gets all lines of the other templates."""
    data = loghub()
    rows = data.representatives()
    truth = data.levels[rows]
    runs = [{name: metrics.of_levels(truth, _crossvalidated(learner, data, rows, seed))
             for name, learner in TRAINED.items()} for seed in SEEDS]  # fmt: skip
    yield from compared("level_unseen_templates_{}", mean(runs))


def _crossvalidated(learner: Learner, data: RealLines, rows: np.ndarray, seed: int) -> np.ndarray:
    """Probabilities [T, 5] of the lines `rows` [T], each from a contender that has not seen its template."""
    probabilities = np.zeros((len(rows), len(LEVEL.classes)))
    folds = GroupKFold(FOLDS, shuffle=True, random_state=seed)
    for _, test in folds.split(rows, groups=data.groups[rows]):
        seen = ~np.isin(data.groups, data.groups[rows[test]])
        probabilities[test] = learner(LEVEL, data.chosen(seen), seed)(data.chosen(rows[test]))
    return probabilities


def unseen_systems() -> Iterator[Result]:
    """One row a template; whoever learns has learnt from the other systems. The AUC is the mean over systems."""
    data = loghub()
    rows = data.representatives()
    truth, systems = data.levels[rows], data.systems[rows]
    said = unseen_system_probabilities()
    figures = {}
    for name, probabilities in said.items():
        pooled = metrics.of_levels(truth, probabilities)
        auc = {system: metrics.problem_auc(truth[systems == system], probabilities[systems == system])
               for system in dict.fromkeys(systems)}  # fmt: skip
        known = {system: value for system, value in auc.items() if value is not None}
        figures[name] = {**pooled, "auc": np.mean(list(known.values())), "auc_pooled": pooled["auc"],
                         **{f"auc_{system.lower()}": value for system, value in known.items()}}  # fmt: skip
    yield from compared("level_unseen_system_{}", figures)


@cache
def unseen_system_probabilities() -> Mapping[str, np.ndarray]:
    """Probabilities [T, 5] that contenders give each template, none having seen its system."""
    data = loghub()
    rows = data.representatives()
    said = {}
    for name, learner in ON_UNSEEN_SYSTEMS.items():
        said[name] = np.zeros((len(rows), len(LEVEL.classes)))
        for system in dict.fromkeys(data.systems):
            own = data.systems[rows] == system
            others = data.chosen(data.systems != system)
            said[name][own] = learner(LEVEL, others, SEEDS[0])(data.chosen(rows[own]))
    return said


def time_split() -> Iterator[Result]:
    """Test on the latest fifth of each system's lines; a figure counts lines."""
    data = loghub()
    sizes = [(data.systems == system).sum() for system in dict.fromkeys(data.systems)]
    place = np.concatenate([np.arange(size) / size for size in sizes])
    yield from compared("level_time_split_{}", _split(data, place >= 1 - LATER, SEEDS[0]))


def random_split() -> Iterator[Result]:
    """Test on a random fifth of the lines."""
    data = loghub()
    runs = [_split(data, np.random.default_rng(seed).random(len(data.lines)) < LATER, seed) for seed in SEEDS]
    yield from compared("level_random_split_{}", mean(runs))


def _split(data: RealLines, test: np.ndarray, seed: int) -> dict[str, dict[str, float | None]]:
    """Figures of each contender on the lines `test` [N], having learnt from all others."""
    figures = {}
    for name, learner in {**TRAINED, "template_vote": template_vote}.items():
        probabilities = learner(LEVEL, data.chosen(~test), seed)(data.chosen(test))
        found = metrics.of_levels(data.levels[test], probabilities)
        figures[name] = {figure: found[figure] for figure in _BY_LINE}
    return figures
