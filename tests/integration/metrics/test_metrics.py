"""How the models did, hour by hour: every figure is what counting the lines one by one gives."""

import random
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logintel.training import evaluation
from support.lines import insert
from support.measured import CATEGORIES, about, expected, first_hours, insert_many, maintain, measured
from support.servers import Database
from support.tables import MODEL_SETS, SCORES
from support.tiny_models import deploy, tiny_model

TEN, ELEVEN = (datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in (10, 11))


@pytest.fixture
def scoring_db(db: Database) -> Database:
    deploy(db)
    db.execute("SELECT * FROM logintel.reconcile()")  # which the first maintain() would do: it counts all afresh
    return db


def assert_measured_as_expected(db: Database) -> None:
    shown, wanted = measured(db), expected(db)
    assert shown.keys() == wanted.keys()
    for key, row in wanted.items():
        assert shown[key] == about(row), key


def figures(db: Database, hour: datetime, name: str = "level", version: int = 1) -> dict[str, Any]:
    return measured(db)[hour, name, version]


def test_figures_are_what_counting_line_by_line_gives(db: Database) -> None:
    deploy(db, tiny_model(), tiny_model("anomaly", (("slow", "none"), ("panicked", "system_failure"))), tiny_model("category", CATEGORIES))
    insert_many(db, 250, seed=1)
    maintain(db)
    deploy(db, tiny_model("level", (("started", "DEBUG"), ("failed", "FATAL"), ("other", "WARN"))))
    insert_many(db, 250, seed=2)
    choose = random.Random(3)
    for line in range(1, 500, 5):
        db.execute(
            "SELECT logintel.give_feedback(%s, %s, %s, %s, whole_template => %s)",
            (line, choose.choice(("DEBUG", "INFO", "ERROR", "FATAL", None)), choose.choice(("System", "Error", None)),
             choose.random() < 0.5, choose.random() < 0.3),
        )
    db.execute(
        "UPDATE logintel_internal.feedback SET declared_level = 'INFO' "
        "WHERE id IN (SELECT id FROM logintel_internal.feedback WHERE is_current AND scope = 'template' ORDER BY id LIMIT 5)"
    )
    maintain(db)
    assert_measured_as_expected(db)
    levels = {key: row for key, row in measured(db).items() if key[1] == "level" and row["predictions"]}
    assert len(levels) == 8  # two versions in each of four hours
    assert all(0 < row["accuracy"] < 1 and row["calibration_error"] > 0 for row in levels.values())


def test_an_hour_is_measured_under_the_thresholds_of_its_first_lines(scoring_db: Database) -> None:
    insert_many(scoring_db, 100, seed=4)
    scoring_db.execute("SELECT count(logintel.give_feedback(id, is_anomaly => id % 3 = 0)) FROM log_entries")
    maintain(scoring_db)
    assert_measured_as_expected(scoring_db)
    before = measured(scoring_db)
    change = "UPDATE logintel.settings SET value = %s WHERE name = %s"
    scoring_db.execute(change, ("0.3", "anomaly_threshold"))
    scoring_db.execute(change, ("0.95", "classification_min_confidence"))
    assert maintain(scoring_db) == 0
    insert(scoring_db, "slow", "failed other", timestamp=TEN)
    insert(scoring_db, "slow", "failed other", "job failed slow started", timestamp=datetime(2026, 3, 1, 15, tzinfo=UTC))
    maintain(scoring_db)
    first = first_hours(scoring_db)
    scoring_db.execute("DELETE FROM log_entries WHERE id % 7 = 0")
    maintain(scoring_db)
    shown, under_new = measured(scoring_db), expected(scoring_db, first)
    scoring_db.execute(change, ("0.7", "anomaly_threshold"))
    scoring_db.execute(change, ("0.6", "classification_min_confidence"))
    under_old = expected(scoring_db, first)
    for key in under_old:
        assert shown[key] == about((under_new if key[0].hour == 15 else under_old)[key]), key
    assert shown != before
    assert any(under_old[key] != under_new[key] for key in before if key[0] == TEN)


