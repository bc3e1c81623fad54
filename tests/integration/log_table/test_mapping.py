"""attach() finds what holds the fields of a line, says so, and reads it whatever it is: never wrong in silence."""

import json
from datetime import UTC, datetime

import psycopg
import pytest

from support.servers import Database
from support.tiny_models import deploy

pytestmark = pytest.mark.any_server

TEN = datetime(2026, 11, 1, 10, tzinfo=UTC)
LINES = 'SELECT "timestamp", level, message, service, http_status FROM logintel.log_lines'


@pytest.fixture
def free(db: Database) -> Database:
    deploy(db)
    db.execute("SELECT logintel.detach()")
    return db


def fields(rows: list[tuple]) -> dict[str, tuple[str, str, str, str]]:
    return {row[0]: row[1:] for row in rows}


def test_each_field_is_told_with_where_it_is_read_how_that_was_found_and_an_example(free: Database) -> None:
    free.execute("CREATE TABLE app (id bigserial PRIMARY KEY, logged_at timestamp, lvl text, msg text, data jsonb)")
    free.execute("INSERT INTO app (logged_at, lvl, msg, data) VALUES "
                 "('2026-11-01 10:00', 'info', 'started', '{\"service\": {\"name\": \"web\"}}'), (now(), 'loud', 'x', '{}')")
    told = fields(free.execute("SELECT * FROM logintel.attach('app', '{\"host\": null}')"))
    assert list(told) == [
        "id", "timestamp", "level", "message", "source_type", "host", "service", "category", "is_anomaly", "anomaly_type",
        "http_status", "response_time_ms"]  # fmt: skip
    assert told["id"] == ("id", "name", "1", None)
    assert told["timestamp"] == ("logged_at", "guessed", "2026-11-01T10:00:00+00:00", "read as times in UTC")
    assert told["level"] == ("lvl", "guessed", "info", "no levels: 'loud' (1)")
    assert told["message"] == ("msg", "guessed", "started", None)
    assert told["host"] == (None, "left out", None, None)
    assert told["category"] == (None, "missing", None, None)
    assert told["service"][0].startswith("data->'service'->>'name', ")
    assert told["service"][1:] == ("guessed", "web", None)
    assert told["http_status"][3] == "nothing was found there in 2 lines"


def test_a_dry_run_tells_the_same_and_attaches_nothing(free: Database) -> None:
    free.execute("CREATE TABLE app (at timestamptz, severity text, text text)")
    free.execute("INSERT INTO app VALUES (now(), 'info', 'started')")
    before = free.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'app'::regclass ORDER BY attnum")
    dry = free.execute("SELECT * FROM logintel.attach('app', add_key => true, dry_run => true)")
    assert free.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'app'::regclass ORDER BY attnum") == before
    assert free.execute("SELECT * FROM logintel_internal.attachments") == []
    assert free.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'app'::regclass") == []
    assert free.execute("SELECT * FROM logintel.attach('app', add_key => true)") == dry


DOCUMENT = '{"log": "failed", "http": {"status": "503"}, "http.path": "/", "a.b": "deep", "lvl": 50, "n": null, "svc": "x"}'


@pytest.mark.parametrize("document_type", ["jsonb", "json"])
@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("data->>log", "failed"),
        ("data ->> 'log'", "failed"),
        ("data->>'a.b'", "deep"),
        ("data.a.b", "deep"),
        ("data.http.path", "/"),
        ("data.http.status", "503"),
        ("data->'http'->>'status'", "503"),
        ("data->http", '{"status": "503"}'),
        ("data->>n", None),
        ("data->>nothing", None),
        (["data->>n", "data->>nothing", "data->>log"], "failed"),
    ],
)
def test_a_place_in_a_document_is_read(free: Database, document_type: str, place: str | list[str], value: str | None) -> None:
    free.execute(f"CREATE TABLE app (id bigserial PRIMARY KEY, data {document_type}, at timestamptz DEFAULT '2026-11-01 10:00Z')")
    free.execute("SELECT logintel.attach('app', %s::jsonb)", (json.dumps(
        {"message": place, "level": "data->>lvl", "service": "data->>svc", "http_status": "data.http.status"}),))
    free.execute("INSERT INTO app (data) VALUES (%s)", (DOCUMENT,))
    assert free.execute(LINES) == [(TEN, "50", value, "x", 503)]
    assert free.execute("SELECT declared_level FROM logintel.ml_predictions") == [("ERROR",)]


