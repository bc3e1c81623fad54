"""A linear model is chosen, which SQL can score, unless another kind wins by more than chance."""

import numpy as np
import pytest

from logintel.training.choice import choose
from logintel.training.dataset import Examples, Line, Shape
from logintel.training.evaluation import Evaluation, one_row_a_template
from logintel.training.labels import level_examples
from support.training_lines import LEVELS


@pytest.fixture(scope="module")
def examples() -> Examples:
    """Three hundred templates, each with four lines of one of five levels."""
    names = ("".join(chr(ord("a") + int(digit)) for digit in str(n)) for n in range(1000, 1300))
    lines = [Line(Shape(f"word {name}", "api", "app", LEVELS[n % 5]), LEVELS[n % 5]) for n, name in enumerate(names)]
    return level_examples(lines * 4)[0]


def evaluation(candidate: str, examples: Examples, right: float) -> Evaluation:
    """A candidate that is right on this share of the templates."""
    inputs, truth = one_row_a_template(examples)
    said = np.where(np.random.default_rng(1).random(len(truth)) < right, truth, (truth + 1) % len(examples.classes))
    unseen = np.zeros((len(examples.inputs), len(examples.classes)))
    unseen[inputs, said] = 1
    accuracy = float(np.mean(said == truth))
    return Evaluation(candidate, {"unseen_templates": {"accuracy": accuracy, "macro_f1": accuracy}}, unseen=unseen)


def test_the_linear_model_is_chosen_where_it_wins(examples: Examples) -> None:
    results = [evaluation("logistic_regression", examples, 0.8), evaluation("random_forest", examples, 0.7)]
    assert choose(results, examples, 0) == (results[0], None)


def test_the_linear_model_is_chosen_where_another_wins_by_no_more_than_chance(examples: Examples) -> None:
    results = [evaluation("logistic_regression", examples, 0.8), evaluation("random_forest", examples, 0.805)]
    best, note = choose(results, examples, 0)
    assert best.candidate == "logistic_regression"
    assert "level: random forest would gain" in note
    assert "the linear model is chosen, which SQL scores" in note


def test_another_is_chosen_where_it_wins_by_more(examples: Examples) -> None:
    results = [evaluation("logistic_regression", examples, 0.6), evaluation("random_forest", examples, 0.9)]
    best, note = choose(results, examples, 0)
    assert best.candidate == "random_forest"
    assert "it is chosen, though SQL cannot score it" in note


def test_where_no_linear_one_competes_the_best_is_chosen(examples: Examples) -> None:
    results = [evaluation("random_forest", examples, 0.6), evaluation("transformer", examples, 0.9)]
    assert choose(results, examples, 0) == (results[1], None)
