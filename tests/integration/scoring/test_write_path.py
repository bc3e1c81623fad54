"""Lines are scored at the moment of the write, however they are written."""

import json

import pytest

from support.lines import insert
from support.servers import Database
from support.tables import PREDICTIONS, at_most_rows_are_read, predictions, scores
from support.tiny_models import deploy, register, tiny_model

ALL_SCORED = "SELECT lines, predictions, pending FROM logintel.ml_status"


@pytest.fixture
def scoring_db(db: Database) -> Database:
    deploy(db)
    return db


def levels(db: Database) -> list[str]:
    return [level for (level,) in db.execute("SELECT predicted_level FROM ml_predictions ORDER BY log_entry_id")]


def test_a_line_has_its_prediction_when_the_insert_returns(scoring_db: Database) -> None:
    insert(scoring_db, "worker 7 failed", "server panicked")
    rows = scoring_db.execute(
        "SELECT predicted_level, level_confidence > 0.9, is_anomaly, anomaly_type, severity, model_version "
        "FROM ml_predictions ORDER BY log_entry_id"
    )
    assert rows == [
        ("ERROR", True, False, None, "high", "anomaly 1, level 1"),
        ("FATAL", True, True, "system_failure", "critical", "anomaly 1, level 1"),
    ]


def test_one_row_multi_row_and_insert_select(scoring_db: Database) -> None:
    scoring_db.execute("INSERT INTO log_entries (message) VALUES ('started 1')")
    scoring_db.execute("INSERT INTO log_entries (message) VALUES ('started 2'), ('failed 2'), ('slow')")
    scoring_db.execute(
        "INSERT INTO log_entries (message, service) SELECT 'entering', 's' || g FROM generate_series(1, 1000) g"
    )
    assert levels(scoring_db) == ["INFO", "INFO", "ERROR", "WARN"] + ["DEBUG"] * 1000


def test_copy(scoring_db: Database) -> None:
    with scoring_db.connection.cursor().copy("COPY log_entries (level, message) FROM STDIN") as copy:
        for n in range(2000):
            copy.write_row(("INFO", f"job {n} failed"))
    assert scoring_db.execute(ALL_SCORED) == [(2000, 2000, 0)]


def test_prepared_and_pipelined(scoring_db: Database) -> None:
    connection = scoring_db.connect()
    with connection.pipeline():
        for _ in range(20):
            connection.execute("INSERT INTO log_entries (message) VALUES (%s)", ("slow query",), prepare=True)
    assert levels(scoring_db) == ["WARN"] * 20


def test_on_conflict_scores_what_is_stored(scoring_db: Database) -> None:
    scoring_db.execute("CREATE UNIQUE INDEX ON log_entries (log_id, \"timestamp\")")
    upsert = (
        "INSERT INTO log_entries (log_id, timestamp, message) VALUES ('a', '2026-03-01 10:00Z', %s) "
        "ON CONFLICT (log_id, timestamp) DO UPDATE SET message = excluded.message"
    )
    scoring_db.execute(upsert, ("started",))
    scoring_db.execute(upsert, ("failed",))
    scoring_db.execute(
        "INSERT INTO log_entries (log_id, timestamp, message) VALUES ('a', '2026-03-01 10:00Z', 'slow') ON CONFLICT DO NOTHING"
    )
    assert levels(scoring_db) == ["ERROR"]


def test_an_updated_line_is_scored_again_only_when_its_shape_changed(scoring_db: Database) -> None:
    insert(scoring_db, "started", "slow")
    before = predictions(scoring_db, "log_entry_id, score_id, predicted_at")
    scoring_db.execute("UPDATE log_entries SET host = 'h'")
    assert predictions(scoring_db, "log_entry_id, score_id, predicted_at") == before
    scoring_db.execute("UPDATE log_entries SET message = 'failed' WHERE message = 'started'")
    assert levels(scoring_db) == ["ERROR", "WARN"]


def test_deleted_and_truncated_lines_take_their_predictions_along(scoring_db: Database) -> None:
    insert(scoring_db, "started", "slow", "failed")
    scoring_db.execute("DELETE FROM log_entries WHERE message = 'slow'")
    assert levels(scoring_db) == ["INFO", "ERROR"]
    scoring_db.execute("TRUNCATE log_entries")
    assert predictions(scoring_db) == []


def test_a_rolled_back_insert_leaves_nothing(scoring_db: Database) -> None:
    connection = scoring_db.connect(autocommit=False)
    connection.execute("INSERT INTO log_entries (message) VALUES ('started'), ('never seen before')")
    connection.rollback()
    assert predictions(scoring_db) == scores(scoring_db) == []


def test_lines_of_one_shape_share_one_score(scoring_db: Database) -> None:
    insert(scoring_db, *(f"request {n} failed" for n in range(500)))
    insert(scoring_db, "request 501 failed")
    assert len(scores(scoring_db)) == 1
    assert len(set(predictions(scoring_db, "score_id"))) == 1


def test_many_new_shapes_in_one_statement(scoring_db: Database) -> None:
    scoring_db.execute(
        "INSERT INTO log_entries (message) SELECT 'failed ' || translate(g::text, '0123456789', 'abcdefghij') "
        "FROM generate_series(1, 1500) g"
    )
    assert scoring_db.execute(ALL_SCORED) == [(1500, 1500, 0)]
    assert len(scores(scoring_db)) == 1500


