"""Training end to end, without a server."""

import json
import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from logintel.errors import UserError
from logintel.simulation import SimulatedLine
from logintel.training import baseline, export, golden
from logintel.training.candidates import CANDIDATES
from logintel.training.dataset import Line, Shape
from logintel.training.models import TrainedModel, train_models
from logintel_server import tokens
from support.training_lines import simulated

FIGURES = {"accuracy", "macro_f1", "calibration_error"}
SPLITS = {"random_split", "time_split", "unseen_templates", "unseen_templates_by_line"}


@pytest.fixture(scope="module")
def history() -> list[tuple[SimulatedLine, Line]]:
    return simulated(3000)


@pytest.fixture(scope="module")
def models(history: list[tuple[SimulatedLine, Line]]) -> dict[str, TrainedModel]:
    trained, _ = train_models([line for _, line in history], shape_version=7)
    return {model.name: model for model in trained}


@pytest.fixture(scope="module")
def unlabelled(history: list[tuple[SimulatedLine, Line]]) -> tuple[list[Line], TrainedModel, list[str]]:
    lines = [Line(line.shape, line.level) for _, line in history]
    trained, notes = train_models(lines, outliers=True)
    assert [model.name for model in trained] == ["level", "anomaly"]
    return lines, trained[1], notes


def test_all_three_models_come_from_labelled_lines(models: dict[str, TrainedModel]) -> None:
    assert list(models) == ["level", "category", "anomaly"]
    assert set(models["level"].metadata["classes"]) == {"DEBUG", "INFO", "WARN", "ERROR", "FATAL"}
    assert "none" in models["anomaly"].metadata["classes"]
    assert "level" not in models["level"].features
    for model in models.values():
        assert model.metadata["kind"] == "classifier"
        assert model.metadata["target"] == model.name
        assert len(model.onnx) < 5_000_000


def test_metadata_hold_both_candidates_on_all_splits(models: dict[str, TrainedModel]) -> None:
    for model in models.values():
        metadata = model.metadata
        assert set(metadata["evaluation"]) == set(CANDIDATES) == {"random_forest", "logistic_regression"}
        for splits in metadata["evaluation"].values():
            assert set(splits) == SPLITS
            assert all(set(figures) >= FIGURES for figures in splits.values())
        unseen = {name: splits["unseen_templates"] for name, splits in metadata["evaluation"].items()}
        best = metadata["candidate"]
        assert metadata["accuracy"] == unseen[best]["accuracy"]
        assert metadata["macro_f1"] == unseen[best]["macro_f1"]
        rows = np.array(metadata["confusion_matrix"]["rows"])
        assert rows.sum() == metadata["samples"]["templates"]
        assert np.trace(rows) / rows.sum() == pytest.approx(metadata["accuracy"], abs=1e-4)
    assert {"problem_accuracy", "problem_auc"} <= set(models["level"].metadata)
    assert {"precision", "recall", "f1", "pr_auc"} <= set(models["anomaly"].metadata)


def test_metadata_tell_where_the_model_comes_from(models: dict[str, TrainedModel]) -> None:
    metadata = models["level"].metadata
    assert metadata["samples"]["lines"] == 3000
    assert sum(metadata["samples"]["lines_by_class"].values()) == 3000
    assert metadata["shape_version"] == 7
    assert metadata["tokens_version"] >= 1
    assert {"python", "numpy", "scikit-learn", "skl2onnx", "onnxruntime", "onnx"} <= set(metadata["versions"])
    assert metadata["trained_at"].endswith("+00:00")


def test_models_are_right_on_most_of_what_they_have_not_seen(models: dict[str, TrainedModel]) -> None:
    later = [line for _, line in simulated(2000, seed=2)]
    for name, least in (("level", 0.9), ("category", 0.95)):
        labels, confidence = models[name].predict(later)
        right = labels == np.array([getattr(line, name) for line in later])
        assert right.mean() > least
        assert right[confidence >= 0.9].mean() > 0.97
    anomalous = np.array([line.is_anomaly for line in later])
    assert roc_auc_score(anomalous, models["anomaly"].anomaly_scores(later)) > 0.8


