"""The models in models/ are what the corpora and recipes make, and the graphs say what scikit-learn says."""

import json
import random

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.pipeline import Pipeline

from logintel.defaults import build, corpora, linear, masks, recipes
from logintel.training import default_models, default_scores, export, golden
from logintel.training.dataset import Line, Shape
from logintel_server import runtime, tokens

NAMES = pytest.mark.parametrize("name", default_models.NAMES)
REBUILD = "run `make models` and commit models/"
TOLERANCE = 1e-5


def line(message: str) -> Line:
    return Line(Shape(template=masks.mask(message)))


@pytest.fixture(scope="module")
def strangers() -> np.ndarray:
    """Words [N, 1]: of the corpora, of the corpora mixed up, of characters from anywhere, and the odd ones."""
    chance = random.Random(0)
    known = [entry.words for entry in corpora.entries()]
    vocabulary = sorted({word for text in known for word in text.split()})
    mixed = [" ".join(chance.choices(vocabulary, k=chance.randrange(1, 30))) for _ in range(3000)]
    points = [chr(p) for p in [*range(1, 0xD800), *chance.sample(range(0xE000, 0x110000), 3000)]]
    pieces = [*chance.sample(points, 3000), *vocabulary[::5], *(" " * 3000)]
    odd = [tokens.words("".join(chance.choices(pieces, k=chance.randrange(60)))) for _ in range(3000)]
    texts = [*known, *mixed, *odd, *(line.features()["words"] for line in golden.ODD_LINES)]
    distinct = list(dict.fromkeys(texts))
    assert len(distinct) > 5000
    return np.array(distinct, object).reshape(-1, 1)


def probabilities(name: str, words: np.ndarray) -> np.ndarray:
    return export.run(default_models.model(name).onnx, ["words"], words, ["probabilities"])[0]


@pytest.fixture(scope="module", params=default_models.NAMES)
def built(request: pytest.FixtureRequest) -> tuple[str, Pipeline]:
    """A default model's name, and the pipeline that the corpora of this checkout make."""
    name = request.param
    temperature = default_models.model(name).metadata["temperature"]
    return name, linear.soften(recipes.fitted(name, corpora.entries(), build.truth(name)), temperature)


@NAMES
def test_a_shipped_model_is_made_of_the_sources_beside_it(name: str) -> None:
    described = json.loads((default_models.FOLDER / name / str(build.VERSION) / "model.json").read_text("utf-8"))
    assert described["metadata"]["sources_sha256"] == build.sources_sha256(), (
        f"corpora, lexicon or recipes changed after models/{name} was built: {REBUILD}")


def test_a_shipped_graph_says_what_a_fresh_pipeline_says(built: tuple[str, Pipeline], strangers: np.ndarray) -> None:
    name, pipeline = built
    expected = pipeline.predict_proba(strangers)
    off = np.abs(probabilities(name, strangers) - expected).max()
    assert off <= TOLERANCE, f"models/{name} is not what this checkout builds, off by {off:.2g}: {REBUILD}"
    assert pipeline.classes_.tolist() == default_models.model(name).metadata["classes"]
    export.check_classifier(name, default_models.model(name).onnx, ["words"], pipeline, strangers)


@NAMES
def test_training_takes_from_a_shipped_graph_the_scores_behind_its_probabilities(name: str, strangers: np.ndarray) -> None:
    decisions = default_scores.features(name).fit_transform(strangers[:, 0]) / default_scores.scale(name)
    assert np.abs(softmax(decisions, axis=1) - probabilities(name, strangers)).max() <= TOLERANCE


@NAMES
def test_a_shipped_graph_reproduces_its_golden_cases(name: str) -> None:
    model = default_models.model(name)
    lines = [Line(Shape(**case["shape"])) for case in model.golden]
    said = model.probabilities(lines)
    assert np.abs(said - [case["probabilities"] for case in model.golden]).max() <= TOLERANCE
    assert [model.metadata["classes"][i] for i in said.argmax(1)] == [case["label"] for case in model.golden]
    assert {case["label"] for case in model.golden} == set(model.metadata["classes"])
    assert len(model.golden) >= 20
    assert any(not case["shape"]["template"].isascii() for case in model.golden)


def test_the_folder_of_models_holds_these_models_and_no_others() -> None:
    assert {path.parts[-3] for path in default_models.FOLDER.glob("*/*/model.*")} == set(default_models.NAMES) == set(default_models.models())


