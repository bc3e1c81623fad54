"""Whatever import_model() accepts as metadata, everything that reads it goes on working."""

import contextlib
import json
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from support.lines import insert
from support.servers import Database
from support.tiny_models import ANOMALIES, TinyModel, register, tiny_model

HUGE = 10**400
TINY = "1e-400"  # JSON's, which Python rounds to 0
LONG = "x" * 3000
SHARES = {"lines": 1000, "classes": {"INFO": 1.0}, "confidence": [0.1] * 10, "usual": {"classes": 0.1}}
BASELINE = {**SHARES, "mix": {"app": 1.0}, "hours": [1 / 24] * 24, "services": {"app": SHARES}}


def metadata(**changes: Any) -> dict[str, Any]:
    return tiny_model().metadata | changes


def import_(db: Database, described: dict[str, Any] | str) -> int:
    model = tiny_model()
    text = described if isinstance(described, str) else json.dumps(described)
    return db.value(
        "SELECT logintel.import_model('level', %s, %s, %s)", (model.onnx, text, json.dumps(model.golden))
    )


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"accuracy": HUGE}, "accuracy is no number"),
        ({"accuracy": "0.5"}, "accuracy is no number"),
        ({"macro_f1": -1}, "macro_f1 is no number"),
        ({"samples": {"lines": HUGE}}, "samples.lines is no whole number"),
        ({"trained_from": {"lines": 9 * 10**18}}, "trained_from.lines is no whole number"),
        ({"trained_with": {"lines": 1.5}}, "trained_with.lines is no whole number"),
        ({"tokens_version": 2**31}, "tokens_version is no whole number"),
        ({"shape_version": 0.0}, "shape_version is no whole number"),  # ml_retrain_advice failed
        ({"replaces": []}, "replaces is no whole number"),
        ({"trained_at": "294276-12-31"}, "trained_at is no time"),
        ({"trained_at": "2026-02-31"}, "trained_at is no time"),
        ({"trained_at": "0001-01-01 BC"}, "trained_at is no time"),
        ({"trained_at": "2026-01-01 infinity"}, "trained_at is no time"),
        ({"classes": []}, "not 1 to 200 different ones"),
        ({"classes": ["INFO", "INFO"]}, "not 1 to 200 different ones"),
        ({"classes": ["INFO", "a\u0001b"]}, "control characters"),
        ({"classes": ["INFO", ""]}, "is empty"),
        ({"classes": ["INFO", LONG]}, "longer than 100 characters"),
        ({"tokenizer": {}}, "its tokenizer is no text"),
        ({"vocabulary": None}, "its vocabulary is no list"),  # onnxruntime's side failed while it was loaded
        ({"members": None}, "has members"),  # deploy() failed
        ({"members": [1]}, "has members"),
        ({"baseline": BASELINE | {"lines": HUGE}}, "its baseline needs lines"),
        ({"baseline": BASELINE | {"mix": {LONG: 1}}}, "its baseline needs mix"),
        ({"baseline": BASELINE | {"services": {LONG: SHARES}}}, "its baseline needs lines"),
        ({"baseline": BASELINE | {"anomaly_threshold": 1e-200}}, "anomaly_threshold that is no number"),
        ({"notes": "x" * 2**24}, "more than the 16777216 that a model may have"),
    ],
)  # fmt: skip
def test_metadata_that_nothing_could_read_are_refused(db: Database, changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(psycopg.Error, match=f"model level: .*{fault}"):
        import_(db, metadata(**changes))


def test_numbers_that_json_has_and_a_double_has_not_are_refused(db: Database) -> None:
    for key, value in (("accuracy", TINY), ("baseline", json.dumps(BASELINE).replace("0.1", TINY))):
        text = json.dumps(metadata(**{key: "HERE"})).replace('"HERE"', value)
        with pytest.raises(psycopg.Error, match="model level: "):
            import_(db, text)


def test_a_nul_is_no_text(db: Database) -> None:
    with pytest.raises(psycopg.errors.UntranslatableCharacter):
        import_(db, metadata(candidate="a\0b"))


def test_an_outlier_model_needs_a_curve_that_can_be_computed(db: Database) -> None:
    for changes in ({"center": HUGE}, {"scale": 0}, {"scale": -1}, {"scale": "1"}, {"center": None}):
        described = {"kind": "outlier", "vocabulary": [], "center": 0.1, "scale": 0.1} | changes
        with pytest.raises(psycopg.Error, match="its center or its scale"):
            db.execute(
                "SELECT logintel.import_model('anomaly', %s, %s, %s)",
                (tiny_model().onnx, json.dumps(described), json.dumps([])),
            )


def test_an_anomaly_model_knows_an_anomaly(db: Database) -> None:
    model = tiny_model("anomaly", ANOMALIES)
    with pytest.raises(psycopg.Error, match="no type of anomaly"):
        register(db, TinyModel(model.name, model.onnx, model.metadata | {"classes": ["none"]}, model.golden))


NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1, HUGE, -HUGE, 10**15, 10**16, 2**31, 2**31 - 1, 2**63, 5e-324, 1e-101, 1e308, True]),
)  # fmt: skip
TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(["", LONG, "a\u0001", "NaN", "Infinity", "{}", "none", "default", "2026-01-31T12:00:00+00:00",
                     "9999-12-31T23:59:59+00:00", "0000-01-01", "2026-01-31 24:00", "infinity", "now", "%", "$1"]),
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
LINES = st.fixed_dictionaries({"lines": VALUES}) | VALUES
KEYS = {
    **dict.fromkeys(
        ("accuracy", "macro_f1", "accuracy_time_split", "accuracy_random_split", "shape_version", "tokens_version",
         "replaces"), NUMBERS | VALUES),
    **dict.fromkeys(("samples", "trained_from", "trained_with"), LINES),
    **dict.fromkeys(("candidate", "origin", "combine", "members", "notes", "vocabulary", "target"), VALUES),
    "trained_at": st.datetimes().map(str) | st.datetimes().map(lambda t: t.isoformat() + "Z") | TEXTS,
}  # fmt: skip
PARTS = {
    "lines": NUMBERS, "mix": st.dictionaries(TEXTS, NUMBERS, max_size=3), "hours": st.lists(NUMBERS, min_size=24, max_size=24),
    "classes": st.dictionaries(TEXTS, NUMBERS, max_size=3), "confidence": st.lists(NUMBERS, min_size=10, max_size=10),
    "usual": st.dictionaries(st.sampled_from(["classes", "confidence", "new_templates", "x"]), NUMBERS | st.none(), max_size=3),
    "anomaly_threshold": NUMBERS, "templates": st.lists(TEXTS, max_size=3), "vocabulary": st.lists(TEXTS, max_size=3),
}  # fmt: skip
BASELINES = st.one_of(
    st.fixed_dictionaries({}, optional=PARTS).map(lambda parts: BASELINE | parts),
    st.fixed_dictionaries({}, optional={k: PARTS[k] for k in ("lines", "classes", "confidence", "usual")}).map(
        lambda parts: BASELINE | {"services": {"app": SHARES | parts}}),
    VALUES,
)  # fmt: skip

