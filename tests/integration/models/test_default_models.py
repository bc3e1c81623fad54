"""The default models: in force from the first moment, out of the way of everybody's own, and never a reason to fail."""

import random

import psycopg
import pytest

from logintel.defaults import corpora
from logintel.training import default_models
from support.fresh import DEFAULTS, IN_FORCE, REGISTER, REGISTERED, TROUBLE
from support.lines import insert
from support.servers import Database
from support.tables import DEPLOYMENTS, MODEL_SETS, models
from support.tiny_models import deploy, tiny_model

# Puts a function in the place of _shipped_models() as soon as CREATE EXTENSION has made it, in this database alone.
BREAK = """
CREATE FUNCTION public.break_shipped_models() RETURNS event_trigger LANGUAGE plpgsql AS $break$
BEGIN
    IF to_regproc('logintel._shipped_models') IS NOT NULL AND to_regproc('logintel._sound_models') IS NULL THEN
        ALTER FUNCTION logintel._shipped_models() RENAME TO _sound_models;
        CREATE FUNCTION logintel._shipped_models() RETURNS TABLE (name text, onnx bytea, metadata jsonb, golden jsonb)
        LANGUAGE sql AS $by${by}$by$;
    END IF;
END
$break$;
CREATE EVENT TRIGGER break_shipped_models ON ddl_command_end WHEN TAG IN ('CREATE FUNCTION')
    EXECUTE FUNCTION public.break_shipped_models()
"""
BREAKAGES = {
    "a broken graph, the last to be registered": (
        "SELECT name, CASE name WHEN 'level' THEN 'no model'::bytea ELSE onnx END, metadata, golden FROM logintel._sound_models()",
        "the bytes are no ONNX graph",
    ),
    "a model that this server does not reproduce": (
        """SELECT name, onnx, metadata, replace(golden::text, '"label": "INFO"', '"label": "FATAL"')::jsonb FROM logintel._sound_models()""",
        "is 'FATAL' in scikit-learn, 'INFO' in this server",
    ),
}


def warnings_of(connection: psycopg.Connection) -> list[tuple[str | None, str | None]]:
    """Collect each warning's message and hint."""
    caught: list[tuple[str | None, str | None]] = []
    connection.add_notice_handler(
        lambda d: caught.append((d.message_primary, d.message_hint)) if d.severity_nonlocalized == "WARNING" else None
    )
    return caught


def test_creating_the_extension_registers_and_deploys_the_models_that_ship(empty_db: Database) -> None:
    warnings = warnings_of(empty_db.connection)
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    assert warnings == []
    assert empty_db.execute(REGISTERED) == [(name, 1, "default") for name in ("anomaly", "category", "level")]
    assert empty_db.value(IN_FORCE) == DEFAULTS
    assert dict(models(empty_db, "name, onnx")) == {
        name: model.onnx for name, model in default_models.models().items()
    }
    assert empty_db.execute("SELECT action, name, version, replaced_version FROM logintel.ml_deployments ORDER BY name") == [
        ("deploy", name, 1, None) for name in ("anomaly", "category", "level")
    ]


def test_the_first_insert_into_an_empty_log_table_is_scored_in_every_respect(fresh_db: Database) -> None:
    warnings = warnings_of(fresh_db.connection)
    insert(fresh_db, TROUBLE, "request 17 served")
    assert fresh_db.execute("SELECT lines, predictions, pending FROM logintel.ml_status") == [(2, 2, 0)]
    rows = fresh_db.execute(
        "SELECT predicted_level, category, labels, is_anomaly, anomaly_type, severity, model_version, "
        "level_confidence, category_confidence, anomaly_score FROM ml_predictions ORDER BY log_entry_id"
    )
    [trouble, usual] = [row[:7] for row in rows]
    assert trouble[0] in ("ERROR", "FATAL")
    assert trouble[1] in trouble[2]
    assert trouble[3:] == (True, "resource_exhaustion", "critical", DEFAULTS)
    assert usual[0] in ("DEBUG", "INFO")
    assert usual[1] in usual[2]
    assert usual[3:] == (False, None, "low", DEFAULTS)
    assert all(0 < number <= 1 for row in rows for number in row[7:])
    assert rows[1][9] < 0.5 < 0.9 < rows[0][9]
    assert warnings == []


def test_a_wrong_level_is_corrected_without_any_training(fresh_db: Database) -> None:
    fresh_db.execute("INSERT INTO log_entries (level, message) VALUES ('DEBUG', %s), ('INFO', 'request served')", (TROUBLE,))
    [(declared, predicted)] = fresh_db.execute("SELECT declared_level, predicted_level FROM logintel.ml_corrections")
    assert declared == "DEBUG"
    assert predicted in ("ERROR", "FATAL")


