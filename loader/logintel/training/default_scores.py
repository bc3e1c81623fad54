"""What training takes from a default model: its scores of a message, a column a class, as features of another."""

from functools import cache
from typing import Any

import numpy as np
import onnx
from onnx import helper
from skl2onnx import update_registered_converter
from skl2onnx.algebra.onnx_ops import OnnxAdd, OnnxMatMul
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline

from logintel.training import default_models
from logintel.training.export import SPACED

SCALE = 0.5
"""What scores, without temperature, are multiplied by: the smaller, the more a regression pays for relying on them."""


class LinearScores(TransformerMixin, BaseEstimator):
    """Turns counts [N, V] into a linear model's decision scores [N, C]. It learns nothing."""

    def __init__(self, coefficients: np.ndarray, intercept: np.ndarray):
        """Keep coefficients [V, C] and intercept [C]."""
        self.coefficients = coefficients
        self.intercept = intercept

    def fit(self, counts: object, y: object = None) -> "LinearScores":
        """Do nothing: the scores are another model's."""
        self.n_features_in_ = len(self.coefficients)
        return self

    def transform(self, counts: object) -> np.ndarray:
        """Return the decision scores [N, C]."""
        return np.asarray(counts @ self.coefficients + self.intercept)


def features(name: str) -> Pipeline:
    """Return an unfitted pipeline from words [N] to the scaled scores [N, C] of the default model `name`."""
    ngrams, coefficients, intercept = _linear_model(name)
    by = scale(name)
    counts = CountVectorizer(binary=True, ngram_range=(1, 2), vocabulary=ngrams, **SPACED)
    return Pipeline([("counts", counts), ("scores", LinearScores(by * coefficients, by * intercept))])


def scale(name: str) -> float:
    """Return what the scores in the graph of the default model `name` are multiplied by."""
    return SCALE * default_models.model(name).metadata["temperature"]


@cache
def _linear_model(name: str) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Read n-grams [V], coefficients [V, C] and intercept [C] out of the graph that ships."""
    nodes = {node.op_type: node for node in onnx.load_from_string(default_models.model(name).onnx).graph.node}
    ngrams = _attributes(nodes["TfIdfVectorizer"])
    strings = [string.decode() for string in ngrams["pool_strings"]]
    words, pairs = strings[: ngrams["ngram_counts"][1]], strings[ngrams["ngram_counts"][1] :]
    listed = words + [" ".join(pair) for pair in zip(pairs[::2], pairs[1::2], strict=True)]
    ordered = [ngram for _, ngram in sorted(zip(ngrams["ngram_indexes"], listed, strict=True))]
    linear = _attributes(nodes["LinearClassifier"])
    intercept = np.array(linear["intercepts"], np.float32)
    return ordered, np.array(linear["coefficients"], np.float32).reshape(len(intercept), -1).T, intercept


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _shape_of_output(operator: Any) -> None:
    operator.outputs[0].type = FloatTensorType([None, len(operator.raw_operator.intercept)])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    scores = operator.raw_operator
    opset = container.target_opset
    products = OnnxMatMul(operator.inputs[0], scores.coefficients.astype(np.float32), op_version=opset)
    OnnxAdd(products, scores.intercept.astype(np.float32), op_version=opset,
            output_names=operator.outputs[:1]).add_to(scope, container)


update_registered_converter(LinearScores, "LogintelLinearScores", _shape_of_output, _convert)
