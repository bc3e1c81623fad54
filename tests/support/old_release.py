"""A database as a released version left it, with all that people do in it, and what they go on asking of it."""

import contextlib
import json
import lzma
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from logintel_server.shipped import NAMES
from support.servers import ROOT, Database, Server
from support.two_versions import STRONG, WEAK

VERSION = "0.1.0"
RELEASES = ROOT / "tests" / "releases"
UPDATE = "ALTER EXTENSION logintel UPDATE"
TO_NEWEST = f"{UPDATE}; CREATE EXTENSION logintel_python"
"""What 0.1.0 had in PL/Python is an extension by itself since then."""
FILL = """
    SELECT logintel.create_log_entries();
    INSERT INTO log_entries (level, service, message, http_status)
    SELECT (ARRAY['INFO', 'ERROR', 'warning'])[1 + i / 3 % 3], 'service ' || i % 4, (ARRAY['good ', 'bad ', 'slow '])[1 + i % 3] || i,
           CASE WHEN i % 5 = 0 THEN 503 END
    FROM generate_series(1, 300) i;
    SELECT logintel.deploy('level', 2, 'because'), logintel.maintain();
    SELECT logintel.start_ab_test('level', 3, share => 0.5), logintel.stop_ab_test('level', 'enough'), logintel.start_ab_test('level', 3);
    INSERT INTO log_entries (level, message)
    SELECT 'INFO', unnest(ARRAY['Unrecoverable error: out of memory, shutting down ', 'good to know ']) || i FROM generate_series(1, 25) i;
    SELECT logintel.give_feedback(1, 'ERROR', note => 'seen'), logintel.give_feedback(2, 'WARN', whole_template => true),
           logintel.give_feedback(3, true_category => 'Jobs'), logintel.give_feedback(4, is_anomaly => true);
    SELECT logintel.maintain();
    UPDATE logintel.settings SET value = '0.8' WHERE name = 'anomaly_threshold';
    INSERT INTO logintel.level_names (name, level) VALUES ('mine', 'WARN');
    DELETE FROM log_entries WHERE id IN (10, 11);
    UPDATE logintel.settings SET value = 'deferred' WHERE name = 'mode';
    INSERT INTO log_entries (message) VALUES ('nobody knows this'), ('this one either');
    UPDATE logintel.settings SET value = 'inline' WHERE name = 'mode';
    CREATE VIEW mine AS SELECT * FROM logintel.ml_status"""
_CLASS = re.compile("<(?!\\*)")
"""Masks of the release had no classes of codes."""
ANSWERS = (
    "SELECT id, predicted_level, level_confidence, category, labels, anomaly_score, severity, declared_level FROM logintel.ml_predictions ORDER BY id",
    "SELECT log_entry_id, predicted_level, true_level FROM logintel.ml_corrections ORDER BY 1",
    "SELECT log_entry_id, anomaly_score, severity FROM logintel.ml_anomalies ORDER BY 1",
    "SELECT log_entry_id, true_level, true_category, is_anomaly, note FROM feedback ORDER BY id",
    "SELECT lines, predictions, pending FROM logintel.ml_status",
    "SELECT version, state FROM logintel.ml_models WHERE name = 'level' AND version < 4 ORDER BY 1",
    "SELECT level, predictions FROM logintel.ml_stats_by_level ORDER BY 1",
    "SELECT lines, predictions, pending FROM mine",
)
SHIPPED_ROWS = (
    "SELECT name, description FROM logintel.settings ORDER BY name",
    "SELECT name, level FROM logintel.level_names WHERE shipped ORDER BY name",
    "SELECT level, severity_number FROM levels ORDER BY level",
)


