"""Shadow tests: both score every line, the champion serves them, and the rule fixed at the start decides."""

import psycopg
import pytest

from support.pending_lines import wait_until
from support.servers import Database
from support.tables import MODEL_SETS, MODELS, scores
from support.tiny_models import BY_PYTHON, deploy, register, tiny_model
from support.two_versions import STRONG, WEAK, judge, maintain, outcome, results, start, weak_and_strong, write

IN_FORCE = "SELECT model_version FROM logintel.ml_deployments LIMIT 1"
FUNCTIONS = "SELECT proname, prosrc, xmin FROM pg_proc WHERE pronamespace = 'logintel'::regnamespace AND proname LIKE 'score\\_%%' ORDER BY 1"

REFUSED = [
    ("'levle', 2", 'unknown model name "levle"'),
    ("'level', 9", 'there is no model "level" version 9'),
    ("'level', 1", "model level 1 is in force already"),
    ("'category', 1", 'no version of model "category" is in force'),
    ("'level', 2, share => 1", "the share of the challenger cannot be 1"),
    ("'level', 2, share => 'NaN'", "the share of the challenger cannot be NaN"),
    ("'level', 2, share => -0.1", "the share of the challenger cannot be -0.1"),
    ("'level', 2, metric => 'taste'", 'a test of model "level" cannot go by the metric "taste"'),
    ("'anomaly', 2, metric => 'declared'", 'a test of model "anomaly" cannot go by the metric "declared"'),
    ("'level', 2, minimum_sample => 1", "the minimum sample cannot be 1"),
    ("'level', 2, significance => 0", "the significance cannot be 0"),
    ("'level', 2, auto => NULL", "auto is true or false, not null"),
]  # fmt: skip


@pytest.fixture
def two(db: Database) -> Database:
    """The weak model in force, the strong one registered."""
    weak_and_strong(db)
    return db


def test_a_shadow_test_changes_nothing_about_the_write(two: Database) -> None:
    write(two, "bad", range(5))
    maintain(two)
    before = two.execute(FUNCTIONS)
    start(two)
    assert two.execute(FUNCTIONS) == before
    write(two, "bad", range(10))
    assert two.execute("SELECT DISTINCT model_version, predicted_level FROM ml_predictions") == [("level 1", "INFO")]
    # The shapes known before are scored, the new ones wait for maintain().
    assert scores(two, "at_write", "WHERE model_set_id = 2") == [(False,)] * 5
    assert maintain(two)["score shapes for tests"] == 5
    assert maintain(two)["score shapes for tests"] == 0
    two.execute("SELECT logintel.stop_ab_test('level')")
    assert two.execute(FUNCTIONS) == before


def test_both_sides_are_shown_for_the_lines_written_since_the_start(two: Database) -> None:
    write(two, "bad", range(50), lines=3)
    start(two)
    write(two, "good", range(6), lines=2)
    write(two, "bad", range(6, 10))
    write(two, "job", range(10, 12), level="INFO")
    maintain(two)
    write(two, "bad", [6])  # not rolled up yet
    assert results(two, "side", "version", "kind", "state", "lines", "lines_compared", "round(agreement::numeric, 3)::float") == [
        ("champion", 1, "shadow", "running", 19, 19, round(14 / 19, 3)), ("challenger", 2, "shadow", "running", 19, 19, round(14 / 19, 3))]
    assert results(two, "accuracy_declared", "templates_declared", "accuracy_feedback", "templates_feedback") == [
        (pytest.approx(8 / 12), 12, None, 0), (1, 12, None, 0)]
    judge(two)
    assert results(two, "accuracy_feedback", "templates_feedback", "sample", "only_right", "difference") == [
        (pytest.approx(6 / 12), 12, 12, 0, pytest.approx(4 / 12)), (pytest.approx(10 / 12), 12, 12, 4, pytest.approx(4 / 12))]
    [(confidence, latency, p_value, looks, next_look), _] = results(two, "mean_confidence", "mean_latency_us", "p_value", "looks", "next_look_at")
    assert confidence > 0.9 and latency > 0 and p_value == pytest.approx(2 / 2**4) and (looks, next_look) == (0, 60)


def test_ten_thousand_lines_of_one_template_are_one_observation(two: Database) -> None:
    start(two, ", metric => 'declared', minimum_sample => 10")
    write(two, "bad", [1], lines=10_000)
    maintain(two)
    assert results(two, "lines", "sample", "p_value") == [(10_000, 1, 1), (10_000, 1, 1)]
    assert two.value("SELECT logintel.decide_ab_test('level')") == (
        "the data does not decide yet: 1 templates with an outcome, right on 1 of 1 against 0 of 1 (+100.0 points); the next look is at 10")