def test_a_document_that_cannot_be_read_refuses_no_line(free: Database) -> None:
    free.execute("CREATE TABLE app (id bigserial PRIMARY KEY, data json)")
    free.execute("""SELECT logintel.attach('app', '{"message": "data->>log"}')""")
    for text in (
        r'{"log": "failed \\u0000 x"}',
        r'{"log": "C:\\ud800"}',
        r'{"log": "\ud83d\ud83d\ude00\ude00"}',
        '{"log": "' + r"\u0000\ud800" * 3000 + '"}',
        r'{"log": "failed \u0000 x"}',
        r'{"log": "failed \ud800 x"}',
        r'{"log": "failed \ud83d\ude00"}',
        '"failed"',
        "[1]",
        "7",
    ):
        free.execute("INSERT INTO app (data) VALUES (%s)", (text,))
    assert free.value("SELECT count(*) FROM logintel.ml_predictions") == 10
    assert free.execute("SELECT message FROM logintel.log_lines WHERE id <> 4 ORDER BY id LIMIT 6") == [
        ("failed \\u0000 x",), ("C:\\ud800",), ("?😀?",), ("failed ? x",), ("failed ? x",), ("failed 😀",)]  # fmt: skip


@pytest.mark.parametrize(
    ("column_type", "written"),
    [
        ("bigint", "1793527200"),
        ("bigint", "1793527200000"),
        ("bigint", "1793527200000000"),
        ("bigint", "1793527200000000000"),
        ("int", "1793527200"),
        ("numeric", "1793527200.000"),
        ("double precision", "1793527200000"),
        ("text", "2026-11-01T10:00:00Z"),
        ("text", "2026-11-01 05:00:00,000-05:00"),
        ("varchar(40)", "2026-11-01 10:00"),
        ("text", "1793527200000"),
        ("timestamp", "2026-11-01 10:00"),
    ],
)
def test_a_time_is_read_from_what_holds_it_whoever_writes_or_reads(free: Database, column_type: str, written: str) -> None:
    free.execute(f"CREATE TABLE app (id bigserial PRIMARY KEY, timestamp {column_type}, message text)")
    free.execute("SET TimeZone = 'Asia/Tokyo'")
    free.execute("SELECT logintel.attach('app')")
    free.execute("SET TimeZone = 'America/New_York'")
    free.execute("INSERT INTO app (timestamp, message) VALUES (%s, 'started')", (written,))
    free.execute("UPDATE app SET message = 'failed'")
    assert free.execute('SELECT "timestamp" FROM logintel.log_lines') == [(TEN,)]
    assert free.execute('SELECT "timestamp" FROM logintel.ml_predictions') == [(TEN,)]


@pytest.mark.parametrize("written", ["", "yesterday", "2026-02-30", "2026-11-01T25:00:00Z", "12", "99999999999999999999", "0001"])
def test_what_is_no_time_refuses_no_line(free: Database, written: str) -> None:
    free.execute("CREATE TABLE app (id bigserial PRIMARY KEY, timestamp text, message text)")
    free.execute("SELECT logintel.attach('app')")
    free.execute("INSERT INTO app (timestamp, message) VALUES (%s, 'failed')", (written,))
    assert free.execute("SELECT predicted_level FROM logintel.ml_predictions") == [("ERROR",)]
    assert free.execute('SELECT "timestamp" FROM logintel.log_lines') == [(None,)]


@pytest.mark.parametrize("written", ["NaN", "Infinity", "-Infinity", "1e300", "-5"])
def test_what_is_no_number_of_a_time_refuses_no_line(free: Database, written: str) -> None:
    free.execute("CREATE TABLE app (id bigserial PRIMARY KEY, timestamp numeric, time double precision, message text)")
    for column in ("timestamp", "time"):
        free.execute("SELECT logintel.attach('app', %s)", (f'{{"timestamp": "{column}"}}',))
        free.execute(f"INSERT INTO app ({column}, message) VALUES (%s, 'failed')", (written,))
        assert free.execute('SELECT DISTINCT "timestamp" FROM logintel.log_lines') == [(None,)]
        free.execute("SELECT logintel.detach()")


def test_times_without_a_zone_are_of_the_one_that_is_given(free: Database) -> None:
    free.execute("CREATE TABLE app (id bigserial PRIMARY KEY, timestamp timestamp, message text)")
    with pytest.raises(psycopg.Error, match='there is no time zone "Atlantis"'):
        free.execute("SELECT logintel.attach('app', time_zone => 'Atlantis')")
    told = fields(free.execute("SELECT * FROM logintel.attach('app', time_zone => 'Europe/Berlin')"))
    assert told["timestamp"][3] == "read as times in Europe/Berlin"
    free.execute("INSERT INTO app (timestamp, message) VALUES ('2026-11-01 11:00', 'started')")
    assert free.execute('SELECT "timestamp" FROM logintel.ml_predictions') == [(TEN,)]


def test_names_of_levels_are_taken_before_their_numbers(free: Database) -> None:
    free.execute("CREATE TABLE app (id bigserial PRIMARY KEY, level int, level_name text, message text)")
    told = fields(free.execute("SELECT * FROM logintel.attach('app')"))
    assert told["level"][0] == "level_name"


