"""Drift: how far a day's lines are from those that the model serving them was trained on."""

import json
from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import psycopg
import pytest

from logintel.training.baseline import population_stability_index
from support.drifting import CLASSES, DAY, MESSAGES, USUAL, baseline, with_baseline, write
from support.dumps import restore
from support.servers import Database
from support.tables import scores
from support.tiny_models import ANOMALIES, deploy, register, tiny_model

pytestmark = pytest.mark.any_server


def states(db: Database, day: date = DAY, name: str = "level", service: str | None = None) -> dict[str, str]:
    db.execute("SELECT logintel.maintain()")
    return dict(
        db.execute(
            "SELECT measure, state FROM ml_drift WHERE day = %s AND name = %s AND service IS NOT DISTINCT FROM %s",
            (day, name, service),
        )
    )


@pytest.fixture
def judged_db(db: Database) -> Iterator[Database]:
    """A database with a level model in force that has a baseline."""
    deploy(db, with_baseline(tiny_model(), baseline()))
    return db


def test_lines_like_those_of_training_are_no_drift(judged_db: Database) -> None:
    write(judged_db)
    assert states(judged_db) == dict.fromkeys(USUAL, "none")
    assert states(judged_db, service="api") == dict.fromkeys(("classes", "confidence", "new_templates", "unknown_words"), "none")
    assert judged_db.value("SELECT max(value) FROM ml_drift") < 0.001


def test_a_day_unlike_those_of_training_is_drift_that_day(judged_db: Database) -> None:
    storm = {"started": 0.3, "slow": 0.2, "failed": 0.5}
    for day, shares in enumerate([MESSAGES, storm, MESSAGES, storm, storm, storm], start=2):
        write(judged_db, date(2026, 3, day), shares=shares)
    judged_db.execute("SELECT logintel.maintain()")
    assert judged_db.execute(
        "SELECT extract(day FROM day)::integer, state FROM ml_drift WHERE measure = 'classes' AND service IS NULL ORDER BY day"
    ) == [(2, "none"), (3, "drift"), (4, "none"), (5, "drift"), (6, "drift"), (7, "drift")]
    [(value, evidence)] = judged_db.execute(
        "SELECT value, evidence FROM ml_drift WHERE day = '2026-03-07' AND measure = 'classes' AND service IS NULL"
    )
    index = population_stability_index(np.array([0.7, 0.2, 0.1]), np.array([0.3, 0.2, 0.5]))
    assert value == pytest.approx(index, rel=0.01)
    now = {"ERROR": 0.5, "INFO": 0.3, "WARN": 0.2}
    assert sorted(evidence, key=lambda row: row["name"]) == [
        {"name": name, "before": CLASSES[name], "now": share} for name, share in now.items()
    ]


def test_what_is_usual_for_these_lines_is_no_drift(db: Database) -> None:
    deploy(db, with_baseline(tiny_model(), baseline(usual=USUAL | {"classes": 0.9})))
    for day in (DAY, date(2026, 3, 3)):
        write(db, day, shares={"started": 0.3, "slow": 0.2, "failed": 0.5})
    assert states(db, date(2026, 3, 3))["classes"] == "none"
    assert db.execute("SELECT DISTINCT usual, round(drift_from::numeric, 2)::float FROM ml_drift WHERE measure = 'classes' AND service IS NULL") == [
        (0.9, 1.8)
    ]  # fmt: skip


def test_few_lines_are_not_taken_for_drift(judged_db: Database) -> None:
    write(judged_db, lines=190, shares={"failed": 1})
    assert states(judged_db) == {}
    with pytest.raises(psycopg.errors.NoDataFound, match=r'classes of model "level" was not judged on 2026-03-02'):
        judged_db.execute("SELECT * FROM logintel.drift_lines('level', %s, 'classes')", (DAY,))


def test_new_templates_words_and_services_are_found_with_their_lines(judged_db: Database) -> None:
    write(judged_db)
    judged_db.execute(
        "INSERT INTO log_entries (timestamp, service, message) "
        "SELECT '2026-03-02 12:00+00', 'cart', 'basket slow' FROM generate_series(1, 300)"
    )
    assert states(judged_db).items() >= {"services": "none", "new_templates": "drift", "unknown_words": "drift", "new_services": "drift"}.items()
    found = dict(judged_db.execute("SELECT measure, value FROM ml_drift WHERE service IS NULL"))
    assert found["new_templates"] == found["new_services"] == pytest.approx(300 / 1300)
    assert found["unknown_words"] == pytest.approx(150 / 1300)
    evidence = dict(judged_db.execute("SELECT measure, evidence FROM ml_drift WHERE service IS NULL"))
    assert evidence["new_services"] == [{"name": "cart", "lines": 300}]
    assert evidence["new_templates"] == [{"name": "basket slow", "lines": 300}]
    assert evidence["unknown_words"] == [{"name": "basket slow", "lines": 300, "unknown_words": 0.5}]
    for measure in ("new_services", "new_templates", "unknown_words"):
        lines = judged_db.execute("SELECT line_service, class, message, template FROM logintel.drift_lines('level', %s, %s)", (DAY, measure))
        assert lines == [("cart", "WARN", "basket slow", "basket slow")] * 100
    lines = judged_db.execute("SELECT DISTINCT class FROM logintel.drift_lines('level', %s, 'classes')", (DAY,))
    assert lines == [("WARN",)]