def test_a_message_can_be_analyzed_before_any_log_table_is_attached(empty_db: Database) -> None:
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    [(level, trouble, category, is_anomaly, models)] = empty_db.execute(
        "SELECT predicted_level, (level_probabilities ->> 'WARN')::real + (level_probabilities ->> 'ERROR')::real + "
        "(level_probabilities ->> 'FATAL')::real, category, is_anomaly, model_version FROM logintel.analyze(%s)",
        (TROUBLE,),
    )
    assert level in ("ERROR", "FATAL")
    assert trouble > 0.8
    assert (category, is_anomaly, models) == ("System", True, DEFAULTS)


def test_the_server_says_what_the_loader_says_of_a_default_model(fresh_db: Database) -> None:
    lines = [entry.line for entry in random.Random(0).sample(corpora.entries(), 200)]
    rows = fresh_db.execute(
        "SELECT predicted_level, level_confidence, category, category_confidence, anomaly_score FROM logintel.analyze("
        "(SELECT jsonb_agg(jsonb_build_object('message', m) ORDER BY n) FROM unnest(%s::text[]) WITH ORDINALITY u (m, n))) "
        'ORDER BY "position"',
        ([line.shape.template for line in lines],),
    )
    for column, name in ((0, "level"), (2, "category")):
        model = default_models.model(name)
        expected = model.probabilities(lines)
        assert [row[column] for row in rows] == [model.metadata["classes"][i] for i in expected.argmax(1)]
        assert [row[column + 1] for row in rows] == pytest.approx(expected.max(1).tolist(), abs=1e-5)
    anomaly = default_models.model("anomaly")
    normal = anomaly.metadata["classes"].index("none")
    assert [row[4] for row in rows] == pytest.approx((1 - anomaly.probabilities(lines)[:, normal]).tolist(), abs=1e-5)


def test_registering_again_changes_nothing(fresh_db: Database) -> None:
    before = fresh_db.execute(f"SELECT * FROM {DEPLOYMENTS}"), models(fresh_db, "*")
    for _ in range(2):
        assert fresh_db.value(REGISTER) == []
    assert before == (fresh_db.execute(f"SELECT * FROM {DEPLOYMENTS}"), models(fresh_db, "*"))


def test_registering_where_there_are_none_says_what_it_registered_and_lines_catch_up(db: Database) -> None:
    insert(db, TROUBLE)
    assert db.value(REGISTER) == ["anomaly 1", "category 1", "level 1"]
    assert db.value(REGISTER) == []
    assert db.value(IN_FORCE) == DEFAULTS
    assert db.value("SELECT logintel.backfill()") == 1
    assert db.value("SELECT severity FROM ml_predictions") in ("critical", "high")


def test_what_somebody_deployed_stays_in_force(db: Database) -> None:
    deploy(db, tiny_model())
    insert(db, "worker 7 failed")
    assert db.value(REGISTER) == ["anomaly 1", "category 1", "level 2"]
    assert db.execute(REGISTERED) == [
        ("anomaly", 1, "default"),
        ("category", 1, "default"),
        ("level", 1, None),
        ("level", 2, "default"),
    ]
    assert db.value(IN_FORCE) == DEFAULTS
    assert db.value("SELECT count(*) FROM logintel.ml_deployments WHERE name = 'level'") == 1
    insert(db, "entering worker 7")
    assert db.execute("SELECT predicted_level, category IS NOT NULL FROM ml_predictions ORDER BY log_entry_id") == [
        ("ERROR", False),
        ("DEBUG", True),
    ]
    assert db.value("SELECT logintel.deploy('level')") == "anomaly 1, category 1, level 2"


def test_what_somebody_deployed_instead_of_a_default_stays_in_force(fresh_db: Database) -> None:
    deploy(fresh_db, tiny_model())
    assert fresh_db.value(REGISTER) == []
    assert fresh_db.value(IN_FORCE) == "anomaly 1, category 1, level 2"


