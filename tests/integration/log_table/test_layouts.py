"""Tables as programs make them are attached in one call: every line is predicted, its level and its time are right."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from support.servers import Database, Server

pytestmark = pytest.mark.any_server

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
FIRST = datetime(2026, 11, 1, 10, 0, 0, 123000, tzinfo=UTC)
MESSAGES = (
    ("DEBUG", "cache lookup took 2 ms"),
    ("INFO", "listening on port 8080"),
    ("WARN", "connection pool is almost exhausted"),
    ("ERROR", "payment failed: connection refused"),
    ("FATAL", "out of memory, shutting down"),
)
HIDDEN = ("could not write block: no space left on device", "unrecoverable error: database is corrupt")


@dataclass(frozen=True)
class Layout:
    """A program's table: `insert` takes the parameters level, time, message and line, the number of the line."""

    table: str
    insert: str
    levels: tuple[object, ...] = ("debug", "info", "warn", "error", "fatal")
    time: str = "timestamptz"  # or naive, ms, us, ns, iso
    add_key: bool = False
    service: str | None = None
    host: str | None = None
    is_json: bool = False


UPPER = LEVELS
DOTNET = ("Debug", "Information", "Warning", "Error", "Fatal")
SYSLOG = (7, 6, 4, 3, 2)
PINO = (20, 30, 40, 50, 60)
PYTHON = (10, 20, 30, 40, 50)