def test_a_verdict_given_later_changes_its_hour_and_no_other(scoring_db: Database) -> None:
    for hour in (TEN, ELEVEN):
        insert(scoring_db, "job failed", "job failed", "slow", timestamp=hour)
    maintain(scoring_db)
    assert maintain(scoring_db) == 0
    assert (figures(scoring_db, TEN)["feedback_lines"], figures(scoring_db, TEN)["accuracy"]) == (0, None)
    scoring_db.execute("SELECT logintel.give_feedback(1, 'ERROR'), logintel.give_feedback(2, 'INFO')")
    assert maintain(scoring_db) == 1
    assert (figures(scoring_db, TEN)["feedback_lines"], figures(scoring_db, TEN)["accuracy"]) == (2, 0.5)
    assert figures(scoring_db, ELEVEN)["feedback_lines"] == 0
    scoring_db.execute("SELECT logintel.give_feedback(2, 'ERROR')")
    maintain(scoring_db)
    assert (figures(scoring_db, TEN)["feedback_lines"], figures(scoring_db, TEN)["accuracy"]) == (2, 1.0)
    scoring_db.execute("UPDATE logintel_internal.feedback SET is_current = false")  # withdrawn
    maintain(scoring_db)
    assert (figures(scoring_db, TEN)["feedback_lines"], figures(scoring_db, TEN)["accuracy"]) == (0, None)


def test_a_verdict_on_a_template_speaks_for_its_lines_save_those_with_their_own(scoring_db: Database) -> None:
    insert(scoring_db, *["job failed"] * 4, "slow", timestamp=TEN)
    insert(scoring_db, *["job failed"] * 2, timestamp=ELEVEN)
    scoring_db.execute("SELECT logintel.give_feedback(1, 'INFO'), logintel.give_feedback(2, is_anomaly => true)")
    scoring_db.execute("SELECT logintel.give_feedback(3, 'ERROR', whole_template => true)")
    assert maintain(scoring_db) >= 2
    assert (figures(scoring_db, TEN)["feedback_lines"], figures(scoring_db, TEN)["accuracy"]) == (4, 0.75)
    assert (figures(scoring_db, ELEVEN)["feedback_lines"], figures(scoring_db, ELEVEN)["accuracy"]) == (2, 1.0)
    anomaly = figures(scoring_db, TEN, "anomaly")
    assert (anomaly["feedback_lines"], anomaly["recall"], anomaly["precision"], anomaly["false_positive_rate"]) == (1, 0, None, None)


def test_figures_that_the_data_cannot_give_are_null(scoring_db: Database) -> None:
    insert(scoring_db, "job failed", level="no level at all", timestamp=TEN)
    maintain(scoring_db)
    level, anomaly = figures(scoring_db, TEN), figures(scoring_db, TEN, "anomaly")
    unknown = {name for name, value in level.items() if value is None}
    assert unknown >= {"accuracy", "declared_accuracy", "precision", "recall", "false_positive_rate", "calibration_error", "declared_calibration_error"}
    assert (level["declared_lines"], level["feedback_lines"], level["failures"], level["predictions"]) == (0, 0, 0, 1)
    assert {anomaly[name] for name in ("declared_lines", "declared_accuracy", "abstained_share", "precision", "recall")} == {None}


