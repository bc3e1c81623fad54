"""Several log tables in one database: each for itself, though their keys are the same."""

import threading
from pathlib import Path

import psycopg
import pytest

from support.dumps import restore, restore_archive
from support.lines import insert
from support.pending_lines import defer, wait_until
from support.recount import Recount, settle
from support.servers import Database
from support.tiny_models import deploy

STATUS = "SELECT log_table::text, lines, predictions, pending FROM logintel.ml_status ORDER BY 1"
STATS_BY_TABLE = """
    SELECT log_table::text, predictions, corrections, anomalies, templates, shapes FROM logintel.ml_stats ORDER BY 1"""
LINES = "SELECT id, predicted_level, template FROM logintel.ml_predictions WHERE log_table = %s::regclass ORDER BY id"
PROBLEMS = "SELECT \"check\", detail FROM logintel.doctor() WHERE status = 'problem'"


@pytest.fixture
def two(db: Database) -> Database:
    """The standard table and a table `app`, which have lines of the same keys."""
    deploy(db)
    db.execute("CREATE TABLE app (id bigint PRIMARY KEY, at timestamptz DEFAULT now(), severity text, text text, program text)")
    db.execute("SELECT logintel.attach('app', level_scale => 'syslog')")
    insert(db, "slow", "job 1 failed", "the disk panicked", level="INFO", service="api")
    db.execute("INSERT INTO app VALUES (1, now(), '3', 'job 7 failed'), (2, now(), '6', 'slow'), (3, now(), '6', 'slow')")
    return db


def lines(db: Database, table: str) -> list[tuple]:
    return db.execute(LINES, (table,))


def assert_all_adds_up(db: Database, without: frozenset[str] = frozenset()) -> None:
    """Recount each table, at once and when all that waits is scored and the upkeep has counted."""
    for _ in range(2):
        for (table,) in db.execute("SELECT log_table::text FROM logintel_internal.attachments ORDER BY id"):
            lines = f"(SELECT * FROM logintel.log_lines WHERE log_table = '{table}'::regclass)"
            recount = Recount(db.connection, table, without, lines)
            assert [str(difference) for difference in recount.differences() or []] == [], table
        settle(db.connection)


def test_each_table_has_its_predictions_under_its_own_mapping(two: Database) -> None:
    assert lines(two, "log_entries") == [(1, "WARN", "slow"), (2, "ERROR", "job <*> failed"), (3, "FATAL", "the disk panicked")]
    assert lines(two, "app") == [(1, "ERROR", "job <*> failed"), (2, "WARN", "slow"), (3, "WARN", "slow")]
    assert two.execute("""
        SELECT log_table::text, log_entry_id, declared_level, message FROM logintel.ml_recent_predictions
        WHERE log_entry_id = 1 ORDER BY 1
        """) == [("app", 1, "ERROR", "job 7 failed"), ("log_entries", 1, "INFO", "slow")]
    assert two.execute(PROBLEMS) == []


def test_statistics_by_table_add_up_to_the_database(two: Database) -> None:
    assert two.execute(STATUS) == [("app", 3, 3, 0), ("log_entries", 3, 3, 0)]
    for view, figure in (("ml_stats", "predictions"), ("ml_stats_by_level", "predictions"),
                         ("ml_stats_by_service", "predictions"), ("ml_stats_by_hour", "predictions")):
        assert two.execute(f"SELECT log_table::text, sum({figure}) FROM logintel.{view} GROUP BY log_table ORDER BY 1") == [
            ("app", 3), ("log_entries", 3)], view
    assert two.execute("SELECT log_table::text, sum(share) FROM logintel.ml_stats_by_level GROUP BY log_table ORDER BY 1") == [
        ("app", 1), ("log_entries", 1)]
    assert_all_adds_up(two)


def test_no_two_tables_share_a_score(two: Database) -> None:
    shared = two.execute("""
        SELECT score_id FROM logintel.ml_predictions GROUP BY score_id HAVING count(DISTINCT log_table) > 1""")
    assert shared == []
    two.execute("SELECT logintel.maintain()")
    insert(two, "slow", level="INFO", service="api")
    two.execute("INSERT INTO app VALUES (4, now(), '6', 'slow')")
    assert two.value("SELECT count(*) FROM logintel_internal.scores WHERE template = 'slow' AND evicted_txid IS NULL") == 2