LAYOUTS = {
    "rsyslog's SystemEvents": Layout(
        'CREATE TABLE log (id serial PRIMARY KEY, customerid bigint, receivedat timestamp, devicereportedtime timestamp, '
        "facility smallint, priority smallint, fromhost varchar(60), message text, ntseverity int, importance int, "
        "eventsource varchar(60), eventuser varchar(60), eventcategory int, eventid int, eventbinarydata text, "
        "maxavailable int, currusage int, minusage int, maxusage int, infounitid int, syslogtag varchar(60), "
        "eventlogtype varchar(60), genericfilename varchar(60), systemid int)",
        "INSERT INTO log (message, facility, fromhost, priority, devicereportedtime, receivedat, infounitid, syslogtag) "
        "VALUES (%(message)s, 3, 'edge1', %(level)s, %(time)s, now(), 1, format('backupd[%%s]:', 800 + %(line)s::int))",
        SYSLOG, "naive", service="backupd",
    ),
    "a template of rsyslog without a key": Layout(
        "CREATE TABLE log (severity int, facility int, host text, tag text, message text, time timestamptz)",
        "INSERT INTO log VALUES (%(level)s, 3, 'edge1', 'cron', %(message)s, %(time)s)",
        SYSLOG, add_key=True, service="cron",
    ),
    "syslog-ng": Layout(
        "CREATE TABLE log (host varchar, facility varchar, priority varchar, level varchar, tag varchar, datetime varchar, "
        "program varchar, pid varchar, message text)",
        "INSERT INTO log VALUES ('h1', 'daemon', %(level)s, %(level)s, '1d', %(time)s, 'nginx', '77', %(message)s)",
        ("debug", "info", "warning", "err", "crit"), "iso", add_key=True, service="nginx",
    ),
    "Serilog": Layout(
        "CREATE TABLE log (message text, message_template text, level integer, timestamp timestamp, exception text, "
        "log_event jsonb)",
        "INSERT INTO log VALUES (%(message)s, %(message)s, %(level)s, %(time)s, NULL, '{\"Level\": \"x\"}')",
        (1, 2, 3, 4, 5), "naive", add_key=True,
    ),
    "Serilog with names": Layout(
        'CREATE TABLE log ("Id" serial PRIMARY KEY, "Message" text, "MessageTemplate" text, "Level" varchar(50), '
        '"RaiseDate" timestamptz, "Exception" text, "Properties" jsonb, "MachineName" text)',
        'INSERT INTO log ("Message", "MessageTemplate", "Level", "RaiseDate", "MachineName") '
        "VALUES (%(message)s, %(message)s, %(level)s, %(time)s, 'web1')",
        DOTNET,
    ),
    "log4j2": Layout(
        "CREATE TABLE log (id bigserial PRIMARY KEY, event_date timestamp, level varchar(10), logger varchar(255), "
        "thread varchar(100), message text, exception text)",
        "INSERT INTO log (event_date, level, logger, thread, message) "
        "VALUES (%(time)s, %(level)s, 'shop.Cart', 'main', %(message)s)",
        UPPER, "naive", service="shop.Cart",
    ),
    "logback": Layout(
        "CREATE TABLE log (timestmp bigint NOT NULL, formatted_message text NOT NULL, logger_name varchar(254) NOT NULL, "
        "level_string varchar(254) NOT NULL, thread_name varchar(254), reference_flag smallint, arg0 varchar(254), "
        "caller_filename varchar(254) NOT NULL, caller_class varchar(254) NOT NULL, caller_method varchar(254) NOT NULL, "
        "caller_line char(4) NOT NULL, event_id bigserial PRIMARY KEY)",
        "INSERT INTO log (timestmp, formatted_message, logger_name, level_string, caller_filename, caller_class, "
        "caller_method, caller_line) VALUES (%(time)s, %(message)s, 'shop.Cart', %(level)s, 'C.java', 'C', 'm', '12')",
        UPPER, "ms", service="shop.Cart",
    ),
    "NLog": Layout(
        'CREATE TABLE log ("Id" bigserial PRIMARY KEY, "Application" varchar(100), "Logged" timestamp, "Level" varchar(100), '
        '"Message" text, "Logger" text, "Callsite" text, "Exception" text)',
        'INSERT INTO log ("Application", "Logged", "Level", "Message", "Logger") '
        "VALUES ('shop', %(time)s, %(level)s, %(message)s, 'Shop.Cart')",
        ("Debug", "Info", "Warn", "Error", "Fatal"), "naive", service="shop",
    ),
    "django-db-logger": Layout(
        "CREATE TABLE log (id serial PRIMARY KEY, logger_name varchar(100) NOT NULL, level smallint NOT NULL, "
        "msg text NOT NULL, trace text, create_datetime timestamptz NOT NULL)",
        "INSERT INTO log (logger_name, level, msg, create_datetime) VALUES ('shop.cart', %(level)s, %(message)s, %(time)s)",
        PYTHON, service="shop.cart",
    ),
    "Python's attributes of a record": Layout(
        "CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY, asctime text, name text, levelno int, msg text)",
        "INSERT INTO log (asctime, name, levelno, msg) VALUES (%(time)s, 'shop.cart', %(level)s, %(message)s)",
        PYTHON, "iso", service="shop.cart",
    ),
    "winston": Layout(
        "CREATE TABLE log (timestamp timestamptz DEFAULT now(), level varchar, message varchar, meta json)",
        "INSERT INTO log VALUES (%(time)s, %(level)s, %(message)s, '{\"service\": \"cart\"}')",
        add_key=True, service="cart",
    ),
    "pino": Layout(
        "CREATE TABLE log (id bigserial PRIMARY KEY, level int, time bigint, pid int, hostname text, msg text)",
        "INSERT INTO log (level, time, pid, hostname, msg) VALUES (%(level)s, %(time)s, 77, 'h1', %(message)s)",
        PINO, "ms",
    ),
    "a document of pino": Layout(
        "CREATE TABLE log (id bigserial PRIMARY KEY, content jsonb)",
        "INSERT INTO log (content) VALUES (jsonb_build_object('level', %(level)s::int, 'time', %(time)s::bigint, "
        "'pid', 77, 'hostname', 'h1', 'msg', %(message)s::text))",
        PINO, "ms",
    ),
    "Fluent Bit": Layout(
        "CREATE TABLE log (tag varchar, time timestamp, data jsonb)",
        "INSERT INTO log VALUES ('app.cart', %(time)s, jsonb_build_object('log', %(message)s::text, 'level', %(level)s::text))",
        time="naive", add_key=True, service="app.cart",
    ),
    "Vector": Layout(
        "CREATE TABLE log (host text, message text, source_type text, timestamp timestamptz, service text, level text)",
        "INSERT INTO log SELECT * FROM jsonb_populate_recordset(NULL::log, jsonb_build_array(jsonb_build_object("
        "'message', %(message)s::text, 'level', %(level)s::text, 'timestamp', %(time)s::text, 'service', 'cart')))",
        time="iso", add_key=True, service="cart",
    ),
    "OpenTelemetry": Layout(
        'CREATE TABLE log ("Timestamp" timestamptz, "TraceId" text, "SpanId" text, "SeverityText" text, '
        '"SeverityNumber" int, "ServiceName" text, "Body" text, "ResourceAttributes" jsonb, "LogAttributes" jsonb)',
        "INSERT INTO log VALUES (%(time)s, '', '', %(level)s, 9, 'cart', %(message)s, '{}', '{\"a\": 1}')",
        UPPER, add_key=True, service="cart",
    ),
    "OpenTelemetry with numbers": Layout(
        "CREATE TABLE log (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, time_unix_nano bigint, severity_number int, "
        "body jsonb, attributes jsonb, service_name text)",
        "INSERT INTO log (time_unix_nano, severity_number, body, service_name) "
        "VALUES (%(time)s, %(level)s, jsonb_build_object('stringValue', %(message)s::text), 'cart')",
        (5, 9, 13, 17, 21), "ns", add_key=True, service="cart",
    ),
    "PostgreSQL's csvlog": Layout(
        "CREATE TABLE log (log_time timestamptz(3), user_name text, database_name text, process_id integer, "
        "connection_from text, session_id text, session_line_num bigint, command_tag text, session_start_time timestamptz, "
        "virtual_transaction_id text, transaction_id bigint, error_severity text, sql_state_code text, message text, "
        "detail text, hint text, internal_query text, internal_query_pos integer, context text, query text, "
        "query_pos integer, location text, application_name text, backend_type text, leader_pid integer, query_id bigint, "
        "PRIMARY KEY (session_id, session_line_num))",
        "INSERT INTO log (log_time, session_id, session_line_num, error_severity, message, application_name) "
        "VALUES (%(time)s, 's1', %(line)s, %(level)s, %(message)s, 'psql')",
        ("DEBUG1", "LOG", "WARNING", "ERROR", "PANIC"), add_key=True, service="psql",
    ),
    "Supabase": Layout(
        "CREATE TABLE log (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, timestamp bigint, event_message text, metadata jsonb)",
        "INSERT INTO log (timestamp, event_message, metadata) VALUES (%(time)s, %(message)s, "
        "jsonb_build_array(jsonb_build_object('parsed', jsonb_build_array(jsonb_build_object('error_severity', %(level)s::text)))))",
        ("DEBUG1", "LOG", "WARNING", "ERROR", "PANIC"), "us", add_key=True,
    ),
    "Railway": Layout(
        "CREATE TABLE log (timestamp text, message text, severity text, attributes jsonb, tags jsonb)",
        "INSERT INTO log VALUES (%(time)s, %(message)s, %(level)s, '{}', '{\"service\": \"cart\"}')",
        time="iso", add_key=True,
    ),
    "Windows events": Layout(
        'CREATE TABLE log ("Message" text, "Id" int, "Level" smallint, "ProviderName" text, "MachineName" text, '
        '"TimeCreated" timestamp, "LevelDisplayName" text)',
        "INSERT INTO log VALUES (%(message)s, 7036, 4, 'Service Control Manager', 'pc1', %(time)s, %(level)s)",
        ("Verbose", "Information", "Warning", "Error", "Critical"), "naive", add_key=True, service="Service Control Manager",
    ),
    "Windows events without names of levels": Layout(
        "CREATE TABLE log (record_id bigint PRIMARY KEY, message text, level smallint, provider_name text, time_created timestamptz)",
        "INSERT INTO log VALUES (%(line)s, %(message)s, %(level)s, 'Kernel', %(time)s)",
        (5, 4, 3, 2, 1), service="Kernel",
    ),
    "Monolog": Layout(
        "CREATE TABLE log (id bigserial PRIMARY KEY, channel varchar(255), level int, level_name varchar(20), message text, "
        "context jsonb, extra jsonb, created_at timestamp)",
        "INSERT INTO log (channel, level, level_name, message, context, created_at) "
        "VALUES ('app', 0, %(level)s, %(message)s, '{}', %(time)s)",
        ("DEBUG", "INFO", "WARNING", "ERROR", "EMERGENCY"), "naive", service="app",
    ),
    "Monolog without names of levels": Layout(
        "CREATE TABLE log (id bigserial PRIMARY KEY, channel varchar(255), level int, message text, context json, time int)",
        "INSERT INTO log (channel, level, message, context, time) VALUES ('app', %(level)s, %(message)s, '{}', %(time)s)",
        (100, 200, 300, 400, 600), "s", service="app",
    ),
    "Graylog": Layout(
        "CREATE TABLE log (id bigserial PRIMARY KEY, host text, short_message text, full_message text, level int, "
        "timestamp numeric)",
        "INSERT INTO log (host, short_message, level, timestamp) VALUES ('h1', %(message)s, %(level)s, %(time)s)",
        SYSLOG, "decimal",
    ),
    "a search of Graylog": Layout(
        "CREATE TABLE log (gl2_message_id text PRIMARY KEY, timestamp text, source text, message text, level int, streams text[])",
        "INSERT INTO log VALUES (%(line)s, %(time)s, 'web1', %(message)s, %(level)s, '{a,b}')",
        SYSLOG, "iso", add_key=True, host="web1",
    ),
    "Odoo": Layout(
        "CREATE TABLE log (id serial PRIMARY KEY, create_uid int, create_date timestamp, write_uid int, write_date timestamp, "
        "name varchar NOT NULL, type varchar NOT NULL, dbname varchar, level varchar, message text NOT NULL, "
        "path varchar NOT NULL, func varchar NOT NULL, line varchar NOT NULL)",
        "INSERT INTO log (create_date, name, type, dbname, level, message, path, func, line) "
        "VALUES (%(time)s, 'odoo.addons.sale', 'server', 'shop', %(level)s, %(message)s, '/sale.py', 'confirm', '120')",
        ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "naive", service="odoo.addons.sale",
    ),
    "a hook of logrus": Layout(
        "CREATE TABLE log (id serial PRIMARY KEY, level smallint, message text, message_data jsonb, created_at timestamptz)",
        "INSERT INTO log (level, message, message_data, created_at) VALUES (%(level)s, %(message)s, '{}', %(time)s)",
        (5, 4, 3, 2, 1),
    ),
    "Drupal": Layout(
        "CREATE TABLE log (wid bigserial PRIMARY KEY, uid bigint, type varchar(64), message text, variables bytea, "
        "severity smallint, link text, location text, referer text, timestamp bigint)",
        "INSERT INTO log (type, message, severity, location, timestamp) "
        "VALUES ('cron', %(message)s, %(level)s, 'http://example.com', %(time)s)",
        SYSLOG, "s", service="cron",
    ),
    "TypeORM": Layout(
        'CREATE TABLE log (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, context varchar, message varchar, level varchar, '
        '"creationDate" timestamptz)',
        'INSERT INTO log (context, message, level, "creationDate") VALUES (\'Cart\', %(message)s, %(level)s, %(time)s)',
        ("debug", "log", "warn", "error", "fatal"), add_key=True,
    ),
    "Rails with names of levels": Layout(
        "CREATE TABLE log (id bigserial PRIMARY KEY, severity varchar, progname varchar, message text, created_at timestamp(6))",
        "INSERT INTO log (severity, progname, message, created_at) VALUES (%(level)s, 'cart', %(message)s, %(time)s)",
        UPPER, "naive", service="cart",
    ),
    "camel case": Layout(
        'CREATE TABLE log ("LogId" bigserial PRIMARY KEY, "LogDateTime" timestamptz, "LogLevel" text, "LoggerName" text, '
        '"LogMessage" text, "ErrorMessage" text, "ServerName" text)',
        'INSERT INTO log ("LogDateTime", "LogLevel", "LoggerName", "LogMessage", "ServerName") '
        "VALUES (%(time)s, %(level)s, 'Shop.Cart', %(message)s, 'srv1')",
        DOTNET, service="Shop.Cart", host="srv1",
    ),
    "a message of errors beside that of all lines": Layout(
        "CREATE TABLE log (id bigserial PRIMARY KEY, log_level text, description text, error_message text, date_created timestamp)",
        "INSERT INTO log (log_level, description, date_created) VALUES (%(level)s, %(message)s, %(time)s)",
        UPPER, "naive",
    ),
    "a request beside the message": Layout(
        "CREATE TABLE log (id bigserial PRIMARY KEY, created_at timestamptz, level text, message text, request text, status int)",
        "INSERT INTO log (created_at, level, message, request, status) VALUES (%(time)s, %(level)s, %(message)s, 'GET /', NULL)",
        UPPER,
    ),
    "names in German": Layout(
        "CREATE TABLE log (id serial PRIMARY KEY, zeitpunkt timestamp, schweregrad varchar, meldung text, rechner varchar)",
        "INSERT INTO log (zeitpunkt, schweregrad, meldung, rechner) VALUES (%(time)s, %(level)s, %(message)s, 'pc1')",
        UPPER, "naive", host="pc1",
    ),
    "names in French": Layout(
        "CREATE TABLE log (id serial PRIMARY KEY, horodatage timestamp, niveau varchar, message text, serveur varchar)",
        "INSERT INTO log (horodatage, niveau, message, serveur) VALUES (%(time)s, %(level)s, %(message)s, 'srv1')",
        UPPER, "naive", host="srv1",
    ),
    "names in Spanish": Layout(
        "CREATE TABLE log (id serial PRIMARY KEY, fecha timestamp, nivel varchar, mensaje text, servicio text, servidor varchar)",
        "INSERT INTO log (fecha, nivel, mensaje, servicio, servidor) VALUES (%(time)s, %(level)s, %(message)s, 'caja', 'srv1')",
        UPPER, "naive", service="caja", host="srv1",
    ),
}  # fmt: skip

