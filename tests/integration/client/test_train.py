"""`logintel train` against a real server: models learnt from the attached table are registered, and right."""

import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from psycopg.conninfo import conninfo_to_dict

from logintel.defaults.masks import SHAPE_VERSION
from logintel.errors import UserError
from logintel.simulation import generate
from logintel.training.command import train
from logintel.training.dataset import read_lines
from logintel.training.models import train_models
from logintel.writing import load_rows
from support.servers import ROOT, Database
from support.tables import DEPLOYMENTS, SCORES, models

pytestmark = pytest.mark.any_server

CONTRACT = ROOT / "models" / "README.md"


def load(db: Database, count: int, **without: object) -> None:
    lines = generate(count, seed=1, end=datetime(2026, 1, 1, tzinfo=UTC), days=2)
    load_rows(db.connection, [line.row() | without for line in lines])


def registered(db: Database) -> list[tuple]:
    return models(db, "name, version, metadata ->> 'kind'")


def test_training_registers_and_deploys_all_models(db: Database) -> None:
    load(db, 1500)
    printed = db.logintel("train", "--lines", "1500", "--deploy")
    assert registered(db) == [("anomaly", 1, "classifier"), ("category", 1, "classifier"), ("level", 1, "classifier")]
    assert "registered level 1, category 1, anomaly 1, trained on 1,500 lines" in printed
    assert "in force: level 1, category 1, anomaly 1" in printed
    for candidate in ("random forest", "logistic regression"):
        assert len(re.findall(rf"\| {candidate} +\|", printed)) == 3
    assert len(re.findall(r"\| chosen +\|", printed)) == 3
    figures = db.execute("SELECT name, candidate, accuracy, macro_f1, accuracy_time_split, accuracy_random_split, samples, "
                         "trained_at FROM logintel.ml_models WHERE state = 'in force'")
    assert len(figures) == 3
    assert all(value is not None for row in figures for value in row)
    first, last = db.execute("SELECT min(timestamp), max(timestamp) FROM log_entries")[0]
    for trained_from, trained_with, replaces in db.execute("SELECT trained_from, trained_with, replaces FROM ml_models"):
        period = [datetime.fromisoformat(trained_from.pop(key)) for key in ("first", "last")]
        assert period == [first, last]
        assert trained_from == {"table": "public.log_entries", "lines": 1500, "feedback": 0}
        assert trained_with == {"lines": 1500, "outliers": False, "seed": 0, "transformer": False}
        assert replaces is None
    [(level, confidence, category)] = db.execute(
        "SELECT predicted_level, level_confidence, category FROM logintel.analyze("
        "(SELECT message FROM log_entries WHERE level IN ('error', 'ERROR', 'E', 'err') LIMIT 1))")
    assert level in ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
    assert 0 < confidence <= 1
    assert category


def test_training_without_deploying_says_how(db: Database) -> None:
    load(db, 1000, is_anomaly=None, anomaly_type=None, category=None)
    printed = db.logintel("train", "--outliers")
    assert registered(db) == [("anomaly", 1, "outlier"), ("level", 1, "classifier")]
    assert "to put them into force: logintel deploy level 1 && logintel deploy anomaly 1" in printed
    assert "note: no category model: no line has a value in category" in printed
    assert db.execute(f"SELECT * FROM {DEPLOYMENTS}") == []


def test_the_server_scores_like_the_trainer(db: Database) -> None:
    load(db, 1200, is_anomaly=None, anomaly_type=None)
    train(lines=1200, outliers=True, deploy=True, dsn=db.dsn)
    connection = db.connect(autocommit=False)
    lines = read_lines(connection, 1200)
    models = {model.name: model for model in train_models(lines, outliers=True, shape_version=SHAPE_VERSION)[0]}
    db.execute("SELECT logintel.backfill()")
    scored = {row[0]: row[1:] for row in db.execute(
        "SELECT (template, service, source_type, level, status_class, latency_bucket)::text, predicted_level, "
        f"level_confidence, anomaly_score FROM {SCORES}")}
    shapes = list({line.shape: line for line in lines}.values())
    labels, confidence = models["level"].predict(shapes)
    anomalies = models["anomaly"].anomaly_scores(shapes)
    keys = [row[0] for row in (db.execute("SELECT (%s::text, %s::text, %s::text, %s::text, %s::text, %s::text)::text",
                                          line.shape)[0] for line in shapes)]
    for key, label, sure, anomaly in zip(keys, labels, confidence, anomalies, strict=True):
        assert scored[key][0] == label
        assert scored[key][1:] == pytest.approx((sure, anomaly), abs=1e-4)


def test_the_latest_lines_are_read_oldest_first(db: Database) -> None:
    load_rows(db.connection, [{"timestamp": f"2026-01-01 00:{minute:02}:00Z", "level": "I", "message": f"minute {'x' * minute}"}
                              for minute in (5, 1, 4, 2, 3)])
    lines = read_lines(db.connect(autocommit=False), 3)
    assert [line.shape.template for line in lines] == ["minute xxx", "minute xxxx", "minute xxxxx"]
    assert {line.level for line in lines} == {"INFO"}
    assert {line.shape.level for line in lines} == {"I"}


@pytest.mark.parametrize(("lines", "without", "message"), [
    (999, {}, "training needs 1,000 lines and there are 999"),
    (1000, {"level": "INFO"}, "all lines have the level INFO"),
    (1000, {"level": None}, "none of the 1,000 lines has a known level"),
    (1000, {"level": "chartreuse"}, "add the spellings 'chartreuse' to logintel.level_names"),
])
def test_too_little_to_learn_from_registers_nothing(db: Database, lines: int, without: dict, message: str) -> None:
    load(db, lines, **without)
    assert message in refused(db)
    assert registered(db) == []


def test_without_an_attached_table_the_next_step_is_named(db: Database) -> None:
    db.execute("SELECT logintel.detach()")
    assert "no log table is attached; run SELECT logintel.attach(" in refused(db)


def test_without_the_extension_the_next_step_is_named(empty_db: Database) -> None:
    assert "run CREATE EXTENSION logintel_python CASCADE" in refused(empty_db)


def test_without_the_right_to_read_lines_the_next_step_is_named(db: Database) -> None:
    nobody = db.create_role("nobody")
    with pytest.raises(UserError, match=r"logintel\.grant_manage"):
        read_lines(db.connect(autocommit=False, user=nobody), 10)


def refused(db: Database) -> str:
    done = subprocess.run([sys.executable, "-m", "logintel", "train", "--dsn", db.dsn], text=True, capture_output=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"logintel: [^\n]+\n", done.stderr), done.stderr
    return done.stderr


def test_the_example_in_the_model_contract_works(db: Database, monkeypatch: pytest.MonkeyPatch,
                                                 capsys: pytest.CaptureFixture) -> None:
    for name, value in conninfo_to_dict(db.dsn).items():
        monkeypatch.setenv({"dbname": "PGDATABASE"}.get(name, f"PG{name.upper()}"), str(value))
    [example] = re.findall(r"```python\n(.*?)```", CONTRACT.read_text(), re.DOTALL)
    exec(example, {})
    assert capsys.readouterr().out == "registered category 1\n"
    db.execute("SELECT logintel.deploy('category')")
    assert db.value("SELECT category FROM logintel.analyze('user 5 logged in')") == "Authentication"
