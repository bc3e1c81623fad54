"""Ensembles: several versions that score together, shown and used as one."""

import numpy as np
import psycopg
import pytest

from logintel.worker.scoring import score_batch
from logintel_server import runtime, tokens
from support.fresh import DEFAULTS
from support.lines import insert
from support.servers import Database
from support.tables import MODEL_SETS, MODELS, scores
from support.tiny_models import ANOMALIES, BY_PYTHON, TinyModel, deploy, register, tiny_model

ONE = tiny_model()
OTHER = tiny_model("level", (("started", "INFO"), ("failed", "FATAL"), ("slow", "ERROR"), ("lost", "WARN")))
THIRD = tiny_model("level", (("started", "INFO"), ("failed", "FATAL"), ("slow", "INFO"), ("halted", "ERROR")))
MESSAGES = ("started", "failed", "slow", "lost", "entering", "halted and lost", "panicked while slow", "nothing known")
LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")


def ensemble(db: Database, *models: TinyModel, combine: str = "average") -> int:
    """Register models as versions 1, 2, ... and an ensemble of them, and put it into force."""
    versions = [register(db, model) for model in models]
    version = db.value("SELECT logintel.create_ensemble(%s, %s, %s)", (models[0].name, versions, combine))
    db.execute("SELECT logintel.deploy(%s, %s)", (models[0].name, version))
    return version


def insert_anew(db: Database, *messages: str) -> None:
    """Insert lines in a new session, which has no model loaded."""
    with db.connect() as session:
        insert(session, *messages)


def expected(combine: str, models: tuple[TinyModel, ...], messages: tuple[str, ...]) -> tuple[list[str], np.ndarray]:
    """Labels and probabilities [N, levels] of an ensemble, in numpy, of what its members say by themselves."""
    features = {"words": [tokens.words(message) for message in messages]}
    averages, votes = [], []
    for model in models:
        classes = model.metadata["classes"]
        labels, probabilities = runtime.open_model(model.name, "", model.onnx, model.metadata).run(features)
        averages.append([[row[classes.index(level)] if level in classes else 0 for level in LEVELS] for row in probabilities])
        votes.append([[float(level == label) for level in LEVELS] for label in labels])
    average, vote = np.mean(averages, axis=0), np.mean(votes, axis=0)
    if combine == "average":
        return [LEVELS[i] for i in average.argmax(axis=1)], average
    tied = np.where(vote == vote.max(axis=1, keepdims=True), average, -1)
    return [LEVELS[i] for i in tied.argmax(axis=1)], vote


def test_an_ensemble_is_one_version_with_its_members(db: Database) -> None:
    deploy(db, ONE)
    register(db, OTHER)
    register(db, THIRD)
    insert_anew(db, "job 1 failed")
    assert db.value("SELECT logintel.create_ensemble('level', '{3,2,3}')") == 4
    assert db.value("SELECT logintel.deploy('level', 4, 'more heads')") == "level 4"
    insert_anew(db, "job 2 failed")
    assert db.execute("SELECT predicted_level, model_version FROM ml_predictions ORDER BY id") == [
        ("ERROR", "level 1"), ("FATAL", "level 4")]
    shown = "state, kind, members, accuracy, macro_f1, bytes FROM ml_models WHERE version = 4"
    bytes_of_members = len(OTHER.onnx) + len(THIRD.onnx)
    assert db.execute(f"SELECT {shown}") == [("in force", "ensemble", [2, 3], None, None, bytes_of_members)]
    assert db.execute("SELECT version, kind, members, accuracy, bytes FROM ml_models WHERE state = 'in force'") == [
        (4, "ensemble", [2, 3], None, bytes_of_members)]
    assert db.value("SELECT metadata -> 'classes' FROM ml_models WHERE version = 4") == ["ERROR", "FATAL", "INFO", "WARN"]
    assert db.execute("SELECT models, level_version, level_accuracy FROM ml_status") == [("level 4", 4, None)]
    assert db.execute("SELECT action, version, replaced_version, why FROM ml_deployments LIMIT 1") == [
        ("deploy", 4, 1, "more heads")]
    assert db.value("SELECT logintel.rollback('level')") == "level 1"
    insert_anew(db, "job 3 failed")
    assert db.value("SELECT predicted_level FROM ml_predictions ORDER BY id DESC LIMIT 1") == "ERROR"


@pytest.mark.parametrize("combine", ["average", "vote"])
def test_the_server_combines_levels_as_numpy_does(db: Database, combine: str) -> None:
    models = (ONE, OTHER, THIRD)
    ensemble(db, *models, combine=combine)
    insert_anew(db, *MESSAGES)
    labels, probabilities = expected(combine, models, MESSAGES)
    rows = scores(db, "template, predicted_level, level_confidence, level_probabilities")
    assert len(rows) == len(MESSAGES)
    for template, level, confidence, of_levels in rows:
        row = MESSAGES.index(template)
        assert level == labels[row]
        assert np.abs(np.array(of_levels) - probabilities[row]).max() < 1e-6
        assert abs(confidence - probabilities[row].max()) < 1e-6


