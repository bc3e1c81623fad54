"""Linear models are scored in SQL: the same answers as onnxruntime's, without Python, and whatever the database went through."""

import functools
import json
import random
from collections.abc import Sequence

import numpy as np
import psycopg
import pytest

from logintel.training import default_models
from logintel.training.dataset import Line, Shape
from logintel.training.golden import ODD_LINES
from logintel.training.models import TrainedModel, train_models
from support.dumps import restore
from support.lines import insert
from support.servers import Database
from support.tiny_models import LEVELS, TinyModel, deploy, register, tiny_model
from support.training_lines import LOGHUB, loghub, mask, simulated

COMPARED = """
SELECT (c).* FROM (
    SELECT logintel._compare_scorers(logintel._set_in_force(), ROW(
               array_agg(s.n), array_agg(s.template), array_agg(s.service), array_agg(s.source_type), array_agg(s.level),
               array_agg(s.status_class), array_agg(s.latency_bucket), NULL)::logintel._shapes) AS c
    FROM jsonb_to_recordset(%s::jsonb) AS s (n bigint, template text, service text, source_type text, level text,
                                             status_class text, latency_bucket text)) AS x
"""
SCORED_BY = "SELECT name, scored_by FROM ml_models WHERE state = 'in force' ORDER BY name"


@functools.cache
def lines() -> tuple[Line, ...]:
    return tuple(line for _, line in simulated(3000, seed=5, corrupt=0.05))


@functools.cache
def other_lines() -> tuple[Line, ...]:
    """Lines that no model has seen: real ones, where the shared folder is beside the checkout, odd and random ones."""
    real = loghub("Android", "Apache", "HDFS", "Hadoop", "Linux", "OpenSSH", "OpenStack", "Spark") if LOGHUB.exists() else []
    draw = random.Random(7)
    alphabets = [range(32, 127), range(0xA0, 0x600), range(0x1E00, 0x2100), range(0x3000, 0xD000), range(0x1F300, 0x1F700)]
    texts = [" ".join("".join(chr(draw.choice(draw.choice(alphabets))) for _ in range(draw.randint(1, 9)))
                      for _ in range(draw.randint(0, 12))) for _ in range(1500)]  # fmt: skip
    return (*real, *ODD_LINES, *(Line(Shape(mask(text), text[:30], text[-20:], "warn")) for text in texts))


@functools.cache
def linear_models() -> tuple[TrainedModel, ...]:
    """What train makes of them where a linear model wins: all features, known templates, default scores, a baseline."""
    return tuple(train_models(lines(), candidates=("logistic_regression",))[0])


def compare(db: Database, shapes: Sequence[Line]) -> tuple[int, float, int]:
    """How many shapes, how far both scorers are apart, and how many labels differ."""
    total, furthest, labels = 0, 0.0, 0
    unique = list(dict.fromkeys(line.shape for line in shapes))
    for start in range(0, len(unique), 256):
        rows = [{"n": n, **shape._asdict()} for n, shape in enumerate(unique[start : start + 256])]
        [(count, difference, differing)] = db.execute(COMPARED, (json.dumps(rows),))
        total, furthest, labels = total + count, max(furthest, difference), labels + differing
    return total, furthest, labels


def put_into_force(db: Database, models: Sequence[TrainedModel]) -> None:
    for model in models:
        version = db.value("SELECT logintel.import_model(%s, %s, %s, %s)",
                           (model.name, model.onnx, json.dumps(model.metadata), json.dumps(model.golden)))  # fmt: skip
        db.execute("SELECT logintel.deploy(%s, %s)", (model.name, version))


def test_the_default_models_say_the_same_in_sql_as_by_onnxruntime(fresh_db: Database) -> None:
    assert fresh_db.execute(SCORED_BY) == [("anomaly", "SQL"), ("category", "SQL"), ("level", "SQL")]
    shapes, difference, labels = compare(fresh_db, lines() + other_lines())
    assert shapes > 2000
    assert difference < 1e-5
    assert labels == 0


def test_trained_models_say_the_same_in_sql_as_by_onnxruntime(db: Database) -> None:
    put_into_force(db, linear_models())
    assert {by for _, by in db.execute(SCORED_BY)} == {"SQL"}
    shapes, difference, labels = compare(db, lines() + other_lines())
    assert shapes > 2000
    assert difference < 1e-5
    assert labels == 0


