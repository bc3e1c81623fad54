"""Versions of models: what is shown of them, how they are retired and dropped, and how they get into another database."""

import dataclasses
import json
import threading
import time
from pathlib import Path

import psycopg
import pytest

from logintel.errors import UserError
from logintel.model_files import export, import_, write_files
from logintel.training import default_models
from support.fresh import DEFAULTS, REGISTER
from support.servers import Database
from support.tables import MODELS, models
from support.tiny_models import TinyModel, deploy, register, tiny_model

STATES = "SELECT version, state FROM ml_models WHERE name = 'level'"


def described(**metadata: object) -> TinyModel:
    model = tiny_model()
    return dataclasses.replace(model, metadata=model.metadata | metadata)


def refusal(db: Database, statement: str) -> tuple[str, str]:
    """The error that a statement ends with, and its hint."""
    with pytest.raises(psycopg.Error) as caught:
        db.execute(statement)
    return caught.value.diag.message_primary, caught.value.diag.message_hint


def test_a_version_is_shown_with_its_size_hash_lineage_and_fate(db: Database) -> None:
    deploy(db, tiny_model())
    lineage = {"trained_from": {"table": "public.log_entries", "lines": 7}, "trained_with": {"seed": 1}, "replaces": 1}
    deploy(db, described(accuracy=0.75, vocabulary=["long"], trained_at="2026-01-02T03:04:05+00:00", **lineage))
    register(db, tiny_model())
    assert db.execute(STATES) == [(3, "registered"), (2, "in force"), (1, "registered")]
    assert db.execute("SELECT kind, accuracy, trained_at::date::text, bytes, trained_from, trained_with, replaces, replaced_version, "
                      "deployed_at IS NOT NULL, registered_by = session_user, metadata ? 'vocabulary' FROM ml_models "
                      f"WHERE version = 2 AND sha256 = (SELECT encode(sha256(onnx), 'hex') FROM {MODELS} WHERE version = 2)") == [
        ("classifier", 0.75, "2026-01-02", len(tiny_model().onnx), *lineage.values(), 1, True, True, False)]
    db.execute("SELECT logintel.retire('level', 1, 'too old')")
    assert db.execute("SELECT state, retired_at IS NOT NULL, retired_by = session_user, retired_why FROM ml_models "
                      "WHERE version = 1") == [("retired", True, True, "too old")]
    assert db.execute("SELECT count(*) FROM information_schema.columns WHERE table_name = 'ml_models' AND data_type = 'bytea'") == [(0,)]


def test_a_retired_version_is_out_of_reach(db: Database) -> None:
    for _ in range(4):
        deploy(db, tiny_model())
    for version in (2, 3):
        db.execute("SELECT logintel.retire('level', %s)", (version,))
    assert refusal(db, "SELECT logintel.deploy('level', 3)") == (
        "model level 3 is retired", "That is final. Registered: level 1, level 4.")
    assert db.value("SELECT logintel.rollback('level')") == "level 1"
    db.execute("SELECT logintel.retire('level', 4)")
    register(db, tiny_model())
    register(db, tiny_model())
    db.execute("SELECT logintel.retire('level', 6)")
    assert db.value("SELECT logintel.deploy('level')") == "level 5"
    assert db.value("SELECT logintel.rollback('level')") == "level 1"


def test_rollback_says_when_every_earlier_version_is_retired(db: Database) -> None:
    for version in (1, 2, 1):
        while len(models(db)) < version:
            register(db, tiny_model())
        db.execute("SELECT logintel.deploy('level', %s)", (version,))
    db.execute("SELECT logintel.retire('level', 2)")
    # Version 1 replaced 2, which replaced 1 itself: there is nothing to return to.
    assert refusal(db, "SELECT logintel.rollback('level')")[0] == (
        'model "level" has no earlier deployment to return to that is not retired')
    assert db.value("SELECT models FROM ml_status") == "level 1"


def test_what_is_in_use_cannot_be_retired_or_dropped(db: Database) -> None:
    deploy(db, tiny_model())
    register(db, tiny_model())
    assert refusal(db, "SELECT logintel.retire('level', 1)") == (
        "model level 1 is in force", "Put another version into force first: SELECT logintel.deploy('level', version).")
    assert refusal(db, "SELECT logintel.drop_model('level', 2)") == (
        "model level 2 is not retired", "Retire it first: SELECT logintel.retire('level', 2).")
    for function in ("retire", "drop_model"):
        assert refusal(db, f"SELECT logintel.{function}('level', 9)") == (
            'there is no model "level" version 9', "Registered: level 1, level 2.")