def test_a_new_deployment_scores_from_its_commit_on(scoring_db: Database) -> None:
    insert(scoring_db, "started")
    register(scoring_db, tiny_model("level", (("started", "DEBUG"), ("failed", "INFO"))))
    deployer = scoring_db.connect(autocommit=False)
    deployer.execute("SELECT logintel.deploy('level')")
    insert(scoring_db, "started")
    deployer.commit()
    insert(scoring_db, "started")
    assert scoring_db.execute("SELECT predicted_level, model_version FROM ml_predictions ORDER BY log_entry_id") == [
        ("INFO", "anomaly 1, level 1"),
        ("INFO", "anomaly 1, level 1"),
        ("DEBUG", "anomaly 1, level 2"),
    ]


def test_deploying_scores_the_known_shapes_beforehand(scoring_db: Database) -> None:
    insert(scoring_db, "started", "failed")
    register(scoring_db, tiny_model())
    scoring_db.execute("SELECT logintel.deploy('level')")
    before = len(scores(scoring_db))
    insert(scoring_db, "started", "failed")
    assert len(scores(scoring_db)) == before


@pytest.mark.parametrize(
    "message",
    [
        None,
        "",
        " ",
        "\n\t\r",
        "x" * 1_000_000,
        "1 " * 500_000,
        "日本語のログ 失敗",
        "\u202e\ufeff\u00a0 é",
        "'; DROP",
        "%s {} \\",
        "🔥" * 5000,
    ],
    ids=[
        "null",
        "empty",
        "space",
        "controls",
        "1MB",
        "1MB of numbers",
        "japanese",
        "invisible",
        "quote",
        "format",
        "emoji",
    ],
)
def test_any_message_gets_a_prediction(scoring_db: Database, message: str | None) -> None:
    insert(scoring_db, message)
    assert scoring_db.execute(ALL_SCORED) == [(1, 1, 0)]


@pytest.mark.parametrize("level", [None, "", "NOTICE", "x" * 1000, "7", "ÆRGERLIG"])
def test_any_declared_level_gets_a_prediction(scoring_db: Database, level: str | None) -> None:
    scoring_db.execute(
        "INSERT INTO log_entries (level, message, http_status, response_time_ms) VALUES (%s, 'failed', -5, 'NaN')",
        (level,),
    )
    assert levels(scoring_db) == ["ERROR"]


def test_the_level_model_does_not_see_the_declared_level(scoring_db: Database) -> None:
    scoring_db.execute(
        "INSERT INTO log_entries (level, message) VALUES ('DEBUG', 'server panicked'), ('FATAL', 'server panicked')"
    )
    assert len(set(scoring_db.execute("SELECT predicted_level, level_confidence FROM ml_predictions"))) == 1


def test_deferred_mode_scores_known_shapes_and_leaves_new_ones(scoring_db: Database) -> None:
    insert(scoring_db, "started")
    scoring_db.execute("UPDATE logintel.settings SET value = 'deferred' WHERE name = 'mode'")
    insert(scoring_db, "started", "failed")
    assert scoring_db.execute(ALL_SCORED) == [(3, 2, 1)]
    assert scoring_db.value("SELECT logintel.backfill()") == 1
    assert levels(scoring_db) == ["INFO", "INFO", "ERROR"]


def test_partitioned_log_tables(scoring_db: Database) -> None:
    scoring_db.execute("SELECT logintel.detach()")
    scoring_db.execute(
        "CREATE TABLE events (id int, msg text, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)"
    )
    scoring_db.execute("CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')")
    scoring_db.execute("SELECT logintel.attach('events', %s)", (json.dumps({"message": "msg", "timestamp": "day"}),))
    scoring_db.execute("INSERT INTO events VALUES (1, 'failed', '2026-01-05')")
    scoring_db.execute("INSERT INTO events_1 VALUES (2, 'slow', '2026-01-06')")
    scoring_db.execute("CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')")
    scoring_db.execute("INSERT INTO events VALUES (3, 'started', '2026-02-05')")
    scoring_db.execute("SELECT logintel.maintain()")
    scoring_db.execute("INSERT INTO events_2 VALUES (4, 'panicked', '2026-02-06')")
    assert levels(scoring_db) == ["ERROR", "WARN", "INFO", "FATAL"]
    scoring_db.execute("DROP TABLE events_2")
    scoring_db.execute("SELECT logintel.maintain()")
    assert levels(scoring_db) == ["ERROR", "WARN"]


def test_a_bulk_load_with_new_shapes_reads_its_own_rows_once_and_not_once_a_line(scoring_db: Database) -> None:
    scoring_db.execute("INSERT INTO log_entries (message) VALUES ('slow')")
    scoring_db.execute("SELECT logintel.maintain()")  # and no ANALYZE, as in a database that was just filled
    writer = scoring_db.connect()
    with at_most_rows_are_read(scoring_db, PREDICTIONS, 10 * 4000, by=writer):
        writer.execute(
            "INSERT INTO log_entries (message) SELECT CASE WHEN g % 2 = 0 THEN 'slow' "
            "ELSE 'failed ' || translate(g::text, '0123456789', 'abcdefghij') END FROM generate_series(1, 4000) g"
        )
    assert scoring_db.value("SELECT pending FROM logintel.ml_status") == 0