@pytest.mark.parametrize("ending", [
    "UPDATE app SET text = 'the disk panicked' WHERE id = 1",
    "DELETE FROM app WHERE id < 3",
    "TRUNCATE app",
    "ALTER TABLE app RENAME TO application",
    "ALTER TABLE app RENAME COLUMN text TO message",
    "ALTER TABLE app DROP COLUMN severity",
    "DROP TABLE app",
    "SELECT logintel.detach('app')",
])
@pytest.mark.parametrize("counted", [False, True])
def test_what_happens_to_one_table_leaves_the_other_as_it_is(two: Database, ending: str, counted: bool) -> None:
    if counted:
        two.execute("SELECT logintel.maintain()")
    before = lines(two, "log_entries")
    [stats] = two.execute("SELECT * FROM logintel.ml_stats WHERE log_table = 'log_entries'::regclass")
    two.execute(ending)
    for _ in range(2):
        assert lines(two, "log_entries") == before
        assert two.execute("SELECT * FROM logintel.ml_stats WHERE log_table = 'log_entries'::regclass") == [stats]
        two.execute("SELECT logintel.maintain()")
    insert(two, "job 2 failed", level="INFO", service="api")
    # A dropped column leaves lines with what was predicted of them before.
    assert_all_adds_up(two, frozenset({"lines whose prediction is of another shape"} if "DROP COLUMN" in ending else ()))
    assert two.execute(PROBLEMS) == []
    if "DROP TABLE" in ending or "detach" in ending:
        assert two.execute(STATUS) == [("log_entries", 4, 4, 0)]
        assert two.value("SELECT count(*) FROM logintel_internal.predictions") == 4


def test_a_cascade_ends_the_attachments_that_it_drops_and_no_other(two: Database) -> None:
    two.execute("CREATE SCHEMA team; CREATE TABLE team.one (id bigint PRIMARY KEY, message text);"
                "CREATE TABLE team.two (id bigint PRIMARY KEY, message text)")
    two.execute("SELECT logintel.attach('team.one'), logintel.attach('team.two')")
    two.execute("INSERT INTO team.one VALUES (1, 'slow'); INSERT INTO team.two VALUES (1, 'slow')")
    two.execute("DROP SCHEMA team CASCADE")
    two.execute("SELECT logintel.maintain()")
    assert two.execute(STATUS) == [("app", 3, 3, 0), ("log_entries", 3, 3, 0)]
    assert_all_adds_up(two)


def test_a_table_that_is_attached_again_begins_anew_and_takes_nothing_of_others(two: Database) -> None:
    numbers = two.execute("SELECT id FROM logintel_internal.attachments ORDER BY id")
    two.execute("SELECT logintel.detach('app')")
    two.execute("SELECT logintel.attach('app')")
    assert two.execute("SELECT id FROM logintel_internal.attachments ORDER BY id") == [numbers[0], (numbers[1][0] + 1,)]
    assert two.execute(STATUS) == [("app", 3, 0, 3), ("log_entries", 3, 3, 0)]
    settle(two.connection)
    assert_all_adds_up(two)
    assert two.execute(STATUS) == [("app", 3, 3, 0), ("log_entries", 3, 3, 0)]


def test_what_an_ended_attachment_scored_is_removed(two: Database) -> None:
    two.execute("SELECT logintel.maintain()")
    two.execute("SELECT logintel.detach('app')")
    kept = "SELECT DISTINCT logintel._attachment_of(id) FROM logintel_internal.scores"

    def is_removed() -> bool:
        two.execute("SELECT logintel.maintain()")
        return two.execute(kept) == [(0,)]

    wait_until(is_removed)
    assert two.value("SELECT count(*) FROM logintel_internal.hourly_counts WHERE logintel._attachment_of(score_id) <> 0") == 0


def test_both_are_written_at_once(two: Database) -> None:
    failures: list[str] = []

    def write(table: str, statements: tuple[str, ...]) -> None:
        session = two.connect()
        try:
            for number in range(100, 160):
                for statement in statements:
                    session.execute(statement.format(table=table, id=number))
        except psycopg.Error as error:
            failures.append(str(error))

    writers = [
        threading.Thread(target=write, args=("log_entries", (
            "INSERT INTO log_entries (id, message) OVERRIDING SYSTEM VALUE VALUES ({id}, 'job {id} failed')",
            "UPDATE log_entries SET message = 'slow' WHERE id = {id}"))),
        threading.Thread(target=write, args=("app", (
            "INSERT INTO app (id, text) VALUES ({id}, 'new ' || chr(65 + {id} % 26))",
            "DELETE FROM app WHERE id = {id} - 1"))),
        threading.Thread(target=write, args=("", ("SELECT logintel.backfill()", "SELECT logintel.maintain()"))),
    ]  # fmt: skip
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert_all_adds_up(two)
    assert two.execute(STATUS) == [("app", 4, 4, 0), ("log_entries", 63, 63, 0)]


