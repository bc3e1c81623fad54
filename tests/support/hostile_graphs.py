"""Graphs that somebody means ill with: each is the usual tiny model, changed in one way."""

from collections.abc import Callable, Sequence

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from support.tiny_models import TinyModel, tiny_model

SIZE = 512


def changed(change: Callable[[ModelProto], None], golden: Sequence[str] = ()) -> TinyModel:
    """The usual tiny model with a change to its graph, and the golden cases of these labels, by default all."""
    model = tiny_model()
    proto = onnx.load_from_string(model.onnx)
    change(proto)
    cases = [case for case in model.golden if not golden or case["label"] in golden]
    return TinyModel(model.name, proto.SerializeToString(), model.metadata, cases)


def external(place: str = "initializer", file: str = "postgresql.conf") -> TinyModel:
    """A graph with a tensor whose data are in a file, in one of the places that ONNX has for tensors."""
    tensor = TensorProto(name="stolen", data_type=TensorProto.UINT8, dims=[256], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=file)
    tensor.external_data.add(key="length", value="256")

    def change(proto: ModelProto) -> None:
        if place == "initializer":
            proto.graph.initializer.append(tensor)
        elif place == "attribute":
            proto.graph.node.append(helper.make_node("Constant", [], ["stolen"], value=tensor))
        elif place == "list of an attribute":
            proto.graph.node[0].attribute.append(helper.make_attribute("tensors", [tensor]))
        elif place == "sparse tensor":
            proto.graph.sparse_initializer.add(values=tensor, dims=[256])
        elif place == "subgraph":
            inner = helper.make_graph([], "inner", [], [], [tensor])
            proto.graph.node[0].attribute.append(helper.make_attribute("body", inner))
        elif place == "function":
            proto.functions.add(name="f", domain="mine").node.append(
                helper.make_node("Constant", [], ["stolen"], value=tensor)
            )
        elif place == "training":
            proto.training_info.add().algorithm.initializer.append(tensor)

    return changed(change)


def operator(name: str, domain: str = "") -> TinyModel:
    """A graph with a node of its own, of any operator."""
    node = helper.make_node(name, ["words"], ["unused"], domain=domain)
    return changed(lambda proto: proto.graph.node.append(node))


def slow(steps: int = 400) -> TinyModel:
    """A graph that multiplies by one a matrix at a time: it says what it always said, and takes 10 ms or so a shape."""

    def change(proto: ModelProto) -> None:
        [at] = [i for i, node in enumerate(proto.graph.node) if node.op_type == "LinearClassifier"]
        classifier = proto.graph.node[at]
        counts, width = classifier.input[0], len(tiny_model().golden)
        for name, rows, columns in (("wide", width, SIZE), ("one", SIZE, SIZE), ("narrow", SIZE, width)):
            proto.graph.initializer.append(numpy_helper.from_array(np.eye(rows, columns, dtype=np.float32), name))
        names = ["wide", *["one"] * steps, "narrow"]
        nodes = _chain("MatMul", counts, names, "multiplied")
        classifier.input[0] = nodes[-1].output[0]
        for node in reversed(nodes):
            proto.graph.node.insert(at, node)

    return changed(change)


def doubling(times: int = 34) -> TinyModel:
    """A graph that has its counts side by side, twice and twice again: terabytes."""

    def change(proto: ModelProto) -> None:
        [at] = [i for i, node in enumerate(proto.graph.node) if node.op_type == "LinearClassifier"]
        last = proto.graph.node[at].input[0]
        for i in range(times):
            proto.graph.node.insert(at + i, helper.make_node("Concat", [last, last], [f"twice_{i}"], axis=1))
            last = f"twice_{i}"
        proto.graph.output.append(helper.make_tensor_value_info(last, TensorProto.FLOAT, None))
        _said_too(proto, last)

    return changed(change)


def _said_too(proto: ModelProto, name: str) -> None:
    """Have the probabilities depend on a value, by its sum times zero."""
    axes, nothing = (numpy_helper.from_array(np.array(v, t), n) for n, v, t in
                     (("axes", [1], np.int64), ("nothing", 0, np.float32)))  # fmt: skip
    proto.graph.initializer.extend([axes, nothing])
    proto.graph.node.extend([
        helper.make_node("ReduceSum", [name, "axes"], ["sum"], keepdims=1),
        helper.make_node("Mul", ["sum", "nothing"], ["zero"]),
        helper.make_node("Add", [_renamed(proto, "probabilities"), "zero"], ["probabilities"]),
    ])


def wrong_label(label: str = 'od"d\\{,}') -> TinyModel:
    """A graph that calls FATAL something else, which no golden case shows."""

    def change(proto: ModelProto) -> None:
        classes = tiny_model().metadata["classes"]
        said = [label if name == "FATAL" else name for name in classes]
        proto.graph.node.append(
            helper.make_node("LabelEncoder", [_renamed(proto, "label")], ["label"], domain="ai.onnx.ml",
                             keys_strings=classes, values_strings=said)
        )  # fmt: skip
        _of_version(proto, "ai.onnx.ml", 3)

    return changed(change, ("INFO", "ERROR", "WARN"))


def wrong_probabilities(kind: str) -> TinyModel:
    """A graph whose probabilities are `NaN`, or `above 1`, where it is sure of FATAL, which no golden case shows."""

    def change(proto: ModelProto) -> None:
        number = tiny_model().metadata["classes"].index("FATAL")
        for name, value in (("column", np.array([number])), ("limit", np.float32(0.9)), ("nothing", np.float32(0))):
            proto.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        first = _renamed(proto, "probabilities")
        nodes = [
            helper.make_node("Gather", [first, "column"], ["fatal"], axis=1),
            helper.make_node("Sub", ["limit", "fatal"], ["rest"]),
            helper.make_node("Log", ["rest"], ["zero or NaN"]),
            helper.make_node("Mul", ["zero or NaN", "nothing"], ["added"]),
        ]
        if kind != "NaN":
            nodes[2:] = [helper.make_node("Neg", ["rest"], ["less"]), helper.make_node("Relu", ["less"], ["added"])]
        proto.graph.node.extend([*nodes, helper.make_node("Add", [first, "added"], ["probabilities"])])

    return changed(change, ("INFO", "ERROR", "WARN"))


def _renamed(proto: ModelProto, output: str) -> str:
    """Give what makes an output another name, which is returned, so that something else can make it."""
    for node in proto.graph.node:
        for i, name in enumerate(node.output):
            if name == output:
                node.output[i] = f"first_{output}"
    return f"first_{output}"


def _of_version(proto: ModelProto, domain: str, version: int) -> None:
    for opset in proto.opset_import:
        if opset.domain == domain:
            opset.version = version


def _chain(operator: str, first: str, others: Sequence[str], prefix: str) -> list[NodeProto]:
    nodes = []
    for i, other in enumerate(others):
        nodes.append(helper.make_node(operator, [first, other], [f"{prefix}_{i}"]))
        first = nodes[-1].output[0]
    return nodes
