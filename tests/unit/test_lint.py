"""What reads the code without running it finds nothing: ruff, pgspot, and the length of lines of SQL.

`make lint` runs these together with the checks of tests/integration/test_bodies.py, which need a server.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pglast import ast, parse_sql

from support import servers
from support.servers import ROOT

pytestmark = pytest.mark.lint

SQL = sorted([*ROOT.glob("sql/*/*.sql"), *ROOT.glob("plpython/*.sql")])

# What pgspot is not to report, and why.
_OWN_SCRIPT = (
    "CREATE OR REPLACE in an extension's script replaces nothing but what belongs to the extension: it fails where "
    "somebody else made the object, since PostgreSQL 14.5"
)
IGNORED = {"PS002": _OWN_SCRIPT, "PS015": _OWN_SCRIPT}
_ONCE_A_SHAPE = "called once a shape, where setting it would cost; _score_in_sql() and _check_by_sql(), which call it, pin it"
WITHOUT_SEARCH_PATH = {
    "_score_new_lines()": "a stub that _write_trigger_functions() replaces by a function that pins its search_path",
    "_score_changed_lines()": "as _score_new_lines",
    "_forget_deleted_lines()": "as _score_new_lines",
    "_log_lines(id bigint,timestamp timestamptz,level text,message text,source_type text,host text,service text,category text,"
    "is_anomaly boolean,anomaly_type text,http_status integer,response_time_ms double precision,attachment_id integer,"
    "log_table regclass)": "the planner puts it into queries, which it does with no function that pins anything",
    "_exactly(value anyelement,of_type anyelement)": "inlined, which no function is that pins anything; it names nothing",
    "_hides_lines()": "as _is_visible",
    "_is_visible(attachment_id integer,line_id bigint,prediction_time timestamptz,predicted_at timestamptz)": "policies run with what their reader has set",
    "maintain(budget interval)": "a procedure that commits may pin nothing; all that it does is in a function that does",
    "_keys(words text[],context text[],level text,digest text)": _ONCE_A_SHAPE,
    "_lane_probabilities(lane logintel_internal.layouts,keys bigint[])": _ONCE_A_SHAPE,
    "_linear_probabilities(lanes logintel_internal.layouts[],keys bigint[])": _ONCE_A_SHAPE,
    "_combined(said double precision[],votes boolean[])": _ONCE_A_SHAPE,
}
LINE = 120
# Files that still have longer lines. One that has none any more fails, so the list can only shrink.
LONG_LINES = {
    "sql/01_shapes/20_shape.sql",
    "sql/01_shapes/21_normalize_level.sql",
    "sql/02_settings/10_settings.sql",
    "sql/03_models/10_models.sql",
    "sql/03_models/13_serving.sql",
    "sql/03_models/25_deploy.sql",
    "sql/03_models/26_rollback.sql",
    "sql/03_models/28_create_ensemble.sql",
    "sql/03_models/29_export_model.sql",
    "sql/03_models/30_find_model.sql",
    "sql/03_models/31_retire.sql",
    "sql/03_models/32_check.sql",
    "sql/03_models/32_model_names.sql",
    "sql/03_models/80_make_room_for_restored_models.sql",
    "sql/03_models/81_keep_models.sql",
    "sql/03_models/91_ml_models.sql",
    "sql/03_models/92_ml_deployments.sql",
    "sql/04_log_table/20_create_log_entries.sql",
    "sql/04_log_table/24_trigger_tables.sql",
    "sql/04_log_table/25_create_triggers.sql",
    "sql/04_log_table/28_partitions.sql",
    "sql/04_log_table/80_apply_attachment.sql",
    "sql/05_scoring/10_scores.sql",
    "sql/05_scoring/14_pending.sql",
    "sql/05_scoring/16_trigger_functions.sql",
    "sql/05_scoring/20_in_share.sql",
    "sql/05_scoring/20_score_rows.sql",
    "sql/05_scoring/21_score_and_remember.sql",
    "sql/05_scoring/22_look_up.sql",
    "sql/05_scoring/22_publish_scores.sql",
    "sql/05_scoring/23_score_left_out.sql",
    "sql/05_scoring/23_score_lines.sql",
    "sql/05_scoring/24_remove_predictions.sql",
    "sql/05_scoring/25_trigger_bodies.sql",
    "sql/05_scoring/27_predict_log.sql",
    "sql/05_scoring/28_analyze.sql",
    "sql/05_scoring/30_analyze_lines.sql",
    "sql/05_scoring/37_pause.sql",
    "sql/05_scoring/38_score_known_shapes.sql",
    "sql/05_scoring/39_take_pending.sql",
    "sql/05_scoring/81_write_trigger_functions.sql",
    "sql/05_scoring/83_warn_pending.sql",
    "sql/05_scoring/90_scores_now.sql",
    "sql/06_counts/11_count_changes.sql",
    "sql/06_counts/20_uncounted.sql",
    "sql/06_counts/21_roll_up.sql",
    "sql/06_counts/22_count_lines.sql",
    "sql/06_counts/24_read_counts.sql",
    "sql/06_counts/25_note_use.sql",
    "sql/06_counts/26_reconcile.sql",
    "sql/06_counts/28_remove_unused_scores.sql",
    "sql/06_counts/30_check.sql",
    "sql/06_counts/91_ml_stats.sql",
    "sql/06_counts/95_ml_stats_by_hour.sql",
    "sql/07_feedback/10_feedback.sql",
    "sql/07_feedback/20_give_feedback.sql",
    "sql/07_feedback/22_truth.sql",
    "sql/07_feedback/91_line_truth.sql",
    "sql/07_feedback/94_ml_feedback.sql",
    "sql/08_ab_tests/10_ab_tests.sql",
    "sql/08_ab_tests/21_statistics.sql",
    "sql/08_ab_tests/22_ab_answers.sql",
    "sql/08_ab_tests/23_ab_decision.sql",
    "sql/08_ab_tests/24_ab_evidence.sql",
    "sql/08_ab_tests/25_decide_ab_test.sql",
    "sql/08_ab_tests/26_stop_ab_test.sql",
    "sql/08_ab_tests/27_start_ab_test.sql",
    "sql/08_ab_tests/28_follow.sql",
    "sql/08_ab_tests/29_tasks.sql",
    "sql/09_metrics/10_model_metrics.sql",
    "sql/09_metrics/11_metric_sums.sql",
    "sql/09_metrics/20_measure_1_served.sql",
    "sql/09_metrics/21_measure_2_judged.sql",
    "sql/09_metrics/22_measure_3_windows.sql",
    "sql/09_metrics/23_changed_verdicts.sql",
    "sql/09_metrics/80_note_verdict.sql",
    "sql/09_metrics/90_ml_model_metrics.sql",
    "sql/10_drift/10_drift.sql",
    "sql/10_drift/11_baselines.sql",
    "sql/10_drift/12_drift_sums.sql",
    "sql/10_drift/20_baselines.sql",
    "sql/10_drift/21_drift_thresholds.sql",
    "sql/10_drift/22_drift_counts.sql",
    "sql/10_drift/23_drift_shifts.sql",
    "sql/10_drift/24_measure_drift.sql",
    "sql/10_drift/25_drift_lines.sql",
    "sql/10_drift/90_ml_drift.sql",
    "sql/11_retraining/10_retrainings.sql",
    "sql/11_retraining/11_settings.sql",
    "sql/11_retraining/20_retrain_advice.sql",
    "sql/11_retraining/21_request_retraining.sql",
    "sql/12_upkeep/22_check_upkeep.sql",
    "sql/12_upkeep/23_schedule.sql",
    "sql/12_upkeep/24_grant_read.sql",
    "sql/updates/0.1.0--0.2.0.sql",
    "sql/updates/before.sql",
}


SCRIPTS = ROOT / "build" / "scripts"


@pytest.fixture(scope="module")
def scripts() -> None:
    servers.choose_pg_config()
    servers.make("-s", "scripts")


def test_ruff_finds_nothing() -> None:
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "versions"), [("logintel", 1), ("logintel", 2), ("logintel_python", 1)])
def test_pgspot_finds_nothing(scripts: None, name: str, versions: int) -> None:
    [path] = [path for path in SCRIPTS.glob(f"{name}--*.sql") if path.name.count("--") == versions]
    ignored = [word for code in IGNORED for word in ("--ignore", code)]
    stubs = [word for name in WITHOUT_SEARCH_PATH for word in ("--proc-without-search-path", f"logintel.{name}")]
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("pgspot")),
            "--no-plpgsql",
            "--ignore-lang",
            "plpython3u",
            *ignored,
            *stubs,
        ],
        input=quoted_bodies(path.read_text()),
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert done.returncode == 0, f"pgspot of build/{path.name}:\n{done.stdout}{done.stderr[-2000:]}"


def quoted_bodies(script: str) -> str:
    """The script with bodies in SQL-standard form written as strings, which is all that pgspot can read.

    Such a body is parsed where the script stands, and means the same under any search_path later: as if it were pinned.
    """
    script = re.sub(r"^\\", "-- ", script, flags=re.MULTILINE)
    statements = []
    for raw in parse_sql(script):
        text = script[raw.stmt_location :][: raw.stmt_len or None]
        if isinstance(raw.stmt, ast.CreateFunctionStmt) and raw.stmt.sql_body:
            header, kind, body = re.split(r"^(RETURN|BEGIN ATOMIC)\b", text, maxsplit=1, flags=re.MULTILINE)
            pin = "" if "SET search_path" in header else "SET search_path = pg_catalog, pg_temp "
            query = f"SELECT {body}" if kind == "RETURN" else body.rstrip().removesuffix("END")
            text = f"{header}{pin}AS $quoted${query}$quoted$"
        statements.append(text)
    return ";".join(statements) + ";"


def test_lines_of_sql_fit() -> None:
    """Comments on objects are sentences for people who use them, and stay on their line."""
    long = {
        str(path.relative_to(ROOT))
        for path in SQL
        for line in path.read_text().splitlines()
        if len(line) > LINE and not line.startswith("COMMENT ON ")
    }
    assert not long - LONG_LINES, f"files with lines of more than {LINE} columns: {sorted(long - LONG_LINES)}"
    assert not LONG_LINES - long, f"take these out of LONG_LINES: {sorted(LONG_LINES - long)}"