# Tables that have no level, or fewer of them.
FIELDS = {
    "an access log": (
        "CREATE TABLE log (id bigserial, remote_addr inet, time_local timestamptz, request text, status int, server_name text)",
        {"timestamp": "time_local", "message": "request", "http_status": "status", "host": "server_name"}),
    "PHP's errors": (
        "CREATE TABLE log (id serial, errno int, errstr text, errfile text, errline int, created_at timestamp)",
        {"timestamp": "created_at", "level": "errno", "message": "errstr"}),
    "Laravel's failed jobs": (
        "CREATE TABLE log (id bigserial, uuid text, connection text, queue text, payload text, exception text, failed_at timestamp)",
        {"timestamp": "failed_at", "message": "exception", "service": "queue"}),
    "CloudWatch": (
        'CREATE TABLE log (id bigserial, "logGroup" text, "logStream" text, "timestamp" bigint, "ingestionTime" bigint, message text)',
        {"timestamp": '"timestamp"', "message": "message", "service": '"logGroup"'}),
    "events of Kubernetes": (
        "CREATE TABLE log (id bigserial, namespace text, name text, type text, reason text, message text, "
        "first_timestamp timestamptz, last_timestamp timestamptz, source_component text, source_host text)",
        {"timestamp": "last_timestamp", "level": "type", "message": "message", "service": "source_component",
         "host": "source_host"}),
    "SSIS": (
        "CREATE TABLE log (id serial, event text, computer text, operator text, source text, executionid uuid, "
        "starttime timestamp, endtime timestamp, datacode int, message text)",
        {"timestamp": "starttime", "level": "event", "message": "message", "service": "source", "host": "computer"}),
    "pgAudit": (
        "CREATE TABLE log (id bigserial, log_time timestamptz, audit_type text, class text, command text, statement text)",
        {"timestamp": "log_time", "message": "statement"}),
    "Airflow": (
        "CREATE TABLE log (id serial, dttm timestamptz, dag_id text, task_id text, event text, execution_date timestamptz)",
        {"timestamp": "dttm", "message": "event"}),
}  # fmt: skip


