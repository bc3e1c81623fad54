"""Anomalies without labels: words never seen, and shapes that an isolation forest finds easy to set apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline

from logintel.training.candidates import MAX_NGRAMS, TREES
from logintel.training.dataset import Examples
from logintel.training.evaluation import ANOMALY_THRESHOLD, HELD_OUT
from logintel.training.export import SPACED, TOLERANCE, convert
from logintel_server import tokens

MAX_LINES = 20_000
"""Lines the forest draws its samples from; more would not change what is rare."""
FLAGGED_SHARE = 0.01
"""Share of the training lines that the threshold is set for."""
TYPICAL = 0.05
"""Isolation of the median line."""
SMALLEST_GAP = 0.02
"""Least distance of the median's decision score from the one that reaches the threshold."""


@dataclass(frozen=True)
class Outlier:
    """An isolation forest, and how its decision scores become anomaly scores."""

    features: tuple[str, ...]
    columns: list[int]  # of the examples' inputs
    pipeline: Pipeline
    curve: dict[str, Any]  # vocabulary, center, scale, flagged_share: part of the metadata


def fit(examples: Examples, seed: int, chosen: np.ndarray | None = None) -> Outlier:
    """Fit an isolation forest to the lines, or to those `chosen` [N] of bool.

    It reads counts of tokens, which are whole numbers: no threshold is near a value, so float32 in ONNX takes the same
    branches as float64 here. Projected inputs do not convert exactly.
    """
    lines = examples.line_input if chosen is None else examples.line_input[chosen]
    drawn = np.random.default_rng(seed).permutation(lines)[:MAX_LINES]
    known, weight = np.unique(lines, return_counts=True)
    columns = [i for i in range(len(examples.features)) if any(examples.inputs[drawn, i])]
    vectorizers = ColumnTransformer([
        (examples.features[i], CountVectorizer(max_features=MAX_NGRAMS, **SPACED), position)
        for position, i in enumerate(columns)])
    pipeline = Pipeline([("features", vectorizers), ("model", IsolationForest(n_estimators=TREES, random_state=seed))])
    pipeline.fit(examples.inputs[drawn][:, columns])
    scores = pipeline.decision_function(examples.inputs[known][:, columns])
    center, scale = center_and_scale(scores, weight)
    words = examples.inputs[known, examples.features.index("words")]
    vocabulary = sorted({word for text in words for word in text.split()})
    curve = {"vocabulary": vocabulary, "center": center, "scale": scale}
    curve["flagged_share"] = _flagged_share(scores, examples.inputs[known], examples, curve, weight)
    return Outlier(tuple(examples.features[i] for i in columns), columns, pipeline, curve)


def flagged_share_later(examples: Examples, seed: int) -> float:
    """Return the share of the last lines that reach the threshold when only the earlier ones are known."""
    lines = len(examples.line_input)
    earlier = np.arange(lines) < lines * (1 - HELD_OUT)
    fitted = fit(examples, seed, earlier)
    later, weight = np.unique(examples.line_input[~earlier], return_counts=True)
    scores = fitted.pipeline.decision_function(examples.inputs[later][:, fitted.columns])
    return _flagged_share(scores, examples.inputs[later], examples, fitted.curve, weight)


def _flagged_share(scores: np.ndarray, inputs: np.ndarray, examples: Examples, curve: Mapping[str, Any],
                   weight: np.ndarray) -> float:
    found = anomaly_scores(scores, inputs[:, examples.features.index("words")], curve) >= ANOMALY_THRESHOLD
    return round(float(np.average(found, weights=weight)), 4)


