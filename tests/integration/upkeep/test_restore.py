"""A dump holds all that is the user's: logs, predictions, models, settings, and they work where they are restored."""

import psycopg
import pytest

from support.dumps import restore
from support.fresh import DEFAULTS, IN_FORCE, REGISTER, REGISTERED, TROUBLE
from support.lines import insert
from support.measured import measured
from support.servers import Database
from support.tables import DEPLOYMENTS, MODEL_SETS, MODELS, scores
from support.tiny_models import deploy, register, tiny_model


@pytest.mark.local_only  # pg_dump must be as new as the server
def test_dump_and_restore_keep_predictions_and_go_on_scoring(db: Database, empty_db: Database) -> None:
    db.execute("SELECT logintel.detach()")
    db.execute("DROP TABLE log_entries")
    db.execute("CREATE TABLE events (no int PRIMARY KEY, text text)")
    db.execute("""SELECT logintel.attach('events', '{"id": "no", "message": "text"}')""")
    deploy(db)
    register(db, tiny_model())
    db.execute("INSERT INTO events VALUES (1, 'job 1 failed'), (2, 'slow')")
    db.execute("SELECT logintel.give_feedback(1, 'ERROR'), logintel.give_feedback(2, 'INFO', whole_template => true)")
    db.execute("SELECT logintel.maintain()")
    db.execute("UPDATE logintel.settings SET value = '0.8' WHERE name = 'anomaly_threshold'")
    db.execute("INSERT INTO logintel.level_names (name, level) VALUES ('mine', 'WARN'), ('notice', 'WARN')")
    for judge in ("give_feedback(1, 'WARN', note => 'it says \"failed\"')", "give_feedback(1, true_category => 'Jobs')",
                  "give_feedback(2, is_anomaly => true, whole_template => true)"):
        db.execute(f"SELECT logintel.{judge}")

    restore(db, empty_db)

    for query in (
        "SELECT * FROM logintel.ml_predictions ORDER BY id",
        "SELECT * FROM logintel.ml_deployments",
        "SELECT * FROM logintel.settings ORDER BY name",
        "SELECT * FROM logintel.level_names ORDER BY name",
        f"SELECT name, version, sha256, onnx FROM {MODELS} ORDER BY id",
        "SELECT f::text FROM logintel_internal.feedback f ORDER BY f.id",
        "SELECT * FROM logintel_internal._line_truth",
        "SELECT * FROM logintel.ml_model_metrics",
    ):
        assert empty_db.execute(query) == db.execute(query), query
    for either in (db, empty_db):
        either.execute("SELECT logintel.maintain()")  # in the restored one it counts and measures all afresh
    assert measured(empty_db) == measured(db)
    assert empty_db.execute("SELECT \"check\", detail FROM logintel.doctor() WHERE status = 'problem'") == []

    known = scores(empty_db)
    empty_db.execute("INSERT INTO public.events VALUES (3, 'job 2 failed')")
    assert scores(empty_db) == known
    empty_db.execute("INSERT INTO public.events VALUES (4, 'the disk panicked')")
    empty_db.execute("DELETE FROM public.events WHERE no = 1")
    assert empty_db.execute("SELECT id, predicted_level FROM logintel.ml_predictions ORDER BY id") == [
        (2, "WARN"),
        (3, "ERROR"),
        (4, "FATAL"),
    ]
    assert empty_db.value("SELECT logintel.give_feedback(2, 'WARN')") == 6
    assert register(empty_db, tiny_model()) == 3
    assert empty_db.value("SELECT logintel.deploy('level')") == "anomaly 1, level 3"


def own_level_model(db: Database) -> None:
    deploy(db, tiny_model())


def own_level_model_and_back(db: Database) -> None:
    deploy(db, tiny_model())
    db.execute("SELECT logintel.rollback('level')")


def own_models_of_every_name_and_one_that_waits(db: Database) -> None:
    deploy(db)
    deploy(db, tiny_model("category", (("started", "System"), ("failed", "Error"))))
    register(db, tiny_model())


