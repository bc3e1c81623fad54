"""`logintel retrain` against a real server: what it refuses, registers and promotes, and that nothing is left half-done.

Training takes seconds, so most tests are given models that were trained once.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import psycopg
import pytest

from logintel.defaults.masks import SHAPE_VERSION
from logintel.errors import UserError
from logintel.retraining import run
from logintel.retraining.command import retrain
from logintel.simulation import generate
from logintel.training import evaluation
from logintel.training.dataset import Line, Shape
from logintel.training.learning import Learnt
from logintel.training.models import NAMES, TrainedModel, train_models
from logintel_server.tokens import digest
from support.servers import Database
from support.tables import MODELS
from support.tiny_models import deploy, tiny_model

pytestmark = pytest.mark.any_server

LINES = 1100
IN_FORCE = "SELECT models FROM logintel.ml_status"
VERSIONS = f"SELECT name, version FROM {MODELS} WHERE metadata ->> 'origin' IS NULL ORDER BY 1, 2"
OUTCOMES = "SELECT outcome FROM logintel.ml_retrainings ORDER BY id"
TESTS = "SELECT name, share, metric, auto, why FROM logintel_internal.ab_tests ORDER BY id"

Learn = Callable[..., None]


@pytest.fixture(scope="session")
def trained() -> dict[str, TrainedModel]:
    """Models of simulated lines."""
    lines = []
    for line in generate(LINES, seed=1, end=datetime(2026, 1, 1, tzinfo=UTC), days=2):
        level = next(level for level, spelling in line.template.source.spellings.items() if spelling == line.level)
        lines.append(Line(Shape(line.message, line.service, line.source_type, line.level), level, line.is_anomaly,
                          line.anomaly_type, line.category))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "FOLDS", 2)
        models, _ = train_models(lines, shape_version=SHAPE_VERSION, candidates=("logistic_regression",))
    return {model.name: model for model in models}


@pytest.fixture
def learns(trained: dict[str, TrainedModel], monkeypatch: pytest.MonkeyPatch) -> Learn:
    """Let `logintel retrain` learn these models, without training; `changed` takes the place of some."""
    def learns(**changed: TrainedModel) -> None:
        def learn(connection: psycopg.Connection, *, names: list[str], **options: object) -> Learnt:
            now = datetime.now(UTC).isoformat()
            models = [(trained | changed)[name] for name in NAMES if name in names]
            return Learnt([replace(m, metadata=m.metadata | {"trained_at": now}) for m in models], [], [])

        monkeypatch.setattr(run, "learn", learn)

    learns()
    return learns


def force(db: Database, *names: str) -> list[str]:
    """Retrain these models, in this process, and return what became of each."""
    retrain(list(names) or None, force=True, lines=LINES, seed=0, dsn=db.dsn)
    return db.execute(OUTCOMES)[-1][0].split("; ")


def gates(db: Database, name: str) -> dict[str, tuple[bool | None, str]]:
    """What each gate said of a model the last time."""
    found = db.value("SELECT report #> ARRAY['models', %s, 'gates'] FROM logintel.ml_retrainings LIMIT 1", (name,))
    return {gate["gate"]: (gate["passed"], gate["detail"]) for gate in found}


def promote(db: Database, how: str) -> None:
    db.execute("UPDATE logintel.settings SET value = %s WHERE name = 'after_retraining'", (how,))


def wrong(model: TrainedModel) -> TrainedModel:
    """The same model, as it would be if it took each class for another one where it has not seen a template."""
    return replace(model, unseen=model.unseen._replace(probabilities=np.roll(model.unseen.probabilities, 1, axis=1)))


@pytest.mark.usefixtures("learns")
def test_better_than_default_models_they_are_tested_where_lines_decide_and_deployed_where_nothing_would(fresh_db: Database) -> None:
    assert force(fresh_db) == ["level 2 in A/B test 1, decided by declared levels", "category 2 deployed", "anomaly 2 deployed"]
    assert fresh_db.value(IN_FORCE) == "anomaly 2, category 2, level 1"
    assert fresh_db.execute(TESTS) == [("level", 0, "declared", True, "retraining 1")]
    assert fresh_db.execute("SELECT DISTINCT why FROM logintel.ml_deployments WHERE version = 2") == [("retraining 1",)]
    for name in NAMES:
        found = gates(fresh_db, name)
        assert found["fidelity"][0] is True
        assert found["unseen templates"][0] is True
        assert found["feedback"] == (None, "there are no verdicts")
    assert "templates unknown to version 1, the version in force" in gates(fresh_db, "level")["unseen templates"][1]
    assert "F1 of anomalies" in gates(fresh_db, "anomaly")["unseen templates"][1]


def test_a_version_is_followed_by_one_that_learns_from_as_many_lines(
    fresh_db: Database, learns: Learn, trained: dict[str, TrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    learns(level=replace(trained["level"], metadata=trained["level"].metadata | {"trained_with": {"lines": 25_000}}))
    promote(fresh_db, "now")
    learn = run.learn
    monkeypatch.setattr(run, "learn", lambda *args, lines, **options: asked.append(lines) or learn(*args, **options))
    for _ in range(2):
        retrain(["level"], force=True, lines=None, seed=0, dsn=fresh_db.dsn)
    assert asked == [run.LINES, 25_000]  # the first one follows a default model


@pytest.mark.usefixtures("learns")
@pytest.mark.parametrize(("how", "outcome", "in_force"), [
    ("now", "deployed", "anomaly 1, category 1, level 2"), ("manual", "registered", "anomaly 1, category 1, level 1"),
])
def test_promotion_is_as_configured(fresh_db: Database, how: str, outcome: str, in_force: str) -> None:
    promote(fresh_db, how)
    assert force(fresh_db, "level") == [f"level 2 {outcome}"]
    assert fresh_db.value(IN_FORCE) == in_force
    assert fresh_db.execute(VERSIONS) == [("level", 2)]
    assert fresh_db.execute(TESTS) == []


@pytest.mark.parametrize("how", ["test", "now", "manual"])
def test_what_is_worse_on_unseen_templates_is_not_registered(
    fresh_db: Database, learns: Learn, trained: dict[str, TrainedModel], how: str, capsys: pytest.CaptureFixture
) -> None:
    promote(fresh_db, how)
    learns(level=wrong(trained["level"]), anomaly=wrong(trained["anomaly"]))
    assert force(fresh_db) == ["level refused", "category 2 " + {"test": "deployed", "now": "deployed", "manual": "registered"}[how],
                               "anomaly refused"]
    assert fresh_db.execute(VERSIONS) == [("category", 2)]
    for name in ("level", "anomaly"):
        passed, detail = gates(fresh_db, name)["unseen templates"]
        assert passed is False
        assert "by chance with p = " in detail
    assert "| no " in capsys.readouterr().out


def test_what_the_server_does_not_reproduce_is_not_registered(
    fresh_db: Database, learns: Learn, trained: dict[str, TrainedModel]
) -> None:
    golden = [case | {"probabilities": case["probabilities"][::-1]} for case in trained["level"].golden]
    learns(level=replace(trained["level"], golden=golden))
    assert force(fresh_db) == ["level refused", "category 2 deployed", "anomaly 2 deployed"]
    passed, detail = gates(fresh_db, "level")["fidelity"]
    assert passed is False
    assert "golden case" in detail
    assert fresh_db.execute(VERSIONS) == [("anomaly", 2), ("category", 2)]


def test_a_template_that_the_version_in_force_knows_does_not_count(
    fresh_db: Database, learns: Learn, trained: dict[str, TrainedModel]
) -> None:
    """It was trained on it and is right there; what counts is what neither has seen."""
    promote(fresh_db, "now")
    examples = trained["level"].unseen.examples
    templates = [line.shape.template for line in examples.lines]
    known = [digest(template) for template in templates]
    assert known[0] == fresh_db.value("SELECT left(md5(%s), 16)", (templates[0],))
    metadata = trained["level"].metadata

    def judged_by(known_to_it: list[str]) -> tuple[bool | None, str]:
        """Retrain, then retrain against that version; it is given out as one that knows these templates."""
        learns(level=replace(trained["level"], metadata=metadata | {"baseline": metadata["baseline"] | {"templates": known_to_it}}))
        assert force(fresh_db, "level")[0].endswith("deployed")
        force(fresh_db, "level")
        return gates(fresh_db, "level")["unseen templates"]

    figure, count = f"{metadata['accuracy']:.1%}", metadata["samples"]["templates"]
    assert judged_by(known) == (True, f"right on {figure} of {count:,} unseen templates, the version in force {figure}")
    _, detail = judged_by(known[:-40])
    judged = re.search(r" of (\d+) templates unknown to version 4, the version in force", detail)
    assert 20 <= int(judged[1]) <= 40, detail


@pytest.mark.usefixtures("learns")
def test_what_is_worse_on_feedback_is_not_registered(db: Database) -> None:
    """People say what nobody could read from the words, and the version in force knows it."""
    levels = {"started": "FATAL", "failed": "DEBUG", "slow": "ERROR", "entering": "WARN", "panicked": "INFO"}
    words = [f"{word} {number}" for word in levels for number in ("one", "two", "three")]
    deploy(db, tiny_model("level", tuple(levels.items())))
    db.execute("INSERT INTO log_entries (message) SELECT unnest(%s::text[])", (words,))
    for word, level in levels.items():
        db.execute("SELECT logintel.give_feedback(id, true_level => %s) FROM log_entries WHERE message LIKE %s", (level, f"{word} %"))
    assert force(db, "level") == ["level refused"]
    found = gates(db, "level")
    assert found["unseen templates"] == (None, "version 1 has no figures to compare with")
    assert found["feedback"][0] is False
    assert "of 15 templates with a verdict, the version in force 100.0%; by chance with p = " in found["feedback"][1]


@pytest.mark.usefixtures("learns")
def test_without_verdicts_no_test_could_decide_between_two_trained_category_models(fresh_db: Database) -> None:
    db = fresh_db
    force(db, "category")
    assert force(db, "category") == [
        "category 3 registered: fewer than 50 new verdicts, so no test could decide: deploy it by hand"]
    assert db.value(IN_FORCE) == "anomaly 1, category 2, level 1"
    category = db.value(f"SELECT metadata #>> '{{classes,0}}' FROM {MODELS} WHERE name = 'category' AND version = 2")
    db.execute("INSERT INTO log_entries (message) SELECT 'word' FROM generate_series(1, 50)")
    db.execute("SELECT logintel.give_feedback(id, true_category => %s) FROM log_entries", (category,))
    assert force(db, "category") == ["category 4 in A/B test 1, decided by feedback"]
    assert db.execute(TESTS) == [("category", 0, "feedback", True, "retraining 3")]


@pytest.mark.usefixtures("learns")
def test_a_model_in_a_running_test_is_left_alone(fresh_db: Database) -> None:
    force(fresh_db, "level")
    assert force(fresh_db, "level", "category") == ["category 2 deployed", "level skipped: A/B test 1 is running"]
    assert fresh_db.execute(VERSIONS) == [("category", 2), ("level", 2)]


@pytest.mark.usefixtures("learns")
def test_where_nothing_is_in_force_it_is_deployed(db: Database) -> None:
    assert force(db, "category") == ["category 1 deployed"]
    assert gates(db, "category")["unseen templates"] == (None, "no version is in force")


@pytest.mark.parametrize(("error", "outcome"), [
    (KeyboardInterrupt(), "failed: interrupted"), (UserError("training needs more lines"), "failed: training needs more lines"),
    (ValueError("odd"), "failed: ValueError: odd"),
])
def test_what_keeps_it_from_its_end_is_in_its_row(
    fresh_db: Database, monkeypatch: pytest.MonkeyPatch, error: BaseException, outcome: str
) -> None:
    def learn(*_: object, **__: object) -> Learnt:
        raise error

    monkeypatch.setattr(run, "learn", learn)
    with pytest.raises(type(error)):
        force(fresh_db)
    assert fresh_db.execute(OUTCOMES) == [(outcome,)]
    assert fresh_db.execute("SELECT finished_at >= started_at FROM logintel.ml_retrainings") == [(True,)]


@pytest.mark.usefixtures("learns")
def test_nothing_half_done_stays(fresh_db: Database) -> None:
    """The last of three models fails to be written: the two before it go as well."""
    fresh_db.execute("CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''the disk is full''; END'")
    fresh_db.execute("CREATE TRIGGER fail BEFORE UPDATE ON logintel_internal.retrainings FOR EACH ROW WHEN (NEW.report IS NOT NULL) "
                     "EXECUTE FUNCTION fail()")
    with pytest.raises(psycopg.errors.RaiseException):
        force(fresh_db)
    assert fresh_db.execute(OUTCOMES) == [("failed: the disk is full",)]
    assert fresh_db.execute(VERSIONS) == []
    assert fresh_db.execute(TESTS) == []
    assert fresh_db.value(IN_FORCE) == "anomaly 1, category 1, level 1"


@pytest.mark.usefixtures("learns")
def test_a_test_that_cannot_be_started_leaves_the_model_registered(fresh_db: Database) -> None:
    fresh_db.execute("CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no tests today''; END'")
    fresh_db.execute("CREATE TRIGGER fail BEFORE INSERT ON logintel_internal.ab_tests FOR EACH ROW EXECUTE FUNCTION fail()")
    assert force(fresh_db, "level") == ["level 2 registered: no test could be started: no tests today"]
    assert fresh_db.execute(VERSIONS) == [("level", 2)]