@pytest.mark.parametrize("combine", ["average", "vote"])
def test_ensembles_say_the_same_in_sql_as_by_onnxruntime(db: Database, combine: str) -> None:
    put_into_force(db, linear_models())
    default = default_models.model("level")
    others = [register(db, TinyModel("level", default.onnx, default.metadata, default.golden))]
    if combine == "average":  # what it does not know is a tie, in which its vote would be anybody's
        others.append(register(db, tiny_model("level", LEVELS[:3])))
    version = db.value("SELECT logintel.create_ensemble('level', %s, %s)", ([1, *others], combine))
    db.execute("SELECT logintel.deploy('level', %s)", (version,))
    assert db.execute(SCORED_BY)[-1] == ("level", "SQL")
    shapes, difference, labels = compare(db, lines())
    assert shapes > 500
    assert difference < 1e-5
    assert labels == 0


@pytest.mark.parametrize("classes", [2, 5, 8])
def test_any_number_of_classes(db: Database, classes: int) -> None:
    words = ("started", "failed", "slow", "entering", "panicked", "lost", "halted", "resumed")[:classes]
    deploy(db, tiny_model("category", tuple((word, f"class {word}") for word in words)))
    insert(db, *words)
    assert db.execute("SELECT category FROM ml_predictions ORDER BY id") == [(f"class {word}",) for word in words]
    assert db.value("SELECT max(abs(1 - category_confidence)) < 0.05 FROM ml_predictions")


def test_more_classes_than_columns_are_left_to_onnxruntime(db: Database) -> None:
    words = [f"word{'abcdefghi'[n]}" for n in range(9)]
    deploy(db, tiny_model("category", tuple((word, f"class {word}") for word in words)))
    insert(db, *words)
    assert db.execute("SELECT category FROM ml_predictions ORDER BY id") == [(f"class {word}",) for word in words]
    assert db.execute("SELECT scored_by, not_linear FROM ml_models") == [
        ("onnxruntime", "a category model of 9 classes is not scored in SQL, which takes 8")]


def test_a_new_shape_starts_no_python(fresh_db: Database) -> None:
    session = fresh_db.connect()
    loaded = "SELECT count(*) FROM pg_catalog.pg_backend_memory_contexts WHERE name LIKE 'PL/Python%'"
    insert(session, "never seen before")
    assert session.execute(loaded).fetchone() == (0,)
    assert fresh_db.execute("SELECT predictions, pending FROM ml_status") == [(1, 0)]


def test_a_graph_that_says_something_else_in_sql_does_not_come_in(db: Database) -> None:
    db.execute("CREATE OR REPLACE FUNCTION logintel._tokens(text text) RETURNS text[] LANGUAGE sql IMMUTABLE AS 'SELECT ARRAY[''else'']'")
    with pytest.raises(psycopg.Error, match=r"golden case 1 is off by .* by SQL; the conversion changed the model"):
        register(db, tiny_model())
    assert db.execute("SELECT count(*) FROM logintel_internal.models") == [(0,)]


def test_rows_of_another_hash_function_are_made_again(fresh_db: Database) -> None:
    # As on a server that hashes otherwise: what was restored there finds nothing, and is not asked.
    fresh_db.execute("UPDATE logintel_internal.layouts SET hash_canary = 0")
    fresh_db.execute("UPDATE logintel_internal.linear_models SET hash_canary = 0")
    fresh_db.execute("UPDATE logintel_internal.layout_weights SET key = key + 1")
    fresh_db.execute("UPDATE logintel_internal.linear_weights SET key = key + 1")
    [problem] = fresh_db.execute("SELECT detail, next_step FROM logintel.doctor() WHERE \"check\" = 'scorers'")
    assert problem == ("the models in force are not laid out for SQL", "run CALL logintel.maintain('45 s')")
    fresh_db.execute("CALL logintel.maintain('45 s')")
    _, difference, labels = compare(fresh_db, lines())
    assert difference < 1e-5
    assert labels == 0


@pytest.mark.local_only  # pg_dump must be as new as the server
def test_a_restored_database_lays_its_models_out_by_itself(fresh_db: Database, empty_db: Database) -> None:
    insert(fresh_db, "one", "two")
    restore(fresh_db, empty_db)
    insert(empty_db, "three that is new")
    assert empty_db.execute("SELECT predictions, pending FROM ml_status") == [(3, 0)]
    assert empty_db.execute(SCORED_BY) == [("anomaly", "SQL"), ("category", "SQL"), ("level", "SQL")]


def test_layouts_go_with_the_sets_that_no_longer_serve(db: Database) -> None:
    deploy(db, tiny_model())
    deploy(db, tiny_model())
    assert db.value("SELECT count(*) FROM logintel_internal.layouts") == 2
    db.execute("CALL logintel.maintain('45 s')")
    assert db.value("SELECT count(*) FROM logintel_internal.layouts") == 1
    db.execute("SELECT logintel.rollback('level')")
    insert(db, "something failed")
    assert db.execute("SELECT predicted_level, model_version FROM ml_predictions") == [("ERROR", "level 1")]