def own_row_written_before_the_defaults(db: Database) -> None:
    # An update moves rows: a dump brings the models in the order in which they lie.
    deploy(db, tiny_model())
    db.execute(f"UPDATE {MODELS} SET created_by = 'somebody' WHERE metadata ->> 'origin' = 'default'")


def an_ensemble_and_versions_out_of_use(db: Database) -> None:
    deploy(db, tiny_model())
    for _ in range(3):
        register(db, tiny_model())
    db.execute("SELECT logintel.create_ensemble('level', '{2,3}', 'vote'), logintel.retire('level', 4), logintel.retire('level', 5, 'odd')")
    db.execute("SELECT logintel.drop_model('level', 5), logintel.deploy('level')")


@pytest.mark.local_only  # pg_dump must be as new as the server
@pytest.mark.parametrize("afterwards", [
    None, own_level_model, own_level_model_and_back, own_models_of_every_name_and_one_that_waits,
    own_row_written_before_the_defaults, an_ensemble_and_versions_out_of_use,
])
def test_a_dump_brings_its_models_and_predictions_to_where_the_defaults_are(fresh_db: Database, empty_db: Database, afterwards) -> None:
    insert(fresh_db, TROUBLE, "request 17 served")
    if afterwards:
        afterwards(fresh_db)
        insert(fresh_db, "job 1 failed", "job 2 started", "entering hall 7")
    fresh_db.execute("SELECT logintel.maintain()")

    restore(fresh_db, empty_db)
    for query in (
        "SELECT * FROM logintel.ml_predictions ORDER BY id",
        "SELECT * FROM logintel.ml_deployments",
        f"SELECT * FROM {MODEL_SETS} ORDER BY id",
        f"SELECT * FROM {DEPLOYMENTS} ORDER BY id",
        f"SELECT * FROM {MODELS} ORDER BY id",
        # How a version is scored is found out when it is about to score.
        "SELECT to_jsonb(m) - '{scored_by,not_linear}'::text[] FROM logintel.ml_models m",
        "SELECT name, version, scored_by FROM logintel.ml_models WHERE state = 'in force'",
        IN_FORCE,
    ):
        assert empty_db.execute(query) == fresh_db.execute(query), query
    assert empty_db.execute("SELECT \"check\", detail FROM logintel.doctor() WHERE status = 'problem'") == []
    for db in (fresh_db, empty_db):
        assert db.value(REGISTER) == []
        db.execute("INSERT INTO public.log_entries (message) VALUES ('a disk that nobody knew has failed')")
        db.execute("INSERT INTO public.log_entries (message) VALUES ('request 18 served')")
    latest = "SELECT id, predicted_level, category, severity, model_version FROM logintel.ml_predictions ORDER BY id"
    assert empty_db.execute(latest) == fresh_db.execute(latest)
    assert register(empty_db, tiny_model()) == register(fresh_db, tiny_model())
    assert empty_db.value("SELECT logintel.deploy('level')") == fresh_db.value("SELECT logintel.deploy('level')")


@pytest.mark.local_only
def test_a_dump_from_before_there_were_default_models_replaces_them(db: Database, empty_db: Database) -> None:
    deploy(db)
    insert(db, "job 1 failed")
    restore(db, empty_db)
    assert empty_db.value(IN_FORCE) == db.value(IN_FORCE) == "anomaly 1, level 1"
    assert empty_db.execute(REGISTERED) == db.execute(REGISTERED)
    assert empty_db.value(REGISTER) == ["anomaly 2", "category 1", "level 2"]
    assert empty_db.value(IN_FORCE) == DEFAULTS


def test_models_in_use_never_make_room(fresh_db: Database) -> None:
    insert(fresh_db, TROUBLE)
    with pytest.raises(psycopg.errors.UniqueViolation):
        fresh_db.execute(
            f"INSERT INTO {MODELS} OVERRIDING SYSTEM VALUE SELECT * FROM {MODELS} WHERE name = 'level'"
        )
    assert fresh_db.value(IN_FORCE) == DEFAULTS