@contextlib.contextmanager
def installed(server: Server) -> Iterator[Path]:
    """Offer the release to CREATE EXTENSION of the local server; yield a folder with its Python package."""
    libraries, share = subprocess.check_output(
        [os.environ["PG_CONFIG"], "--pkglibdir", "--sharedir"], text=True
    ).splitlines()
    script = (
        lzma.decompress((RELEASES / f"logintel--{VERSION}.sql.xz").read_bytes())
        .decode()
        .replace("@PKGLIBDIR@", libraries)
    )
    target = Path(share, "extension", f"logintel--{VERSION}.sql")
    sudo = [] if os.access(target.parent, os.W_OK) else ["sudo"]
    folder = Path(tempfile.mkdtemp(prefix="logintel_release_"))
    try:
        folder.chmod(0o755)  # the server reads it
        (folder / "script.sql").write_text(script)
        with tarfile.open(RELEASES / f"logintel_server-{VERSION}.tar.xz") as archive:
            archive.extractall(folder, filter="data")
        for name in NAMES:  # where its package looks for them
            shutil.copytree(ROOT / "models" / name, folder / "models" / name)
            for model in (folder / "models" / name).iterdir():
                _make_older(model)
        subprocess.run([*sudo, "install", "-m", "644", str(folder / "script.sql"), str(target)], check=True)
        yield folder
    finally:
        subprocess.run([*sudo, "rm", "-f", str(target)], check=True)
        shutil.rmtree(folder)


def _make_older(folder: Path) -> None:
    """Make of a default model one as the release had it: another graph, for other shapes."""
    with (folder / "model.onnx").open("ab") as graph:
        graph.write(b"\x32\x05older")  # its doc_string
    described = json.loads((folder / "model.json").read_text("utf-8"))
    described["metadata"] |= {"shape_version": 1, "tokens_version": 1}
    described["golden"] = [case for case in described["golden"] if not _CLASS.search(case["shape"]["template"])]
    (folder / "model.json").write_text(json.dumps(described), "utf-8")


def use_old_package(connection: psycopg.Connection, folder: Path) -> None:
    """Have this session import the release's Python package, as those do that begin before `make install`."""
    connection.execute(
        f"DO LANGUAGE plpython3u $$\nimport sys\nsys.path.insert(0, '{folder}')\nimport logintel_server\n"
        f"assert logintel_server.__version__ == '{VERSION}'\n$$"
    )


def fill(database: Database, folder: Path, roles: Sequence[str]) -> None:
    """Create the released extension and do in it what people do. `roles` are a reader and a manager."""
    database.execute("CREATE EXTENSION plpython3u")
    use_old_package(database.connection, folder)
    database.execute(f"CREATE EXTENSION logintel VERSION '{VERSION}'")
    for model in (WEAK, STRONG):
        database.execute(
            "SELECT logintel.import_model(%s, %s, %s, %s)",
            (model.name, model.onnx, json.dumps(model.metadata | {"shape_version": 1}), json.dumps(model.golden)),
        )
    for statement in FILL.split(";\n"):
        database.execute(statement)
    reader, manager = roles
    database.execute("SELECT logintel.grant_read(%s), logintel.grant_manage(%s)", (reader, manager))


def answers(database: Database) -> dict[str, list[tuple]]:
    """What people ask, and what they are told."""
    return {query: database.execute(query) for query in ANSWERS}


def worker_batch(connection: psycopg.Connection) -> int:
    """Score what waits by the very calls of the release's worker; return how many lines got a prediction.

    Its models' answers are made up: that all is an error.
    """
    with connection.transaction():
        [(taken,)] = connection.execute("SELECT logintel.take_pending(%s::integer)", (1000,)).fetchall()
        if not taken:
            return 0
        cursor = connection.execute("SELECT * FROM logintel.unknown_shapes(%s::bigint[])", [taken])
        names = [column.name for column in cursor.description]
        unknown = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for model_set in {shape.pop("model_set_id"): None for shape in unknown}:
            columns = {name: [shape[name] for shape in unknown] for name in unknown[0]}
            scores = {
                "predicted_level": ["ERROR"] * len(unknown),
                "level_confidence": [0.9] * len(unknown),
                "latency_us": 1.0,
            }
            connection.execute(
                "SELECT logintel.remember_scores(%s::integer, %s::jsonb, %s::jsonb)",
                (model_set, json.dumps(columns), json.dumps(scores)),
            )
        return connection.execute("SELECT logintel.score_taken(%s::bigint[])", (taken,)).fetchone()[0]