def test_a_shift_of_one_service_is_seen_there(judged_db: Database) -> None:
    for day in (2, 3, 4):
        write(judged_db, date(2026, 3, day), lines=200, shares={"failed": 1}, api=1)
        write(judged_db, date(2026, 3, day), lines=400, api=1)
        write(judged_db, date(2026, 3, day), lines=3000, api=0)
    judged_db.execute("SELECT logintel.maintain()")
    # An incident is large in a service, and over the next day: it takes three days in a row.
    assert judged_db.execute(
        "SELECT service, state FROM ml_drift WHERE measure = 'classes' AND service = 'api' ORDER BY day"
    ) == [("api", "none"), ("api", "watch"), ("api", "drift")]
    assert judged_db.value("SELECT count(*) FROM ml_drift WHERE measure = 'classes' AND service IS NULL AND state = 'none'") == 3


def test_every_model_is_judged_by_its_own_baseline_and_one_without_is_not(db: Database) -> None:
    categories = tiny_model("category", (("started", "System"), ("slow", "Performance"), ("failed", "Error")))
    deploy(
        db,
        tiny_model(),
        with_baseline(categories, baseline({"System": 0.7, "Performance": 0.2, "Error": 0.1})),
        with_baseline(tiny_model("anomaly", ANOMALIES), baseline({"none": 0.5, "system_failure": 0.5}, confidence=[1] + [0] * 9)),
    )
    write(db)
    assert states(db) == {}
    assert states(db, name="category") == dict.fromkeys(USUAL, "none")
    # What is new is told once, by the first model that has a baseline.
    anomaly = states(db, name="anomaly")
    assert anomaly["classes"] == "drift" and anomaly["confidence"] == "none" and "new_templates" not in anomaly
    # The setting is the users', and their change no drift.
    db.execute("UPDATE logintel.settings SET value = '0.0001' WHERE name = 'anomaly_threshold'")
    db.execute("UPDATE logintel_internal.drift_days SET changed = true")
    before = db.execute("SELECT name, measure, service, value FROM ml_drift ORDER BY 1, 2, 3")
    db.execute("SELECT logintel.maintain()")
    assert db.execute("SELECT name, measure, service, value FROM ml_drift ORDER BY 1, 2, 3") == before


def test_an_ensemble_is_measured_by_the_first_member_that_has_a_baseline(db: Database) -> None:
    for model in (tiny_model(), with_baseline(tiny_model(), baseline()), with_baseline(tiny_model(), baseline({"FATAL": 1}))):
        register(db, model)
    db.execute("SELECT logintel.create_ensemble('level', '{1,2,3}')")
    db.execute("SELECT logintel.deploy('level', 4)")
    write(db)
    assert states(db)["classes"] == "none"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"lines": 0}, "needs lines, classes, confidence .10 numbers. and usual"),
        ({"confidence": [1]}, "needs lines, classes, confidence .10 numbers. and usual"),
        ({"services": {"api": {"lines": "many"}}}, ".* and usual of service 'api'"),
        ({"mix": ["api"]}, "needs mix, the share of each service"),
        ({"hours": [1]}, "has hours that are not 24 numbers"),
        ({"templates": [1]}, "has templates that are no list of strings"),
    ],
)
def test_a_baseline_that_upkeep_would_fail_on_is_refused(db: Database, changes: dict[str, object], fault: str) -> None:
    with pytest.raises(psycopg.Error, match=f"model level: its baseline {fault}"):
        deploy(db, with_baseline(tiny_model(), baseline(**changes)))


def test_a_day_that_changes_a_lot_is_judged_again_within_the_hour(judged_db: Database) -> None:
    judged_db.execute("SELECT * FROM logintel.reconcile()")  # which the first maintain() would do: it counts all afresh
    today = judged_db.value("SELECT (now() AT TIME ZONE 'UTC')::date")
    judged = "SELECT done FROM logintel.maintain() WHERE task = 'measure drift'"
    insert = "INSERT INTO log_entries (service, message) SELECT 'api', %s FROM generate_series(1, %s)"
    for message, lines, expected in (("started", 1000, 1), ("started", 50, 0), ("failed", 2000, 1)):
        judged_db.execute(insert, (message, lines))
        assert judged_db.value(judged) == expected
    assert states(judged_db, today)["classes"] == "drift"


def test_half_a_day_is_not_judged(db: Database) -> None:
    deploy(db, with_baseline(tiny_model(), baseline(hours=[1 / 24] * 24)))
    db.execute(
        "INSERT INTO log_entries (timestamp, service, message) "
        "SELECT '2026-03-02 00:00+00'::timestamptz + i * interval '1 minute', 'api', 'failed' FROM generate_series(0, 899) AS i"
    )
    assert states(db) == {}
    db.execute(
        "INSERT INTO log_entries (timestamp, service, message) "
        "SELECT '2026-03-02 15:00+00'::timestamptz + i * interval '1 minute', 'api', 'failed' FROM generate_series(0, 539) AS i"
    )
    assert states(db)["classes"] == "drift"


