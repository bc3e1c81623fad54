"""Sources of free text do not grow the look-up without bound, and history follows a new model by shapes."""

import pytest

from support.lines import insert_new_shapes
from support.pending_lines import assert_every_line_is_scored_once, wait_until
from support.servers import Database
from support.tables import looked_up, predictions, scores
from support.tiny_models import deploy, tiny_model


@pytest.fixture
def scoring_db(db: Database) -> Database:
    deploy(db)
    db.execute("UPDATE logintel.settings SET value = '100' WHERE name = 'known_shapes'")
    return db


def maintain(db: Database) -> dict[str, int]:
    return dict(db.execute("SELECT * FROM logintel.maintain()"))


def test_shapes_of_one_line_go_before_those_of_many(scoring_db: Database) -> None:
    scoring_db.execute("INSERT INTO log_entries (message) VALUES ('slow'), ('slow'), ('job failed'), ('job failed')")
    insert_new_shapes(scoring_db, 500)
    assert maintain(scoring_db)["evict shapes"] == 402
    assert looked_up(scoring_db) == 100
    insert_new_shapes(scoring_db, 200, "y")
    maintain(scoring_db)
    assert looked_up(scoring_db) == 100
    known = scores(scoring_db)
    scoring_db.execute("INSERT INTO log_entries (message) VALUES ('slow'), ('job failed')")
    assert scores(scoring_db) == known
    assert_every_line_is_scored_once(scoring_db, 706)


def test_an_evicted_shape_that_comes_back_is_scored_again(scoring_db: Database) -> None:
    insert_new_shapes(scoring_db, 300)
    maintain(scoring_db)
    insert_new_shapes(scoring_db, 300)
    assert_every_line_is_scored_once(scoring_db, 600)
    assert scoring_db.value("SELECT count(DISTINCT predicted_level) FROM ml_predictions") == 1


def test_an_evicted_score_keeps_what_predictions_show_and_little_else(scoring_db: Database) -> None:
    scoring_db.execute(
        "INSERT INTO log_entries (message) SELECT 'failed ' || translate(g::text, '0123456789', 'abcdefghij') || repeat(' word', 500) "
        "FROM generate_series(1, 200) g"
    )
    before = scoring_db.value("SELECT sum(level_confidence) FROM ml_predictions")
    maintain(scoring_db)
    assert scoring_db.value("SELECT sum(level_confidence) FROM ml_predictions") == before
    assert set(scores(scoring_db, "length(template), level_probabilities IS NULL", "WHERE evicted_txid IS NOT NULL")) == {(200, True)}


def test_scores_go_when_their_last_prediction_went(scoring_db: Database) -> None:
    insert_new_shapes(scoring_db, 300)
    holder = scoring_db.connect(autocommit=False)  # might hold a score that it looked up before the eviction
    holder.execute("SELECT txid_current()")
    maintain(scoring_db)
    scoring_db.execute("DELETE FROM log_entries")
    for _ in range(3):
        assert maintain(scoring_db)["remove unused scores"] == 0
    holder.commit()
    removed: list[int] = []
    # Transactions of other tests on the server may hold a score too, as far as maintain() can see.
    wait_until(lambda: removed.append(maintain(scoring_db)["remove unused scores"]) or sum(removed) >= 300, seconds=120)
    assert sum(removed) == 300
    assert scores(scoring_db) == []


def test_a_session_that_looked_up_before_the_eviction_keeps_its_prediction(scoring_db: Database) -> None:
    insert_new_shapes(scoring_db, 300)
    maintain(scoring_db)
    scoring_db.execute("UPDATE logintel.settings SET value = '300' WHERE name = 'known_shapes'")
    insert_new_shapes(scoring_db, 150, "y")
    maintain(scoring_db)
    writer = scoring_db.connect(autocommit=False)
    writer.execute("INSERT INTO log_entries (message) SELECT message FROM log_entries")
    scoring_db.execute("UPDATE logintel.settings SET value = '100' WHERE name = 'known_shapes'")
    scoring_db.execute("DELETE FROM log_entries")
    for _ in range(3):
        maintain(scoring_db)
    writer.commit()
    for _ in range(2):
        maintain(scoring_db)
    assert scoring_db.value("SELECT count(*) FROM ml_predictions") == 450


def test_history_is_read_as_the_new_model_scores_it(db: Database) -> None:
    deploy(db)
    db.execute("INSERT INTO log_entries (message) VALUES ('job started'), ('job failed'), ('slow')")
    db.execute("SELECT logintel.maintain()")
    stored = predictions(db, "*")
    deploy(db, tiny_model("level", (("started", "DEBUG"), ("failed", "FATAL"))))
    levels = "SELECT predicted_level FROM ml_predictions WHERE log_entry_id <= 2 ORDER BY log_entry_id"
    versions = "SELECT DISTINCT model_version, rescored_at IS NOT NULL FROM ml_predictions"
    assert db.execute(levels) == [("INFO",), ("ERROR",)]
    assert db.value("SELECT logintel.rescore()") == 3
    assert db.value("SELECT logintel.rescore()") == 0
    assert db.execute(levels) == [("DEBUG",), ("FATAL",)]
    assert db.execute(versions) == [("anomaly 1, level 2", True)]
    assert predictions(db, "*") == stored  # not a row was touched
    assert db.execute("SELECT level, predictions FROM ml_stats_by_level WHERE level IN ('INFO', 'ERROR')") == []
    db.execute("SELECT logintel.rollback('level')")
    while db.value("SELECT logintel.rescore()"):
        pass
    assert db.execute(levels) == [("INFO",), ("ERROR",)]
    assert db.execute(versions) == [("anomaly 1, level 1", False)]


def test_lines_written_after_a_rollback_are_read_as_the_version_that_scored_them(db: Database) -> None:
    deploy(db)
    db.execute("INSERT INTO log_entries (message) VALUES ('job failed')")
    deploy(db, tiny_model("level", (("started", "DEBUG"), ("failed", "FATAL"))))
    db.execute("SELECT logintel.rescore()")
    db.execute("SELECT logintel.rollback('level')")
    db.execute("INSERT INTO log_entries (message) VALUES ('job failed')")
    assert db.execute("SELECT predicted_level, model_version FROM ml_predictions ORDER BY id DESC LIMIT 1") == [("ERROR", "anomaly 1, level 1")]


def test_rescoring_goes_in_batches_and_side_by_side(db: Database) -> None:
    deploy(db)
    insert_new_shapes(db, 30)
    deploy(db, tiny_model("level", (("started", "DEBUG"), ("failed", "FATAL"))))
    sessions = [db.connect(autocommit=False) for _ in range(2)]
    assert [s.execute('SELECT logintel.rescore(max_shapes => 20)').fetchall() for s in sessions] == [[(20,)], [(10,)]]
    for session in sessions:
        session.commit()
    assert db.value("SELECT logintel.rescore()") == 0
    assert db.execute("SELECT DISTINCT predicted_level FROM ml_predictions") == [("FATAL",)]
