"""New scores become canonical by upkeep, whose work depends on what is new; duplicates leave the look-up and then go."""

import pytest

from support.pending_lines import wait_until
from support.servers import Database
from support.tiny_models import deploy, register, tiny_model

PUBLISH = "SELECT logintel._task_051_publish_scores()"
KNOWN = "SELECT count(*) FROM logintel_internal.scores WHERE evicted_txid IS NULL"


@pytest.fixture
def learned_twice(db: Database) -> Database:
    """A shape that two sessions learned at the same time, a line each."""
    deploy(db, tiny_model())
    sessions = [db.connect(autocommit=False) for _ in range(2)]
    for session in sessions:
        session.execute("INSERT INTO log_entries (message) VALUES ('never seen before')")
    for session in sessions:
        session.commit()
    return db


def test_what_was_published_is_not_looked_at_again(learned_twice: Database) -> None:
    assert learned_twice.value(PUBLISH) == 2
    assert learned_twice.value(PUBLISH) == 0
    assert learned_twice.execute("SELECT canonical, evicted_txid IS NULL FROM logintel_internal.scores ORDER BY id") == [
        (True, True), (False, False)]  # fmt: skip
    learned_twice.execute("INSERT INTO log_entries (message) VALUES ('never seen before'), ('nor this')")
    assert learned_twice.value(PUBLISH) == 1
    assert learned_twice.value(KNOWN) == 2


def test_a_duplicate_keeps_what_its_lines_show_and_goes_with_them(learned_twice: Database) -> None:
    assert (
        learned_twice.value("SELECT count(DISTINCT (template, predicted_level, level_confidence)) FROM ml_predictions")
        == 1
    )
    before = learned_twice.execute("SELECT template, predicted_level FROM ml_predictions ORDER BY id")
    learned_twice.execute("SELECT logintel.maintain()")
    assert learned_twice.execute("SELECT template, predicted_level FROM ml_predictions ORDER BY id") == before
    assert learned_twice.value("SELECT count(*) FROM logintel_internal.scores") == 2
    learned_twice.execute("DELETE FROM log_entries USING logintel.ml_predictions p WHERE p.log_entry_id = log_entries.id "
                          "AND p.score_id = (SELECT max(id) FROM logintel_internal.scores)")  # fmt: skip

    def gone() -> bool:  # other tests' transactions on the server may hold the score, too
        learned_twice.execute("SELECT logintel.maintain()")
        return learned_twice.value("SELECT count(*) FROM logintel_internal.scores") == 1

    wait_until(gone, seconds=120)


def test_publishing_does_not_wait_for_a_deployment_that_scores_shapes(learned_twice: Database) -> None:
    register(learned_twice, tiny_model())
    admin = learned_twice.connect(autocommit=False)
    admin.execute("SELECT logintel.deploy('level')")
    upkeep = learned_twice.connect()
    upkeep.execute("SET lock_timeout = '1s'")
    assert upkeep.execute(PUBLISH).fetchone() == (0,)
    admin.rollback()
    assert upkeep.execute(PUBLISH).fetchone() == (2,)


def test_a_deployment_serves_from_its_commit_and_what_served_before_is_kept(db: Database) -> None:
    deploy(db, tiny_model())
    register(db, tiny_model())
    serving = "SELECT model_set_id FROM logintel_internal.serving ORDER BY id"
    before = db.execute(serving)
    admin = db.connect(autocommit=False)
    admin.execute("SELECT logintel.deploy('level')")
    assert db.execute(serving) == before
    admin.commit()
    [new] = db.execute(serving)[len(before) :]
    assert (
        db.value("SELECT logintel._set_in_force()")
        == new[0]
        == db.value("SELECT max(model_set_id) FROM logintel_internal.deployments")
    )