def test_a_layout_that_a_table_does_not_have_attaches_nothing(free: Database) -> None:
    free.execute("CREATE TABLE app (id bigserial PRIMARY KEY, message text)")
    for layout in ("serilog", "roman"):
        with pytest.raises(psycopg.Error, match=f'does not have the layout "{layout}"') as caught:
            free.execute("SELECT logintel.attach('app', layout => %s)", (layout,))
        assert "django-db-logger" in str(caught.value.diag.message_hint)


def test_a_service_is_no_process(free: Database) -> None:
    free.execute("CREATE TABLE app (id bigserial PRIMARY KEY, tag text, message text)")
    free.execute("SELECT logintel.attach('app')")
    free.execute("INSERT INTO app (tag, message) SELECT format('backupd[%s]:', n), 'failed' FROM generate_series(1, 3000) n")
    free.execute("INSERT INTO app (tag, message) VALUES ('cron:', 'failed'), ('a[b]', 'failed'), ('std::map', 'failed')")
    assert free.execute("SELECT DISTINCT service FROM logintel.ml_predictions ORDER BY 1") == [
        ("a[b]",), ("backupd",), ("cron",), ("std::map",)]  # fmt: skip


def test_reader_sees_lines_of_documents_and_of_texts(free: Database) -> None:
    """What reads them runs with the rights of who asks."""
    free.execute("CREATE TABLE app (id bigserial PRIMARY KEY, data json, time text)")
    reader = free.create_role("reader")
    free.execute("SELECT logintel.grant_read(%s)", (reader,))
    free.execute("SELECT logintel.attach('app')")
    free.execute("""INSERT INTO app (data, time) VALUES ('{"log": "failed", "service": "x:"}', '2026-11-01T10:00:00Z')""")
    with free.connect(user=reader) as session:
        assert session.execute(LINES).fetchall() == [(TEN, None, "failed", "x", None)]
        assert session.execute("SELECT message FROM logintel.ml_recent_predictions").fetchall() == [("failed",)]


def test_a_minus_is_a_part_of_a_number(free: Database) -> None:
    assert free.execute("SELECT logintel.normalize_level(v) FROM unnest('{-1,-4,- 4,-INFO-,--error}'::text[]) AS v") == [
        (None,), (None,), ("WARN",), ("INFO",), ("ERROR",)]  # fmt: skip


def test_a_day_is_taken_for_a_time_only_where_there_is_no_better(free: Database) -> None:
    free.execute("CREATE TABLE app (id bigserial PRIMARY KEY, log_date date, created_at timestamptz, message text)")
    assert fields(free.execute("SELECT * FROM logintel.attach('app')"))["timestamp"][0] == "created_at"
    free.execute("SELECT logintel.detach()")
    told = fields(free.execute("""SELECT * FROM logintel.attach('app', '{"timestamp": "log_date"}')"""))
    assert told["timestamp"][3] == "a day: its lines count at its beginning in UTC"


def test_numbers_in_a_column_of_texts_are_told(free: Database) -> None:
    free.execute("CREATE TABLE app (id bigserial PRIMARY KEY, level text, message text)")
    free.execute("INSERT INTO app (level, message) VALUES ('30', 'started')")
    assert "syslog (0 to 7) and pino" in fields(free.execute("SELECT * FROM logintel.attach('app')"))["level"][3]


def test_doctor_tells_lines_without_messages_and_times(free: Database) -> None:
    free.execute("CREATE TABLE app (id bigserial PRIMARY KEY, timestamp text, error_message text, details jsonb)")
    free.execute("SELECT logintel.attach('app')")
    free.execute("INSERT INTO app (timestamp, details) SELECT '29.11.2026 10:00:00', '{\"m\": \"failed\"}' FROM generate_series(1, 9)")
    free.execute("SELECT * FROM logintel.maintain()")
    told = free.execute("SELECT detail FROM logintel.doctor() WHERE \"check\" = 'fields' ORDER BY 1")
    assert told == [("9 of 9 lines of public.app have no message in error_message",),
                    ("no time was read in \"timestamp\" of public.app: the latest lines count when they were scored",)]  # fmt: skip


def test_a_key_that_nothing_keeps_unique_is_told(free: Database) -> None:
    free.execute("CREATE TABLE app (tenant int, id int, message text, PRIMARY KEY (tenant, id))")
    assert "nothing keeps it unique" in fields(free.execute("SELECT * FROM logintel.attach('app')"))["id"][3]
    [(detail, cure)] = free.execute("SELECT detail, next_step FROM logintel.doctor() WHERE detail LIKE 'nothing keeps%'")
    assert "lines of one key are mixed up" in detail
    free.execute(cure)
    assert free.execute("SELECT * FROM logintel.doctor() WHERE detail LIKE 'nothing keeps%'") == []