@pytest.mark.parametrize("combine", ["average", "vote"])
def test_categories_of_members_need_not_be_the_same(db: Database, combine: str) -> None:
    models = (tiny_model("category", (("started", "System"), ("failed", "Error"), ("lost", "Network"))),
              tiny_model("category", (("started", "Application"), ("failed", "Error"), ("lost", "Network"))))
    ensemble(db, *models, combine=combine)
    insert_anew(db, "started", "failed", "lost")
    assert scores(db, "template, round(category_confidence::numeric, 1)::float, ARRAY(SELECT unnest(labels) ORDER BY 1)", "ORDER BY 1") == [
        ("failed", 1.0, ["Error"]), ("lost", 1.0, ["Network"]), ("started", 0.5, ["Application", "System"])]
    assert scores(db, "category", "WHERE template = 'started'")[0][0] in ("Application", "System")


def test_anomaly_scores_of_a_vote_are_the_share_that_votes_for_an_anomaly(db: Database) -> None:
    models = [tiny_model("anomaly", (("started", "none"), ("panicked", kind), ("failed", "none" if mild else kind)))
              for kind, mild in (("system_failure", True), ("system_failure", False), ("security_breach", False))]
    ensemble(db, *models, combine="vote")
    insert_anew(db, "started", "panicked", "failed")
    assert scores(db, "template, round(anomaly_score::numeric, 4)::float", "ORDER BY 1") == [
        ("failed", 0.6667), ("panicked", 1.0), ("started", 0.0)]
    assert scores(db, "anomaly_type", "WHERE template = 'panicked'") == [("system_failure",)]


