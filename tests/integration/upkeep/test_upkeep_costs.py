"""What a task of the upkeep reads depends on what changed, never on how much there is."""

import pytest

from support.lines import insert_new_shapes
from support.pending_lines import wait_until
from support.servers import Database
from support.tiny_models import deploy

SHAPES = 3000
TASKS = ("061_count_predictions", "062_evict_shapes", "063_remove_unused_scores",
         "122_compare_lines_of_changed_partitions", "125_drop_days")
READ = (
    "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint FROM pg_stat_xact_all_tables WHERE relname = ANY "
    "('{scores,known_scores,score_totals,hourly_counts,unused_scores,published_scores,count_changes}')"
)


@pytest.fixture
def full_db(db: Database) -> Database:
    """A database whose look-up is full, with nothing left to do."""
    deploy(db)
    db.execute("UPDATE logintel.settings SET value = %s WHERE name = 'known_shapes'", (str(SHAPES),))
    for batch in range(3):
        insert_new_shapes(db, SHAPES // 2, "xyz"[batch])
    for _ in range(4):
        db.execute("CALL logintel.maintain('45 s')")
    db.execute("ANALYZE")
    assert db.value("SELECT count(*) FROM logintel_internal.scores WHERE evicted_txid IS NULL") == SHAPES
    return db


def rows_read(db: Database, task: str) -> int:
    session = db.connect(autocommit=False)
    session.execute(f"SELECT logintel._task_{task}()")
    [(read,)] = session.execute(READ).fetchall()
    session.commit()
    return read


def test_where_nothing_changed_nothing_is_read(full_db: Database) -> None:
    read = {task: rows_read(full_db, task) for task in TASKS}
    assert max(read.values()) <= 20, read


def test_a_few_new_shapes_cost_what_a_few_cost(full_db: Database) -> None:
    insert_new_shapes(full_db, 10, "new")
    full_db.execute("SELECT logintel._task_051_publish_scores()")
    read = {task: rows_read(full_db, task) for task in TASKS}
    assert full_db.value("SELECT count(*) FROM logintel_internal.scores WHERE evicted_txid IS NULL") == SHAPES
    assert max(read.values()) <= 500, read


def test_scores_that_lost_their_lines_are_found_without_looking_at_the_others(full_db: Database) -> None:
    lineless = "WHERE id IN (SELECT p.log_entry_id FROM logintel_internal.predictions p JOIN logintel_internal.scores s ON s.id = p.score_id " \
        "WHERE s.evicted_txid IS NOT NULL LIMIT 10)"
    full_db.execute(f"DELETE FROM log_entries {lineless}")

    def removed() -> bool:  # other tests' transactions on the server may hold a score too
        full_db.execute("SELECT logintel._task_061_count_predictions()")
        full_db.execute(  # a score stays while another reader has not read how its lines went
            "UPDATE logintel_internal.count_readers SET read_to = (SELECT max(id) FROM logintel_internal.count_changes) "
            "WHERE reader <> 'known shapes' AND EXISTS (SELECT FROM logintel_internal.count_changes)")
        read = {task: rows_read(full_db, task) for task in TASKS[1:]}
        assert max(read.values()) <= 500, read
        return full_db.value("SELECT count(*) FROM logintel_internal.scores") == SHAPES * 3 // 2 - 10

    wait_until(removed, seconds=120)


def test_changes_that_all_have_read_are_removed(full_db: Database) -> None:
    insert_new_shapes(full_db, 10, "new")
    full_db.execute("SELECT logintel._task_061_count_predictions()")
    full_db.execute("SELECT logintel._task_062_evict_shapes()")
    assert full_db.value("SELECT count(*) FROM logintel_internal.count_changes") == 10
    full_db.execute("UPDATE logintel_internal.count_readers SET read_to = (SELECT max(id) FROM logintel_internal.count_changes)")
    full_db.execute("SELECT logintel._task_061_count_predictions()")
    assert full_db.value("SELECT count(*) FROM logintel_internal.count_changes") == 0


def test_reconcile_corrects_what_is_wrong_and_tells_readers_only_that(full_db: Database) -> None:
    full_db.execute("DELETE FROM logintel_internal.count_changes")
    right = full_db.execute("SELECT hour, score_id, lines FROM logintel_internal.hourly_counts ORDER BY 1, 2")
    totals = full_db.execute("SELECT * FROM logintel_internal.score_totals ORDER BY 1")
    wrong = full_db.value("SELECT max(score_id) FROM logintel_internal.hourly_counts")
    full_db.execute("UPDATE logintel_internal.hourly_counts SET lines = lines + 3 WHERE score_id = %s", (wrong,))
    full_db.execute("UPDATE logintel_internal.score_totals SET lines = 7 WHERE score_id = %s - 1", (wrong,))
    assert ("counts corrected", 1) in full_db.execute("SELECT * FROM logintel.reconcile()")
    assert full_db.execute("SELECT hour, score_id, lines FROM logintel_internal.hourly_counts ORDER BY 1, 2") == right
    assert full_db.execute("SELECT * FROM logintel_internal.score_totals ORDER BY 1") == totals
    assert full_db.execute("SELECT score_id, lines, is_new, is_recount FROM logintel_internal.count_changes") == [(wrong, -3, False, False)]


def test_a_check_that_fails_says_so_and_the_others_run(db: Database) -> None:
    deploy(db)
    checks = "SELECT \"check\", status, detail FROM logintel.doctor()"
    before = {check for check, _, _ in db.execute(checks)}
    db.execute("CREATE FUNCTION logintel._check_001_wonders(OUT status text, OUT detail text, OUT next_step text) "
               "LANGUAGE plpgsql AS 'BEGIN RAISE ''no wonder''; END'")
    after = db.execute(checks)
    assert {check for check, _, _ in after} == before | {"wonders"}
    assert [row for row in after if row[1] == "problem"] == [("wonders", "problem", "no wonder")]


def test_doctor_has_a_row_for_all_triggers_or_one_for_each_table_that_lacks_some(db: Database) -> None:
    deploy(db)
    triggers = "SELECT status, detail FROM logintel.doctor() WHERE \"check\" = 'triggers'"
    assert db.execute(triggers) == [("ok", "40 triggers on 10 tables")]
    db.execute("DROP TRIGGER logintel_insert ON log_entries_default")
    db.execute("DROP TRIGGER logintel_delete ON log_entries_default")
    assert db.execute(triggers) == [("problem", "logintel_delete, logintel_insert on public.log_entries_default is missing")]
    db.execute("SELECT logintel.maintain()")
    assert db.execute(triggers) == [("ok", "40 triggers on 10 tables")]


def test_the_first_lines_of_a_score_are_told_from_later_ones_once(db: Database) -> None:
    deploy(db)
    changes = "SELECT lines, is_new, is_recount FROM logintel_internal.count_changes ORDER BY id"
    db.execute("SELECT logintel._task_061_count_predictions()")
    db.execute("INSERT INTO log_entries (message, timestamp) VALUES ('failed', '2026-01-01 10:00Z'), ('failed', '2026-01-01 11:00Z')")
    db.execute("SELECT logintel._task_061_count_predictions()")
    assert db.execute(changes) == [(1, True, False), (1, False, False)]
    db.execute("INSERT INTO log_entries (message, timestamp) VALUES ('failed', '2026-01-01 12:00Z')")
    db.execute("DELETE FROM log_entries WHERE id = 1")
    db.execute("SELECT logintel._task_061_count_predictions()")
    assert sorted(db.execute(changes)[2:]) == [(-1, False, False), (1, False, False)]
