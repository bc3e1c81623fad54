"""How far a database's levels go by their words: the fit in SQL finds what an optimiser finds."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from support.servers import Database

pytestmark = pytest.mark.any_server


def optimum(words: np.ndarray, problem: np.ndarray, weights: np.ndarray) -> np.ndarray:
    def loss(c: np.ndarray) -> float:
        odds = c[0] + c[1] * words
        return (weights * (np.logaddexp(0, odds) - problem * odds)).sum() + 0.05 * c[0] ** 2 + 2.5 * (c[1] - 1) ** 2

    return minimize(loss, [-1.5, 1.0], method="BFGS", options={"gtol": 1e-9}).x


@given(
    st.lists(
        st.tuples(st.floats(-9, 9, width=32), st.booleans(), st.floats(1, 15)), min_size=20, max_size=80
    ).filter(lambda rows: len({problem for _, problem, _ in rows}) == 2)
)
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_fit_is_the_optimum(db: Database, rows: list[tuple[float, bool, float]]) -> None:
    words, problem, weights = map(list, zip(*rows, strict=True))
    fit = db.value("SELECT logintel._fit_words(%s::real[], %s, %s::float8[])", (words, problem, weights))
    assert fit == pytest.approx(optimum(np.array(words), np.array(problem, float), np.array(weights)).tolist(), abs=2e-3)


@pytest.mark.parametrize("templates", [19, 40])
def test_with_few_templates_or_of_one_kind_the_usual_numbers_are_taken(db: Database, templates: int) -> None:
    problem = [n % 2 == 0 for n in range(templates)] if templates < 20 else [False] * templates
    assert db.value("SELECT logintel._fit_words(%s::real[], %s, %s::float8[])", ([0.5] * templates, problem, [1.0] * templates)) == [-1.5, 1]