def test_a_verdict_on_a_line_outranks_its_template_and_most_lines_decide_about_a_template(two: Database) -> None:
    start(two)
    write(two, "bad", [1], lines=5)  # the champion says INFO, the challenger ERROR
    write(two, "bad", [2], lines=2)
    maintain(two)
    ids = [row[0] for row in two.execute("SELECT id FROM log_entries ORDER BY id")]
    feedback = "SELECT logintel.give_feedback(%s, true_level => %s, whole_template => %s)"
    two.execute(feedback, (ids[0], "ERROR", True))
    two.execute(feedback, (ids[5], "INFO", False))
    for line in ids[:2]:
        two.execute(feedback, (line, "INFO", False))
    assert results(two, "templates_feedback", "accuracy_feedback") == [(2, 0.5), (2, 0.5)]
    two.execute(feedback, (ids[2], "INFO", False))  # three of five lines of the first template now
    assert results(two, "accuracy_feedback") == [(1,), (0,)]


def test_feedback_from_before_the_start_is_no_evidence_but_outranks_declared_levels(two: Database) -> None:
    write(two, "bad", range(3), level="INFO")
    judge(two)  # ERROR, which may have taught the challenger
    start(two)
    write(two, "bad", range(4), level="INFO")
    maintain(two)
    assert results(two, "templates_feedback", "templates_declared", "accuracy_declared") == [(0, 4, 0.25), (0, 4, 0.75)]
    two.execute("SELECT logintel.give_feedback(id, true_level => 'INFO', whole_template => true) FROM log_entries")
    assert results(two, "templates_feedback", "accuracy_feedback", "accuracy_declared") == [(4, 1, 0.25), (4, 0, 0.75)]


def test_maintain_promotes_a_better_challenger_and_writes_why(two: Database) -> None:
    start(two, ", metric => 'declared', minimum_sample => 12, auto => true")
    write(two, "bad", range(11))
    assert maintain(two)["decide tests"] == 0
    write(two, "bad", range(11, 14))
    assert maintain(two)["decide tests"] == 1
    reason = "level 2 is better: 14 templates with an outcome, right on 14 of 14 against 0 of 14 (+100.0 points), p = 0.00012 at look 1, which decides up to 0.00161"
    assert outcome(two) == ("promoted", reason)
    assert two.execute("SELECT model_version, why, action FROM logintel.ml_deployments LIMIT 1") == [("level 2", reason, "deploy")]
    assert two.execute("SELECT look, sample, round(p_value::numeric, 5)::float, round(significance::numeric, 5)::float FROM logintel_internal.ab_looks") == [(1, 14, 0.00012, 0.00161)]
    write(two, "bad", [1])
    assert two.value("SELECT model_version FROM ml_predictions ORDER BY id DESC LIMIT 1") == "level 2"
    assert results(two, "state", "lines", "only_right", "reason") == [
        ("promoted", 14, 0, reason), ("promoted", 14, 14, reason)]


def test_maintain_stops_a_harmful_challenger(db: Database) -> None:
    weak_and_strong(db, STRONG, WEAK)
    start(db, ", minimum_sample => 12, auto => true, why => 'a colleague insists'")
    write(db, "bad", range(14))
    judge(db)
    maintain(db)
    assert outcome(db)[0] == "kept"
    assert "level 2 is worse: 14 templates with an outcome, right on 0 of 14 against 14 of 14 (-100.0 points)" in outcome(db)[1]
    assert db.value(IN_FORCE) == "level 1"
    assert results(db, "why") == [("a colleague insists",)] * 2


def test_looks_are_spent_one_after_the_other_and_the_last_leaves_the_champion(two: Database) -> None:
    start(two, ", metric => 'declared', minimum_sample => 10")
    for look, templates in enumerate((10, 20, 40, 80), 1):
        write(two, "good", range(templates))
        maintain(two)
        for _ in range(2):  # asking again spends nothing
            assert two.value("SELECT logintel.decide_ab_test('level')").startswith(f"the data does not decide yet: {templates} templates")
        assert two.value("SELECT max(look) FROM logintel_internal.ab_looks") == look
    write(two, "good", range(160))
    maintain(two)
    assert outcome(two) == (None, None)  # without auto only decide_ab_test() decides
    assert two.value("SELECT logintel.decide_ab_test('level')").startswith("undecided: the last look shows no difference to level 2, the champion stays")
    assert two.value(IN_FORCE) == "level 1"
    with pytest.raises(psycopg.errors.UndefinedObject, match='no A/B test of model "level" is running'):
        two.execute("SELECT logintel.decide_ab_test('level')")


def test_a_challenger_that_fails_ends_its_test_and_not_maintain(two: Database) -> None:
    start(two)
    write(two, "bad", range(3))
    two.execute(BY_PYTHON)
    two.execute(f"UPDATE {MODELS} SET sha256 = 'broken' WHERE version = 2")
    done = maintain(two)
    assert done["score shapes for tests"] == 0 and "drop days" in done
    assert outcome(two) == ("stopped", "the challenger fails: logintel_server.runtime.ModelError: model level 2 is corrupt: its bytes do not match its SHA-256")
    write(two, "bad", range(3, 6))
    assert two.execute("SELECT lines, predictions FROM ml_status") == [(6, 6)]


