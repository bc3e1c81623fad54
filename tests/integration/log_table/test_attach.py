"""The log table belongs to the user: any table with a key and a message can be attached, and detached again."""

import json
import re

import psycopg
import pytest

from support.servers import Database
from support.tables import MODELS, PREDICTIONS
from support.tiny_models import deploy


@pytest.fixture
def own_table(db: Database) -> Database:
    deploy(db)
    db.execute("SELECT logintel.detach()")
    db.execute("CREATE TYPE severity_level AS ENUM ('info', 'error')")
    db.execute(
        'CREATE TABLE "App Logs" (seq integer PRIMARY KEY, "the message" varchar(200), sev severity_level, '
        "status bigint, took numeric, written timestamp DEFAULT now(), service text)"
    )
    return db


def attach(db: Database, table: str, **columns: object) -> None:
    db.execute("SELECT logintel.attach(%s, %s)", (table, json.dumps(columns)))


def test_other_column_names_and_types(own_table: Database) -> None:
    attach(
        own_table,
        '"App Logs"',
        id="seq",
        message="the message",
        level="sev",
        http_status="status",
        response_time_ms="took",
        timestamp="written",
    )
    own_table.execute(
        "INSERT INTO \"App Logs\" VALUES (1, 'job failed', 'info', 99999999999, 1e300, now(), 'web'), "
        "(2, 'slow', NULL, 503, 'NaN', 'infinity', NULL)"
    )
    assert own_table.execute(
        "SELECT log_entry_id, declared_level, predicted_level, service FROM ml_predictions ORDER BY 1"
    ) == [(1, "INFO", "ERROR", "web"), (2, None, "WARN", "")]
    assert own_table.value("SELECT count(*) FROM ml_corrections") == 1
    own_table.execute('UPDATE "App Logs" SET "the message" = \'started\' WHERE seq = 1')
    own_table.execute('DELETE FROM "App Logs" WHERE seq = 2')
    assert own_table.execute("SELECT log_entry_id, predicted_level FROM ml_predictions") == [(1, "INFO")]


def test_hostile_column_names_stay_names(own_table: Database) -> None:
    own_table.execute(
        'CREATE TABLE odd (id int PRIMARY KEY, "m%1$s""; DROP TABLE odd; --" text, "%4$s@ID@\'" text, service text)'
    )
    attach(own_table, "odd", message='m%1$s"; DROP TABLE odd; --', level="%4$s@ID@'")
    own_table.execute("INSERT INTO odd VALUES (1, 'failed', 'INFO', NULL)")
    own_table.execute("UPDATE odd SET service = 's'")
    assert own_table.execute("SELECT predicted_level, service FROM ml_predictions") == [("ERROR", "s")]


def test_detach_undoes_attach(own_table: Database) -> None:
    attach(own_table, '"App Logs"', id="seq", message="the message")
    own_table.execute("INSERT INTO \"App Logs\" VALUES (1, 'failed')")
    own_table.execute("SELECT logintel.detach()")
    own_table.execute("INSERT INTO \"App Logs\" VALUES (2, 'failed')")
    assert own_table.value("SELECT count(*) FROM ml_predictions") == 0
    assert (
        own_table.value("SELECT count(*) FROM pg_trigger WHERE tgrelid = '\"App Logs\"'::regclass AND NOT tgisinternal")
        == 0
    )
    assert own_table.value("SELECT count(*) FROM logintel.log_lines") == 0
    own_table.execute('DROP TABLE "App Logs"')


