"""Every candidate, exported, says what scikit-learn says: on real logs, simulated ones and generated Unicode."""

import csv
import random

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from logintel.training import candidates, evaluation, export, golden, labels, outlier
from logintel.training.candidates import CANDIDATES
from logintel.training.dataset import Line, Shape, anomaly_of, category_of, group, level_of
from support.training_lines import LOGHUB, loghub, mask, simulated


def unicode_lines(count: int) -> list[Line]:
    """Lines of words from everywhere: separators, controls, combining marks, emoji, scripts with and without case."""
    chance = random.Random(0)
    points = [chr(p) for p in range(1, 0x3100) if not 0xD800 <= p < 0xE000]
    points += [chr(p) for p in chance.sample([*range(0x3100, 0xD800), *range(0xE000, 0x110000)], 6000)]
    pieces = [*points, *["failed", "error", "timeout", "connection", "refused", "<*>", "ok"], " ", " ", " "]
    return [Line(Shape("".join(chance.choices(pieces, k=chance.randrange(40))), "".join(chance.choices(points, k=3)),
                       chance.choice(["", "app"])), chance.choice(["INFO", "ERROR", None])) for _ in range(count)]


def hdfs_lines() -> list[Line]:
    with (LOGHUB.parent / "hdfs_5k" / "hdfs_5k.csv").open(newline="") as file:
        return [Line(Shape(mask(row["message"]), row["service"], "HDFS", row["level"]), row["level"])
                for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def training() -> list[Line]:
    return [line for _, line in simulated(6000, corrupt=0.05)]


@pytest.fixture(scope="module")
def strangers(training: list[Line]) -> list[Line]:
    """Lines to compare outputs on: of the training, and of anywhere else."""
    real = []
    if LOGHUB.exists():
        real = [*loghub("Hadoop", "OpenStack", "Apache", "Android", "HDFS", "Spark", "Linux", "OpenSSH"), *hdfs_lines()]
    lines = [*training, *(line for _, line in simulated(6000, seed=9)), *real, *unicode_lines(6000), *golden.ODD_LINES]
    return list(dict.fromkeys(lines))


@pytest.mark.parametrize("candidate", CANDIDATES)
@pytest.mark.parametrize(("target", "label_of", "features"), [
    ("level", level_of, ("words", "context")),
    ("category", category_of, ("words", "context")),
    ("anomaly", anomaly_of, ("words", "context", "level")),
    ("level", lambda line: (line.level in ("ERROR", "FATAL") and "bad") or "good", ("words", "context")),
])
def test_an_exported_classifier_is_the_classifier(candidate, target, label_of, features, training, strangers) -> None:
    examples = group(target, training, label_of, features)
    fitted = evaluation.fit(candidate, examples, examples.counts(), seed=0)
    onnx = export.convert(fitted.pipeline, fitted.features)
    made = [line.features() for line in strangers]
    inputs = np.unique(np.array([[row[name] for name in fitted.features] for row in made], object).astype(str), axis=0)
    inputs = inputs.astype(object)
    assert len(inputs) > 5000
    expected = fitted.pipeline.predict_proba(inputs)
    labels, probabilities = export.run(onnx, fitted.features, inputs, ("label", "probabilities"))
    assert np.abs(probabilities - expected).max() <= export.TOLERANCE
    assert (labels == fitted.pipeline.classes_[expected.argmax(1)]).all()
    assert len(onnx) < 5_000_000


def test_softening_makes_a_classifier_less_sure_of_unseen_messages_and_of_no_others(
    training: list[Line], strangers: list[Line]
) -> None:
    examples = group("level", training, level_of, ("words", "context"))
    fitted = evaluation.fit("logistic_regression", examples, examples.counts(), seed=0)
    known = set(fitted.pipeline["features"].named_transformers_["template"].categories_[0])
    lines = np.bincount(examples.templates[examples.line_input])[examples.templates]
    assert known == set(examples.inputs[lines >= candidates.KNOWN_LINES, 0])
    made = [line.features() for line in strangers]
    unseen = np.array([[row["words"], row["context"]] for row in made if row["words"] not in known], object)
    before, of_known = fitted.pipeline.predict_proba(unseen), fitted.pipeline.predict_proba(examples.inputs)
    fitted.soften(1.7)
    powers = before ** (1 / 1.7)
    assert fitted.pipeline.predict_proba(unseen) == pytest.approx(powers / powers.sum(1, keepdims=True), abs=1e-9)
    shift = np.abs(fitted.pipeline.predict_proba(examples.inputs) - of_known).max(1)
    assert np.median(shift[np.isin(examples.inputs[:, 0], list(known))]) < 0.01
    export.check_classifier("level", export.convert(fitted.pipeline, fitted.features), fitted.features, fitted.pipeline,
                            examples.inputs)


def test_an_exported_isolation_forest_is_the_forest(training: list[Line], strangers: list[Line]) -> None:
    fitted = outlier.fit(labels.unlabelled_examples(training), seed=0)
    onnx = outlier.to_onnx(fitted.pipeline, fitted.features)
    made = [line.features() for line in strangers]
    inputs = np.array([[row[name] for name in fitted.features] for row in made], object)
    [scores] = export.run(onnx, fitted.features, inputs, ("score",))
    assert scores.shape == (len(inputs), 1)
    assert np.abs(scores[:, 0] - fitted.pipeline.decision_function(inputs)).max() <= export.TOLERANCE


def test_pairs_of_words_fire_when_one_of_them_is_unknown_alone() -> None:
    vectorizer = TfidfVectorizer(vocabulary=["disk full", "disk", "link up"], ngram_range=(1, 2), **export.SPACED)
    pipeline = Pipeline([("features", ColumnTransformer([("words", vectorizer, 0)])), ("model", LogisticRegression())])
    inputs = np.array([["disk full"], ["disk fine"], ["link up"], ["link"], ["full disk"], [""]], object)
    pipeline.fit(inputs, [1, 0, 1, 0, 0, 0])
    assert len(np.unique(pipeline.predict_proba(inputs)[:, 1])) >= 4
    export.check_classifier("level", export.convert(pipeline, ("words",)), ("words",), pipeline, inputs)
