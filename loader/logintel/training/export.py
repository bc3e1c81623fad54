"""Export to ONNX, and the proof that the exported graph says what scikit-learn says."""

from collections.abc import Sequence
from copy import copy

import numpy as np
import onnxruntime
from onnx import ModelProto, TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline

from logintel.errors import UserError
from logintel_server import tokenizer as tokenization

TARGET_OPSET = {"": 18, "ai.onnx.ml": 3}
TOLERANCE = 1e-5
SPACED = {"token_pattern": "[^ ]+", "lowercase": False}
"""How features are split into tokens; the only settings that ONNX's tokenizer reproduces."""
BATCH = 256


def convert(pipeline: Pipeline, features: Sequence[str]) -> bytes:
    """Convert a pipeline that reads string columns [N, F] to an ONNX graph with one input [N, 1] a feature.

    The pipeline's first step is called "features". A classifier's graph gives `label` and `probabilities`.
    """
    readable = copy(pipeline)
    readable.steps = [("features", _with_ngrams_split(pipeline["features"], len(features))), *pipeline.steps[1:]]
    options = {id(_vectorizer(part)): {"tokenexp": SPACED["token_pattern"]}
               for _, part, _ in readable["features"].transformers_ if _splits(part)}
    if hasattr(pipeline, "predict_proba"):
        options[id(readable)] = {"zipmap": False}
    inputs = [(name, StringTensorType([None, 1])) for name in features]
    if not reads_embedding(pipeline):
        graph = to_onnx(readable, initial_types=inputs, options=options, target_opset=TARGET_OPSET)
        return _with_plain_norms(graph).SerializeToString()
    from logintel.training import transformer

    inputs.append((transformer.OUTPUT, FloatTensorType([None, transformer.Embedding.DIMENSIONS])))
    graph = to_onnx(readable, initial_types=inputs, options=options, target_opset=TARGET_OPSET)
    return transformer.with_embedding(_with_plain_norms(graph))


def reads_embedding(pipeline: Pipeline) -> bool:
    """Tell whether a pipeline is a transformer's: its graph reads token ids, and needs a tokenizer in the metadata."""
    return any(name == "embedding" for name, _, _ in pipeline["features"].transformers)


def _with_plain_norms(model: ModelProto) -> ModelProto:
    """Write each L2 Normalizer as the arithmetic that it is: onnxruntime runs that in a sixth of the time."""
    nodes = []
    for node in model.graph.node:
        if node.op_type == "Normalizer" and node.attribute[0].s == b"L2":
            norm, floor, bounded = (f"{node.output[0]}_{part}" for part in ("norm", "floor", "bounded"))
            axes = f"{node.output[0]}_axes"
            model.graph.initializer.append(helper.make_tensor(axes, TensorProto.INT64, [1], [1]))
            # A row of zeros stays one.
            model.graph.initializer.append(helper.make_tensor(floor, TensorProto.FLOAT, [], [1e-30]))
            nodes += [
                helper.make_node("ReduceL2", [node.input[0], axes], [norm], keepdims=1),
                helper.make_node("Max", [norm, floor], [bounded]),
                helper.make_node("Div", [node.input[0], bounded], list(node.output)),
            ]
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return _with_versions_sorted(model)


def _with_versions_sorted(model: ModelProto) -> ModelProto:
    """List the sets of operators by name: the converter's order is another one in each process."""
    versions = sorted(model.opset_import, key=lambda version: version.domain)
    del model.opset_import[:]
    model.opset_import.extend(versions)
    return model


