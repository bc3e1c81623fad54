"""The whole life of a model from psql, by a role that is granted model management, and by no other."""

import psycopg
import pytest

from support.servers import Database
from support.tiny_models import deploy, tiny_model

LIFE = """
\\set ON_ERROR_STOP on
-- another version, from the one in force: export and import are SQL
SELECT logintel.import_model('level', x.onnx, x.metadata, x.golden) FROM logintel.export_model('level', 1) AS x;
SELECT logintel.create_ensemble('level', '{1,2}');
SELECT logintel.start_ab_test('level', 2, metric => 'declared', minimum_sample => 10, why => 'a try');
SELECT logintel.give_feedback(1, true_level => 'FATAL', note => 'it was down');
SELECT logintel.accept_corrections(template) FROM logintel.ml_corrections LIMIT 1;
SELECT logintel.reject_corrections('job <*> failed');
SELECT logintel.withdraw_feedback(1);
SELECT * FROM logintel.maintain();
SELECT logintel.decide_ab_test('level');
SELECT logintel.stop_ab_test('level', 'seen enough');
SELECT logintel.deploy('level', 3, 'two see more than one');
SELECT logintel.rollback('level', 'they do not');
SELECT logintel.retire('level', 3, 'no better');
SELECT logintel.retire('level', 2);
SELECT logintel.drop_model('level', 2);
SELECT logintel.pause('maintenance');
SELECT logintel.resume();
UPDATE logintel.settings SET value = '0.8' WHERE name = 'anomaly_threshold';
SELECT logintel.request_retraining('{level}');
SELECT name, state FROM logintel.ml_models ORDER BY name, version;
"""
WRITING = (
    "deploy", "rollback", "retire", "drop_model", "create_ensemble", "export_model", "import_model", "start_ab_test", "decide_ab_test",
    "stop_ab_test", "give_feedback", "withdraw_feedback", "accept_corrections", "reject_corrections", "pause", "resume",
    "request_retraining", "_begin_retraining", "_finish_retraining", "schedule", "unschedule", "maintain", "reconcile", "backfill", "rescore",
)  # fmt: skip


@pytest.fixture
def scoring_db(db: Database) -> Database:
    deploy(db)
    lines = "('INFO', 'job 1 failed'), ('INFO', 'the disk panicked'), ('ERROR', 'job 2 failed'), ('INFO', 'started 3')"
    db.execute(f"INSERT INTO log_entries (level, message) VALUES {lines}")
    return db


def test_a_manager_does_all_of_it_from_psql(scoring_db: Database) -> None:
    role = scoring_db.create_role("manager")
    scoring_db.execute("SELECT logintel.grant_manage(%s)", (role,))
    done = scoring_db.psql(f"SET SESSION AUTHORIZATION {role};\n{LIFE}", "-At")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-4:] == ["anomaly|in force", "level|in force", "level|dropped", "level|retired"]
    assert scoring_db.execute("SELECT action, version, why, deployed_by FROM logintel.ml_deployments LIMIT 2") == [
        ("rollback", 1, "they do not", role),
        ("deploy", 3, "two see more than one", role),
    ]
    assert scoring_db.execute("SELECT state, reason FROM logintel.ml_ab_results WHERE side = 'challenger'") == [
        ("stopped", "seen enough")]
    assert scoring_db.execute("SELECT DISTINCT given_by FROM logintel.ml_feedback") == [(role,)]
    assert scoring_db.execute("SELECT name, new_value, changed_by FROM logintel.ml_settings_history ORDER BY changed_at, name") == [
        ("mode", "off", role), ("mode", "inline", role), ("anomaly_threshold", "0.8", role)]
    assert scoring_db.execute("SELECT names, requested_by FROM logintel.ml_retrainings") == [(["level"], role)]


def test_no_other_role_does_any_of_it(scoring_db: Database) -> None:
    signatures = [
        signature
        for (signature,) in scoring_db.execute(
            "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'logintel'::regnamespace AND p.proname = ANY (%s)",
            (list(WRITING),))
    ]
    assert {s.split('(')[0].removeprefix('logintel.') for s in signatures} == set(WRITING)
    reader, nobody = scoring_db.create_role("reader"), scoring_db.create_role("nobody")
    scoring_db.execute("SELECT logintel.grant_read(%s)", (reader,))
    for role in (reader, nobody):
        allowed = [
            s for s in signatures if scoring_db.value("SELECT has_function_privilege(%s, %s, 'EXECUTE')", (role, s))]
        assert allowed == []
        written = scoring_db.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = ANY ('{logintel,logintel_internal}'::regnamespace[]) AND c.relkind IN ('r', 'p') "
            "AND has_table_privilege(%s, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')", (role,))
        assert written == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        scoring_db.connect(user=reader).execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")


def test_what_was_promoted_is_seen_at_commit_and_by_later_statements_only(scoring_db: Database) -> None:
    deploy(scoring_db, tiny_model("level", (("started", "WARN"), ("failed", "FATAL"))))
    scoring_db.execute("SELECT logintel.rollback('level')")
    session = scoring_db.connect(autocommit=False)
    session.execute("SELECT logintel.deploy('level', 2, 'a try')")
    latest = "SELECT predicted_level, model_version FROM ml_predictions ORDER BY id DESC LIMIT 1"
    for end, expected in ((session.rollback, ("ERROR", "anomaly 1, level 1")), (session.commit, ("FATAL", "anomaly 1, level 2"))):
        scoring_db.execute("INSERT INTO log_entries (message) VALUES ('job 7 failed')")
        assert scoring_db.execute(latest) == [("ERROR", "anomaly 1, level 1")]
        if end == session.commit:
            session.execute("SELECT logintel.deploy('level', 2, 'again')")
        end()
        scoring_db.execute("INSERT INTO log_entries (message) VALUES ('job 8 failed')")
        assert scoring_db.execute(latest) == [expected]