def test_each_table_tells_when_its_latest_prediction_was_made(two: Database) -> None:
    status = "SELECT log_table::text, latest_prediction FROM logintel.ml_status"
    made = (
        "SELECT s.log_table::text, max(p.predicted_at) FROM logintel_internal.predictions p "
        "JOIN logintel_internal._scores_now s ON s.score_id = p.score_id GROUP BY 1"
    )
    assert dict(two.execute(status)) == dict(two.execute(made))
    two.execute("SELECT logintel.maintain()")
    assert dict(two.execute(status)) == dict(two.execute(made))
    insert(two, "slow")
    latest = dict(two.execute(made))
    assert dict(two.execute(status)) == latest and latest["log_entries"] > latest["app"]
    two.execute("SELECT logintel.maintain()")
    two.execute("DELETE FROM log_entries WHERE message = 'slow'")
    two.execute("SELECT logintel.maintain()")
    assert dict(two.execute(status)) == latest
    two.execute("SELECT logintel.detach('app')")
    two.execute("SELECT logintel.attach('app')")
    assert dict(two.execute(status)) == {"log_entries": latest["log_entries"], "app": None}


def test_lines_that_wait_are_those_of_their_table(two: Database) -> None:
    defer(two)
    insert(two, "gone away", level="INFO")
    two.execute("INSERT INTO app VALUES (4, now(), '6', 'gone away'), (5, now(), '6', 'gone too')")
    assert two.execute(STATUS) == [("app", 5, 3, 2), ("log_entries", 4, 3, 1)]
    assert two.value("SELECT logintel.backfill(log_table => 'log_entries')") == 1
    assert two.execute(STATUS) == [("app", 5, 3, 2), ("log_entries", 4, 4, 0)]
    two.execute("DELETE FROM app WHERE id = 4")
    assert two.value("SELECT logintel.backfill()") == 1
    assert_all_adds_up(two)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="pg_class is not attached"):
        two.execute("SELECT logintel.backfill(log_table => 'pg_class')")


def test_what_is_wrong_with_one_table_keeps_no_other_waiting(two: Database) -> None:
    defer(two)
    insert(two, "gone away", level="INFO")
    two.execute("INSERT INTO app VALUES (4, now(), '6', 'gone away')")
    fetcher = two.value("SELECT logintel._installer_reader('app')::text")
    two.execute(f"REVOKE ALL (id, at, severity, text, program) ON app FROM {fetcher}")
    assert two.value("SELECT logintel.backfill()") == 1
    with pytest.raises(psycopg.Error, match=r"lines of public\.app wait: permission denied") as caught:
        two.execute("SELECT logintel.backfill()")
    assert caught.value.diag.message_hint
    assert two.execute(STATUS) == [("app", None, 3, None), ("log_entries", 4, 4, 0)]
    two.execute("SELECT logintel.maintain()")
    assert two.execute("SELECT message FROM logintel.log_lines WHERE id = 4") == [("gone away",)]
    [(detail,)] = two.execute("SELECT detail FROM logintel.doctor() WHERE \"check\" = 'rights' AND status = 'problem'")
    assert "public.app" in detail


def test_a_line_is_told_by_its_key_where_one_table_has_it(two: Database) -> None:
    insert(two, "slow")
    assert two.value("SELECT logintel.give_feedback(4, 'ERROR')") == 1
    for call in ("give_feedback(1, 'ERROR')", "predict_log(1)"):
        with pytest.raises(psycopg.errors.AmbiguousParameter, match=r"several log tables have a line 1: .*app") as caught:
            two.execute(f"SELECT logintel.{call}")
        assert "log_table =>" in caught.value.diag.message_hint
    assert two.execute("SELECT predicted_level FROM logintel.predict_log(1, 'app')") == [("ERROR",)]
    assert two.execute("SELECT predicted_level FROM logintel.predict_log(1, 'log_entries')") == [("WARN",)]
    with pytest.raises(psycopg.errors.NoDataFound, match="no log line 77"):
        two.execute("SELECT logintel.predict_log(77)")
    with pytest.raises(psycopg.errors.NoDataFound, match="no log line 77"):
        two.execute("SELECT logintel.give_feedback(77, 'ERROR')")