def test_versions_out_of_use_keep_no_rows_and_get_them_again(db: Database) -> None:
    for _ in range(3):
        deploy(db, tiny_model())
    with_rows = "SELECT DISTINCT version FROM logintel_internal.linear_weights JOIN logintel_internal.models ON id = model_id ORDER BY 1"
    assert db.execute(with_rows) == [(1,), (2,), (3,)]
    db.execute("UPDATE logintel_internal.models SET created_at = now() - interval '2 days'")
    db.execute("CALL logintel.maintain('45 s')")
    assert db.execute(with_rows) == [(3,)]
    db.execute("SELECT logintel.rollback('level')")
    insert(db, "something failed")
    assert db.execute("SELECT predicted_level, model_version FROM ml_predictions") == [("ERROR", "level 2")]
    db.execute("SELECT logintel.retire('level', 3), logintel.drop_model('level', 3)")
    assert db.execute(with_rows) == [(2,)]


def test_known_words_and_templates_are_told_by_sql_too(db: Database) -> None:
    put_into_force(db, linear_models())
    template = next(line.shape.template for line in lines() if len(line.shape.template.split()) > 4)
    insert(db, template, template + " zyzzyva")
    found = "SELECT unknown_words > 0, is_new_template FROM logintel_internal.scores ORDER BY length(template)"
    assert db.execute(found) == [(False, False), (True, True)]


def test_probabilities_add_up_to_one(db: Database) -> None:
    put_into_force(db, linear_models())
    insert(db, *(line.shape.template for line in lines()[:500]))
    sums = db.execute("SELECT (SELECT sum(p) FROM unnest(level_probabilities) AS p) FROM logintel_internal.scores")
    assert np.abs(np.array(sums, float) - 1).max() < 1e-5


def test_a_layout_that_has_lost_rows_scores_nothing_and_is_made_again(fresh_db: Database) -> None:
    fresh_db.execute("DELETE FROM logintel_internal.layout_weights")
    insert(fresh_db, "new while rows are missing")
    assert fresh_db.execute("SELECT predictions, pending FROM ml_status") == [(0, 1)]
    fresh_db.execute("CALL logintel.maintain('45 s')")
    assert fresh_db.value("SELECT logintel.backfill()") == 1
    _, difference, labels = compare(fresh_db, lines())
    assert (difference < 1e-5, labels) == (True, 0)


def test_the_upkeep_takes_no_layout_from_what_is_being_put_into_force(db: Database) -> None:
    for _ in range(2):
        deploy(db, tiny_model())
    db.execute("SELECT logintel.deploy('level', 1)")
    deploying = db.connect(autocommit=False)
    deploying.execute("SELECT logintel.deploy('level', 2)")
    db.connect().execute("CALL logintel.maintain('45 s')")  # waits for nobody
    deploying.commit()
    assert db.value("SELECT count(*) FROM logintel_internal.layouts WHERE model_set_id = logintel._set_in_force()") == 1


def test_a_classifier_does_not_vote_whatever_its_metadata_say(db: Database) -> None:
    plain, voting = tiny_model(), tiny_model()
    register(db, plain)
    deploy(db, TinyModel(voting.name, voting.onnx, voting.metadata | {"combine": "vote"}, voting.golden))
    insert(db, "something failed")
    assert db.value("SELECT level_confidence < 1 FROM ml_predictions")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"trained_at": "13/02/2026"}, "trained_at is no time as 2026-01-31"),
        ({"trained_with": {"lines": "x"}}, "its metadata cannot be read"),
        ({"trained_from": {"lines": {}}}, "its metadata cannot be read"),
        ({"tokens_version": "x"}, "its metadata cannot be read"),
        ({"classes": [["INFO"], "WARN"]}, "its classes are no list of names"),
    ],
)
def test_metadata_that_would_break_views_are_refused(db: Database, changes: dict[str, object], fault: str) -> None:
    model = tiny_model()
    session = db.connect()
    session.execute("SET DateStyle = 'SQL, DMY'")
    with pytest.raises(psycopg.Error, match=fault):
        session.execute("SELECT logintel.import_model(%s, %s, %s, %s)",
                        (model.name, model.onnx, json.dumps(model.metadata | changes), json.dumps(model.golden)))  # fmt: skip
    assert db.execute("SELECT count(*) FROM logintel_internal.models") == [(0,)]


def test_golden_cases_that_are_none_are_refused_in_one_line(db: Database) -> None:
    model = tiny_model()
    for golden, fault in (
        ([case | {"probabilities": [None] * 5} for case in model.golden], "probabilities that are no numbers"),
        (model.golden * 300, "has more than 1000 golden cases"),
    ):
        with pytest.raises(psycopg.Error, match=fault):
            register(db, TinyModel(model.name, model.onnx, model.metadata, golden))