def test_the_same_lines_and_seed_give_the_same_models(history: list[tuple[SimulatedLine, Line]]) -> None:
    lines = [Line(line.shape, line.level) for _, line in history[:1000]]
    first, second = (train_models(lines, seed=3)[0] for _ in range(2))
    assert [model.onnx for model in first] == [model.onnx for model in second]
    assert [model.golden for model in first] == [model.golden for model in second]


def test_golden_cases_are_strict_json_with_every_class_and_any_unicode(models: dict[str, TrainedModel]) -> None:
    for model in models.values():
        cases = json.loads(json.dumps(model.golden, allow_nan=False))
        assert len(cases) == golden.CASES
        labels, _ = model.predict([line for _, line in simulated(1000)])
        assert set(labels) <= {case["label"] for case in cases}
        assert any(not case["shape"]["template"].isascii() for case in cases)
        for case in cases:
            classes = model.metadata["classes"]
            assert case["label"] == classes[int(np.argmax(case["probabilities"]))]
            assert len(case["probabilities"]) == len(classes)
            json.dumps(case).encode()


def test_golden_cases_are_what_onnx_gives(models: dict[str, TrainedModel]) -> None:
    for model in models.values():
        lines = [Line(Shape(**case["shape"]), None) for case in model.golden]
        reads_level = "level" in model.features
        inputs = model.inputs(lines)
        labels, probabilities = export.run(model.onnx, model.features, inputs, ("label", "probabilities"))
        for case, label, row, line in zip(model.golden, labels, probabilities, lines, strict=True):
            if not (reads_level and line.shape.level):
                assert label == case["label"]
                assert row == pytest.approx(case["probabilities"], abs=export.TOLERANCE)


def test_without_labels_what_is_new_or_rare_stands_out(unlabelled: tuple[list[Line], TrainedModel, list[str]]) -> None:
    lines, model, notes = unlabelled
    assert any(note.startswith("the anomaly model was trained without labels") for note in notes)
    assert any(note.startswith("no category model") for note in notes)
    metadata = model.metadata
    assert metadata["kind"] == "outlier"
    assert 0 < metadata["scale"] < math.inf
    scores = model.anomaly_scores(lines)
    assert 0 < (scores >= 0.7).mean() <= 0.011
    assert np.median(scores) < 0.2
    assert metadata["flagged_share"] == pytest.approx((scores >= 0.7).mean(), abs=1e-3)
    new = Line(Shape("zorblax frobnicated qwyjibo <*>", "checkout", "app", "INFO"), "INFO")
    assert model.anomaly_scores([new]) == pytest.approx(1)


def test_a_line_of_many_that_are_alike_is_no_outlier() -> None:
    lines = [Line(Shape("request <*> served" if i % 2 else "cache <*> missed", "web"), "INFO" if i % 2 else "WARN")
             for i in range(1000)]
    (_, anomaly), _ = train_models(lines, outliers=True)
    assert anomaly.anomaly_scores(lines).max() < 0.7


def plain(count: int, **fields: object) -> list[Line]:
    """Lines with two templates and two levels."""
    return [Line(Shape(("job done", "job failed")[i % 2], "batch"), ("INFO", "ERROR")[i % 2])._replace(**fields)
            for i in range(count)]


@pytest.mark.parametrize(("lines", "message"), [
    ([], "training needs 1,000 lines and there are 0"),
    (plain(999), "training needs 1,000 lines and there are 999"),
    (plain(1000, level="INFO"), "all lines have the level INFO"),
    (plain(1000, level=None), "none of the 1,000 lines has a known level"),
    (plain(1000, level=None, shape=Shape("x", level="gelb")), "add the spellings 'gelb' to logintel.level_names"),
    (plain(500) + plain(600, level=None), "500 lines have a value in level and training needs 1,000"),
    (plain(1000, shape=Shape("job done")), "all messages have the same words"),
])
def test_what_is_missing_is_said_in_one_line(lines: list[Line], message: str) -> None:
    with pytest.raises(UserError) as error:
        train_models(lines)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert ";" in str(error.value), "the message tells the next step"