def test_two_versions_within_an_hour_are_two_rows(scoring_db: Database) -> None:
    insert(scoring_db, "job failed", "slow", level="ERROR", timestamp=TEN)
    deploy(scoring_db, tiny_model("level", (("failed", "FATAL"), ("slow", "ERROR"))))
    insert(scoring_db, *["job failed"] * 3, level="ERROR", timestamp=TEN)
    maintain(scoring_db)
    rows = {(name, version): row for (hour, name, version), row in measured(scoring_db).items() if hour == TEN}
    assert {key: (row["predictions"], row["coverage"]) for key, row in rows.items()} == {
        ("anomaly", 1): (5, 1.0), ("level", 1): (2, 1.0), ("level", 2): (3, 1.0)
    }
    assert (rows["level", 1]["declared_accuracy"], rows["level", 2]["declared_accuracy"]) == (0.5, 0.0)
    # Shapes that a deployment scored in advance made no line wait.
    assert (rows["level", 1]["known_share"], rows["level", 2]["known_share"]) == (0.0, 1.0)


def test_what_was_served_is_measured_whatever_rescoring_shows_since(scoring_db: Database) -> None:
    insert(scoring_db, "job failed", "slow", level="ERROR", timestamp=TEN)
    maintain(scoring_db)
    before = measured(scoring_db)
    deploy(scoring_db, tiny_model("level", (("failed", "FATAL"), ("slow", "INFO"))))
    assert scoring_db.value("SELECT logintel.rescore()") == 2
    scoring_db.execute("SELECT * FROM logintel.reconcile()")
    maintain(scoring_db)
    assert measured(scoring_db) == before


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scores=st.lists(st.tuples(
    st.one_of(st.floats(0, 1, width=32), st.integers(0, 10).map(lambda tenths: float(np.float32(tenths / 10)))),
    st.booleans(), st.integers(1, 50)), min_size=1, max_size=30))
def test_calibration_errors_are_those_of_training(scoring_db: Database, scores: list[tuple[float, bool, int]]) -> None:
    confidence, right, lines = (np.array(column) for column in zip(*scores, strict=True))
    scoring_db.execute(
        "TRUNCATE logintel_internal.scores, logintel_internal.hourly_counts, logintel_internal.feedback, logintel_internal.metric_sums, logintel_internal.latency_sums, "
        "logintel_internal.metric_hours, logintel_internal.judged_scores, logintel_internal.count_changes, logintel_internal.model_metrics"
    )
    scoring_db.execute(
        f"WITH scores AS (INSERT INTO {SCORES} (model_set_id, shape_hash, template, service, source_type, level, status_class, "
        "  latency_bucket, predicted_level, level_confidence, latency_us, at_write) "
        f"SELECT (SELECT max(id) FROM {MODEL_SETS}), n, n::text, '', '', CASE WHEN is_right THEN 'Warning' ELSE 'FATAL' END, '', '', 'WARN', "
        "  confidence, 1, false FROM unnest(%s::float8[], %s::boolean[]) WITH ORDINALITY AS s (confidence, is_right, n) RETURNING id, template, level), "
        "verdicts AS (INSERT INTO logintel_internal.feedback (attachment_id, scope, shape, shape_hash, true_level) "
        "SELECT 0, 'template', ROW (template, '', '', '', '', '')::logintel.shape, 0, logintel.normalize_level(level) FROM scores), "
        "counts AS (INSERT INTO logintel_internal.hourly_counts SELECT %s, s.id, (%s::bigint[])[s.template::int] FROM scores s RETURNING *) "
        "INSERT INTO logintel_internal.count_changes (hour, score_id, lines, is_new, is_recount) SELECT hour, score_id, lines, true, false FROM counts",
        (confidence.tolist(), right.tolist(), TEN, lines.tolist()),
    )
    level = len(scores) * [[1.0, 0.0]]
    truth = np.where(right, 0, 1)
    wanted = evaluation._calibration_error(truth, np.array(level) * confidence[:, None], lines)
    assert scoring_db.value("SELECT logintel._task_091_measure_models()") == 1
    shown = figures(scoring_db, TEN)
    assert shown["declared_calibration_error"] == pytest.approx(wanted, abs=1e-9)
    assert shown["calibration_error"] == pytest.approx(wanted, abs=1e-9)