def center_and_scale(scores: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return center and scale of the curve from decision scores [M], each of `weight` [M] lines, to isolation 0..1.

    The lowest scores, of at most FLAGGED_SHARE of the lines, reach the anomaly threshold; the median gets TYPICAL.
    Where the lowest score alone is that of more lines, no line reaches it.
    """
    values, position = np.unique(scores, return_inverse=True)
    share = np.cumsum(np.bincount(position, weight)) / weight.sum()
    rare = values[share <= FLAGGED_SHARE]
    limit = float(rare[-1] if len(rare) else values[0] - SMALLEST_GAP)
    median = float(values[np.searchsorted(share, 0.5)])
    scale = max(median - limit, SMALLEST_GAP) / (_logit(ANOMALY_THRESHOLD) - _logit(TYPICAL))
    # Half the tolerance of conversion: what is to reach the threshold must not miss it by a rounding error.
    return limit + scale * _logit(ANOMALY_THRESHOLD) + TOLERANCE / 2, scale


def anomaly_scores(scores: np.ndarray, words: Sequence[str], curve: Mapping[str, Any]) -> np.ndarray:
    """Return the anomaly score 0..1 of shapes with decision scores [K] and `words` [K], as the server computes it.

    `curve` holds vocabulary, center and scale.
    """
    vocabulary = frozenset(curve["vocabulary"])
    isolation = 1 / (1 + np.exp(np.clip((scores - curve["center"]) / curve["scale"], -500, 500)))
    return np.maximum(isolation, [tokens.novelty(text, vocabulary) for text in words])


def to_onnx(pipeline: Pipeline, features: Sequence[str]) -> bytes:
    """Convert to a graph with the output `score` [N, 1]: the decision function.

    skl2onnx makes a subgraph of each tree; one ensemble whose leaves hold path lengths says the same, much faster.
    """
    graph = onnx.load_from_string(convert(Pipeline(pipeline.steps[:1]), features))
    forest = pipeline["model"]
    counts = graph.graph.output.pop().name
    mean_depth = len(forest.estimators_) * _mean_path(np.array([forest.max_samples_]))[0]
    constants = {"minus_mean_depth": -mean_depth, "two": 2.0, "minus_one": -1.0, "minus_offset": -forest.offset_}
    graph.graph.initializer.extend(numpy_helper.from_array(np.array([value], np.float32), name)
                                   for name, value in constants.items())
    graph.graph.node.extend([
        helper.make_node("TreeEnsembleRegressor", [counts], ["depth"], domain="ai.onnx.ml", **_path_lengths(forest)),
        helper.make_node("Div", ["depth", "minus_mean_depth"], ["exponent"]),
        helper.make_node("Pow", ["two", "exponent"], ["isolation"]),
        helper.make_node("Mul", ["isolation", "minus_one"], ["score_samples"]),
        helper.make_node("Add", ["score_samples", "minus_offset"], ["score"]),
    ])
    graph.graph.output.append(helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1]))
    onnx.checker.check_model(graph)
    return graph.SerializeToString()


def _path_lengths(forest: IsolationForest) -> dict[str, object]:
    """Attributes of an ONNX tree ensemble that sums up the path lengths of a line in all trees."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    leaf = np.concatenate([tree.children_left for tree in trees]) < 0
    tree_ids = np.repeat(np.arange(len(trees)), [tree.node_count for tree in trees])
    node_ids = np.concatenate([np.arange(tree.node_count) for tree in trees])
    thresholds = np.concatenate([tree.threshold for tree in trees])
    lengths = np.concatenate([tree.compute_node_depths() - 1 + _mean_path(tree.n_node_samples) for tree in trees])
    return {
        "n_targets": 1, "aggregate_function": "SUM", "post_transform": "NONE",
        "nodes_treeids": tree_ids, "nodes_nodeids": node_ids,
        "nodes_featureids": np.where(leaf, 0, np.concatenate([tree.feature for tree in trees])),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_values": np.where(leaf, 0, _float_below(thresholds)).astype(np.float32),
        "nodes_truenodeids": np.maximum(np.concatenate([tree.children_left for tree in trees]), 0),
        "nodes_falsenodeids": np.maximum(np.concatenate([tree.children_right for tree in trees]), 0),
        "target_treeids": tree_ids[leaf], "target_nodeids": node_ids[leaf],
        "target_ids": np.zeros(leaf.sum(), int), "target_weights": lengths[leaf].astype(np.float32),
    }


def _mean_path(samples: np.ndarray) -> np.ndarray:
    """Mean depth of a search in a binary tree of `samples` [K] leaves: what splitting a leaf further would add."""
    many = np.maximum(samples, 3)
    return np.select([samples <= 1, samples == 2], [0.0, 1.0],
                     2 * (np.log(many - 1) + np.euler_gamma) - 2 * (many - 1) / many)


def _float_below(thresholds: np.ndarray) -> np.ndarray:
    """The largest float32 not above each threshold, so that `<=` decides as it does in float64."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))