def test_what_is_in_a_running_test_cannot_be_retired(db: Database) -> None:
    deploy(db, tiny_model())
    register(db, tiny_model())
    for share, side in ((0, "shadow"), (0.5, "challenger")):
        db.execute("SELECT logintel.start_ab_test('level', 2, share => %s)", (share,))
        assert db.execute(STATES) == [(2, side), (1, "in force")]
        assert refusal(db, "SELECT logintel.retire('level', 2)") == (
            "model level 2 is the challenger of a running A/B test", "Stop the test first: SELECT logintel.stop_ab_test('level', why).")
        db.execute("SELECT logintel.stop_ab_test('level', 'enough')")
    db.execute("SELECT logintel.retire('level', 2)")


def test_dropping_frees_the_bytes_and_keeps_what_is_known(db: Database) -> None:
    deploy(db, tiny_model())
    db.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    deploy(db, tiny_model())
    before = db.execute("SELECT sha256, metadata, deployed_at FROM ml_models WHERE version = 1")
    db.execute("SELECT logintel.retire('level', 1)")
    assert db.value("SELECT logintel.drop_model('level', 1)") == len(tiny_model().onnx)
    assert db.value("SELECT logintel.drop_model('level', 1)") == 0
    assert db.execute(STATES) == [(2, "in force"), (1, "dropped")]
    assert db.execute("SELECT bytes, dropped_at IS NOT NULL FROM ml_models WHERE version = 1") == [(None, True)]
    assert db.execute("SELECT sha256, metadata, deployed_at FROM ml_models WHERE version = 1") == before
    assert db.execute("SELECT predicted_level, model_version FROM ml_predictions") == [("ERROR", "level 1")]
    assert refusal(db, "SELECT * FROM logintel.export_model('level', 1)")[0] == "model level 1 was dropped: its graph is gone"
    assert db.execute("SELECT * FROM logintel.doctor() WHERE status = 'problem'") == []


def test_a_version_that_history_names_cannot_be_deleted_by_anybody(db: Database) -> None:
    for _ in range(2):
        deploy(db, tiny_model())
    register(db, tiny_model())
    register(db, tiny_model())
    db.execute("SELECT logintel.create_ensemble('level', '{2,3}')")
    delete = f"DELETE FROM {MODELS} WHERE version = {{}}"
    assert refusal(db, delete.format(2))[0] == "model level 2 is in force"
    assert refusal(db, delete.format(3))[0] == "model level 3 is a member of the ensemble level 5"
    message, hint = refusal(db, delete.format(1))
    assert message.startswith("model level 1 cannot be deleted")
    assert "logintel.drop_model()" in hint
    db.execute("SELECT logintel.retire('level', 1)")
    assert refusal(db, delete.format(1))[0] == message
    db.execute(delete.format(4))
    assert db.value("SELECT count(*) FROM ml_models") == 4


def test_a_default_model_that_was_retired_stays_so(fresh_db: Database) -> None:
    deploy(fresh_db, tiny_model())
    fresh_db.execute("SELECT logintel.retire('level', 1), logintel.drop_model('level', 1)")
    assert fresh_db.value(REGISTER) == []
    assert fresh_db.execute(STATES) == [(2, "in force"), (1, "dropped")]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("SELECT logintel.deploy('level', 2)", "SELECT logintel.retire('level', 2)", "model level 2 is in force"),
        ("SELECT logintel.retire('level', 2)", "SELECT logintel.deploy('level', 2)", "model level 2 is retired"),
        ("SELECT logintel.retire('level', 2)", "SELECT logintel.create_ensemble('level', '{2,3}')", "model level 2 is retired"),
        ("SELECT logintel.create_ensemble('level', '{2,3}')", "SELECT logintel.retire('level', 2)", "model level 2 is a member"),
    ],
)
def test_who_comes_second_waits_and_sees_what_the_first_did(db: Database, first: str, second: str, message: str) -> None:
    deploy(db, tiny_model())
    register(db, tiny_model())
    register(db, tiny_model())
    session, other = db.connect(autocommit=False), db.connect()
    session.execute(first)
    errors: list[str] = []

    def run() -> None:
        try:
            other.execute(second)
        except psycopg.Error as error:
            errors.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
    for _ in range(500):
        if db.value(waits, (other.info.backend_pid,)):
            break
        time.sleep(0.01)
    assert thread.is_alive()
    session.commit()
    thread.join(30)
    assert len(errors) == 1
    assert message in errors[0]


def test_retiring_is_undone_by_a_rollback(db: Database) -> None:
    register(db, tiny_model())
    session = db.connect(autocommit=False)
    session.execute("SELECT logintel.retire('level', 1), logintel.drop_model('level', 1)")
    assert db.execute(STATES) == [(1, "registered")]
    session.rollback()
    assert db.value("SELECT logintel.deploy('level')") == "level 1"


