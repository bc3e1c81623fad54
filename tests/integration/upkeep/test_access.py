"""Who may do what: writers need nothing but INSERT, readers read the views, nobody else touches models."""

import psycopg
import pytest

from logintel.worker.scoring import score_batch
from support.servers import Database
from support.tiny_models import deploy, register, tiny_model

DENIED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def scoring_db(db: Database) -> Database:
    deploy(db)
    db.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', 'panicked')")
    return db


def test_a_role_with_insert_and_nothing_else_is_scored(scoring_db: Database) -> None:
    role = scoring_db.create_role("writer")
    scoring_db.execute(f"GRANT INSERT ON log_entries TO {role}")
    writer = scoring_db.connect(user=role)
    writer.execute("INSERT INTO log_entries (message) VALUES ('panicked'), ('never seen before')")
    assert scoring_db.execute("SELECT lines, predictions FROM ml_status") == [(3, 3)]
    for query in ("SELECT * FROM logintel_internal.models", "SELECT * FROM logintel.ml_status", "SELECT * FROM log_entries"):
        with pytest.raises(DENIED):
            writer.execute(query)


def test_a_reader_reads_every_view_and_changes_nothing(scoring_db: Database) -> None:
    role = scoring_db.create_role("reader")
    scoring_db.execute("SELECT logintel.grant_read(%s)", (role,))
    reader = scoring_db.connect(user=role)
    views = [
        name
        for (name,) in scoring_db.execute(
            "SELECT table_name FROM information_schema.views WHERE table_schema = 'logintel' AND table_name LIKE 'ml\\_%%'"
        )
    ]
    assert len(views) >= 12
    for view in views:
        reader.execute(f"SELECT * FROM logintel.{view}").fetchall()
    assert reader.execute("SELECT predicted_level FROM logintel.analyze('failed')").fetchall() == [("ERROR",)]
    assert reader.execute("SELECT predicted_level FROM logintel.predict_log(1)").fetchall() == [("FATAL",)]
    for query in (
        "SELECT * FROM logintel_internal.models",
        "UPDATE logintel_internal.models SET onnx = ''",
        "UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'",
        "DELETE FROM logintel_internal.predictions",
        "SELECT logintel.deploy('level')",
        "SELECT logintel.retire('level', 1)",
        "SELECT logintel.drop_model('level', 1)",
        "SELECT * FROM logintel.export_model('level', 1)",
        "SELECT logintel.create_ensemble('level', '{1,2}')",
        "SELECT logintel.import_model('level', '', '{}', '[]')",
        "SELECT logintel.detach()",
        "INSERT INTO logintel_internal.deployments (model_set_id, action, model_id) VALUES (1, 'deploy', 1)",
    ):
        with pytest.raises(DENIED):
            reader.execute(query)


def test_no_private_function_runs_for_others(scoring_db: Database) -> None:
    role = scoring_db.create_role("curious")
    scoring_db.execute("SELECT logintel.grant_read(%s)", (role,))
    open_to_role = {
        name
        for (name,) in scoring_db.execute(
            "SELECT p.proname FROM pg_proc p WHERE pronamespace = 'logintel'::regnamespace "
            "AND has_function_privilege(%s, p.oid, 'EXECUTE')",
            (role,),
        )
    }
    # What depends on its arguments alone is everybody's; the views call the others for their readers.
    of_arguments = {"_shape", "_shape_hash", "_shape_version", "_status_class", "_latency_bucket", "_context_hash", "_probabilities",
                    "_level_name", "_line_time", "_is_time_of", "_level_kind", "_corrects",
                    "_time_of_number", "_time_of_parts", "_time_of_text", "_status_of_text", "_duration_of_text", "_flag_of_text",
                    "_service_name", "_readable", "_text_of_json", "_number_line", "_exactly", "_printed", "_level_of_scale", "_time_in_zone", "_time_of_date",
                    "_status_of_number", "_duration_of_number", "_mask_with_codes", "_with_exit_codes", "_with_answer", "_with_class",
                    "_exit_code_class", "_status_code_class"}
    of_views = {"_truth", "_uncounted", "_count_lines", "_corrected_scores", "_attachment_of", "_latest_prediction", "_refuse_several_tables", "_ab_results", "_retrain_advice",
                "_handlers", "_handler_words", "_installer_sees", "_log_lines", "_hides_lines", "_is_visible",
                "_source_levels", "_suspects_with_evidence", "_waiting_lines", "_predict_line"}
    assert {name for name in open_to_role if name.startswith("_")} == of_arguments | of_views
    assert open_to_role >= {"analyze", "predict_log", "doctor", "mask", "normalize_level"}


