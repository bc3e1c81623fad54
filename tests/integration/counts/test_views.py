"""What readers see: documented, adding up, and most dangerous first."""

import psycopg
import pytest

from support.servers import Database
from support.tables import PREDICTIONS
from support.tiny_models import deploy


@pytest.fixture
def lines_db(db: Database) -> Database:
    deploy(db)
    db.execute(
        "INSERT INTO log_entries (level, message, service, timestamp) VALUES "
        "('DEBUG', 'node 1 panicked', 'a', '2026-03-01 10:10Z'), ('info', 'job 2 failed', 'a', '2026-03-01 10:20Z'), "
        "('ERROR', 'job 3 failed', 'b', '2026-03-01 11:30Z'), ('FATAL', 'server started', 'b', '2026-03-01 11:30Z'), "
        "('odd', 'slow', NULL, '2026-03-01 11:40Z'), (NULL, 'words that no model knows', 'a', '2026-03-01 12:00Z')"
    )
    return db


def test_every_object_and_column_has_a_comment(db: Database) -> None:
    undocumented = db.execute(
        "SELECT c.oid::regclass::text, a.attname FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        "WHERE c.relnamespace = ANY ('{logintel,logintel_internal}'::regnamespace[]) AND c.relkind IN ('r', 'v', 'c') "
        "AND (c.relkind <> 'c' AND obj_description(c.oid, 'pg_class') IS NULL "
        "     OR col_description(c.oid, a.attnum) IS NULL AND c.relname NOT IN ('_shapes', '_scores', 'analysis')) "
        "UNION ALL SELECT p.oid::regprocedure::text, NULL FROM pg_proc p "
        "WHERE p.pronamespace = 'logintel'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL"
    )
    assert undocumented == []


def test_corrections_tell_the_most_dangerous_with_their_evidence(lines_db: Database) -> None:
    assert lines_db.execute(
        "SELECT declared_level, predicted_level, severity_gap, template, template_lines, template_declared_levels FROM ml_corrections "
        "ORDER BY severity_gap DESC"
    ) == [
        ("DEBUG", "FATAL", 16, "node <*> panicked", 1, {"DEBUG": 1}),
        ("INFO", "ERROR", 8, "job <*> failed", 2, {"INFO": 1, "ERROR": 1}),
        ("FATAL", "INFO", -12, "server started", 1, {"FATAL": 1}),
    ]


def test_below_the_minimum_confidence_there_is_no_correction(lines_db: Database) -> None:
    lines_db.execute("UPDATE logintel.settings SET value = '1' WHERE name = 'classification_min_confidence'")
    assert lines_db.value("SELECT count(*) FROM ml_corrections") == 0
    assert lines_db.execute("SELECT corrections, abstained, abstained_rate FROM ml_stats") == [(0, 6, 1.0)]


def test_statistics_add_up_to_the_lines(lines_db: Database) -> None:
    for view in ("ml_stats", "ml_stats_by_level", "ml_stats_by_service", "ml_stats_by_hour"):
        assert lines_db.value(f"SELECT sum(predictions) FROM {view}") == 6, view
    assert lines_db.execute("SELECT predictions, anomalies, anomaly_rate, corrections FROM ml_stats") == [
        (6, 1, 1 / 6, 3)
    ]
    assert lines_db.execute(
        "SELECT to_char(time AT TIME ZONE 'UTC', 'HH24:MI'), predictions, fatal FROM ml_stats_by_hour"
    ) == [("10:00", 2, 1), ("11:00", 3, 0), ("12:00", 1, 0)]
    assert lines_db.execute(
        "SELECT service, predictions, errors, corrections FROM ml_stats_by_service WHERE service = 'a'"
    ) == [("a", 3, 2, 2)]


def test_recent_predictions_and_anomalies_show_their_lines(lines_db: Database) -> None:
    lines_db.execute(
        f"UPDATE {PREDICTIONS} SET predicted_at = now() - interval '25 hours' WHERE log_entry_id = 2"
    )
    lines_db.execute("INSERT INTO log_entries (message) VALUES ('started')")
    recent = [row[0] for row in lines_db.execute('SELECT log_entry_id FROM ml_recent_predictions ORDER BY "timestamp" DESC, 1 DESC')]
    assert (recent[0], sorted(recent)) == (7, [1, 3, 4, 5, 6, 7])
    assert lines_db.execute("SELECT log_entry_id, anomaly_type, severity, message FROM ml_anomalies") == [
        (1, "system_failure", "critical", "node 1 panicked")
    ]


@pytest.mark.parametrize("view", ["ml_anomalies", "ml_corrections"])
def test_found_lines_are_looked_up_and_predictions_read_once(lines_db: Database, view: str) -> None:
    """The planner, which does not know how rare they are, would merge all lines with all predictions."""
    connection = lines_db.connect()
    for way in ("nestloop", "seqscan", "bitmapscan"):
        connection.execute(f"SET enable_{way} = off")
    plan = [line for (line,) in connection.execute(f"EXPLAIN SELECT * FROM logintel.{view} LIMIT 100")]
    assert any("Index Cond: (id = p" in line for line in plan), "\n".join(plan)
    assert sum("on predictions_default" in line for line in plan) == 1, "\n".join(plan)