@pytest.mark.parametrize("wrong", [
    {"accuracy": "high"}, {"trained_at": "yesterdayish"}, {"samples": {"lines": "many"}}, {"replaces": "the old one"},
])
def test_metadata_that_views_could_not_show_is_refused(db: Database, wrong: dict) -> None:
    with pytest.raises(psycopg.Error, match="model level: its metadata cannot be read"):
        register(db, described(**wrong))


def test_models_get_into_another_database_as_files(fresh_db: Database, empty_db: Database, tmp_path: Path) -> None:
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    deploy(fresh_db, described(accuracy=0.1 + 0.2, replaces=1, note="Größe"))
    fresh_db.logintel("export", "level", str(tmp_path / "new" / "level"))
    assert empty_db.logintel("import", "level", str(tmp_path / "new" / "level"), "--deploy") == (
        f"registered level 2\nin force: {DEFAULTS.replace('level 1', 'level 2')}\n")
    query = f"SELECT onnx, sha256, golden, metadata - 'replaces' FROM {MODELS} WHERE name = 'level' AND version = 2"
    assert empty_db.execute(query) == fresh_db.execute(query)
    assert empty_db.value("SELECT replaces FROM ml_models WHERE name = 'level' AND version = 2") is None


def test_exported_files_are_those_that_ship(fresh_db: Database, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for name in default_models.NAMES:
        export(name, tmp_path / name, version=1, dsn=fresh_db.dsn)
        for file in ("model.onnx", "model.json"):
            assert (tmp_path / name / file).read_bytes() == (default_models.FOLDER / name / "2" / file).read_bytes()
    assert capsys.readouterr().out.splitlines()[0] == f"wrote {tmp_path}/level/model.onnx and {tmp_path}/level/model.json"


def test_models_get_into_another_database_by_sql_alone(db: Database, fresh_db: Database) -> None:
    deploy(db, described(note="it's 100% 'quoted' \\ Größe"))
    statement = db.psql(
        "SELECT format('SELECT logintel.import_model(%L, %L, %L, %L)', 'level', onnx, metadata, golden) "
        "FROM logintel.export_model('level', 1)", "-At").stdout
    assert fresh_db.psql(statement, "-At", "-v", "ON_ERROR_STOP=1").stdout == "2\n"
    query = f"SELECT onnx, metadata, golden FROM {MODELS} WHERE name = 'level' AND version = %s"
    assert fresh_db.execute(query, (2,)) == db.execute(query, (1,))


def test_mistakes_with_files_are_one_line(db: Database, tmp_path: Path) -> None:
    register(db, tiny_model())

    def refused(command, *arguments: object, **options: object) -> str:
        with pytest.raises(UserError) as caught:
            command("level", *arguments, **options, dsn=db.dsn)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    good = tmp_path / "good"
    export("level", good, version=1, dsn=db.dsn)
    assert f"{good / 'model.onnx'} is there already; name another folder" in refused(export, good, version=1)
    assert refused(import_, tmp_path / "none") == (
        f"{tmp_path}/none/model.json cannot be read: No such file or directory; name the folder that holds model.onnx and model.json")
    text = (good / "model.json").read_text()
    (good / "model.onnx").rename(good / "other.onnx")
    assert "model.onnx cannot be read: No such file" in refused(import_, good)
    for broken in (text[:-20], '{"metadata": {}}', "[]", "\udcff"):
        (good / "model.json").write_bytes(broken.encode("utf-8", "surrogateescape"))
        assert "model.json describes no model: " in refused(import_, good)
    (tmp_path / "file").write_text("in the way")
    assert "cannot be written: " in refused(export, tmp_path / "file" / "below", version=1)


def test_files_of_a_model_that_this_server_does_not_reproduce_are_refused(db: Database, tmp_path: Path) -> None:
    model = tiny_model()
    golden = json.loads(json.dumps(model.golden))
    golden[0]["label"] = "FATAL"
    write_files(tmp_path, model.onnx, model.metadata, golden)
    with pytest.raises(psycopg.Error, match="golden case 1 is 'FATAL' in scikit-learn"):
        import_("level", tmp_path, deploy=True, dsn=db.dsn)
    assert models(db) == []


def test_nothing_half_written_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "model.json").mkdir()  # the second of the two cannot be written
    with pytest.raises(UserError, match="cannot be written: File exists"):
        write_files(tmp_path, b"graph", {}, [])
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]


def test_exporting_by_default_takes_the_version_in_force(db: Database, tmp_path: Path) -> None:
    deploy(db, described(note="in force"))
    register(db, tiny_model())
    export("level", tmp_path, dsn=db.dsn)
    assert json.loads((tmp_path / "model.json").read_text())["metadata"]["note"] == "in force"
    with pytest.raises(psycopg.Error, match='there is no model "category"') as caught:
        export("category", tmp_path / "other", dsn=db.dsn)
    assert caught.value.diag.message_hint == "Registered: level 1, level 2."
