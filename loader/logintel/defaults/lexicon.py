"""How words and pairs of words relate to levels: the table of models/lexicon, whose README says what was counted."""

import csv
import gzip
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np

FOLDER = Path(str(resources.files("logintel_models"))) / "lexicon"
_START = "^"


class Lexicon(NamedTuple):
    """For each n-gram its five weights, DEBUG to FATAL, and in how many logging statements it occurs."""

    weights: dict[str, np.ndarray]
    statements: dict[str, int]

    def matrix(self, ngrams: list[str]) -> np.ndarray:
        """Return the weights of `ngrams` [V, 5], zeros for those it does not know."""
        unknown = np.zeros(5)
        return np.array([self.weights.get(ngram, unknown) for ngram in ngrams])

    def scales(self, ngrams: list[str], trusted: float) -> np.ndarray:
        """Return how far the corpora may move the weight of each n-gram [V], 0 to 1: the less, the better it is known.

        An n-gram of `trusted` statements has half the variance of one that was never counted.
        """
        return 1 / np.sqrt(1 + np.array([self.statements.get(ngram, 0) for ngram in ngrams]) / trusted)


@cache
def lexicon() -> Lexicon:
    """Read the table. N-grams that are bound to the start of a message are left out: a model reads no position."""
    weights = {row[0]: np.array(row[1:], float) for row in _rows("level_lr.tsv.gz") if row[0] != "(intercept)"}
    statements = {row[0]: sum(map(int, row[2:])) for row in _rows("level_ngrams.tsv.gz")}
    return Lexicon({ngram: row for ngram, row in weights.items() if not ngram.startswith(_START)},
                   {ngram: count for ngram, count in statements.items() if not ngram.startswith(_START)})


def _rows(name: str) -> list[list[str]]:
    with gzip.open(FOLDER / name, "rt", encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
