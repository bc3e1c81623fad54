"""Models come in only when this server reproduces them, and go into force and back as versions."""

import dataclasses
import json
from collections.abc import Callable

import psycopg
import pytest

from support.servers import Database
from support.tables import MODELS, models
from support.tiny_models import LEVELS, TinyModel, deploy, register, tiny_model


def _golden(model: TinyModel, change: Callable[[dict], None]) -> TinyModel:
    golden = json.loads(json.dumps(model.golden))
    change(golden[0])
    return dataclasses.replace(model, golden=golden)


def _metadata(model: TinyModel, **change: object) -> TinyModel:
    return dataclasses.replace(model, metadata=model.metadata | change)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda m: _golden(m, lambda g: g["probabilities"].__setitem__(0, g["probabilities"][0] + 2e-5)),
            "golden case 1 is off by 2.0e-05",
        ),
        (
            lambda m: _golden(m, lambda g: g.update(label="FATAL")),
            "golden case 1 is 'FATAL' in scikit-learn, 'INFO' in this server",
        ),
        (lambda m: _golden(m, lambda g: g.pop("shape")), "a golden case lacks 'shape'"),
        (
            lambda m: _metadata(m, classes=["DEBUG", "ERROR", "FATAL", "WARN"]),
            'gives 5 probabilities for ["DEBUG", "ERROR", "FATAL", "WARN"]',
        ),
        (lambda m: dataclasses.replace(m, golden=[]), "has no golden cases"),
        (lambda m: dataclasses.replace(m, onnx=b"\x00garbage"), "model level cannot be used: no field of a graph begins at byte 0"),
        (lambda m: _metadata(m, kind="magic"), "has the kind 'magic'"),
        (lambda m: _metadata(m, classes=["GOOD", "BAD"]), 'its classes are ["GOOD", "BAD"]'),
        (lambda m: _metadata(m, classes=["INFO", "WARN"]), 'gives 5 probabilities for ["INFO", "WARN"]'),
        (lambda m: dataclasses.replace(m, name="weather"), 'unknown model name "weather"'),
    ],
)
def test_a_model_that_is_not_what_it_says_is_refused(
    db: Database, spoil: Callable[[TinyModel], TinyModel], message: str
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        register(db, spoil(tiny_model()))
    assert message in str(caught.value)
    assert models(db) == []


def test_a_level_model_that_reads_the_declared_level_is_refused(db: Database) -> None:
    with pytest.raises(psycopg.Error, match="reads the declared level"):
        register(db, tiny_model("level", LEVELS, feature="level"))


def test_versions_are_counted_by_name(db: Database) -> None:
    assert [
        register(db, tiny_model()),
        register(db, tiny_model()),
        register(db, tiny_model("anomaly", (("a", "none"), ("b", "anomaly")))),
    ] == [1, 2, 1]


def test_rollback_returns_to_what_was_replaced_however_often(db: Database) -> None:
    for _ in range(3):
        deploy(db, tiny_model())
    assert db.value("SELECT logintel.rollback('level')") == "level 2"
    assert db.value("SELECT logintel.rollback('level')") == "level 1"
    with pytest.raises(psycopg.Error, match='model "level" has no earlier deployment'):
        db.execute("SELECT logintel.rollback('level')")
    assert db.value("SELECT logintel.deploy('level')") == "level 3"
    assert db.value("SELECT logintel.rollback('level')") == "level 1"
    assert db.execute("SELECT action, version, replaced_version FROM ml_deployments LIMIT 2") == [
        ("rollback", 1, 3),
        ("deploy", 3, 1),
    ]


def test_a_rolled_back_deploy_never_was(db: Database) -> None:
    deploy(db, tiny_model())
    register(db, tiny_model())
    session = db.connect(autocommit=False)
    session.execute("SELECT logintel.deploy('level')")
    session.rollback()
    assert db.value("SELECT models FROM ml_status") == "level 1"


def test_deploying_what_is_not_there_names_what_is(db: Database) -> None:
    register(db, tiny_model())
    with pytest.raises(psycopg.Error) as caught:
        db.execute("SELECT logintel.deploy('level', 7)")
    assert caught.value.diag.message_primary == 'there is no model "level" version 7'
    assert caught.value.diag.message_hint == "Registered: level 1."


def test_a_broken_model_is_not_put_into_force(db: Database) -> None:
    deploy(db, tiny_model())
    db.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    register(db, tiny_model())
    db.execute(f"UPDATE {MODELS} SET onnx = 'no model' WHERE version = 2")
    with pytest.raises(psycopg.Error, match="model level 2 is corrupt"):
        db.execute("SELECT logintel.deploy('level')")
    assert db.value("SELECT models FROM ml_status") == "level 1"


def test_settings_act_at_once_and_refuse_nonsense(db: Database) -> None:
    deploy(db)
    db.execute("INSERT INTO log_entries (message) VALUES ('panicked')")
    assert db.value("SELECT is_anomaly FROM ml_predictions") is True
    db.execute("UPDATE logintel.settings SET value = '1' WHERE name = 'anomaly_threshold'")
    assert db.execute("SELECT is_anomaly, severity FROM ml_predictions") == [(False, "high")]
    for name, value in (("mode", "fast"), ("anomaly_threshold", "1.5"), ("classification_min_confidence", "NaN")):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match=f"setting {name} cannot be"):
            db.execute("UPDATE logintel.settings SET value = %s WHERE name = %s", (value, name))
