"""The lexicon says how words relate to levels, and how far to trust it."""

import numpy as np
import pytest

from logintel.defaults.lexicon import Lexicon, lexicon
from logintel.simulation.templates import LEVELS

SMALL = Lexicon({"failed": np.array([-1.0, -2.0, 0.5, 2.0, 1.0]), "disk full": np.array([0.0, 0.0, 0.0, 1.0, 3.0])},
                {"failed": 300, "disk full": 12})


def test_known_ngrams_have_their_weights_and_others_none() -> None:
    assert SMALL.matrix(["disk full", "unheard of", "failed"]).tolist() == [
        [0, 0, 0, 1, 3], [0, 0, 0, 0, 0], [-1, -2, 0.5, 2, 1]]


def test_an_ngram_may_move_the_less_the_better_it_is_known() -> None:
    unknown, rare, frequent = SMALL.scales(["unheard of", "disk full", "failed"], trusted=300)
    assert unknown == 1
    assert 0 < frequent < rare < 1


def test_an_ngram_of_as_many_statements_as_are_trusted_has_half_the_variance() -> None:
    assert SMALL.scales(["failed"], trusted=300)[0] ** 2 == pytest.approx(0.5)


def test_the_shipped_lexicon_knows_every_ngram_from_both_of_its_tables() -> None:
    shipped = lexicon()
    assert len(shipped.weights) > 5000
    assert shipped.weights.keys() == shipped.statements.keys()
    assert min(shipped.statements.values()) > 0
    weights = shipped.matrix(list(shipped.weights))
    assert weights.shape == (len(shipped.weights), len(LEVELS))
    assert np.isfinite(weights).all()


def test_the_shipped_lexicon_has_nothing_that_is_bound_to_a_position() -> None:
    assert not [ngram for ngram in lexicon().weights if ngram.startswith("^") or ngram == "(intercept)"]


@pytest.mark.parametrize(("ngram", "more", "less"), [
    ("failed", "ERROR", "INFO"), ("deprecated", "WARN", "DEBUG"), ("started", "INFO", "ERROR"), ("entering", "DEBUG", "WARN")])
def test_words_lean_to_the_levels_that_people_use_them_at(ngram: str, more: str, less: str) -> None:
    [weights] = lexicon().matrix([ngram])
    assert weights[LEVELS.index(more)] > weights[LEVELS.index(less)]