def test_status_says_what_is_in_force_and_how_far(lines_db: Database) -> None:
    assert lines_db.execute(
        "SELECT scoring, mode, log_table::text, models, lines, predictions, pending, coverage FROM ml_status"
    ) == [(True, "inline", "log_entries", "anomaly 1, level 1", 6, 6, 0, 1.0)]


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("warning", "WARN"),
        (" Error ", "ERROR"),
        ("SEVERE", "ERROR"),
        ("V", "DEBUG"),
        ("notice", "INFO"),
        ("LOG", "INFO"),
        ("PANIC", "FATAL"),
        ("emerg", "FATAL"),
        ("Critical", "FATAL"),
        ("TRACE", "DEBUG"),
        ("3", "ERROR"),
        ("verbose", "DEBUG"),
        ("fail", "ERROR"),
        ("Note", "INFO"),
        ("SCHWERWIEGEND", "ERROR"),
        ("警告", "WARN"),
        ("ОШИБКА", "ERROR"),
        ("UYARI", "WARN"),
        ("\x1b[31mERROR\x1b[0m", "ERROR"),
        ("[31mERROR[0m", "ERROR"),
        (" [Warning]: ", "WARN"),
        ("<info>", "INFO"),
        ("*FTL*", "FATAL"),
        ("\tinfo\r\n", "INFO"),
        ("nonsense", None),
        ("[]", None),
        ("", None),
        (None, None),
    ],
)
def test_spellings_of_levels(db: Database, name: str | None, level: str | None) -> None:
    assert db.value("SELECT logintel.normalize_level(%s)", (name,)) == level


def test_doctor_tells_spellings_of_levels_that_nobody_knows(db: Database) -> None:
    deploy(db)
    asked = "SELECT status, detail FROM logintel.doctor() WHERE \"check\" = 'levels'"
    db.execute("INSERT INTO log_entries (level, message) SELECT 'gelb', 'failed' FROM generate_series(1, 3)")
    db.execute("INSERT INTO log_entries (level, message) VALUES ('rot', 'failed'), ('', 'failed'), ('[Info]', 'failed')")
    db.execute("CALL logintel.maintain('45 s')")
    assert db.execute(asked) == [("note", '4 lines have levels with unknown spellings: "gelb" (3), "rot" (1)')]
    db.execute("INSERT INTO logintel.level_names (name, level) VALUES ('GELB', 'WARN'), ('rot', 'FATAL')")
    assert db.execute(asked) == [("ok", "all spellings of levels are known")]


def test_a_users_own_spelling_takes_the_place_of_a_shipped_one(db: Database) -> None:
    db.execute("INSERT INTO logintel.level_names (name, level) VALUES ('[NOTICE]', 'WARN')")
    db.execute("UPDATE logintel.level_names SET level = 'ERROR' WHERE name = 'success'")
    assert db.execute("SELECT name, level FROM logintel.level_names WHERE NOT shipped ORDER BY name") == [
        ("notice", "WARN"), ("success", "ERROR")]  # fmt: skip
    assert db.value("SELECT logintel.normalize_level('Notice')") == "WARN"


def test_a_users_own_spelling_counts_at_once(lines_db: Database) -> None:
    lines_db.execute("INSERT INTO logintel.level_names (name, level) VALUES ('odd', 'DEBUG')")
    assert (
        lines_db.value(
            "SELECT count(*) FROM ml_corrections WHERE declared_level = 'DEBUG' AND predicted_level = 'WARN'"
        )
        == 1
    )


@pytest.mark.parametrize(
    ("level", "anomaly", "severity"),
    [
        ("FATAL", True, "critical"),
        ("ERROR", True, "critical"),
        ("ERROR", False, "high"),
        ("FATAL", None, "high"),
        ("WARN", True, "high"),
        ("WARN", False, "medium"),
        ("INFO", True, "medium"),
        (None, True, "medium"),
        ("INFO", False, "low"),
        (None, None, "low"),
    ],
)
def test_severity(db: Database, level: str | None, anomaly: bool | None, severity: str) -> None:
    assert db.value("SELECT logintel.severity(%s, %s)", (level, anomaly)) == severity


def test_analyze_takes_an_array_of_log_objects(lines_db: Database) -> None:
    rows = lines_db.execute(
        "SELECT position, predicted_level, severity FROM logintel.analyze(%s::jsonb)",
        (
            '[{"message": "job 1 failed"}, {"message": null}, {"message": "slow", "http_status": "503", "response_time_ms": 1.5}]',
        ),
    )
    assert [row[:2] for row in rows[::2]] == [(1, "ERROR"), (3, "WARN")]
    assert len(rows) == 3
    many = "[" + ",".join(f'{{"message": "failed {chr(97 + n % 26) * (n // 26 + 1)}"}}' for n in range(600)) + "]"
    assert lines_db.execute("SELECT count(*), max(position) FROM logintel.analyze(%s::jsonb)", (many,)) == [(600, 600)]
    assert lines_db.execute("SELECT * FROM logintel.analyze('[]'::jsonb)") == []


@pytest.mark.parametrize(
    ("logs", "message"),
    [
        ('{"message": "x"}', "needs a JSON array of log objects, not object"),
        ("[1]", "element 1 is not an object"),
        ('[{"message": "x"}, {"http_status": "abc"}]', 'element 2 has the http_status "abc", which is no number'),
    ],
)
def test_analyze_names_what_it_cannot_read(lines_db: Database, logs: str, message: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=message):
        lines_db.execute("SELECT * FROM logintel.analyze(%s::jsonb)", (logs,))
