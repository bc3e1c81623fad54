"""What the neighbours say of a template never comes from the template itself."""

import numpy as np
import pytest

from logintel.training.neighbours import LARGEST_ODDS, Template, neighbours_opinion


def template(text: str, is_problem: bool, *, service: str = "a", words: float = 0.0, testifies: bool = True) -> Template:
    return Template(text, service, 10, is_problem, words, testifies, testifies)


GOOD = [template(f"{what} {how}", False) for what in ("order", "invoice", "cart") for how in ("stored", "sent", "read", "closed")]
BAD = [template(f"{what} {how}", True) for what in ("order", "invoice", "cart") for how in ("failed", "lost", "refused", "aborted")]


def test_others_that_fail_tell_that_it_is_a_problem_whatever_it_declares() -> None:
    hidden = template("basket failed", False)
    odds = neighbours_opinion([*GOOD, *BAD, hidden])
    assert odds[-1] > 0
    assert odds[: len(GOOD)].mean() < odds[len(GOOD) : -1].mean()


def test_the_same_words_in_another_service_do_not_testify_for_themselves() -> None:
    alone = neighbours_opinion([*GOOD, *BAD, template("basket failed", False)])[-1]
    twice = neighbours_opinion([*GOOD, *BAD, template("basket failed", False), template("basket failed", False, service="b")])
    assert twice[-1] == twice[-2]
    assert twice[-1] == pytest.approx(alone, abs=1.5) and twice[-1] > 0


def test_who_does_not_testify_teaches_nothing() -> None:
    liars = [template(f"{thing} failed", False, testifies=False) for thing in ("disk", "mail", "queue", "shard", "lease", "timer")]
    odds = neighbours_opinion([*GOOD, *BAD, *liars])
    assert (odds[-len(liars) :] > 0).all()


@pytest.mark.parametrize("templates", [GOOD, BAD, GOOD[:3], [GOOD[0]], [GOOD[0], BAD[0]]])
def test_where_there_is_nothing_to_learn_from_the_words_decide(templates: list[Template]) -> None:
    given = [found._replace(words=float(number)) for number, found in enumerate(templates)]
    assert neighbours_opinion(given).tolist() == [min(float(number), LARGEST_ODDS) for number in range(len(given))]


def test_no_opinion_is_beyond_bounds() -> None:
    odds = neighbours_opinion([template(f"word{n} same", n % 2 == 0, words=100.0 * (-1) ** n) for n in range(40)])
    assert np.abs(odds).max() <= LARGEST_ODDS
