"""Models learn what people said, whatever the lines declare, and also of lines that are gone."""

from datetime import UTC, datetime

import pytest

from logintel.simulation import generate
from logintel.training.dataset import Line, Verdict, read_lines
from logintel.writing import load_rows
from support.lines import insert
from support.servers import Database

pytestmark = pytest.mark.any_server

GLOWING = "the bearing of turbine 17 is glowing red"
STUCK = "the valve 4 of boiler 9 is stuck"
LEAVING = "the ferry 3 has left the quay"
ONCE = "what nobody else has ever said"


def write(db: Database, message: str, count: int = 41, level: str = "INFO", **columns: object) -> int:
    """Write lines of a template and return the key of the first one."""
    usual = {"service": "plant", "timestamp": "2026-01-02 00:00Z", "category": "Database", "is_anomaly": False}
    insert(db, *[message] * count, level=level, **usual | columns)
    return db.value("SELECT min(id) FROM log_entries WHERE message = %s", (message,))


def judged(db: Database, limit: int = 100) -> list[tuple[str, str | None, Verdict | None]]:
    with db.connect(autocommit=False) as connection:
        lines = read_lines(connection, limit)
    return [(line.shape.template, line.level, line.verdict) for line in lines]


def give(db: Database, line: int, what: str, whole_template: bool = False) -> None:
    db.execute(f"SELECT logintel.give_feedback(%s, {what}, whole_template => %s)", (line, whole_template))


def test_one_verdict_outranks_what_forty_one_lines_declare(db: Database) -> None:
    load_rows(db.connection, [line.row() for line in generate(1200, seed=1, end=datetime(2026, 1, 1, tzinfo=UTC), days=2)])
    give(db, write(db, GLOWING), "'ERROR', is_anomaly => true")
    give(db, write(db, STUCK), "'FATAL', 'Machines'", whole_template=True)
    give(db, write(db, LEAVING, level="ERROR", is_anomaly=True, anomaly_type="system_failure"), "'INFO', is_anomaly => false")
    gone = write(db, ONCE, count=1)
    give(db, gone, "'WARN'")
    db.execute("DELETE FROM log_entries WHERE id = %s", (gone,))

    printed = db.logintel("train", "--deploy")
    assert "note: lines with a verdict, which outranks what they declare: 44" in printed
    assert "trained on 1,324 lines" in printed
    said = {message: db.execute("SELECT predicted_level, category, is_anomaly FROM logintel.analyze(%s::jsonb)",
                                (f'[{{"message": "{message}", "service": "plant", "level": "INFO"}}]',))[0]
            for message in (GLOWING, STUCK, LEAVING, ONCE)}
    assert said[GLOWING] == ("ERROR", "Database", True)
    assert said[STUCK] == ("FATAL", "Machines", False)
    assert said[LEAVING] == ("INFO", "Database", False)
    assert said[ONCE][0] == "WARN"
    db.execute("SELECT logintel.backfill()")
    assert db.execute("SELECT count(*), bool_and(agrees) FROM logintel.ml_feedback WHERE log_entry_id <> %s", (gone,)) == [(3, True)]


def test_the_nearest_verdict_is_read_with_each_line(db: Database) -> None:
    load_rows(db.connection, [{"level": level, "message": f"job {n} failed"} for n, level in enumerate(("I", "INFO", "D", "E"))])
    load_rows(db.connection, [{"level": None, "message": "slow"}])
    assert [verdict for *_, verdict in judged(db)] == [None] * 5
    give(db, 1, "'FATAL'")
    give(db, 1, "true_category => 'Jobs', is_anomaly => false", whole_template=True)
    db.execute("INSERT INTO logintel_internal.feedback (attachment_id, scope, shape, shape_hash, declared_level, true_level) "
               "SELECT attachment_id, 'template', shape, shape_hash, 'INFO', 'WARN' FROM logintel_internal.feedback WHERE scope = 'line'")
    assert judged(db) == [
        ("job <*> failed", "INFO", Verdict("FATAL", "Jobs", False)), ("job <*> failed", "INFO", Verdict("WARN", "Jobs", False)),
        ("job <*> failed", "DEBUG", Verdict(None, "Jobs", False)), ("job <*> failed", "ERROR", Verdict(None, "Jobs", False)),
        ("slow", None, None),
    ]
    db.execute("SELECT logintel.withdraw_feedback(1), logintel.withdraw_feedback(1, true)")
    assert [verdict for *_, verdict in judged(db)] == [None] * 5


def test_verdicts_on_lines_that_are_older_or_gone_are_read_first(db: Database) -> None:
    load_rows(db.connection, [{"timestamp": f"2026-01-01 00:0{n}:00Z", "level": "INFO", "message": text}
                              for n, text in enumerate(("old one", "old two", "replaced", "new one", "new two"))])
    for line, level in ((1, "WARN"), (3, "ERROR"), (4, "FATAL")):
        give(db, line, f"'{level}'")
    give(db, 2, "'DEBUG'", whole_template=True)
    give(db, 5, "'DEBUG'", whole_template=True)
    db.execute("UPDATE log_entries SET message = 'the replacement' WHERE id = 3")
    assert sorted(judged(db, limit=2)[:3]) == [
        ("old one", "INFO", Verdict("WARN")), ("old two", "INFO", Verdict("DEBUG")), ("replaced", "INFO", Verdict("ERROR"))]
    assert judged(db, limit=2)[3:] == [("new one", "INFO", Verdict("FATAL")), ("new two", "INFO", Verdict("DEBUG"))]
    assert ("the replacement", "INFO", None) in judged(db)
    db.execute("TRUNCATE log_entries")
    assert len(judged(db)) == 5


def test_a_manager_reads_lines_with_their_verdicts(db: Database) -> None:
    load_rows(db.connection, [{"level": "INFO", "message": "slow"}])
    give(db, 1, "'WARN'")
    manager = db.create_role("manager")
    db.execute("SELECT logintel.grant_manage(%s)", (manager,))
    [line] = read_lines(db.connect(autocommit=False, user=manager), 10)
    assert isinstance(line, Line)
    assert line.verdict == Verdict("WARN")
