"""import_model() takes a graph whole or not at all, and a graph that runs can be ended."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from logintel_server import graphs, runtime, watching
from support import hostile_graphs
from support.lines import insert
from support.servers import Database
from support.tables import MODELS, PENDING, PREDICTIONS
from support.tiny_models import TinyModel, deploy, register, tiny_forest, tiny_model

PLACES = ("initializer", "attribute", "list of an attribute", "sparse tensor", "subgraph", "function", "training")
OPERATORS = (
    ("Loop", ""), ("Scan", ""), ("If", ""), ("RandomNormal", ""), ("ConstantOfShape", ""), ("Tile", ""), ("Resize", ""),
    ("ZipMap", "ai.onnx.ml"), ("EPContext", "com.microsoft"), ("BeamSearch", "com.microsoft"), ("Tokenizer", "mine"),
    ("Identity", "ai.onnx.preview.training"), ("f", "mine"),
)  # fmt: skip


def refused(model: TinyModel) -> str:
    with pytest.raises(graphs.Refused) as caught:
        graphs.check(model.onnx)
    return str(caught.value)


@pytest.mark.parametrize("place", PLACES)
def test_no_place_of_a_graph_may_have_data_outside_it(place: str) -> None:
    assert re.search("outside|tensors|subgraph|functions|training", refused(hostile_graphs.external(place)))


@pytest.mark.parametrize(("name", "domain"), OPERATORS)
def test_an_operator_that_is_not_listed_is_refused(name: str, domain: str) -> None:
    assert f"the operator {name}" in refused(hostile_graphs.operator(name, domain))


def test_a_graph_is_refused_for_its_size_its_nodes_and_what_its_constants_declare() -> None:
    node = hostile_graphs.operator("Identity").onnx

    def many(proto) -> None:
        proto.graph.node.extend([proto.graph.node[0]] * graphs.MAX_NODES)

    def large(proto) -> None:
        for name in ("one", "two"):
            proto.graph.initializer.add(name=name, data_type=1, dims=[graphs.MAX_ELEMENTS])

    def negative(proto) -> None:
        proto.graph.initializer.add(name="one", data_type=1, dims=[-1])

    assert "67,108,864" in refused(TinyModel("level", node.ljust(graphs.MAX_BYTES + 1), {}, []))
    assert "more than 5,000 operators" in refused(hostile_graphs.changed(many))
    assert "more than 67,108,864 elements" in refused(hostile_graphs.changed(large))
    assert "a dimension below 0" in refused(hostile_graphs.changed(negative))


def test_what_says_one_thing_twice_is_refused() -> None:
    """Readers differ in which of two they take: this one and onnxruntime must not."""
    onnx = tiny_model().onnx
    assert "has two of" in refused(TinyModel("level", onnx + onnx, {}, []))  # to protobuf, these are one message


def test_a_graph_with_external_data_reads_no_file_of_the_server(db: Database) -> None:
    for place in PLACES:
        with pytest.raises(psycopg.Error, match=r"(?m)model level cannot be used: it has [a-z ]+$"):
            register(db, hostile_graphs.external(place, "PG_VERSION"))
    assert db.execute(f"SELECT count(*) FROM {MODELS}") == [(0,)]


def test_a_graph_that_came_another_way_than_import_model_is_not_run_either(db: Database) -> None:
    """Whoever owns the schema may be no superuser, and writes its tables."""
    deploy(db, tiny_forest())
    onnx = hostile_graphs.external("attribute", "PG_VERSION").onnx
    db.execute(f"UPDATE {MODELS} SET onnx = %s, sha256 = encode(sha256(%s), 'hex')", (onnx, onnx))
    with pytest.raises(psycopg.Error, match="model level 1 cannot be used: it has data outside the graph"):
        db.connect().execute("SELECT * FROM logintel.analyze('failed')")


def test_a_graph_that_eats_memory_is_an_error_that_names_the_model(db: Database) -> None:
    with pytest.raises(psycopg.Error, match=r"model level cannot be run: .*bad_alloc"):
        register(db, hostile_graphs.doubling())
    assert db.value("SELECT 1") == 1


@contextlib.contextmanager
def importing(db: Database, model: TinyModel) -> Iterator[tuple[int, Future]]:
    """Register a model in a session of its own; yields its process and what will become of it."""
    session = db.connect()
    arguments = (model.name, model.onnx, json.dumps(model.metadata), json.dumps(model.golden))
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(session.execute, "SELECT logintel.import_model(%s, %s, %s, %s)", arguments)
        yield session.info.backend_pid, done


def child_of(process: int, done: Future) -> int:
    """Wait for a process of the server to have a child, and return it once that runs a graph."""
    while not done.done():
        found = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True).stdout.split()
        with contextlib.suppress(OSError, IndexError):
            child = int(found[0])
            if "onnxruntime" in Path(f"/proc/{child}/maps").read_text():
                return child
        time.sleep(0.01)
    raise AssertionError(f"no process ran the graph: {done.exception()}")


@pytest.mark.local_only
def test_a_graph_that_crashes_onnxruntime_kills_no_session(db: Database) -> None:
    with importing(db, hostile_graphs.slow()) as (process, done):
        os.kill(child_of(process, done), signal.SIGSEGV)
        with pytest.raises(psycopg.Error, match="model level ended the process that tried it, by SIGSEGV"):
            done.result()
    assert register(db, tiny_model()) == 1


@pytest.mark.local_only
def test_the_process_that_tries_a_graph_has_nothing_of_the_servers(db: Database) -> None:
    with importing(db, hostile_graphs.slow()) as (process, done):
        child = child_of(process, done)
        here = os.readlink(f"/proc/{child}/cwd")
        files = [os.readlink(f"/proc/{child}/fd/{fd}") for fd in os.listdir(f"/proc/{child}/fd")]
        names = {line.split("=")[0] for line in Path(f"/proc/{child}/environ").read_text().split("\0") if line}
        limits = Path(f"/proc/{child}/limits").read_text()
        db.execute("SELECT pg_cancel_backend(%s)", (process,))
        with pytest.raises(psycopg.errors.QueryCanceled):
            done.result()
    assert re.search(r"Max file size +0 ", limits) and re.search(r"Max core file size +0 ", limits)
    assert here.startswith("/tmp/logintel-") and not os.path.exists(here)
    assert not [file for file in files if "socket" in file or "/data/" in file], files
    assert names <= {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR"}
    assert not os.path.exists(f"/proc/{child}")


SHAPES = [f"started {a}{b}" for a in "abcdefghijklmnop" for b in "abcdefghijklmnop"]
SCORE = """
    SELECT logintel._score_shapes(logintel._set_in_force(), ROW(NULL, s.text, s.none, s.none, s.none, s.none, s.none, NULL)::logintel._shapes)
    FROM (SELECT array_agg(t) AS text, array_agg(''::text) AS none FROM unnest(%s::text[]) AS t) AS s"""


@pytest.fixture
def slow_db(db: Database) -> Database:
    """A database whose level model takes seconds for what is in SHAPES."""
    deploy(db, hostile_graphs.slow())
    return db


def seconds(session: psycopg.Connection, expected: type[Exception] | None = None) -> float:
    started = time.monotonic()
    with pytest.raises(expected) if expected else contextlib.nullcontext():
        session.execute(SCORE, (SHAPES,))
    return time.monotonic() - started


@pytest.mark.parametrize("how", ["timeout", "cancel", "terminate"])
def test_a_running_graph_ends_when_the_statement_is_to_end(slow_db: Database, how: str) -> None:
    session = slow_db.connect()
    whole = seconds(session)
    soon = whole / 8  # a fraction and no fixed time: machines differ in how long a graph takes
    if how == "timeout":
        session.execute("SELECT set_config('statement_timeout', %s, false)", (f"{max(1, round(soon * 1000))} ms",))
    else:
        query = sql.SQL("SELECT {}(%s)").format(sql.Identifier(f"pg_{how}_backend"))
        timer = threading.Timer(soon, slow_db.execute, (query, (session.info.backend_pid,)))
        timer.start()
    ended = psycopg.errors.AdminShutdown if how == "terminate" else psycopg.errors.QueryCanceled
    assert seconds(session, ended) < whole / 2
    if how != "terminate":
        session.execute("RESET statement_timeout")
        assert session.execute("SELECT predicted_level FROM logintel.analyze('failed')").fetchall() == [("ERROR",)]


def test_what_is_not_scored_by_the_deadline_of_the_write_waits(slow_db: Database) -> None:
    slow_db.execute(
        "CREATE OR REPLACE FUNCTION logintel._scoring_deadline() RETURNS timestamptz LANGUAGE sql STABLE "
        "RETURN statement_timestamp() + interval '0.5 s'"
    )
    with slow_db.connect() as session:
        session.execute("INSERT INTO log_entries (message) SELECT unnest(%s::text[])", (SHAPES,))
    assert slow_db.execute(f"SELECT (SELECT count(*) FROM {PREDICTIONS}), (SELECT count(*) FROM {PENDING})") == [(0, 256)]
    assert slow_db.value("SELECT level_confidence > 0 FROM logintel.analyze('failed')"), "the next time is another time"


@pytest.mark.parametrize("deadline", ["", "soon", "NaN", "inf", "1e400"])
def test_a_deadline_that_is_none_refuses_no_line(db: Database, deadline: str) -> None:
    deploy(db, tiny_forest())
    session = db.connect()
    session.execute("SELECT set_config('logintel.deadline', %s, false)", (deadline,))
    session.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    assert db.value(f"SELECT count(*) FROM {PREDICTIONS}") == 1


def test_a_graph_ends_while_it_is_loaded_too() -> None:
    """What depends on constants alone is computed when a graph is loaded, and these are a second and more of it."""
    import numpy as np
    from onnx import helper, numpy_helper

    def change(proto) -> None:
        proto.graph.initializer.append(numpy_helper.from_array(np.eye(2048, dtype=np.float32), "m0"))
        for i in range(300):
            proto.graph.node.insert(i, helper.make_node("MatMul", [f"m{i}", "m0"], [f"m{i + 1}"]))
        proto.graph.output.append(helper.make_tensor_value_info("m300", 1, [2048, 2048]))

    model = hostile_graphs.changed(change)
    with watching.time_limit(0.3), pytest.raises(runtime.RanOutOfTime, match="while it was loaded"):
        runtime.open_model("level", "level 1", model.onnx, model.metadata)


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        (hostile_graphs.wrong_label(), "gives the label .*, which is none of its classes"),
        (hostile_graphs.wrong_probabilities("NaN"), "gives probabilities that are not from 0 to 1"),
        (hostile_graphs.wrong_probabilities("above 1"), "gives probabilities that are not from 0 to 1"),
    ],
    ids=["label", "NaN", "above 1"],
)
def test_what_no_model_may_say_is_never_stored(db: Database, model: TinyModel, fault: str) -> None:
    deploy(db, model)
    insert(db, "it has panicked")
    assert db.execute(f"SELECT (SELECT count(*) FROM {PREDICTIONS}), (SELECT count(*) FROM {PENDING})") == [(0, 1)]
    with pytest.raises(psycopg.Error, match=f"model level 1 {fault}"):
        db.execute("SELECT * FROM logintel.analyze('it has panicked')")
    insert(db, "it has failed")
    assert db.execute("SELECT predicted_level FROM ml_predictions") == [("ERROR",)]
