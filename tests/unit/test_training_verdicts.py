"""What people say outranks what lines declare: in the grouping of lines, in their weights, in the models."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from logintel.training import evaluation, labels
from logintel.training.candidates import CANDIDATES, KNOWN_LINES, votes
from logintel.training.dataset import NORMAL, UNTYPED, Line, Shape, Verdict, anomaly_of, category_of, group, level_of
from support.training_lines import simulated

LABELS = {"level": level_of, "category": category_of, "anomaly": anomaly_of}
TEMPLATE = "the bearing of turbine <*> is glowing"

verdicts = some.builds(Verdict, some.sampled_from([None, "WARN", "FATAL"]), some.sampled_from([None, "Network"]),
                       some.sampled_from([None, True, False]))
lines_of_few_inputs = some.lists(some.builds(
    Line, some.builds(Shape, some.sampled_from(["job done", "job failed", "late"]), some.sampled_from(["a", "b"])),
    some.sampled_from([None, "INFO", "ERROR"]), some.sampled_from([None, True, False]),
    some.sampled_from([None, "none", "overload"]), some.sampled_from([None, "Database"]), some.none() | verdicts))


@given(lines_of_few_inputs, some.sampled_from(list(LABELS)))
def test_where_an_input_has_verdicts_they_alone_count(lines: list[Line], target: str) -> None:
    examples = group(target, lines, LABELS[target], ("words", "context"))
    known = [line for line in lines if LABELS[target](line) is not None]
    assert len(examples.line_input) == len(known), "no line is lost, none is made up"
    for number, values in enumerate(examples.inputs):
        of_input = [line for line in known if (line.features()["words"], line.features()["context"]) == tuple(values)]
        judged = [line for line in of_input if line.verdict and line.verdict.is_of(target)]
        counted = {examples.classes[n]: int(count) for n, count in enumerate(examples.counts()[number]) if count}
        assert examples.judged[number] == bool(judged)
        assert sum(counted.values()) == len(of_input)
        if not judged:
            assert counted == Counter(LABELS[target](line) for line in of_input)
            continue
        said = Counter(LABELS[target](line) for line in judged)
        assert set(counted) == set(said)
        for label, count in said.items():
            share = len(of_input) * count / len(judged)
            assert abs(counted[label] - share) < len(judged), "verdicts that differ have their shares"


@given(lines_of_few_inputs, some.sampled_from(list(LABELS)))
def test_verdicts_are_not_put_to_the_vote_and_make_templates_known(lines: list[Line], target: str) -> None:
    examples = group(target, lines, LABELS[target], ("words", "context"))
    if not len(examples.inputs):
        return
    counts = examples.counts()
    weights = votes(counts, examples.templates, examples.judged)
    shares = weights / weights.sum(1, keepdims=True)
    assert shares[examples.judged] == pytest.approx((counts / counts.sum(1, keepdims=True))[examples.judged])
    assert (weights[examples.judged].sum(1) >= 1 + np.log(KNOWN_LINES) - 1e-9).all()
    as_ever = votes(counts, examples.templates, np.zeros(len(counts), bool))
    untouched = ~np.isin(examples.templates, examples.templates[examples.judged])
    assert (weights[untouched] == as_ever[untouched]).all()
    assert (votes(np.zeros_like(counts), examples.templates, examples.judged) == 0).all()


@pytest.mark.parametrize(("line", "label"), [
    (Line(Shape("x"), is_anomaly=True, anomaly_type="overload", verdict=Verdict(is_anomaly=False)), NORMAL),
    (Line(Shape("x"), is_anomaly=False, verdict=Verdict(is_anomaly=True)), UNTYPED),
    (Line(Shape("x"), is_anomaly=False, anomaly_type="none", verdict=Verdict(is_anomaly=True)), UNTYPED),
    (Line(Shape("x"), is_anomaly=False, anomaly_type="overload", verdict=Verdict(is_anomaly=True)), "overload"),
    (Line(Shape("x"), is_anomaly=False, verdict=Verdict(level="FATAL")), NORMAL),
    (Line(Shape("x"), verdict=Verdict(level="FATAL")), None),
])
def test_the_verdict_on_an_anomaly(line: Line, label: str | None) -> None:
    assert anomaly_of(line) == label


def test_a_verdict_never_changes_what_models_read() -> None:
    line = Line(Shape("x", level="info"), "INFO")
    assert line._replace(verdict=Verdict("FATAL", "Network", True)).features() == line.features()


@pytest.fixture(scope="module")
def history() -> list[Line]:
    return [line for _, line in simulated(1500)]


@pytest.mark.parametrize("candidate", CANDIDATES)
@pytest.mark.parametrize(("target", "verdict", "expected"), [
    ("level", Verdict(level="ERROR"), "ERROR"),
    ("category", Verdict(category="Machines"), "Machines"),
    ("anomaly", Verdict(is_anomaly=True), UNTYPED),
])
def test_one_verdict_outweighs_forty_one_lines(history, candidate: str, target: str, verdict: Verdict, expected: str) -> None:
    wrong = Line(Shape(TEMPLATE, "plant", "app", "info"), "INFO", False, None, "Database")
    other_service = wrong._replace(shape=wrong.shape._replace(service="factory"))
    lines = [*history, *[wrong] * 40, wrong._replace(verdict=verdict), *[other_service] * 200]
    examples = group(target, lines, LABELS[target], ("words", "context"))
    fitted = evaluation.fit(candidate, examples, examples.counts(), seed=0)
    made = [line.features() for line in (wrong, other_service)]
    judged, other = fitted.probabilities(np.array([[row["words"], row["context"]] for row in made], object))
    assert examples.classes[judged.argmax()] == expected
    assert judged.max() >= 0.6
    assert examples.classes[other.argmax()] == LABELS[target](wrong), "where nobody said anything, lines vote"


def test_a_judged_template_is_in_one_fold_with_all_its_inputs_and_speaks_for_itself(history: list[Line], monkeypatch) -> None:
    wrong = Line(Shape(TEMPLATE, "plant", "app", "info"), "INFO")
    other = wrong._replace(shape=wrong.shape._replace(service="factory"))
    lines = [*history, *[other] * 20, wrong._replace(verdict=Verdict("ERROR")), *[wrong] * 3]
    examples, _ = labels.level_examples(lines)
    mine = examples.inputs[:, 0] == Line(Shape(TEMPLATE)).features()["words"]
    assert mine.sum() == 2
    seen = []

    def fit(candidate, examples, counts, seed):
        seen.append(counts[mine].any(1))
        return original(candidate, examples, counts, seed)

    original = evaluation.fit
    monkeypatch.setattr(evaluation, "fit", fit)
    evaluation._unseen_probabilities("logistic_regression", examples, 0)
    assert sorted(tuple(rows) for rows in seen) == [(False, False), *[(True, True)] * (evaluation.FOLDS - 1)]
    inputs, truth = evaluation.one_row_a_template(examples)
    [row] = np.flatnonzero(mine[inputs])
    assert examples.classes[truth[row]] == "ERROR"


def test_verdicts_count_where_a_source_declares_one_level_only(history: list[Line]) -> None:
    words = [first + second for first in "abcde" for second in "fghij"]
    quiet = [Line(Shape(f"{word} failed badly", "a", "quiet", "info"), "INFO") for word in words]
    judged = quiet[0]._replace(verdict=Verdict("ERROR"))
    examples, notes = labels.level_examples([*history, *quiet, judged])
    [number] = np.flatnonzero(examples.judged)
    assert examples.lines[number].shape == judged.shape
    assert not any(line.shape in {other.shape for other in quiet[1:]} for line in examples.lines)
    assert ("every line of source 'quiet' has the level INFO, which says nothing of a message: left out, "
            "but for those with a verdict") in notes
    assert "lines with a verdict, which outranks what they declare: 1" in notes


def test_a_line_without_a_known_level_learns_it_from_a_verdict(history: list[Line]) -> None:
    unknown = Line(Shape(TEMPLATE, level="gelb"))
    _, notes = labels.level_examples([*history, *[unknown] * 7, unknown._replace(verdict=Verdict("WARN"))])
    assert any(note.startswith(f"7 of {len(history) + 8:,} lines have no known level") for note in notes)


def test_verdicts_make_labels_where_there_were_none() -> None:
    lines = [Line(Shape(("job done", "job failed")[i % 2], "batch"), ("INFO", "ERROR")[i % 2],
                  verdict=Verdict(category=("Jobs", "Errors")[i % 2]) if i < count else None)
             for count in (999, 1000) for i in range(1000)]
    assert labels.category_examples(lines[:1000])[1] == "999 lines have a value in category and training needs 1,000"
    examples, missing = labels.category_examples(lines[1000:])
    assert missing is None
    assert examples.classes == ("Errors", "Jobs")
