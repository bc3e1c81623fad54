"""Nothing of a line's text stays when the line is deleted and the upkeep has run, where no other line has its template."""

import pytest

from support.pending_lines import wait_until
from support.servers import Database

SECRET = "zoe.quillfeather"
LINE = f"password reset for {SECRET} at example dot org, token sent"


def upkeep(db: Database) -> None:
    for _ in range(3):
        db.execute("SELECT * FROM logintel.maintain()")


def assert_nothing_is_left(db: Database) -> None:
    """A few minutes of upkeep later; transactions of other tests on the server hold it up."""

    def is_gone() -> bool:
        db.execute("SELECT * FROM logintel.maintain()")
        return where_it_stands(db, SECRET) == []

    wait_until(is_gone, seconds=120)


def where_it_stands(db: Database, word: str) -> list[str]:
    """Tables that hold the word in any column, logintel's and the log table's."""
    tables = db.execute(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind IN ('r', 'm') "
        "AND c.relnamespace = ANY ('{logintel,logintel_internal,public}'::regnamespace[])"
    )
    return [
        table
        for (table,) in tables
        if db.value(f"SELECT EXISTS (SELECT FROM {table} t WHERE t::text ILIKE %s)", (f"%{word}%",))
    ]


@pytest.mark.parametrize("upkeep_before", [True, False])
@pytest.mark.parametrize("mode", ["inline", "deferred"])
def test_a_deleted_line_leaves_nothing(fresh_db: Database, upkeep_before: bool, mode: str) -> None:
    fresh_db.execute("UPDATE logintel.settings SET value = %s WHERE name = 'mode'", (mode,))
    fresh_db.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', %s), ('INFO', 'listening')", (LINE,))
    if upkeep_before:
        fresh_db.execute("SELECT logintel.backfill()")
        upkeep(fresh_db)
        assert "scores" in where_it_stands(fresh_db, SECRET)
    fresh_db.execute("DELETE FROM log_entries WHERE message = %s", (LINE,))
    fresh_db.execute("SELECT logintel.backfill()")
    assert_nothing_is_left(fresh_db)
    assert fresh_db.value("SELECT count(*) FROM logintel.ml_predictions") == 1


def test_the_text_stays_while_another_line_has_it(fresh_db: Database) -> None:
    fresh_db.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', %s), ('INFO', %s)", (LINE, LINE))
    upkeep(fresh_db)
    fresh_db.execute("DELETE FROM log_entries WHERE id = 1")
    upkeep(fresh_db)
    assert "scores" in where_it_stands(fresh_db, SECRET)
    assert fresh_db.value("SELECT canonical FROM logintel_internal.scores WHERE template LIKE 'password reset%%'")
    fresh_db.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', %s)", (LINE,))
    assert fresh_db.value("SELECT count(DISTINCT score_id) FROM logintel_internal.predictions") == 1


def test_a_changed_and_a_truncated_line_leave_nothing(fresh_db: Database) -> None:
    fresh_db.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', %s)", (LINE,))
    upkeep(fresh_db)
    fresh_db.execute("UPDATE log_entries SET message = 'erased'")
    assert_nothing_is_left(fresh_db)
    fresh_db.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', %s)", (LINE,))
    upkeep(fresh_db)
    fresh_db.execute("TRUNCATE log_entries")
    assert_nothing_is_left(fresh_db)


def test_a_line_that_a_later_model_reads_leaves_nothing(fresh_db: Database) -> None:
    """Its shape is known to the new models too, which no line was scored by."""
    fresh_db.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', %s), ('INFO', 'listening')", (LINE,))
    upkeep(fresh_db)
    fresh_db.execute("SELECT logintel.import_model('level', e.onnx, e.metadata, e.golden) FROM logintel.export_model('level') e")
    fresh_db.execute("SELECT logintel.deploy('level')")
    while fresh_db.value("SELECT logintel.rescore()"):
        pass
    upkeep(fresh_db)
    assert fresh_db.value("SELECT count(*) FROM logintel.ml_predictions WHERE level_confidence IS NOT NULL") == 2
    fresh_db.execute("DELETE FROM log_entries WHERE message = %s", (LINE,))
    assert_nothing_is_left(fresh_db)
    assert fresh_db.value("SELECT level_probabilities IS NOT NULL FROM logintel_internal.scores WHERE template = 'listening' AND canonical "
                          "AND model_set_id = (SELECT max(model_set_id) FROM logintel_internal.scores)")
