"""The statistics behind A/B tests say what statsmodels and scipy say, and the rule that decides is what it promises."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from support.servers import Database, Server

small, any_count, huge = st.integers(0, 60), st.integers(0, 5000), st.integers(0, 10**15)
shares = st.one_of(small, any_count, huge).flatmap(lambda n: st.tuples(st.integers(0, n + 1), st.just(n + 1)))
examples = settings(max_examples=300, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def module_db(server: Server, template: Database):
    database = server.create_database(template)
    yield database
    database.drop()


@examples
@given(z=st.floats(-40, 40))
def test_the_normal_tail_is_that_of_scipy(module_db: Database, z: float) -> None:
    assert module_db.value("SELECT logintel._normal_tail(%s::float8)", (z,)) == pytest.approx(stats.norm.sf(abs(z)), rel=1e-8, abs=1e-290)


@examples
@given(counts=st.one_of(st.tuples(small, small), st.tuples(any_count, any_count)))
def test_mcnemar_is_exact(module_db: Database, counts: tuple[int, int]) -> None:
    b, c = counts
    expected = mcnemar([[0, b], [c, 0]], exact=True).pvalue if b + c else 1
    found = module_db.value("SELECT logintel._mcnemar(%s, %s)", (b, c))
    assert found == pytest.approx(min(expected, 1), rel=1e-9, abs=1e-250)


@examples
@given(counts=st.tuples(st.one_of(any_count, huge), huge).filter(lambda counts: sum(counts) > 10_000))
def test_mcnemar_of_very_many_cases_is_that_of_the_corrected_chi_square(module_db: Database, counts: tuple[int, int]) -> None:
    b, c = counts
    expected = mcnemar([[0, b], [c, 0]], exact=False, correction=True).pvalue
    assert module_db.value("SELECT logintel._mcnemar(%s, %s)", (b, c)) == pytest.approx(expected, rel=1e-6, abs=1e-250)


def test_mcnemar_passes_from_one_way_to_the_other_without_a_step(module_db: Database) -> None:
    [(exact, approximate)] = module_db.execute("SELECT logintel._mcnemar(4880, 5120), logintel._mcnemar(4880, 5121)")
    assert exact == pytest.approx(approximate, rel=0.03)


@examples
@given(a=shares, b=shares)
def test_two_proportions_are_those_of_statsmodels(module_db: Database, a: tuple[int, int], b: tuple[int, int]) -> None:
    [found] = module_db.execute("SELECT * FROM logintel._two_proportions(%s, %s, %s, %s)", (*a, *b))
    difference = b[0] / b[1] - a[0] / a[1]
    lower, upper = confint_proportions_2indep(*b, *a, method="newcomb", compare="diff")
    assert found[:3] == pytest.approx((difference, lower, upper), rel=1e-9, abs=1e-9)
    if 0 < a[0] + b[0] < a[1] + b[1]:
        z, p = proportions_ztest([b[0], a[0]], [b[1], a[1]])
        assert found[3:] == pytest.approx((z, p), rel=1e-6, abs=1e-7)
    else:
        assert found[3:] == (0, 1)  # all right, or none: statsmodels divides by zero


@pytest.mark.parametrize("query", ["logintel._mcnemar(-1, 5)", "logintel._mcnemar(NULL, 5)", "(logintel._two_proportions(0, 0, 1, 2)).p",
                                   "(logintel._two_proportions(3, 2, 1, 2)).p", "(logintel._two_proportions(-1, 2, 1, 2)).z"])
def test_nothing_is_made_of_impossible_numbers(module_db: Database, query: str) -> None:
    assert module_db.value(f"SELECT {query}") is None


JUDGE = "SELECT sample, look, decision, p_value, difference, lower, upper FROM logintel._ab_decision(%s, 50, 0.05, %s, %s, %s, %s, %s, %s, %s)"


def paired(db: Database, n: int, champion_only: int, challenger_only: int, looks_done: int = 0) -> tuple:
    [row] = db.execute(JUDGE, (True, looks_done, n, n - challenger_only, n, n - champion_only, champion_only, challenger_only))
    return row


def test_looks_are_due_at_1_2_4_8_and_16_times_the_minimum_and_each_once(module_db: Database) -> None:
    assert [paired(module_db, n, 1, 1)[1] for n in (0, 49, 50, 99, 100, 200, 399, 400, 800, 10**6)] == [None, None, 1, 1, 2, 3, 3, 4, 5, 5]
    assert paired(module_db, 200, 1, 1, looks_done=3)[1] is None
    assert paired(module_db, 400, 1, 1, looks_done=3)[1] == 4


def test_what_all_looks_may_spend_adds_up_to_the_significance(module_db: Database) -> None:
    spent = [module_db.value("SELECT logintel._ab_look_significance(0.05, %s)", (look,)) for look in range(1, 6)]
    assert sum(spent) == pytest.approx(0.05)
    assert spent == sorted(spent)


def test_a_look_decides_when_its_part_of_the_significance_suffices(module_db: Database) -> None:
    # 0.05 / 31 = 0.0016 at the first look: 10 against 0 have p = 0.002, 11 against 0 p = 0.001.
    assert paired(module_db, 60, 0, 10)[2] is None
    assert paired(module_db, 60, 0, 11)[2] == "promoted"
    assert paired(module_db, 60, 11, 0)[2] == "kept"
    assert paired(module_db, 60, 0, 11, looks_done=1)[1:3] == (None, None)  # the same again is no look
    assert paired(module_db, 800, 20, 21, looks_done=4)[1:3] == (5, "undecided")
    assert paired(module_db, 800, 20, 21, looks_done=5)[2] is None


def test_the_paired_difference_has_walds_interval(module_db: Database) -> None:
    *_, difference, lower, upper = paired(module_db, 200, 5, 15)
    error = math.sqrt(5 + 15 - (15 - 5) ** 2 / 200) / 200
    assert (difference, lower, upper) == pytest.approx((0.05, 0.05 - 1.959964 * error, 0.05 + 1.959964 * error))


def test_a_split_test_goes_by_the_smaller_side(module_db: Database) -> None:
    [(sample, look, decision, p, difference, *_)] = module_db.execute(JUDGE, (False, 0, 5000, 4000, 120, 120, 0, 0))
    assert (sample, look, decision, difference) == (120, 2, "promoted", pytest.approx(0.2))
    assert p == pytest.approx(proportions_ztest([120, 4000], [120, 5000])[1])
