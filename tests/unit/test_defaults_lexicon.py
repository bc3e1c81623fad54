"""The lexicon says how words relate to levels and to kinds of modules, and how far to trust it."""

import numpy as np
import pytest

from logintel.defaults import recipes
from logintel.defaults.lexicon import LEVEL_SHARES, Lexicon, Modules, lexicon, modules
from logintel.simulation.templates import CATEGORIES, LEVELS
from logintel_server import tokens

SMALL = Lexicon(np.zeros(5), {"failed": np.array([-1.0, -2.0, 0.5, 2.0, 1.0]), "disk full": np.array([0.0, 0.0, 0.0, 1.0, 3.0])},
                {"failed": 300, "disk full": 12})
KINDS = Modules(("auth", "network"), {"login": np.array([2.0, -1.0]), "socket": np.array([-1.5, 1.5])}, 40)


def test_known_ngrams_have_their_weights_and_others_none() -> None:
    assert SMALL.matrix(["disk full", "unheard of", "failed"]).tolist() == [
        [0, 0, 0, 1, 3], [0, 0, 0, 0, 0], [-1, -2, 0.5, 2, 1]]
    assert SMALL.matrix([]).shape == (0, 5)


def test_an_ngram_may_move_the_less_the_better_it_is_known() -> None:
    unknown, rare, frequent = SMALL.scales(["unheard of", "disk full", "failed"], trusted=300)
    assert unknown == 1
    assert 0 < frequent < rare < 1


def test_an_ngram_of_as_many_statements_as_are_trusted_has_half_the_variance() -> None:
    assert SMALL.scales(["failed"], trusted=300)[0] ** 2 == pytest.approx(0.5)


def test_lifts_come_in_the_order_of_the_kinds_that_are_asked_for() -> None:
    assert KINDS.matrix(["socket", "unheard of", "login"], ("network", "auth")).tolist() == [[1.5, -1.5], [0, 0], [-1, 2]]


def test_the_shipped_lexicon_knows_every_ngram_from_both_of_its_tables() -> None:
    shipped = lexicon()
    assert len(shipped.weights) > 10_000
    assert shipped.weights.keys() == shipped.statements.keys()
    assert min(shipped.statements.values()) > 0
    weights = shipped.matrix(list(shipped.weights))
    assert weights.shape == (len(shipped.weights), len(shipped.intercept)) == (len(shipped.weights), len(LEVELS))
    assert np.isfinite(weights).all()
    assert sum(LEVEL_SHARES) == pytest.approx(1)


def test_every_shipped_ngram_is_one_that_a_message_can_have() -> None:
    assert [ngram for ngram in lexicon().weights if tokens.words(ngram) != ngram or len(ngram.split()) > 2] == []


@pytest.mark.parametrize(("ngram", "more", "less"), [
    ("failed", "ERROR", "INFO"), ("deprecated", "WARN", "DEBUG"), ("started", "INFO", "ERROR"), ("entering", "DEBUG", "WARN")])
def test_words_lean_to_the_levels_that_people_use_them_at(ngram: str, more: str, less: str) -> None:
    [weights] = lexicon().matrix([ngram])
    assert weights[LEVELS.index(more)] > weights[LEVELS.index(less)]


@pytest.mark.parametrize(("ngram", "kind"), [
    ("password", "auth"), ("certificate", "security"), ("socket", "network"), ("query", "database"), ("gauge", "metrics")])
def test_words_lean_to_the_modules_that_use_them(ngram: str, kind: str) -> None:
    [[lift]] = modules().matrix([ngram], (kind,))
    assert lift > 0.5


def test_a_category_is_told_by_kinds_of_modules_that_were_counted() -> None:
    assert set(recipes.MODULES) <= set(modules().kinds)
    assert set(recipes.MODULES.values()) <= set(CATEGORIES)
    assert all(np.isfinite(row).all() for row in modules().lifts.values())
