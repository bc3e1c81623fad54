"""How right anomaly scores are: of HDFS sessions, and of later lines of the simulator."""

from collections.abc import Callable, Iterator, Sequence

import metrics
import numpy as np
from contenders import (
    ANOMALY,
    BASELINES,
    UNTYPED_ANOMALY,
    Learner,
    Target,
    default_model,
    trained,
    trained_model,
)
from datasets import Session, hdfs_sessions, simulated
from results import PRODUCT, Result, compared

from logintel.training.dataset import Line

CUT = 60
OTHER_CUTS = (40, 50, 70, 80)
"""Percent of the sessions that are trained on. Few sessions are anomalous, so one cut alone says little."""
SEED = 0

SIMULATED_LINES = 10_000
SIMULATIONS = 3
EARLIER = 0.8

Scorer = Callable[[Session], float]


def hdfs() -> Iterator[Result]:
    """Sessions split by the time of their first line; a session's score is the highest of its lines."""
    sessions = hdfs_sessions()
    yield from compared("anomaly_hdfs_sessions_{}", _of_sessions(sessions, CUT))
    for cut in OTHER_CUTS:
        yield from compared(f"anomaly_hdfs_sessions_{{}}_cut_{cut}", _of_sessions(sessions, cut))


def _of_sessions(sessions: Sequence[Session], cut: int) -> dict[str, dict[str, float | None]]:
    first_later = round(len(sessions) * cut / 100)
    later = sessions[first_later:]
    anomalous = np.array([session.is_anomaly for session in later])
    return {name: metrics.of_anomaly_scores(anomalous, np.array([score(session) for session in later]))
            for name, score in _scorers(sessions[:first_later]).items()}  # fmt: skip


def _scorers(earlier: Sequence[Session]) -> dict[str, Scorer]:
    """Everyone that scores sessions, having seen the earlier ones."""
    lines = [line for session in earlier for line in session.lines]
    unlabelled = [line._replace(is_anomaly=None) for line in lines]
    without_labels = trained_model(UNTYPED_ANOMALY, unlabelled, SEED)
    return {
        PRODUCT: _highest(trained, UNTYPED_ANOMALY, lines),
        "trained_without_labels": lambda session: without_labels.anomaly_scores(session.lines).max(),
        "default_model": _highest(default_model, ANOMALY, lines),
        **{name: _highest(learner, UNTYPED_ANOMALY, lines) for name, learner in BASELINES.items()},
        "unseen_template": _unseen_template(earlier),
        "unseen_template_set": _unseen_template_set(earlier),
        "unseen_normal_template_set": _unseen_template_set([known for known in earlier if not known.is_anomaly]),
    }


def _highest(learner: Learner, target: Target, lines: Sequence[Line]) -> Scorer:
    predict = learner(target, lines, SEED)
    return lambda session: 1 - predict(session.lines)[:, 0].min()


def _unseen_template(earlier: Sequence[Session]) -> Scorer:
    seen = frozenset().union(*map(_templates, earlier))
    return lambda session: float(not _templates(session) <= seen)


def _unseen_template_set(earlier: Sequence[Session]) -> Scorer:
    seen = {_templates(session) for session in earlier}
    return lambda session: float(_templates(session) not in seen)


def _templates(session: Session) -> frozenset[str]:
    return frozenset(line.features()["words"] for line in session.lines)


def on_simulated_lines() -> Iterator[Result]:
    """The latest fifth of the lines of each of three simulations, having learnt from the lines before."""
    learners = {PRODUCT: trained, "default_model": default_model, **BASELINES}
    said: dict[str, list[np.ndarray]] = {name: [] for name in learners}
    truth = []
    for seed in range(SIMULATIONS):
        lines = simulated(SIMULATED_LINES, seed)
        earlier, later = lines[: int(EARLIER * len(lines))], lines[int(EARLIER * len(lines)) :]
        truth.append(ANOMALY.numbers(later))
        for name, learner in learners.items():
            said[name].append(learner(ANOMALY, earlier, seed)(later))
    figures = {}
    for name, parts in said.items():
        known = np.concatenate(truth), np.concatenate(parts)
        by_type = {f"f1_{kind}": value for kind, value in metrics.by_anomaly_type(*known).items()}
        figures[name] = {**metrics.of_anomaly_types(*known), **by_type}
    yield from compared("anomaly_simulated_{}", figures)