@pytest.mark.parametrize(("fields", "note"), [
    ({"category": "Network"}, "no category model: all values in category mean Network"),
    ({"category": None}, "no category model: no line has a value in category"),
    ({"is_anomaly": True}, "no anomaly model: all values in is_anomaly mean anomaly; the one in force stays"),
    ({"is_anomaly": False}, "no anomaly model: all values in is_anomaly mean none; the one in force stays"),
])
def test_a_model_without_labels_is_left_out_with_a_note(fields: dict[str, object], note: str) -> None:
    models, notes = train_models(plain(1000, **fields))
    assert {model.name for model in models} < {"level", "category", "anomaly"}
    assert any(note in text for text in notes)


def test_without_labels_what_is_rare_is_learnt_on_request() -> None:
    models, notes = train_models(plain(1000, is_anomaly=None), outliers=True)
    assert models[-1].metadata["kind"] == "outlier"
    assert any("the anomaly model was trained without labels: no line has a value in is_anomaly" in note for note in notes)


def test_a_source_that_logs_everything_as_one_level_teaches_nothing() -> None:
    words = [first + second for first in "abcde" for second in "fghij"]
    quiet = [Line(Shape(f"{word} failed badly", "a", "quiet", "info"), "INFO") for word in words]
    unknown = Line(Shape("odd", level="gelb"))
    (level, *_), notes = train_models(plain(1000) + quiet * 10 + [unknown] * 7)
    assert "every line of source 'quiet' has the level INFO, which says nothing of a message: left out" in notes
    assert any(note.startswith("7 of 1,257 lines have no known level") for note in notes)
    assert level.metadata["samples"]["lines"] == 1000
    assert level.metadata["notes"] == notes[:2]


def test_a_constant_level_is_believed_where_it_is_all_there_is() -> None:
    words = [first + second for first in "abcde" for second in "fghij"]
    lines = [Line(Shape(f"{word} {source}", "", source), level)
             for word in words * 30 for source, level in (("left", "INFO"), ("right", "ERROR"))]
    (level, *_), notes = train_models(lines)
    assert level.metadata["samples"]["lines"] == len(lines)
    assert not any("says nothing" in note for note in notes)


def test_lines_of_nothing_but_odd_characters_train_too() -> None:
    lines = [golden.ODD_LINES[i % len(golden.ODD_LINES)]._replace(level=("INFO", "ERROR")[i % 2]) for i in range(1000)]
    models, _ = train_models(lines, outliers=True)
    assert [model.name for model in models] == ["level", "anomaly"]


def test_messages_of_one_word_each_train_too() -> None:
    words = [first + second for first in "abcdefgh" for second in "abcdefgh"]
    lines = [Line(Shape(word, "shop", "app"), ("INFO", "ERROR")[i % 2]) for i, word in enumerate(words * 20)]
    models, _ = train_models(lines)
    assert [model.name for model in models] == ["level"]


def test_every_model_keeps_a_baseline_of_what_it_says_of_its_lines(
    history: list[tuple[SimulatedLine, Line]],
    models: dict[str, TrainedModel],
    unlabelled: tuple[list[Line], TrainedModel, list[str]],
) -> None:
    labelled = [line for _, line in history]
    for lines, model in [*((labelled, model) for model in models.values()), unlabelled[:2]]:
        kept = model.metadata["baseline"]
        classes, confidences = baseline.predictions(model, lines)
        assert kept["classes"] == pytest.approx({name: np.mean(classes == name) for name in set(classes)}, abs=1e-5)
        assert kept["confidence"][9] == pytest.approx(np.mean(confidences >= 0.9), abs=1e-3)
        assert sum(kept["confidence"]) == pytest.approx(1, abs=1e-4)
        assert kept["lines"] == 3000
        assert kept == baseline.of_model(model, baseline.History(lines))
        assert set(kept["templates"]) == {tokens.digest(line.shape.template) for line in lines}
        vocabulary = frozenset(kept["vocabulary"])
        assert all(tokens.novelty(line.features()["words"], vocabulary) == 0 for line in lines)
        assert len(json.dumps(kept)) < 100_000