def _with_ngrams_split(features: ColumnTransformer, columns: int) -> ColumnTransformer:
    """Return a copy whose vectorizers know pairs of words as pairs, and which takes an embedding as it is.

    As one string, a pair is taken for a single token as soon as one of its words alone is not in the vocabulary, and
    then never found. An embedding is an input of its own in ONNX, the one after the `columns` of strings.
    """
    def readable(name: str, part: object, column: object) -> tuple[str, object, object]:
        if name == "embedding":
            return name, "passthrough", list(range(columns, columns + part.DIMENSIONS))
        return name, _with_vectorizer(part, _split(_vectorizer(part))) if _splits(part) else part, column

    copied = copy(features)
    copied.transformers_ = [readable(*transformer) for transformer in features.transformers_]
    return copied


def _splits(part: object) -> bool:
    """Tell whether a column's part splits text into tokens."""
    return isinstance(part, CountVectorizer | Pipeline)


def _split(vectorizer: CountVectorizer) -> CountVectorizer:
    split = copy(vectorizer)
    split.vocabulary_ = {tuple(ngram.split(" ")): i for ngram, i in vectorizer.vocabulary_.items()}
    lengths = [len(ngram) for ngram in split.vocabulary_]
    split.ngram_range = (min(lengths), max(lengths))  # a graph cannot promise pairs where none was seen
    return split


def _vectorizer(part: CountVectorizer | Pipeline) -> CountVectorizer:
    """A column's vectorizer stands alone, or is the first step of a pipeline."""
    return part[0] if isinstance(part, Pipeline) else part


def _with_vectorizer(part: CountVectorizer | Pipeline, vectorizer: CountVectorizer) -> CountVectorizer | Pipeline:
    if not isinstance(part, Pipeline):
        return vectorizer
    copied = copy(part)
    copied.steps = [(part.steps[0][0], vectorizer), *part.steps[1:]]
    return copied


def run(onnx: bytes, features: Sequence[str], inputs: np.ndarray, outputs: Sequence[str]) -> list[np.ndarray]:
    """Run a graph on string columns [N, F], as the server does: in batches, on one thread; a transformer row by row."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    tokenizer = None
    if {value.name for value in session.get_inputs()} & set(tokenization.INPUTS):
        from logintel.training import transformer

        tokenizer = tokenization.open_tokenizer(transformer.tokenizer_json())
    size = 1 if tokenizer else BATCH
    parts = []
    for rows in (inputs[start : start + size] for start in range(0, len(inputs), size)):
        feed = {name: rows[:, i : i + 1] for i, name in enumerate(features)}
        if tokenizer:
            feed |= tokenization.token_inputs(tokenizer, rows[0, features.index(tokenization.FEATURE)])
        parts.append(session.run(list(outputs), feed))
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


def check_classifier(name: str, onnx: bytes, features: Sequence[str], pipeline: Pipeline, inputs: np.ndarray) -> float:
    """Compare the graph with the pipeline on inputs [N, F] and return the largest difference of a probability.

    Raises UserError when a label differs, or a probability by more than TOLERANCE. Where two classes are as likely as
    that, either label is right.
    """
    expected = pipeline.predict_proba(inputs)
    labels, probabilities = run(onnx, features, inputs, ("label", "probabilities"))
    best = np.sort(expected, axis=1)
    clear = best[:, -1] - best[:, -2] > TOLERANCE
    wrong = int((labels != pipeline.classes_[expected.argmax(1)])[clear].sum())
    return _checked(name, np.abs(probabilities - expected).max(), wrong)


def check_outlier(name: str, onnx: bytes, features: Sequence[str], pipeline: Pipeline, inputs: np.ndarray) -> float:
    """Compare the graph's scores with the pipeline's on inputs [N, F]; like check_classifier()."""
    scores = run(onnx, features, inputs, ("score",))[0].reshape(-1)
    return _checked(name, np.abs(scores - pipeline.decision_function(inputs)).max(), 0)


def _checked(name: str, difference: float, wrong: int) -> float:
    if wrong or not difference <= TOLERANCE:
        raise UserError(f"model {name} changed when it was converted to ONNX ({wrong} labels differ, outputs by up to "
                        f"{difference:.2g}) and was not registered; install the versions that logintel pins")
    return float(difference)