def test_a_manager_registers_the_default_models_and_nobody_else(db: Database) -> None:
    manager, reader, writer, stranger = (db.create_role(name) for name in ("manager", "reader", "writer", "stranger"))
    db.execute("SELECT logintel.grant_manage(%s)", (manager,))
    db.execute("SELECT logintel.grant_read(%s)", (reader,))
    db.execute(f"GRANT INSERT ON log_entries TO {writer}")
    for role in (reader, writer, stranger):
        session = db.connect(user=role)
        for query in (REGISTER, "SELECT * FROM logintel._shipped_models()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(query)
    assert db.execute(REGISTERED) == []
    session = db.connect(user=manager)
    assert session.execute(REGISTER).fetchone() == (["anomaly 1", "category 1", "level 1"],)
    assert db.value(IN_FORCE) == DEFAULTS
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("SELECT * FROM logintel._shipped_models()")


def test_a_creation_that_is_rolled_back_leaves_nothing(empty_db: Database) -> None:
    session = empty_db.connect(autocommit=False)
    session.execute("CREATE EXTENSION logintel_python CASCADE")
    assert session.execute("SELECT predicted_level FROM logintel.analyze(%s)", (TROUBLE,)).fetchone() is not None
    session.rollback()
    assert empty_db.value("SELECT to_regnamespace('logintel')") is None
    assert empty_db.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'") == []
    session.execute("CREATE EXTENSION logintel_python CASCADE")
    session.execute("SELECT logintel.create_log_entries()")
    session.execute("INSERT INTO log_entries (message) VALUES (%s)", (TROUBLE,))
    session.commit()
    assert empty_db.execute("SELECT models, predictions FROM logintel.ml_status") == [(DEFAULTS, 1)]


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_default_models_that_cannot_be_had_keep_nobody_from_installing(empty_db: Database, breakage: str) -> None:
    by, reason = BREAKAGES[breakage]
    empty_db.connection.execute(BREAK.replace("{by}", by))
    warnings = warnings_of(empty_db.connection)
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    [(message, hint)] = warnings
    assert message.startswith("the default models were not registered: ")
    assert reason in message
    assert hint == "Mend what it names, then SELECT logintel.register_default_models()."
    # All of them or none: what was registered before the failure is gone.
    assert empty_db.execute(REGISTERED) == []
    assert empty_db.execute(f"SELECT * FROM {MODEL_SETS}") == []
    assert empty_db.value(IN_FORCE) is None

    # Everything else is there, and lines wait.
    empty_db.execute("SELECT logintel.create_log_entries()")
    insert(empty_db, TROUBLE)
    assert empty_db.execute("SELECT lines, pending FROM logintel.ml_status") == [(1, 1)]

    # What the warning says helps once the cause is mended.
    empty_db.execute("DROP EVENT TRIGGER break_shipped_models")
    session = empty_db.connect()
    [(broken,)] = session.execute("SELECT pg_get_functiondef('logintel._shipped_models'::regproc)")
    session.execute(broken.replace(by, "SELECT * FROM logintel._sound_models()"))
    assert session.execute(REGISTER).fetchone() == (["anomaly 1", "category 1", "level 1"],)
    assert session.execute("SELECT logintel.backfill()").fetchone() == (1,)
    assert empty_db.execute("SELECT models, predictions FROM logintel.ml_status") == [(DEFAULTS, 1)]


def test_training_makes_version_two_and_rollback_returns_to_the_default(fresh_db: Database) -> None:
    fresh_db.logintel("simulate", "--lines", "1500", "--corrupt", "0.05")
    assert fresh_db.execute("SELECT DISTINCT model_version FROM ml_predictions") == [(DEFAULTS,)]
    printed = fresh_db.logintel("train", "--lines", "1500", "--deploy")
    assert "registered level 2, category 2, anomaly 2" in printed
    assert fresh_db.value(IN_FORCE) == "anomaly 2, category 2, level 2"
    assert fresh_db.execute(REGISTERED) == [
        (name, version, origin) for name in ("anomaly", "category", "level") for version, origin in ((1, "default"), (2, None))
    ]
    assert fresh_db.execute("SELECT DISTINCT replaces FROM ml_models WHERE version = 2") == [(1,)]
    assert fresh_db.value(REGISTER) == []
    assert fresh_db.value("SELECT logintel.rollback('level')") == "anomaly 2, category 2, level 1"
    fresh_db.logintel("rollback", "category")
    fresh_db.logintel("rollback", "anomaly")
    assert fresh_db.value(IN_FORCE) == DEFAULTS
    insert(fresh_db, "a message that neither simulator nor corpora know")
    assert fresh_db.value("SELECT model_version FROM ml_predictions ORDER BY log_entry_id DESC LIMIT 1") == DEFAULTS


def test_two_sessions_register_the_default_models_once(db: Database) -> None:
    first, second = db.connect(autocommit=False), db.connect(autocommit=False)
    assert first.execute("SELECT logintel.register_default_models()").fetchone() != ([],)
    second.execute("SET lock_timeout = '200ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        second.execute("SELECT logintel.register_default_models()")
    second.rollback()
    first.commit()
    assert second.execute("SELECT logintel.register_default_models()").fetchone() == ([],)
    assert len(models(db)) == 3