def test_the_shipped_models_are_small_enough_to_come_along() -> None:
    assert sum(path.stat().st_size for path in default_models.FOLDER.glob("*/*/model.*")) <= 5_000_000


def test_confidence_holds_on_templates_and_systems_never_seen() -> None:
    # Levels are not learnt from the corpora, and anomalies hardly: `make eval` measures both where they are used.
    metadata = default_models.model("category").metadata
    assert metadata["calibration_error"] <= 0.05
    for split, figures in metadata["evaluation"]["logistic_regression"].items():
        assert figures["calibration_error"] <= 0.05, split


@NAMES
def test_a_shipped_model_says_that_it_is_a_default_and_of_which_shapes(name: str) -> None:
    metadata = default_models.model(name).metadata
    assert (metadata["origin"], metadata["target"], metadata["kind"]) == ("default", name, "classifier")
    assert (metadata["shape_version"], metadata["tokens_version"]) == (masks.SHAPE_VERSION, tokens.VERSION)
    assert "trained_at" not in metadata  # same sources, same files


@pytest.mark.parametrize(("message", "levels"), [
    ("Unrecoverable error: out of memory, shutting down", {"ERROR", "FATAL"}),
    ("fatal: cannot allocate memory, exiting", {"ERROR", "FATAL"}),
    ("replication slot lost, standby must be rebuilt", {"ERROR", "FATAL"}),
    ("Failed to connect to upstream: connection refused", {"WARN", "ERROR"}),
    ("NullPointerException in checkout handler", {"ERROR", "FATAL"}),
    ("deprecated option used, please migrate", {"WARN"}),
    ("request served", {"INFO", "DEBUG"}),
    ("request served in 12 ms", {"INFO", "DEBUG"}),
    ("server started, listening on port 8080", {"INFO"}),
    ("user logged in successfully", {"INFO"}),
    ("cache miss for key 81", {"DEBUG"}),
])
def test_the_default_level_is_sensible_on_lines_that_are_in_no_corpus(message: str, levels: set[str]) -> None:
    assert line(message).features()["words"] not in {entry.words for entry in corpora.entries()}
    model = default_models.model("level")
    [row] = model.probabilities([line(message)])
    assert model.metadata["classes"][row.argmax()] in levels
    of_trouble = sum(p for p, name in zip(row, model.metadata["classes"], strict=True) if name not in ("DEBUG", "INFO"))
    if levels <= {"DEBUG", "INFO"}:
        assert of_trouble < 0.5
    else:
        assert of_trouble > 0.8


@pytest.mark.parametrize(("message", "category", "anomaly_type"), [
    ("Unrecoverable error: out of memory, shutting down", "System", "resource_exhaustion"),
    ("Failed to connect to upstream: connection refused", "Network", "network_anomaly"),
    ("password rejected for admin", "Authentication", "none"),
    ("replication slot lost, standby must be rebuilt", "Database", "system_failure"),
    ("user logged in successfully", "Authentication", "none"),
])
def test_the_default_category_and_anomaly_are_sensible_too(message: str, category: str, anomaly_type: str) -> None:
    for name, expected in (("category", category), ("anomaly", anomaly_type)):
        model = default_models.model(name)
        [row] = model.probabilities([line(message)])
        assert model.metadata["classes"][row.argmax()] == expected


@NAMES
@pytest.mark.parametrize("count", [1, runtime.ROWS - 1, runtime.ROWS, runtime.ROWS + 1, runtime.MAX_SHAPES])
def test_what_is_said_of_a_shape_does_not_depend_on_its_neighbours(name: str, count: int, strangers: np.ndarray) -> None:
    shipping = default_models.model(name)
    model = runtime.open_model(name, f"{name} 1", shipping.onnx, shipping.metadata)
    chance = random.Random(count)
    words = [*chance.sample(strangers[:, 0].tolist(), count - 1), ""]
    labels, together = model.run({"words": words})
    assert (len(labels), together.shape) == (count, (count, len(shipping.metadata["classes"])))
    order = chance.sample(range(count), count)
    shuffled_labels, shuffled = model.run({"words": [words[i] for i in order]})
    assert shuffled_labels.tolist() == [labels[i] for i in order]
    assert np.abs(shuffled - together[order]).max() <= 1e-6
    for i in chance.sample(range(count), min(count, 40)):
        [label], [alone] = model.run({"words": [words[i]]})
        assert label == labels[i]
        assert np.abs(alone - together[i]).max() <= 1e-6