def write_time(time: datetime, form: str) -> object:
    seconds = round(time.timestamp(), 3)
    return {
        "timestamptz": time,
        "naive": time.replace(tzinfo=None),
        "iso": time.isoformat(sep="T", timespec="milliseconds").replace("+00:00", "Z"),
        "s": int(seconds),
        "decimal": f"{seconds:.3f}",
        "ms": round(seconds * 1000),
        "us": round(seconds * 1_000_000),
        "ns": round(seconds * 1000) * 1_000_000,
    }[form]


@pytest.fixture(scope="module")
def empty(server: Server) -> Iterator[Database]:
    """A database with the default models and no log table."""
    database = server.create_database()
    database.execute("CREATE EXTENSION logintel")
    database.close()
    yield database
    database.drop()


@pytest.fixture
def scoring(server: Server, empty: Database) -> Iterator[Database]:
    database = server.create_database(empty)
    database.execute("SET TimeZone = 'Asia/Tokyo'")
    yield database
    database.drop()


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_a_table_of_a_program_is_attached_in_one_call(scoring: Database, layout: Layout) -> None:
    scoring.execute(layout.table)
    scoring.execute("SELECT logintel.attach('log', add_key => %s)", (layout.add_key,))
    writer = scoring.create_role("writer")
    scoring.execute(f"GRANT INSERT ON log TO {writer}; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {writer}")
    declared = dict(zip(LEVELS, layout.levels, strict=True))
    lines = [*MESSAGES, *(("INFO", message) for message in HIDDEN)]
    with scoring.connect(user=writer) as session:
        session.execute("SET TimeZone = 'America/New_York'")
        for number, (level, message) in enumerate(lines):
            time = write_time(FIRST + timedelta(hours=number), layout.time)
            session.execute(layout.insert, {"level": declared[level], "time": time, "message": message, "line": number})
    second = timedelta(microseconds=FIRST.microsecond) if layout.time == "s" else timedelta()
    assert scoring.execute('SELECT declared_level, message, "timestamp" FROM logintel.ml_recent_predictions ORDER BY "timestamp"') == [
        (level, message, FIRST + timedelta(hours=number) - second) for number, (level, message) in enumerate(lines)
    ]
    found = scoring.execute("SELECT message FROM logintel.ml_corrections ORDER BY \"timestamp\"")
    assert [message for (message,) in found] == list(HIDDEN)
    assert {s for (s,) in scoring.execute("SELECT service FROM logintel.log_lines")} == {layout.service}, "process ids and guesses aside"
    if layout.host is not None:
        assert scoring.execute("SELECT DISTINCT host FROM logintel.log_lines") == [(layout.host,)]
    problems = scoring.execute("SELECT detail, next_step FROM logintel.doctor() WHERE status = 'problem'")
    assert problems == []


@pytest.mark.parametrize(("table", "fields"), FIELDS.values(), ids=FIELDS.keys())
def test_the_fields_of_a_table_without_five_levels_are_found_too(scoring: Database, table: str, fields: dict[str, str]) -> None:
    scoring.execute(table)
    found = scoring.execute("SELECT field, source FROM logintel.attach('log') WHERE source IS NOT NULL")
    assert dict(found) == {"id": "id", **fields}
