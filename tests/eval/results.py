"""What an evaluation yields."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

PRODUCT = "logintel"
"""Whose figure is the value of a result; all others are its baselines."""

Figures = Mapping[str, float | None]
"""Figure -> value; None where the data cannot give it, such as the precision of no correction at all."""

_LOWER_IS_BETTER = re.compile("error($|_)|false|watch|wrong|ordinary_share|^cost")
_UNITS = {"f1": "F1", "auc": "AUC", "error": "error"}


@dataclass(frozen=True)
class Result:
    """One figure: its name never changes, so that runs can be compared. `baselines` are the same figure of others."""

    name: str
    value: float | None
    unit: str
    baselines: dict[str, float | None] = field(default_factory=dict)
    interval: tuple[float, float] | None = None
    """Where 95% of the values are when the templates are drawn again, with replacement; None: not asked."""

    @property
    def higher_is_better(self) -> bool:
        """Whether more of it is better: of all but errors, false alarms, wrong decisions and costs."""
        return not _LOWER_IS_BETTER.search(self.name)


def compared(name: str, figures: Mapping[str, Figures],
             intervals: Mapping[str, tuple[float, float]] | None = None) -> Iterator[Result]:
    """Yield a result for each figure of the product, with those of the other contenders as baselines.

    `figures` maps contenders to their figures, `intervals` figures to those of the product. `name` is what the results
    are called, with {} for the figure.
    """
    for figure, value in figures[PRODUCT].items():
        unit = next((unit for part, unit in _UNITS.items() if part in figure.split("_")), "share")
        others = {contender: _rounded(found[figure]) for contender, found in figures.items() if contender != PRODUCT}
        yield Result(name.format(figure), _rounded(value), unit, others, (intervals or {}).get(figure))


def mean(runs: Sequence[Mapping[str, Figures]]) -> dict[str, dict[str, float | None]]:
    """Return the mean of each contender's figures over several runs, of those that have the figure."""
    return {contender: {figure: _mean([run[contender][figure] for run in runs]) for figure in figures}
            for contender, figures in runs[0].items()}  # fmt: skip


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)