def test_verdicts_are_on_lines_of_one_table(two: Database) -> None:
    two.execute("SELECT logintel.give_feedback(1, 'INFO', log_table => 'app')")
    two.execute("SELECT logintel.give_feedback(1, 'ERROR', log_table => 'log_entries')")
    feedback = "SELECT log_table::text, log_entry_id, true_level FROM logintel.ml_feedback WHERE is_current ORDER BY 1"
    assert two.execute(feedback) == [("app", 1, "INFO"), ("log_entries", 1, "ERROR")]
    with pytest.raises(psycopg.errors.AmbiguousParameter):
        two.execute("SELECT logintel.withdraw_feedback(1)")
    assert two.value("SELECT logintel.withdraw_feedback(1, log_table => 'app')") == 1
    assert two.execute(feedback) == [("log_entries", 1, "ERROR")]
    assert two.value("SELECT logintel.withdraw_feedback(1)") == 1
    two.execute("SELECT logintel.give_feedback(2, 'INFO', log_table => 'app')")
    two.execute("SELECT logintel.detach('app')")
    assert two.execute("SELECT log_table, log_entry_id FROM logintel.ml_feedback WHERE is_current") == [(None, None)]


def test_corrections_and_anomalies_name_their_table(two: Database) -> None:
    corrections = "SELECT log_table::text, log_entry_id, message FROM logintel.ml_corrections ORDER BY 1, 2"
    assert two.execute(corrections) == [
        ("app", 2, "slow"), ("app", 3, "slow"),
        ("log_entries", 1, "slow"), ("log_entries", 2, "job 1 failed"), ("log_entries", 3, "the disk panicked")]  # fmt: skip
    two.execute("SELECT logintel.give_feedback(2, 'INFO', log_table => 'app')")
    assert two.execute(corrections)[0] == ("app", 3, "slow")
    assert two.value("SELECT count(*) FROM logintel.ml_corrections WHERE log_table = 'log_entries'::regclass") == 3


def test_suspects_and_sources_are_those_of_a_table(fresh_db: Database) -> None:
    db = fresh_db
    db.execute("CREATE TABLE app (id bigint PRIMARY KEY, level text, message text, service text)")
    db.execute("SELECT logintel.attach('app')")
    insert(db, "failed to connect to database", level="INFO", service="api")
    db.execute("INSERT INTO app VALUES (1, 'ERROR', 'failed to connect to database', 'api')")
    suspects = "SELECT log_table::text, service, lines, suspicion FROM logintel.ml_suspects"
    assert db.execute(suspects) == [("log_entries", "api", 1, "hidden problem")]
    assert db.execute("SELECT log_table::text, service, lines FROM logintel.ml_sources ORDER BY 1") == [
        ("app", "api", 1), ("log_entries", "api", 1)]  # fmt: skip


