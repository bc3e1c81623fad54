"""Which ONNX graphs may be run: read here, before onnxruntime sees a byte of them.

A graph is bytes that anybody may have made. Nothing is looked for in it that must not be there; instead all that may be
there is listed, and whatever else it has, known to ONNX or not, is the end of it: data outside the graph, subgraphs,
functions, operators that no model of texts needs. Every message below the graph is listed with its fields, so none is
deeper than seven, and what is read grows with the bytes and nothing else.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

MAX_BYTES = 64 * 1024 * 1024
"""Bytes of a graph; the transformer that logintel trains has 23 MB. SQL refuses more too: _check_size()."""
MAX_NODES = 5_000
"""Operators of a graph; the transformer has 400."""
MAX_ELEMENTS = 64 * 1024 * 1024
"""Numbers and texts of all constants, by the dimensions that they declare."""
MAX_FIELDS = 1_000_000
"""Texts and messages in a graph: each is read by itself."""

OPERATORS = {
    "": frozenset([
        "Abs", "Add", "And", "ArgMax", "ArgMin", "Cast", "Clip", "Concat", "Constant", "DequantizeLinear",
        "Div", "DynamicQuantizeLinear", "Equal", "Erf", "Exp", "Expand", "Flatten", "Gather", "GatherND",
        "Gelu", "Gemm", "Greater", "GreaterOrEqual", "Identity", "IsNaN", "LayerNormalization", "Less",
        "LessOrEqual", "Log", "LogSoftmax", "LpNormalization", "MatMul", "MatMulInteger", "Max", "Mean",
        "Min", "Mul", "Neg", "Not", "Or", "Pow", "QuantizeLinear", "Range", "Reciprocal", "ReduceL1",
        "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "ReduceSumSquare",
        "Relu", "Reshape", "Shape", "Sigmoid", "Slice", "Softmax", "Split", "Sqrt", "Squeeze",
        "StringNormalizer", "Sub", "Sum", "Tanh", "TfIdfVectorizer", "Transpose", "Unsqueeze", "Where",
    ]),
    "ai.onnx.ml": frozenset([
        "ArrayFeatureExtractor", "Binarizer", "FeatureVectorizer", "LabelEncoder", "LinearClassifier",
        "Normalizer", "OneHotEncoder", "SVMClassifier", "Scaler", "TreeEnsembleClassifier",
        "TreeEnsembleRegressor",
    ]),
    "com.microsoft": frozenset(["Tokenizer"]),
}
"""What pipelines of texts become in ONNX, and the transformer: no loop, no branch, no randomness, no file."""


class Refused(ValueError):
    """A graph that must not be run; says why."""


class _Field(NamedTuple):
    name: str
    kind: str  # integer, float, double, text, or the name of a message
    repeated: bool = False


def _texts(*names: str) -> list[_Field]:
    return [_Field(name, "text") for name in names]


_PROPERTIES = _Field("metadata_props", "property", True)
_MESSAGES: dict[str, dict[int, _Field]] = {
    "model": {
        1: _Field("ir_version", "integer"), 5: _Field("model_version", "integer"), 7: _Field("graph", "graph"),
        8: _Field("opset_import", "opset", True), 14: _PROPERTIES,
        **dict(zip((2, 3, 4, 6), _texts("producer_name", "producer_version", "domain", "doc_string"), strict=True)),
    },
    "opset": {1: _Field("domain", "text"), 2: _Field("version", "integer")},
    "property": {1: _Field("key", "text"), 2: _Field("value", "text")},
    "graph": {
        1: _Field("node", "node", True), 2: _Field("name", "text"), 5: _Field("initializer", "tensor", True),
        10: _Field("doc_string", "text"), 11: _Field("input", "value", True), 12: _Field("output", "value", True),
        13: _Field("value_info", "value", True), 16: _PROPERTIES,
    },
    "node": {
        1: _Field("input", "text", True), 2: _Field("output", "text", True), 3: _Field("name", "text"),
        4: _Field("op_type", "text"), 5: _Field("attribute", "attribute", True), 6: _Field("doc_string", "text"),
        7: _Field("domain", "text"), 9: _PROPERTIES,
    },
    "attribute": {
        1: _Field("name", "text"), 2: _Field("f", "float"), 3: _Field("i", "integer"), 4: _Field("s", "text"),
        5: _Field("t", "tensor"), 7: _Field("floats", "float", True), 8: _Field("ints", "integer", True),
        9: _Field("strings", "text", True), 13: _Field("doc_string", "text"), 20: _Field("type", "integer"),
    },
    "tensor": {
        1: _Field("dims", "integer", True), 2: _Field("data_type", "integer"), 4: _Field("float_data", "float", True),
        5: _Field("int32_data", "integer", True), 6: _Field("string_data", "text", True),
        7: _Field("int64_data", "integer", True), 8: _Field("name", "text"), 9: _Field("raw_data", "text"),
        10: _Field("double_data", "double", True), 11: _Field("uint64_data", "integer", True),
        12: _Field("doc_string", "text"), 14: _Field("data_location", "integer"), 16: _PROPERTIES,
    },
    "value": {1: _Field("name", "text"), 2: _Field("type", "type"), 3: _Field("doc_string", "text"), 4: _PROPERTIES},
    "type": {1: _Field("tensor_type", "tensor type"), 6: _Field("denotation", "text")},
    "tensor type": {1: _Field("elem_type", "integer"), 2: _Field("shape", "shape")},
    "shape": {1: _Field("dim", "dimension", True)},
    "dimension": {1: _Field("dim_value", "integer"), 2: _Field("dim_param", "text"), 3: _Field("denotation", "text")},
}  # fmt: skip
"""All that a graph may be made of, by the numbers of onnx.proto."""

_NAMES = {
    ("model", 20): "training information", ("model", 25): "functions of its own", ("model", 26): "devices",
    ("graph", 14): "quantization annotations", ("graph", 15): "sparse tensors", ("node", 8): "an overload",
    ("node", 10): "devices", ("attribute", 6): "a subgraph", ("attribute", 10): "lists of tensors",
    ("attribute", 11): "subgraphs", ("attribute", 14): "types", ("attribute", 15): "types",
    ("attribute", 21): "the attribute of a function", ("attribute", 22): "a sparse tensor",
    ("attribute", 23): "sparse tensors", ("tensor", 3): "a tensor in segments",
    ("tensor", 13): "data outside the graph", ("tensor", 14): "data outside the graph",
    ("type", 4): "a sequence", ("type", 5): "a map", ("type", 7): "an opaque type", ("type", 8): "a sparse tensor",
    ("type", 9): "an optional value",
}  # fmt: skip
"""What must not be there and has a name in ONNX."""

_WIRES = {"integer": 0, "double": 1, "float": 5}
_WIDTHS = {1: rb".{8}", 5: rb".{4}", 0: rb"[\x80-\xff]{0,9}[\x00-\x7f]"}


def check(onnx: bytes) -> None:
    """Raise Refused unless a graph is one that may be run."""
    if len(onnx) > MAX_BYTES:
        raise Refused(f"it has {len(onnx):,} bytes; a graph may have {MAX_BYTES:,}")
    reader = _Reader(onnx)
    reader.read("model", 0, len(onnx))
    if not reader.nodes:
        raise Refused("it is no ONNX graph, or one without a node")


class _Reader:
    """Reads the bytes of one graph, once."""

    def __init__(self, onnx: bytes) -> None:
        self._bytes = onnx
        self._fields_left = MAX_FIELDS
        self.nodes = 0
        self._elements = 0

    def read(self, message: str, start: int, until: int) -> dict[str, object]:
        """Read a message with all that is in it. Returns the texts that a node has once."""
        fields = _MESSAGES[message]
        once: dict[str, object] = {}
        dims: list[int] = []
        for number, wire, at, end in self._fields(fields, start, until):
            field = fields.get(number)
            if field is None or ((message, number) == ("tensor", 14) and self._bytes[at:end] != b"\0"):
                raise Refused(f"it has {_NAMES.get((message, number), f'a field {number} in a {message}')}")
            if wire != _WIRES.get(field.kind, 2) and not (field.repeated and wire == 2):
                raise Refused(f"{field.name} of a {message} at byte {at} is of another type")
            if not field.repeated:
                if field.name in once:
                    raise Refused(f"a {message} has two of {field.name}")
                once[field.name] = self._bytes[at:end] if message == "node" else None
            if field.name == "dims":
                dims += self._packed(at, end) if wire == 2 else self._unpacked(at, end)
            elif field.kind in _MESSAGES:
                self.read(field.kind, at, end)
        if message == "node":
            self._check_node(once)
        elif message == "tensor":
            self._check_tensor(dims)
        return once

    def _check_node(self, node: dict[str, object]) -> None:
        operator, domain = (bytes(node.get(name) or b"").decode("utf-8", "replace") for name in ("op_type", "domain"))
        known = OPERATORS.get("" if domain == "ai.onnx" else domain, frozenset())
        if operator not in known:
            raise Refused(f"the operator {_shown(operator, domain)} is none that a model may have")
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise Refused(f"it has more than {MAX_NODES:,} operators")

    def _check_tensor(self, dims: list[int]) -> None:
        elements = 1
        for dim in dims:
            if dim >= 1 << 63:
                raise Refused("a tensor has a dimension below 0")
            elements *= dim
        self._elements += elements
        if self._elements > MAX_ELEMENTS or len(dims) > 16:
            raise Refused(f"its constants have more than {MAX_ELEMENTS:,} elements, or more than 16 dimensions")

    def _fields(
        self, fields: dict[int, _Field], start: int, until: int
    ) -> Iterator[tuple[int, int, int, int]]:
        """Yield number, wire type and place of each field.

        Numbers that follow each other are one field, tags included, and so are texts of a field that repeats.
        """
        here = start
        while here < until:
            tag_at = here
            tag, here = self._varint(here, until)
            number, wire = tag >> 3, tag & 7
            self._fields_left -= 1
            if self._fields_left < 0:
                raise Refused(f"it has more than {MAX_FIELDS:,} fields")
            if wire == 2:
                size, here = self._varint(here, until)
                end = here + size
                if number in fields and fields[number].repeated and fields[number].kind == "text" and tag < 128:
                    end = self._texts(tag, end, until)
            elif wire in _WIDTHS and number:
                end = _run(self._bytes[tag_at:here], wire).match(self._bytes, tag_at, until).end()
                here = here if end > tag_at else until + 1
            else:
                raise Refused(f"no field of a graph begins at byte {tag_at}")
            if here > until or end > until:
                raise Refused("it is cut off")
            yield number, wire, here, end
            here = end

    def _texts(self, tag: int, at: int, until: int) -> int:
        """Where the short texts end that follow, each with this tag in front: vocabularies are nothing else."""
        data = self._bytes
        first = at
        while at + 1 < until and data[at] == tag and data[at + 1] < 128:
            at += 2 + data[at + 1]
            self._fields_left -= 1
        return at if at <= until or at == first else until + 1

    def _varint(self, at: int, until: int) -> tuple[int, int]:
        value = shift = 0
        while at < until and shift < 70:
            byte = self._bytes[at]
            value |= (byte & 127) << shift
            at += 1
            if byte < 128:
                return value & (1 << 64) - 1, at
            shift += 7
        raise Refused("it is cut off, or has a number without an end")

    def _packed(self, at: int, end: int) -> Iterator[int]:
        while at < end:
            value, at = self._varint(at, end)
            yield value

    def _unpacked(self, at: int, end: int) -> Iterator[int]:
        """The numbers of a run: `at` is behind the tag of the first."""
        while at < end:
            value, at = self._varint(at, end)
            yield value
            if at < end:
                _, at = self._varint(at, end)


@lru_cache(maxsize=64)
def _run(tag: bytes, wire: int) -> re.Pattern:
    """The pattern of numbers, each with this tag in front: a model has a hundred thousand of them."""
    return re.compile(rb"(?:" + re.escape(tag) + _WIDTHS[wire] + rb")*+", re.DOTALL)


def _shown(operator: str, domain: str) -> str:
    name = f"{operator} of {domain}" if domain else operator
    return "".join(c if c.isprintable() else "?" for c in name)[:100]