@pytest.mark.parametrize(
    ("name", "versions", "combine", "message"),
    [
        ("level", "{1}", "average", 'an ensemble of model "level" needs two versions or more'),
        ("level", "{1,1}", "average", 'an ensemble of model "level" needs two versions or more'),
        ("level", None, "average", 'an ensemble of model "level" needs two versions or more'),
        ("level", "{1,9}", "average", 'there is no model "level" version 9'),
        ("level", "{1,2}", "mix", 'an ensemble cannot combine its members by "mix"'),
        ("level", "{1,2}", None, "an ensemble cannot combine its members by"),
        ("level", "{1,3}", "vote", "model level 3 is retired"),
        ("level", "{1,4}", "vote", "model level 4 is an ensemble; the members of an ensemble are classifiers"),
        ("anomaly", "{1,2}", "vote", "model anomaly 2 is an outlier model; the members of an ensemble are classifiers"),
        ("weather", "{1,2}", "vote", 'there is no model "weather" version 1'),
    ],
)
def test_what_cannot_be_combined_is_refused(ensembles_db: Database, name: str, versions: str, combine: str, message: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        ensembles_db.execute("SELECT logintel.create_ensemble(%s, %s::integer[], %s)", (name, versions, combine))
    assert caught.value.diag.message_primary.startswith(message)
    assert caught.value.diag.message_hint


@pytest.fixture(scope="module")
def ensembles_db(server, template: Database):
    """Three level models of which the third is retired, an ensemble of the others, and two anomaly models."""
    database = server.create_database(template)
    for model in (ONE, OTHER, THIRD, tiny_model("anomaly", ANOMALIES), tiny_model("anomaly", ANOMALIES)):
        register(database, model)
    database.execute(f"UPDATE {MODELS} SET metadata = jsonb_set(metadata, '{{kind}}', '\"outlier\"') WHERE name = 'anomaly' AND version = 2")
    database.execute("SELECT logintel.retire('level', 3), logintel.create_ensemble('level', '{1,2}')")
    yield database
    database.drop()


def test_a_member_cannot_be_retired_before_its_ensemble(ensembles_db: Database) -> None:
    session = ensembles_db.connect(autocommit=False)
    with pytest.raises(psycopg.errors.ObjectInUse) as caught, session.transaction():
        session.execute("SELECT logintel.retire('level', 2)")
    assert caught.value.diag.message_primary == "model level 2 is a member of the ensemble level 4"
    assert caught.value.diag.message_hint == "Retire the ensemble first: SELECT logintel.retire('level', 4)."
    session.execute("SELECT logintel.retire('level', 4, 'no better'), logintel.retire('level', 2)")
    assert session.execute("SELECT logintel.drop_model('level', 4), logintel.drop_model('level', 2)").fetchall() == [
        (0, len(OTHER.onnx))]
    assert session.execute("SELECT version, state, members FROM ml_models WHERE name = 'level'").fetchall() == [
        (4, "dropped", [1, 2]), (3, "retired", None), (2, "dropped", None), (1, "registered", None)]
    session.rollback()


def test_exporting_an_ensemble_says_what_to_export_instead(ensembles_db: Database) -> None:
    with pytest.raises(psycopg.Error, match="model level 4 is an ensemble and has no graph of its own") as caught:
        ensembles_db.execute("SELECT * FROM logintel.export_model('level', 4)")
    assert "Export its members, level 1, level 2, import them there" in caught.value.diag.message_hint


def test_lines_wait_while_a_member_is_corrupt_and_doctor_names_it(db: Database) -> None:
    ensemble(db, ONE, OTHER)
    insert_anew(db, "job 1 failed")
    checks = "SELECT status, detail FROM logintel.doctor() WHERE \"check\" = 'models'"
    assert db.execute(checks) == [(
        "ok", "level 3 combines its members by average; level 1, member of level 3 reproduces its golden cases; "
        "level 2, member of level 3 reproduces its golden cases")]
    db.execute("UPDATE logintel_internal.models SET onnx = 'no model' WHERE version = 2")
    db.execute(BY_PYTHON)
    insert_anew(db, "job 2 failed", "brand new")
    assert db.execute("SELECT lines, predictions, pending FROM ml_status") == [(3, 2, 1)]
    assert db.execute(checks) == [("problem", "level 2, member of level 3: its bytes do not match its SHA-256")]
    with pytest.raises(psycopg.Error, match="model level 3 cannot be used: model level 2 is corrupt"):
        db.connect().execute("SELECT logintel.backfill()")
    db.execute(f"UPDATE {MODELS} SET onnx = %s WHERE version = 2", (OTHER.onnx,))
    assert db.connect().execute("SELECT logintel.backfill()").fetchone() == (1,)


def test_an_ensemble_whose_members_were_exchanged_is_corrupt(db: Database) -> None:
    ensemble(db, ONE, OTHER)
    db.execute(f"UPDATE {MODELS} SET (onnx, sha256, golden, metadata) = "
               f"(SELECT m.onnx, m.sha256, m.golden, m.metadata FROM {MODELS} m WHERE m.version = 1) WHERE version = 2")
    assert ("level 3: its members do not match its SHA-256",) in db.execute(
        "SELECT detail FROM logintel.doctor() WHERE status = 'problem'")
    db.execute(BY_PYTHON)
    insert_anew(db, "brand new")
    assert db.execute("SELECT lines, predictions, pending FROM ml_status") == [(1, 0, 1)]


def test_the_worker_scores_by_ensembles_with_the_rights_of_a_worker(db: Database) -> None:
    ensemble(db, ONE, OTHER, combine="vote")
    role = db.create_role("worker")
    db.execute("SELECT logintel.grant_work(%s)", (role,))
    db.execute("UPDATE logintel.settings SET value = 'deferred' WHERE name = 'mode'")
    insert_anew(db, "job 1 failed", "job 2 lost")
    assert score_batch(db.connect(user=role), 10).scored == 2
    assert db.value("SELECT count(*) FROM ml_predictions WHERE model_version = 'level 3'") == 2


def test_an_ensemble_of_defaults_is_one_and_any_other_is_not(fresh_db: Database) -> None:
    assert fresh_db.value("SELECT logintel.import_model('level', e.onnx, e.metadata, e.golden) FROM logintel.export_model('level') e") == 2
    register(fresh_db, ONE)
    assert fresh_db.value("SELECT logintel.create_ensemble('level', '{1,2}')") == 4
    assert fresh_db.value("SELECT logintel.create_ensemble('level', '{2,3}')") == 5
    in_force = [fresh_db.value("SELECT logintel.deploy('level', %s)", (version,)) for version in (4, 5)]
    assert in_force == [DEFAULTS.replace("level 1", f"level {version}") for version in (4, 5)]
    assert fresh_db.execute(f"SELECT level_is_default FROM {MODEL_SETS} ORDER BY id DESC LIMIT 2") == [(False,), (True,)]


def test_only_who_may_manage_makes_ensembles(ensembles_db: Database) -> None:
    for grant, allowed in (("grant_read", False), ("grant_manage", True)):
        role = ensembles_db.create_role(grant)
        ensembles_db.execute(f"SELECT logintel.{grant}(%s)", (role,))
        session = ensembles_db.connect(autocommit=False, user=role)
        try:
            session.execute("SELECT logintel.create_ensemble('level', '{1,2}', 'vote')")
            assert allowed
            assert session.execute("SELECT members FROM ml_models WHERE version = 5").fetchall() == [([1, 2],)]
        except psycopg.errors.InsufficientPrivilege:
            assert not allowed
        session.rollback()
