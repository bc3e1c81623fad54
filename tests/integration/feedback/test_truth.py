"""Everybody who asks what is true of a line is told the same: its own verdict, then its template's, the nearer first."""

from itertools import product
from types import SimpleNamespace

import pytest

from logintel.retraining import comparison
from logintel.training.dataset import read_lines
from support.servers import Database
from support.tiny_models import tiny_model
from support.two_versions import results, start, weak_and_strong, word

OWN = {None: None, "FATAL": "true_level => 'FATAL'", "category": "true_category => 'Jobs'"}
OF_DECLARED = {None: None, "ERROR": "accept_corrections", "INFO": "reject_corrections"}
OF_ALL = (None, "WARN")


@pytest.fixture
def judged(db: Database) -> tuple[Database, dict[str, str | None]]:
    """A line for each combination of verdicts, and what is true of its level. The champion says ERROR, its challenger WARN."""
    weak_and_strong(db, *(tiny_model("level", (("bad", level), ("good", "INFO"))) for level in ("ERROR", "WARN")))
    start(db)
    truth: dict[str, str | None] = {}
    for n, (own, of_declared, of_all) in enumerate(product(OWN, OF_DECLARED, OF_ALL)):
        template = f"bad {word(n)}"
        line = db.value("INSERT INTO log_entries (level, message) VALUES ('info', %s) RETURNING id", (template,))
        if of_all:
            db.execute(f"SELECT logintel.give_feedback({line}, '{of_all}', whole_template => true)")
        if of_declared:
            db.execute(f"SELECT logintel.{OF_DECLARED[of_declared]}('{template}')")
        if own:
            db.execute(f"SELECT logintel.give_feedback({line}, {OWN[own]})")
        truth[template] = "FATAL" if own == "FATAL" else of_declared or of_all
    db.execute("SELECT logintel.maintain()")
    return db, truth


def test_corrections_say_what_is_true(judged: tuple[Database, dict[str, str | None]]) -> None:
    db, truth = judged
    shown = dict(db.execute("SELECT template, true_level FROM ml_corrections"))
    assert shown == {template: level for template, level in truth.items() if level != "INFO"}


def test_accuracies_are_measured_against_what_is_true(judged: tuple[Database, dict[str, str | None]]) -> None:
    db, truth = judged
    measured = dict(db.execute(
        "SELECT s.template, j.true_level FROM logintel._judged_lines(ARRAY(SELECT hour FROM logintel_internal.hourly_counts)) j "
        "JOIN logintel_internal.scores s ON s.id = j.score_id WHERE j.true_level IS NOT NULL"))
    assert measured == {template: level for template, level in truth.items() if level}


def test_tests_are_decided_by_what_is_true(judged: tuple[Database, dict[str, str | None]]) -> None:
    db, truth = judged
    known = [level for level in truth.values() if level]
    assert results(db, "templates_feedback", "accuracy_feedback") == [
        (len(known), pytest.approx(known.count(level) / len(known))) for level in ("ERROR", "WARN")]


def test_training_learns_what_is_true(judged: tuple[Database, dict[str, str | None]]) -> None:
    db, truth = judged
    learnt = {line.shape.template: line.verdict and line.verdict.level for line in read_lines(db.connect(autocommit=False), 1000)}
    assert learnt == truth


def test_a_retrained_model_is_compared_by_what_is_true(judged: tuple[Database, dict[str, str | None]]) -> None:
    db, truth = judged
    verdicts = comparison._verdicts(SimpleNamespace(connection=db.connection), "level")
    assert {verdict.line.shape.template: verdict.truth for verdict in verdicts} == {
        template: level for template, level in truth.items() if level}
