"""How often A/B tests decide rightly: templates are made up, and the product's own rule, asked in SQL, judges them.

Two equal models are right on 88% of the templates; in a shadow test each alone is on 3%. A better challenger is right on
3 points more: alone on 5.5% of the templates against 2.5%. Tests look at the samples that are their defaults.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import psycopg
from results import Result

RUNS = 500
ACCURACY, POINTS = 0.88, 0.03
ALONE = {"equal": (0.03, 0.03), "better": (0.025, 0.055), "worse": (0.055, 0.025)}
"""How often champion and challenger are right alone, of the same templates."""
LOOKS = np.array([1, 2, 4, 8, 16])
SIGNIFICANCE = 0.05

_JUDGED = """
SELECT run, look, decision, difference > 0, p_value <= %(significance)s,
       p_of_lines <= logintel._ab_look_significance(%(significance)s, look), lines_better
FROM unnest(%(run)s::integer[], %(look)s::integer[], %(templates)s::bigint[], %(champion)s::bigint[], %(challenger)s::bigint[],
            %(champion_only)s::bigint[], %(challenger_only)s::bigint[], %(lines_a)s::bigint[], %(lines_b)s::bigint[],
            %(n_a)s::bigint[], %(n_b)s::bigint[])
     AS r (run, number, templates, champion, challenger, champion_only, challenger_only, lines_a, lines_b, n_a, n_b)
CROSS JOIN LATERAL logintel._ab_decision(%(paired)s, %(minimum)s, %(significance)s, number - 1, templates, champion, templates, challenger,
                                   champion_only, challenger_only) AS j
CROSS JOIN LATERAL (
    SELECT CASE WHEN %(paired)s THEN logintel._mcnemar(lines_a, lines_b)
                ELSE (logintel._two_proportions(lines_a, n_a, lines_b, n_b)).p END AS p_of_lines,
           CASE WHEN %(paired)s THEN lines_b > lines_a ELSE lines_b * n_a > lines_a * n_b END AS lines_better) AS l
ORDER BY run, look
"""


@dataclass(frozen=True)
class Rates:
    """Shares of the runs in which the challenger was promoted, and in which it was stopped as worse."""

    promoted: float
    kept: float


def decisions(connection: psycopg.Connection) -> Iterator[Result]:
    """Yield how often equal, better and worse challengers are promoted and stopped, in shadow and in split tests."""
    for paired, ending in ((True, ""), (False, "_split")):
        rates = {versus: _rates(connection, paired, versus) for versus in ALONE}
        for name, versus, kind in (
            ("ab_wrong_promotion_rate", "equal", "promoted"),
            ("ab_wrong_stop_rate", "equal", "kept"),
            ("ab_promotion_power", "better", "promoted"),
            ("ab_harmful_stop_power", "worse", "kept"),
        ):
            figures = {contender: round(getattr(found, kind), 4) for contender, found in rates[versus].items()}
            yield Result(name + ending, figures.pop("rule"), "share", figures)


def _rates(connection: psycopg.Connection, paired: bool, versus: str) -> dict[str, Rates]:
    """Simulate tests and return the rates of the product's rule and of the baselines, by name."""
    [(minimum,)] = connection.execute("SELECT logintel._ab_default_sample(%s)", (0 if paired else 0.5,)).fetchall()
    random = np.random.default_rng(0)
    shape = RUNS, minimum * LOOKS[-1]
    champion, challenger = _right(random, paired, versus, shape)
    lines_a, lines_b = (_lines(random, shape) for _ in range(2))
    if paired:
        alone_a, alone_b = champion & ~challenger, challenger & ~champion
        counted = {"lines_a": alone_a * lines_a, "lines_b": alone_b * lines_a, "n_a": lines_a, "n_b": lines_a}
    else:
        alone_a = alone_b = np.zeros(shape, int)
        counted = {"lines_a": champion * lines_a, "lines_b": challenger * lines_b, "n_a": lines_a, "n_b": lines_b}
    counted |= {"champion": champion, "challenger": challenger, "champion_only": alone_a, "challenger_only": alone_b}
    at_look = {
        name: values.cumsum(axis=1)[:, minimum * LOOKS - 1].reshape(-1).tolist() for name, values in counted.items()
    }
    rows = connection.execute(_JUDGED, at_look | {
        "run": np.repeat(np.arange(RUNS), len(LOOKS)).tolist(), "look": np.tile(np.arange(1, 6), RUNS).tolist(),
        "templates": np.tile(minimum * LOOKS, RUNS).tolist(), "paired": paired, "minimum": minimum, "significance": SIGNIFICANCE,
    }).fetchall()  # fmt: skip
    assert [look for _, look, *_ in rows] == list(range(1, 6)) * RUNS  # each look is due at its sample
    decisions, better, at_full, of_lines, lines_better = (
        np.array(column).reshape(shape[0], 5) for column in list(zip(*rows, strict=True))[2:]
    )
    return {
        "rule": _first(np.isin(decisions, ["promoted", "kept"]), decisions == "promoted"),
        "each_look_at_full_significance": _first(at_full, better),
        "lines_as_evidence": _first(of_lines, lines_better),
    }


def _right(
    random: np.random.Generator, paired: bool, versus: str, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Which templates champion and challenger are right about: the same templates, or each those of its own lines."""
    alone_champion, alone_challenger = ALONE[versus]
    if not paired:
        return random.random(shape) < ACCURACY, random.random(shape) < ACCURACY + alone_challenger - alone_champion
    chance = random.random(shape)
    both = chance < ACCURACY - alone_champion
    champion = both | (chance >= 1 - alone_champion)
    challenger = both | (
        (chance >= ACCURACY - alone_champion) & (chance < ACCURACY - alone_champion + alone_challenger)
    )
    return champion, challenger


def _lines(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """How many lines each template has: few have most of them, as Zipf found of words."""
    lines = np.ceil(100_000 / np.arange(1, shape[1] + 1) ** 1.1).astype(int)
    return random.permuted(np.tile(lines, (shape[0], 1)), axis=1)


def _first(decides: np.ndarray, better: np.ndarray) -> Rates:
    """The rates where each run ends with the first look that decides."""
    first = decides.argmax(axis=1)
    decided, promoted = decides.any(axis=1), better[np.arange(len(better)), first].astype(bool)
    return Rates(float((decided & promoted).mean()), float((decided & ~promoted).mean()))
