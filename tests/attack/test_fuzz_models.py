"""Bytes that are nearly a graph: each is refused by an error that says so, in bounded time, whoever reads it."""

import json
import random
import time

import onnx
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from logintel_server import graphs
from support import hostile_graphs
from support.servers import Database
from support.tiny_models import tiny_forest, tiny_model

KEEP = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
GRAPHS = (tiny_model().onnx, tiny_forest().onnx, hostile_graphs.wrong_label().onnx)

# A graph that this reader takes for the end of one message and onnxruntime for a part of another must not be.
FOUND = (
    b"",
    b"\x3a",  # a graph without its length
    b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # a length of 2^64 - 1
    b"\x3a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",  # one of 11 bytes
    b"\x3b\x3c",  # a group
    b"\x08" + b"\x80" * 40,  # a number without an end
    b"\x12\x04ORTM" + tiny_model().onnx,  # onnxruntime's own format begins like this
    b"\xf2\x01\x00" + tiny_model().onnx,  # a field 30
    b"\x3a\x02\x2a\x00",  # an empty constant alone
    b"\x3a\x08\x0a\x06\x22\x04Loop",  # a node without inputs
    b"\x3a\x0e\x0a\x0c\x22\x03Add\x22\x05Loop" + b"\x00" * 2,  # two operators in a node
)


def mutated(data: bytes, changes: list[tuple[int, int, int]]) -> bytes:
    """Overwrite, insert, remove or repeat bytes: (what, where, how much) each."""
    bytes_ = bytearray(data)
    for what, where, amount in changes:
        at = where % (len(bytes_) + 1)
        if what == 0 and at < len(bytes_):
            bytes_[at] = amount & 255
        elif what == 1:
            bytes_[at:at] = bytes([amount & 255])
        elif what == 2:
            del bytes_[at : at + amount % 64]
        else:
            bytes_[at:at] = bytes_[at : at + amount % 64]
    return bytes(bytes_)


MUTATIONS = st.builds(
    mutated, st.sampled_from(GRAPHS),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 10**5), st.integers(0, 10**4)), min_size=1, max_size=4),
)  # fmt: skip


@st.composite
def messages(draw: st.DrawFn, depth: int = 0) -> bytes:
    """Any protobuf message, with the field numbers that ONNX has."""
    parts = []
    for _ in range(draw(st.integers(0, 4))):
        number, wire = draw(st.integers(1, 26)), draw(st.sampled_from([0, 1, 2, 2, 2, 5, 3]))
        content = {0: b"\x80\x01", 1: b"12345678", 5: b"1234", 3: b""}.get(wire)
        if content is None:
            inner = draw(st.binary(max_size=20) if depth > 3 else messages(depth + 1) | st.binary(max_size=20))
            content = bytes([len(inner) & 127]) + inner[:127]
        parts.append(bytes([(number << 3 | wire) & 127, *([1] if number > 15 else [])]) + content)
    return b"".join(parts)


ANY_BYTES = MUTATIONS | messages() | st.binary(max_size=200)


def named_fields(onnx_bytes: bytes) -> set[str]:
    """What of a graph must not be there, as protobuf's own library reads it."""
    proto = onnx.ModelProto.FromString(onnx_bytes)
    found = set()
    if proto.functions or proto.training_info or proto.graph.sparse_initializer:
        found.add("functions")
    tensors = [*proto.graph.initializer]
    for node in proto.graph.node:
        domain = "" if node.domain == "ai.onnx" else node.domain
        if node.op_type not in graphs.OPERATORS.get(domain, ()):
            found.add(node.op_type or "no operator")
        for attribute in node.attribute:
            tensors += [attribute.t, *attribute.tensors] if attribute.HasField("t") else [*attribute.tensors]
            if attribute.HasField("g") or attribute.graphs or attribute.HasField("sparse_tensor"):
                found.add("subgraph")
    found |= {"outside" for tensor in tensors if tensor.external_data or tensor.data_location}
    return found


def with_examples(check):
    for found in FOUND:
        check = example(found)(check)
    return check


def test_what_the_reader_lets_pass_protobuf_reads_the_same() -> None:
    passed = []

    @seed(20261130)
    @settings(max_examples=1500, **KEEP)
    @given(ANY_BYTES)
    @with_examples
    def check(data: bytes) -> None:
        started = time.monotonic()
        try:
            graphs.check(data)
        except graphs.Refused as error:
            assert str(error).isprintable()
            return
        finally:
            assert time.monotonic() - started < 10
        passed.append(data)
        try:
            forbidden = named_fields(data)
        except Exception:  # onnxruntime refuses it too
            return
        assert not forbidden

    check()
    assert len(passed) > 50, "the test says little of what passes"


def test_a_graph_of_nothing_but_short_fields_is_read_in_bounded_time() -> None:
    started = time.monotonic()
    for data in (b"\x3a\x80\x80\x80\x20" + b"\x0a\x00" * (32 << 20), b"\x0a\x00" * (32 << 20), b"\x72\x00" * (32 << 20)):
        with pytest.raises(graphs.Refused):
            graphs.check(data[: graphs.MAX_BYTES])
    assert time.monotonic() - started < 60


def test_the_sql_reader_refuses_or_reads_and_never_fails_otherwise(db: Database) -> None:
    """_compile() reads what any import brings, in the server itself."""
    db.execute("SET statement_timeout = '20 s'")
    known = ("the bytes are no ONNX graph: ", " cannot be scored in SQL", "a model of one class")

    @seed(20261130)
    @settings(max_examples=250, **KEEP)
    @given(ANY_BYTES)
    @with_examples
    def check(data: bytes) -> None:
        try:
            db.execute("SELECT classes, cardinality(keys) FROM logintel._compile(%s)", (data,))
        except (psycopg.errors.InvalidParameterValue, psycopg.errors.FeatureNotSupported) as error:
            message = error.diag.message_primary
            assert any(words in message for words in known) or "of two vectorizers" in message, message

    check()


def test_import_model_refuses_what_is_no_graph_by_the_models_name(db: Database) -> None:
    generator = random.Random(20261130)
    model = tiny_model()
    changed = [
        mutated(model.onnx, [(generator.randrange(4), generator.randrange(10**5), generator.randrange(10**4))])
        for _ in range(12)
    ]
    for data in [*FOUND, *changed]:
        try:
            db.execute(
                "SELECT logintel.import_model('level', %s, %s, %s)",
                (data, json.dumps(model.metadata), json.dumps(model.golden)),
            )
        except psycopg.Error as error:
            assert "model level" in error.diag.message_primary, error.diag.message_primary
    assert db.value("SELECT count(*) FROM ml_models") <= len(changed)
