"""A dump holds all that is the user's: logs, predictions, models, settings, and they work where they are restored."""

import subprocess

import pytest

from logintel import cluster
from servers import Database
from tiny_models import deploy, register, tiny_model


@pytest.mark.local_only  # pg_dump must be as new as the server
def test_dump_and_restore_keep_predictions_and_go_on_scoring(db: Database, empty_db: Database) -> None:
    db.execute("SELECT logintel.detach()")
    db.execute("DROP TABLE log_entries")
    db.execute("CREATE TABLE events (no int PRIMARY KEY, text text)")
    db.execute("""SELECT logintel.attach('events', '{"id": "no", "message": "text"}')""")
    deploy(db)
    register(db, tiny_model())
    db.execute("INSERT INTO events VALUES (1, 'job 1 failed'), (2, 'slow')")
    db.execute("SELECT logintel.maintain()")
    db.execute("UPDATE logintel.settings SET value = '0.8' WHERE name = 'anomaly_threshold'")
    db.execute("INSERT INTO logintel.level_names (name, level) VALUES ('mine', 'WARN')")

    dump = subprocess.run(
        [str(cluster.bindir() / "pg_dump"), db.dsn], capture_output=True, text=True, check=True
    ).stdout
    restored = empty_db.psql(dump, "-v", "ON_ERROR_STOP=1", "-q")
    assert restored.returncode == 0, restored.stderr

    for query in (
        "SELECT * FROM logintel.ml_predictions ORDER BY id",
        "SELECT * FROM logintel.ml_deployments",
        "SELECT * FROM logintel.settings ORDER BY name",
        "SELECT * FROM logintel.level_names ORDER BY name",
        "SELECT name, version, sha256, onnx FROM logintel.ml_models ORDER BY id",
    ):
        assert empty_db.execute(query) == db.execute(query), query
    assert empty_db.execute("SELECT \"check\", detail FROM logintel.doctor() WHERE status = 'problem'") == []

    scores = empty_db.value("SELECT count(*) FROM logintel.shape_scores")
    empty_db.execute("INSERT INTO public.events VALUES (3, 'job 2 failed')")
    assert empty_db.value("SELECT count(*) FROM logintel.shape_scores") == scores  # the shape was known
    empty_db.execute("INSERT INTO public.events VALUES (4, 'the disk panicked')")
    empty_db.execute("DELETE FROM public.events WHERE no = 1")
    assert empty_db.execute("SELECT id, predicted_level FROM logintel.ml_predictions ORDER BY id") == [
        (2, "WARN"),
        (3, "ERROR"),
        (4, "FATAL"),
    ]
    assert register(empty_db, tiny_model()) == 3
    assert empty_db.value("SELECT logintel.deploy('level')") == "anomaly 1, level 3"