def test_partitions_are_managed_in_one_table_and_not_in_the_other(two: Database) -> None:
    two.execute("CREATE TABLE days (id bigint, \"timestamp\" timestamptz NOT NULL, message text) PARTITION BY RANGE (\"timestamp\")")
    two.execute("CREATE TABLE days_default PARTITION OF days DEFAULT; CREATE INDEX ON days (id)")
    two.execute("ALTER TABLE days ALTER id SET NOT NULL")
    two.execute("SELECT logintel.attach('days', manage_partitions => true)")
    assert two.value("SELECT logintel.create_partitions(current_date - 3, current_date)") > 0
    assert two.value("SELECT count(*) FROM pg_inherits WHERE inhparent = 'days'::regclass") == 5
    for table in ("days (id, \"timestamp\", message)", "app (id, at, text)", "log_entries (id, \"timestamp\", message) OVERRIDING SYSTEM VALUE"):
        two.execute(f"INSERT INTO {table} SELECT 10 + d, current_date - d + interval '1 hour', 'slow' FROM generate_series(1, 3) d".replace(
            ") OVERRIDING SYSTEM VALUE SELECT", ") OVERRIDING SYSTEM VALUE SELECT"))
    two.execute("UPDATE logintel.settings SET value = '2' WHERE name = 'retention_days'")
    for _ in range(3):
        two.execute("SELECT logintel.maintain()")
    assert two.execute("SELECT log_table::text, lines, predictions FROM logintel.ml_status ORDER BY 1") == [
        ("app", 6, 6), ("days", 2, 2), ("log_entries", 5, 5)]  # fmt: skip
    assert_all_adds_up(two)
    assert two.execute("SELECT failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []
    two.execute("SELECT logintel.detach('app')")
    for _ in range(3):
        two.execute("SELECT logintel.maintain()")
    assert_all_adds_up(two)


def test_row_level_security_of_one_table_hides_its_lines_alone(two: Database) -> None:
    reader = two.create_role("reader")
    two.execute(f"SELECT logintel.grant_read('{reader}')")
    two.execute("ALTER TABLE app ENABLE ROW LEVEL SECURITY")
    session = two.connect(user=reader)
    for view in ("ml_predictions", "ml_recent_predictions", "ml_corrections", "log_lines"):
        tables = f"SELECT DISTINCT log_table::text FROM logintel.{view}"
        assert session.execute(tables).fetchall() == [("log_entries",)], view
    two.execute(f"CREATE POLICY mine ON app TO {reader} USING (id = 2)")
    assert session.execute("SELECT id FROM logintel.ml_predictions WHERE log_table = 'app'::regclass").fetchall() == [(2,)]
    assert session.execute("SELECT predicted_level FROM logintel.predict_log(1)").fetchall() == [("WARN",)]


def test_tables_of_two_owners_are_attached_and_kept_by_each(two: Database) -> None:
    owner = two.create_role("owner")
    two.execute(f"GRANT CREATE ON SCHEMA public TO {owner}; SELECT logintel.grant_manage('{owner}')")
    session = two.connect(user=owner)
    session.execute("CREATE TABLE days (id bigint NOT NULL, \"timestamp\" timestamptz NOT NULL, message text) PARTITION BY RANGE (\"timestamp\")")
    session.execute("CREATE TABLE days_default PARTITION OF days DEFAULT")
    session.execute("SELECT logintel.attach('days', manage_partitions => true)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="must be owner of table"):
        session.execute("SELECT logintel.detach('app')")
    two.execute("SELECT logintel.maintain()")
    assert two.execute("SELECT failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []
    assert two.value("SELECT count(*) FROM pg_inherits WHERE inhparent = 'days'::regclass") == 9
    session.execute("SELECT logintel.detach('days')")
    assert two.execute("SELECT failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []
    assert_all_adds_up(two)


@pytest.mark.local_only  # pg_dump must be as new as the server
@pytest.mark.parametrize("jobs", [0, 4])
def test_a_dump_of_two_tables_is_restored(two: Database, empty_db: Database, tmp_path: Path, jobs: int) -> None:
    two.execute("SELECT logintel.detach('log_entries'); SELECT logintel.attach('log_entries')")  # numbers 1 and 2
    settle(two.connection)
    defer(two)
    two.execute("INSERT INTO app VALUES (4, now(), '6', 'gone away')")
    two.execute("SELECT logintel.give_feedback(1, 'INFO', log_table => 'app')")
    if jobs:
        restore_archive(two, empty_db, tmp_path / "dump", f"--jobs={jobs}")
    else:
        restore(two, empty_db)
    empty_db.execute("SELECT logintel.maintain()")
    for query in (STATUS, STATS_BY_TABLE, "SELECT log_table::text, log_entry_id, true_level FROM logintel.ml_feedback",
                  "SELECT log_table::text, id, predicted_level FROM logintel.ml_predictions ORDER BY 1, 2"):
        assert empty_db.execute(query) == two.execute(query), query
    settle(empty_db.connection)
    empty_db.execute("INSERT INTO public.app VALUES (5, now(), '3', 'the disk panicked')")
    empty_db.execute("DELETE FROM public.log_entries WHERE id = 1")
    assert_all_adds_up(empty_db)
    assert empty_db.execute(PROBLEMS) == []
    assert empty_db.value("SELECT nextval('logintel_internal.attachments_id_seq')") == 3


def test_a_key_and_a_time_are_looked_up_by_the_index_of_each_table(two: Database) -> None:
    two.execute("CREATE INDEX ON app (at)")
    two.execute("INSERT INTO app SELECT g, now() - g * interval '1 min', '6', 'slow' FROM generate_series(10, 20000) g")
    two.execute("ANALYZE app")
    by_key = "SELECT * FROM logintel.ml_recent_predictions p JOIN logintel.log_lines l ON l.id = p.log_entry_id WHERE p.log_entry_id = 7"
    by_time = "SELECT * FROM logintel.log_lines WHERE \"timestamp\" > now() - interval '1 minute'"
    for query, index in ((by_key, "app_pkey"), (by_time, "app_at_idx")):
        plan = "\n".join(line for (line,) in two.execute(f"EXPLAIN {query}"))
        assert f"using {index} on app" in plan and "Seq Scan on app" not in plan, plan