def test_a_day_is_judged_again_when_lines_of_it_come_and_keeps_its_rows_when_they_go(judged_db: Database) -> None:
    judged_db.execute("SELECT logintel.maintain()")
    write(judged_db)
    assert states(judged_db)["classes"] == "none"
    assert judged_db.execute("SELECT done FROM logintel.maintain() WHERE task = 'measure drift'") == [(0,)]
    write(judged_db, lines=2000, shares={"failed": 1})
    assert states(judged_db)["classes"] == "drift"
    rows = judged_db.execute("SELECT * FROM ml_drift")
    judged_db.execute("TRUNCATE log_entries")
    judged_db.execute("SELECT logintel.maintain()")
    assert judged_db.execute("SELECT * FROM ml_drift") == rows


def test_trained_models_have_baselines_and_their_own_lines_are_no_drift(trained_db: Database) -> None:
    trained_db.execute("SELECT logintel.maintain()")
    assert trained_db.value("SELECT count(DISTINCT name) FROM ml_drift") == 3
    assert trained_db.value("SELECT count(DISTINCT day) FROM ml_drift") >= 5
    assert trained_db.execute("SELECT * FROM ml_drift WHERE state = 'drift'") == []
    assert scores(trained_db, "bool_or(is_new_template), max(unknown_words)") == [(False, 0)]
    trained_db.execute("INSERT INTO log_entries (service, message) VALUES ('api', 'zebras qwertied the 3 flux capacitors')")
    assert scores(trained_db, "is_new_template, unknown_words > 0.4", "ORDER BY id DESC LIMIT 1") == [(True, True)]


def test_the_index_agrees_with_numpy(db: Database) -> None:
    chance = np.random.default_rng(1)
    for _ in range(200):
        expected, actual = chance.poisson(chance.choice([0.5, 5, 500]), (2, chance.integers(1, 30)))
        expected[0] += 1
        actual[-1] += 1
        value = db.value("SELECT logintel._population_stability_index(%s::int[]::float[], %s::int[]::float[])", (expected.tolist(), actual.tolist()))
        then, now = (np.clip(side / side.sum(), 0.0001, None) for side in (expected, actual))
        assert value == pytest.approx(np.sum((now - then) * np.log(now / then)), abs=1e-12)
        assert value == pytest.approx(population_stability_index(expected, actual), abs=1e-12)


def test_the_index_of_nothing_is_null_and_of_other_bins_an_error(db: Database) -> None:
    index = "SELECT logintel._population_stability_index(%s::float[], %s::float[])"
    assert db.value(index, ([], [])) is None
    assert db.value(index, ([1, 2], [0, 0])) is None
    assert db.value(index, ([1, 0], [0, 3])) == pytest.approx(2 * 0.9999 * np.log(10000), rel=1e-6)
    with pytest.raises(psycopg.errors.ArraySubscriptError, match="compares the same bins, and got 1 and 2"):
        db.value(index, ([1], [1, 2]))
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="negative"):
        db.value(index, ([1, 1], [-1, 2]))


@pytest.mark.local_only  # pg_dump must be as new as the server
def test_what_was_judged_is_restored(judged_db: Database, empty_db: Database) -> None:
    write(judged_db)
    judged_db.execute("SELECT logintel.maintain()")
    rows = judged_db.execute("SELECT * FROM logintel.ml_drift ORDER BY measure, service")
    restore(judged_db, empty_db)
    assert empty_db.execute("SELECT * FROM logintel.ml_drift ORDER BY measure, service") == rows
    empty_db.execute("SELECT logintel.maintain()")
    again = "SELECT name, day, service, measure, state, value, evidence FROM logintel.ml_drift ORDER BY measure, service"
    assert empty_db.execute(again) == judged_db.execute(again)


def rights(db: Database, query: str, user: str, params: Sequence = ()) -> list[tuple]:
    return db.connect(user=user).execute(query, params).fetchall()


def test_readers_see_drift_and_managers_its_lines(judged_db: Database) -> None:
    write(judged_db)
    judged_db.execute("SELECT logintel.maintain()")
    reader, manager = judged_db.create_role("reader"), judged_db.create_role("manager")
    judged_db.execute("SELECT logintel.grant_read(%s)", (reader,))
    judged_db.execute("SELECT logintel.grant_manage(%s)", (manager,))
    assert len(rights(judged_db, "SELECT * FROM logintel.ml_drift", reader)) == 10
    assert len(rights(judged_db, "SELECT * FROM logintel.drift_lines('level', %s, 'classes', 'api', 7)", manager, (DAY,))) == 7
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rights(judged_db, "SELECT * FROM logintel_internal.drift", reader)
    json.dumps(judged_db.value("SELECT evidence FROM ml_drift LIMIT 1"))