@pytest.mark.parametrize(
    ("table", "columns", "message"),
    [
        ('"App Logs"', {}, 'table public."App Logs" has no column "message" for the field "message"'),
        ('"App Logs"', {"id": "number", "message": "the message"}, 'has no column "number" for the field "id"'),
        ('"App Logs"', {"id": "seq", "message": "service->>key"}, 'has no column "service->>key"'),
        ('"App Logs"', {"id": "seq", "message": ["service", "sev"]}, "is mapped to several columns"),
        ('"App Logs"', {"id": "seq", "message": None}, 'has no column "message" for the field "message"'),
        ('"App Logs"', {"msg": "the message"}, 'unknown field "msg"'),
        (
            '"App Logs"',
            {"id": "took", "message": "the message"},
            'is of type numeric, the field "id" needs an integer key',
        ),
        ('"App Logs"', {"id": "seq", "message": "the message", "http_status": "written"}, "needs integer"),
        ("pg_stat_activity", {}, "cannot be attached"),
    ],
)
def test_a_mapping_that_does_not_fit_is_named(
    own_table: Database, table: str, columns: dict[str, object], message: str
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        attach(own_table, table, **columns)
    assert message in str(caught.value)
    assert caught.value.diag.message_hint
    assert own_table.value("SELECT count(*) FROM logintel_internal.attachments") == 0


def test_no_table_is_attached_twice_nor_beside_one_that_shares_its_lines(db: Database) -> None:
    with pytest.raises(psycopg.errors.ObjectInUse, match="log_entries is attached already"):
        attach(db, "log_entries")
    db.execute("CREATE TABLE other (id bigint PRIMARY KEY, message text); CREATE TABLE part () INHERITS (other)")
    attach(db, "other")
    with pytest.raises(psycopg.errors.ObjectInUse, match=r"part shares lines with public\.other"):
        attach(db, "part")


def test_doctor_names_a_disabled_trigger_and_what_to_do(db: Database) -> None:
    deploy(db)
    assert db.value("SELECT count(*) FROM logintel.doctor() WHERE status = 'problem'") == 0
    db.execute("ALTER TABLE log_entries DISABLE TRIGGER logintel_insert")
    [(detail, next_step)] = db.execute("SELECT detail, next_step FROM logintel.doctor() WHERE status = 'problem'")
    assert detail == "logintel_insert on public.log_entries is disabled"
    db.execute(next_step)
    assert db.value("SELECT count(*) FROM logintel.doctor() WHERE status = 'problem'") == 0


def test_doctor_names_a_corrupt_model(db: Database) -> None:
    deploy(db)
    db.execute(f"UPDATE {MODELS} SET onnx = 'no model' WHERE name = 'level'")
    problems = db.execute("SELECT \"check\", detail, next_step FROM logintel.doctor() WHERE status = 'problem'")
    assert problems == [
        (
            "models",
            "level 1: its bytes do not match its SHA-256",
            "SELECT logintel.rollback('level'), or train again: logintel train --deploy",
        )
    ]


REPLACED = {
    "another function": "CREATE OR REPLACE TRIGGER logintel_insert AFTER INSERT ON log_entries FOR EACH STATEMENT EXECUTE FUNCTION theirs()",
    "another event": "CREATE OR REPLACE TRIGGER logintel_insert AFTER DELETE ON log_entries "
                     "REFERENCING OLD TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION logintel._score_new_lines()",
    "a condition": "CREATE OR REPLACE TRIGGER logintel_insert AFTER INSERT ON log_entries "
                   "REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION logintel._score_new_lines()",
}  # fmt: skip


@pytest.mark.parametrize("statement", REPLACED.values(), ids=REPLACED.keys())
def test_a_trigger_in_the_place_of_logintels_is_told_and_mended(db: Database, statement: str) -> None:
    deploy(db)
    db.execute("CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    db.execute(statement)
    told = "SELECT detail, next_step FROM logintel.doctor() WHERE status = 'problem' AND \"check\" = 'triggers'"
    assert db.execute(told) == [
        ("logintel_insert on public.log_entries is replaced by another trigger of that name", "run CALL logintel.maintain('45 s')")]
    db.execute("CALL logintel.maintain('45 s')")
    assert db.execute(told) == []
    db.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    assert db.value("SELECT predicted_level FROM ml_predictions") == "ERROR"
    db.execute("DROP EXTENSION logintel CASCADE")
    assert db.value("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'logintel%'") == 0


def test_a_trigger_that_its_owner_disabled_is_told_and_left_to_him(db: Database) -> None:
    db.execute("ALTER TABLE log_entries DISABLE TRIGGER logintel_insert")
    db.execute("CALL logintel.maintain('45 s')")
    assert db.execute("SELECT detail, next_step FROM logintel.doctor() WHERE \"check\" = 'triggers'") == [
        ("logintel_insert on public.log_entries is disabled", "ALTER TABLE public.log_entries ENABLE TRIGGER logintel_insert")]


def test_only_who_owns_the_log_table_detaches_it(db: Database) -> None:
    deploy(db)
    owner, member, manager = db.create_role("owner"), db.create_role("member"), db.create_role("manager")
    db.execute(f"ALTER TABLE log_entries OWNER TO {owner}; GRANT {owner} TO {member}")
    db.execute("SELECT logintel.grant_manage(%s), logintel.grant_manage(%s)", (member, manager))
    db.execute("INSERT INTO log_entries (message) VALUES ('failed')")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"must be owner of table public\.log_entries"):
        db.connect(user=manager).execute("SELECT logintel.detach()")
    assert db.value("SELECT count(*) FROM ml_predictions") == 1
    db.connect(user=member).execute("SELECT logintel.detach()")
    assert db.value("SELECT count(*) FROM logintel_internal.attachments") == 0


@pytest.mark.parametrize(
    ("scale", "numbers"),
    [
        ("dotnet", {0: "DEBUG", 2: "INFO", 3: "WARN", 4: "ERROR", 5: "FATAL", 6: None}),
        ("python", {10: "DEBUG", 20: "INFO", 30: "WARN", 40: "ERROR", 50: "FATAL", 7: None}),
        ("otel", {5: "DEBUG", 9: "INFO", 12: "INFO", 13: "WARN", 17: "ERROR", 24: "FATAL"}),
        ("log4j", {600: "DEBUG", 400: "INFO", 300: "WARN", 200: "ERROR", 100: "FATAL"}),
        ("log4j", {5000: "DEBUG", 20000: "INFO", 30000: "WARN", 40000: "ERROR", 50000: "FATAL"}),
        ("windows", {1: "FATAL", 2: "ERROR", 3: "WARN", 4: "INFO", 5: "DEBUG"}),
        ("ruby", {0: "DEBUG", 1: "INFO", 2: "WARN", 3: "ERROR", 4: "FATAL", 5: None}),
        ("logrus", {6: "DEBUG", 5: "DEBUG", 4: "INFO", 3: "WARN", 2: "ERROR", 1: "FATAL"}),
        ("zap", {-1: "DEBUG", 0: "INFO", 1: "WARN", 2: "ERROR", 5: "FATAL"}),
        ("slog", {-4: "DEBUG", 0: "INFO", 4: "WARN", 8: "ERROR", -1: None}),
        ("monolog", {100: "DEBUG", 250: "INFO", 300: "WARN", 400: "ERROR", 550: "FATAL"}),
        ('{"1": "info", "2": "err"}', {1: "INFO", 2: "ERROR", 3: None}),
    ],
)
def test_numbers_are_read_in_the_scale_that_the_attachment_names(
    own_table: Database, scale: str, numbers: dict[int, str | None]
) -> None:
    own_table.execute("CREATE TABLE logs (id bigint PRIMARY KEY, level int, message text)")
    own_table.execute("SELECT logintel.attach('logs', level_scale => %s)", (scale,))
    for number in numbers:
        own_table.execute("INSERT INTO logs VALUES (%s, %s, 'failed')", (number, number))
    declared = "SELECT log_entry_id, declared_level FROM logintel.ml_predictions"
    assert dict(own_table.execute(declared)) == numbers
    own_table.execute("SELECT logintel.reconcile()")
    own_table.execute(f"DELETE FROM {PREDICTIONS}")
    own_table.execute("SELECT logintel.reconcile(), logintel.backfill()")
    assert dict(own_table.execute(declared)) == numbers, "by key as at the insert"


def test_numbers_are_read_in_no_scale_that_nobody_named_without_saying_so(own_table: Database) -> None:
    own_table.execute("CREATE TABLE logs (id bigint PRIMARY KEY, severity smallint, message text)")
    attach = """SELECT logintel.attach('logs', '{"level": "severity"}'%s)"""
    with own_table.connect() as session:
        notices: list[str] = []
        session.add_notice_handler(lambda notice: notices.append(f"{notice.message_primary} {notice.message_hint}"))
        session.execute(attach % "")
        assert len(notices) == 1
        assert re.search(r'"severity" of public.logs are read as levels of syslog .* level_scale => \'python\'', notices[0])
        session.execute("SELECT logintel.detach()")
        session.execute(attach % ", level_scale => 'syslog'")
    assert len(notices) == 1
    assert own_table.value("SELECT level_scale ->> '4' FROM logintel_internal.attachments") == "WARN"


@pytest.mark.parametrize("scale", ["roman", "", "{}", "[1]", '{"1": "gelb"}', '{"1": null}', "{"])
def test_a_scale_that_is_none_attaches_nothing(own_table: Database, scale: str) -> None:
    own_table.execute("CREATE TABLE logs (id bigint PRIMARY KEY, level int, message text)")
    with pytest.raises(psycopg.Error, match="there is no level scale '") as caught:
        own_table.execute("SELECT logintel.attach('logs', level_scale => %s)", (scale,))
    assert "windows" in str(caught.value.diag.message_hint)
    assert own_table.execute("SELECT * FROM logintel_internal.attachments") == []