def test_deploying_the_tested_model_stops_its_test(two: Database) -> None:
    register(two, tiny_model())
    for version in (3, 2):
        start(two)
        two.execute(f"SELECT logintel.deploy('level', {version})")
        assert outcome(two) == ("stopped", f"level {version} was put into force while the test ran")


def test_deploying_another_model_goes_on_with_the_challenger_beside_it(two: Database) -> None:
    start(two)
    write(two, "bad", range(3))
    deploy(two, tiny_model("anomaly", (("bad", "system_failure"), ("good", "none"))))
    write(two, "bad", range(6))
    maintain(two)
    judge(two)
    assert two.value(f"SELECT s.model_version FROM logintel_internal.ab_tests t JOIN {MODEL_SETS} s ON s.id = t.challenger_set_id") == "anomaly 1, level 2"
    assert results(two, "lines", "lines_compared", "agreement", "accuracy_feedback") == [(9, 9, 0, 0), (9, 9, 0, 1)]


def test_results_of_an_ended_test_stay_when_lines_go_and_verdicts_change(two: Database) -> None:
    start(two)
    write(two, "bad", range(5))
    maintain(two)
    judge(two)
    two.execute("DELETE FROM log_entries WHERE id % 2 = 0")
    maintain(two)
    columns = ("lines", "agreement", "accuracy_feedback", "templates_feedback", "sample", "p_value", "mean_confidence")
    running = results(two, *columns)
    assert running[1][:4] == (5, 0, 1, 5)  # lines deleted since stay evidence
    two.execute("SELECT logintel.stop_ab_test('level', 'enough')")
    judge(two, "INFO")
    two.execute("TRUNCATE log_entries")
    two.execute("UPDATE logintel_internal.ab_tests SET ended_at = ended_at - interval '1 hour'")
    for _ in range(3):
        maintain(two)
    assert results(two, *columns) == running
    assert results(two, "state", "reason", "next_look_at") == [("stopped", "enough", None)] * 2
    # Nobody looks the challenger's scores up; a transaction of any test on the server keeps them for a while.
    wait_until(lambda: maintain(two) and not scores(two, rest="WHERE model_set_id = 2"), seconds=120)


def test_evidence_survives_counting_afresh_and_eviction(two: Database) -> None:
    two.execute("UPDATE logintel.settings SET value = '100' WHERE name = 'known_shapes'")
    start(two, ", metric => 'declared'")
    write(two, "bad", range(150))
    maintain(two)
    two.execute("SELECT logintel.reconcile()")
    two.execute("SELECT logintel.rescore()")
    assert maintain(two)["score shapes for tests"] == 0  # what the champion forgot, the challenger is not asked
    assert results(two, "lines", "accuracy_declared", "templates_declared") == [(150, 0, 100), (100, 1, 100)]


def test_a_test_that_could_not_be_run_is_refused_in_one_line(two: Database) -> None:
    for arguments, message in REFUSED:
        with pytest.raises(psycopg.Error) as refused:
            two.execute(f"SELECT logintel.start_ab_test({arguments})")
        assert refused.value.diag.message_primary == message
        assert refused.value.diag.message_hint
    assert two.value("SELECT count(*) FROM logintel_internal.ab_tests") == 0


def test_one_test_a_model_at_a_time(two: Database) -> None:
    start(two)
    with pytest.raises(psycopg.errors.ObjectInUse, match="a shadow test is running already: level 2 against 1"):
        start(two)
    two.execute("SELECT logintel.stop_ab_test('level')")
    assert start(two) == 2


def test_who_manages_models_tests_them_and_who_reads_reads_results(two: Database) -> None:
    manager, reader = two.create_role("manager"), two.create_role("reader")
    two.execute("SELECT logintel.grant_manage(%s), logintel.grant_read(%s)", (manager, reader))
    managing, reading = two.connect(user=manager), two.connect(user=reader)
    managing.execute("SELECT logintel.start_ab_test('level', 2, metric => 'declared', minimum_sample => 12)")
    write(two, "bad", range(14))
    managing.execute("SELECT logintel.maintain()")
    rows = "SELECT side, state, sample, started_by FROM logintel.ml_ab_results"
    assert reading.execute(rows).fetchall() == [("champion", "running", 14, manager), ("challenger", "running", 14, manager)]
    for call in ("start_ab_test('level', 2)", "decide_ab_test('level')", "stop_ab_test('level')", "_ab_looks_done(1)"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reading.execute(f"SELECT logintel.{call}")
    assert managing.execute("SELECT logintel.decide_ab_test('level')").fetchone()[0].startswith("promoted: level 2 is better")
    assert reading.execute(rows).fetchall()[0][:2] == ("champion", "promoted")