def test_a_manager_manages_models_but_not_other_peoples_tables(scoring_db: Database) -> None:
    role = scoring_db.create_role("manager")
    scoring_db.execute("SELECT logintel.grant_manage(%s)", (role,))
    scoring_db.execute(f"GRANT CREATE ON SCHEMA public TO {role}")
    manager = scoring_db.connect(user=role)
    register(scoring_db, tiny_model())
    manager.execute("SELECT logintel.deploy('level', 2)")
    manager.execute("SELECT logintel.rollback('level')")
    manager.execute("SELECT logintel.retire('level', 2), logintel.drop_model('level', 2)")
    manager.execute("SELECT * FROM logintel.export_model('level', 1)")
    manager.execute("UPDATE logintel.settings SET value = '0.8' WHERE name = 'anomaly_threshold'")
    manager.execute("SELECT * FROM logintel.maintain()")
    manager.execute("SELECT logintel.backfill()")
    with pytest.raises(DENIED):
        manager.execute("UPDATE logintel_internal.models SET onnx = ''")
    scoring_db.execute("SELECT logintel.detach()")
    with pytest.raises(DENIED, match="must be owner of table"):
        manager.execute("SELECT logintel.attach('public.log_entries')")
    manager.execute("CREATE TABLE public.own (id int PRIMARY KEY, message text)")
    manager.execute("SELECT logintel.attach('public.own')")
    manager.execute("INSERT INTO public.own VALUES (1, 'failed')")
    assert scoring_db.value("SELECT predicted_level FROM ml_predictions") == "ERROR"


def test_a_worker_scores_and_keeps_up_and_a_manager_writes_no_scores(scoring_db: Database) -> None:
    worker, manager = scoring_db.create_role("worker"), scoring_db.create_role("manager")
    scoring_db.execute("SELECT logintel.grant_work(%s), logintel.grant_manage(%s)", (worker, manager))
    scoring_db.execute("UPDATE logintel.settings SET value = 'deferred' WHERE name = 'mode'")
    scoring_db.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    working, managing = scoring_db.connect(user=worker), scoring_db.connect(user=manager)
    assert score_batch(working, 10).scored == 1
    working.execute("CALL logintel.maintain('45 s')")
    for query in ("SELECT logintel.deploy('level')", "UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'"):
        with pytest.raises(DENIED):
            working.execute(query)
    for query in ("SELECT logintel._remember_scores(1, '{}', '{}')", "SELECT logintel._take_pending(0, 1)"):
        with pytest.raises(DENIED):
            managing.execute(query)


def test_every_definer_function_pins_a_safe_search_path(db: Database) -> None:
    unsafe = db.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'logintel'::regnamespace AND prosecdef "
        "AND NOT coalesce(proconfig && '{search_path=pg_temp, \"search_path=pg_catalog, pg_temp\"}', false)"
    )
    assert unsafe == []
    # An attached table's trigger functions are written anew; they are covered above, being there already.
    assert db.value("SELECT prosecdef FROM pg_proc WHERE proname = '_score_new_lines'") is True


def test_objects_in_a_writers_schema_are_never_called(scoring_db: Database) -> None:
    role = scoring_db.create_role("intruder")
    scoring_db.execute(f"GRANT INSERT ON log_entries TO {role}")
    scoring_db.execute(f"CREATE SCHEMA trap AUTHORIZATION {role}")
    intruder = scoring_db.connect(user=role)
    intruder.execute(
        "CREATE FUNCTION trap.count(anyelement) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''caught''; END'"
    )
    intruder.execute(
        "CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''caught''; END'"
    )
    intruder.execute("CREATE TEMP TABLE predictions (log_entry_id bigint)")
    intruder.execute("SET search_path = trap, pg_temp, pg_catalog")
    intruder.execute("INSERT INTO public.log_entries (message) VALUES ('panicked'), ('new to all')")
    assert scoring_db.execute("SELECT lines, predictions FROM ml_status") == [(3, 3)]
