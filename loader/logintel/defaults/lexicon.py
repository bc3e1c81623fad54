"""How words and pairs of words relate to levels and to kinds of modules: the tables of models/lexicon.

Their README says what was counted. All n-grams are of the feature `words`, a mask in none of them.
"""

import csv
import gzip
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np

FOLDER = Path(str(resources.files("logintel_models"))) / "lexicon"
LEVEL_SHARES = (0.295, 0.260, 0.156, 0.267, 0.022)
"""Shares of the levels, DEBUG to FATAL, in the statements that the weights were fitted to."""
DAMPING = 50
"""As many statements of average modules stand beside those of an n-gram."""

_START = "^"
_INTERCEPT = "(intercept)"
_ALL_STATEMENTS = "(all)"


class Lexicon(NamedTuple):
    """A regression of levels over n-grams, and what it rests on.

    `intercept` [5] and the `weights` [5] of each n-gram are log odds, DEBUG to FATAL; `statements` says in how many
    logging statements an n-gram occurs.
    """

    intercept: np.ndarray
    weights: dict[str, np.ndarray]
    statements: dict[str, int]

    def matrix(self, ngrams: Sequence[str]) -> np.ndarray:
        """Return the weights of `ngrams` [V, 5], zeros for those it does not know."""
        return _rows_of(self.weights, ngrams, len(self.intercept))

    def scales(self, ngrams: Sequence[str], trusted: float) -> np.ndarray:
        """Return how far the corpora may move the weight of each n-gram [V], 0 to 1: the less, the better it is known.

        An n-gram of `trusted` statements has half the variance of one that was never counted.
        """
        return 1 / np.sqrt(1 + np.array([self.statements.get(ngram, 0) for ngram in ngrams]) / trusted)


class Modules(NamedTuple):
    """Which n-grams stand in which kinds of modules: for each n-gram its log lifts [K] of the `kinds`.

    `statements` says how many logging statements there are in all.
    """

    kinds: tuple[str, ...]
    lifts: dict[str, np.ndarray]
    statements: int

    def matrix(self, ngrams: Sequence[str], kinds: Sequence[str]) -> np.ndarray:
        """Return the log lifts of `kinds` given `ngrams` [V, K], zeros for n-grams that were not counted."""
        return _rows_of(self.lifts, ngrams, len(self.kinds))[:, [self.kinds.index(kind) for kind in kinds]]


@cache
def lexicon() -> Lexicon:
    """Read the tables of levels."""
    _, *rows = _rows("token_lr.tsv.gz")
    weights = {row[0]: np.array(row[1:], float) for row in rows}
    intercept = weights.pop(_INTERCEPT)
    _, *counted = _rows("token_ngrams.tsv.gz")
    statements = {row[0]: sum(map(int, row[2:])) for row in counted}
    for ngram, english in _translations().items():
        weights[ngram] = np.sum([sign * weights[word] for sign, word in english], axis=0)
        statements[ngram] = min(statements[word] for _, word in english)
    return Lexicon(intercept, weights, statements)


@cache
def modules() -> Modules:
    """Read the table of modules. N-grams that are bound to the start of a message are left out: no model reads one."""
    head, *rows = _rows("module_ngrams.tsv.gz")
    counts = {row[0]: np.array(row[2:], float) for row in rows if not row[0].startswith(_START)}
    statements, *by_kind = counts.pop(_ALL_STATEMENTS)
    shares = np.array(by_kind) / statements
    lifts = {ngram: np.log((row[1:] + DAMPING * shares) / ((row[0] + DAMPING) * shares))
             for ngram, row in counts.items()}
    return Modules(tuple(head[3:]), lifts, int(statements))


def _translations() -> dict[str, list[tuple[int, str]]]:
    """Return the n-grams of other languages, each with the English ones that it counts as: 1 for, -1 against."""
    with (FOLDER / "translations.tsv").open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    return {ngram: [(-1 if word.startswith("-") else 1, word.removeprefix("-")) for word in english.split(",")]
            for ngram, english, _ in rows}


def _rows_of(table: dict[str, np.ndarray], ngrams: Sequence[str], width: int) -> np.ndarray:
    unknown = np.zeros(width)
    return np.array([table.get(ngram, unknown) for ngram in ngrams]).reshape(len(ngrams), width)


def _rows(name: str) -> list[list[str]]:
    with gzip.open(FOLDER / name, "rt", encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