READERS = (
    "SELECT * FROM ml_models", "SELECT * FROM ml_status", "SELECT * FROM ml_retrain_advice", "SELECT * FROM ml_drift",
    "SELECT * FROM ml_model_metrics", "SELECT * FROM ml_deployments", "SELECT logintel.request_retraining('{level}')",
    "SELECT * FROM logintel.export_model('level')", "SELECT * FROM ml_recent_predictions",
)  # fmt: skip


@pytest.mark.timeout(300)
def test_whatever_is_accepted_is_read_by_everything(db: Database) -> None:
    """Each version is put into force over lines that wait to be counted and judged, and is gone after it."""
    import_(db, metadata())
    db.execute("SELECT logintel.deploy('level')")
    insert(db, *["something failed", "panicked", "started"] * 20, service="app")
    fast = db.connect(autocommit=False)
    fast.execute("SET synchronous_commit = off")
    # What runs graphs has nothing to do with metadata, and takes its time.
    fast.execute("CREATE OR REPLACE FUNCTION logintel._check_by_python(name text, onnx bytea, metadata jsonb, golden jsonb) RETURNS void LANGUAGE sql AS ''")
    fast.commit()
    accepted = []

    @seed(20261130)
    @settings(max_examples=120, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.fixed_dictionaries({}, optional=KEYS | {"baseline": BASELINES}))
    @example({"trained_from": {"lines": 10**15}, "trained_with": {"lines": 10**15}})
    @example({"baseline": BASELINE | {"lines": 10**15, "mix": {"x" * 1000: 1e15}}})
    @example({"baseline": BASELINE | {"mix": {"app": 1e-100}, "classes": {"INFO": 0, "ERROR": 1e-100}}})
    @example({"trained_at": "1970-01-01", "accuracy": 10**15})
    def check(changes: dict[str, Any]) -> None:
        fast.rollback()
        try:
            fast.execute(
                "SELECT logintel.import_model('level', %s, %s, %s)",
                (tiny_model().onnx, json.dumps(metadata(**changes)), json.dumps(tiny_model().golden)),
            )
        except psycopg.errors.InvalidParameterValue as refused:
            assert str(refused).startswith("model level: ")
            return
        accepted.append(changes)
        fast.execute("SELECT logintel.deploy('level')")
        for task in ("_task", "_check"):
            for (handler,) in fast.execute("SELECT h FROM logintel._handlers(%s) AS h", (task[1:],)).fetchall():
                if "python" not in handler:
                    fast.execute(f"SELECT * FROM logintel.{handler}()")
        for query in READERS:
            fast.execute(query)

    with contextlib.closing(fast):
        check()
    assert len(accepted) > 10, "the test says little of what is accepted"
