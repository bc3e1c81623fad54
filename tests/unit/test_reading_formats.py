"""What a file is, its content tells: by these lines each format is recognised, and read rightly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logintel.errors import UserError
from logintel.reading.formats import Format, guess_format
from support.reading import field_map, lines_of, read, records_of

ESCAPED = "2026-11-01T10:00:01.123Z \x1b[31mERROR\x1b[0m \x1b[2mshop::db\x1b[0m: cannot reach \x1b[1mdatabase\x1b[0m"
TOMCAT = "01-Nov-2026 10:00:05.123 SEVERE [exec-1] org.x.core.Valve.invoke Servlet.service() threw exception"
JOURNAL = {
    "__REALTIME_TIMESTAMP": "1793527201123456",
    "PRIORITY": "3",
    "_HOSTNAME": "edge1",
    "SYSLOG_IDENTIFIER": "backupd",
}
FIRST = "2026-11-01T10:00:01"
MILLI = f"{FIRST}.123000"

# the promise, the file, what is read: time, level, service, message
CASES = {
    "coloured text of Rust's tracing": (ESCAPED, (MILLI, "ERROR", "shop::db", "cannot reach database")),
    "coloured text of winston": (
        "2026-11-01T10:00:01.123Z \x1b[31merror\x1b[39m: payment refused", (MILLI, "error", None, "payment refused")),
    "logfmt": (
        'time="2026-11-01T10:00:01Z" level=error msg="cannot write block" err="no space left on device"',
        (FIRST, "error", None, 'cannot write block err="no space left on device"')),
    "logfmt of Prometheus": (
        'ts=2026-11-01T10:00:01.123Z caller=head.go:12 level=warn component=tsdb msg="slow \\"disk\\""',
        (MILLI, "warn", "tsdb", 'slow "disk" caller=head.go:12')),
    "logfmt without a message": (
        "time=2026-11-01T10:00:01Z level=INFO event=started port=80", (FIRST, "INFO", None, "event=started port=80")),
    "logfmt behind a time": (
        "2026-11-01T10:00:01Z level=error msg=gone", (FIRST, "error", None, "gone")),
    "Airflow": (
        "[2026-11-01T10:00:01.123+0000] {taskinstance.py:1824} ERROR - Task failed with exception",
        (MILLI, "ERROR", "taskinstance.py", "Task failed with exception")),
    "older Airflow": (
        "[2026-11-01 10:00:01,123] {{taskinstance.py:1824}} WARNING - late",
        (MILLI, "WARNING", "taskinstance.py", "late")),
    "Serilog's file": ("2026-11-01 11:00:01.123 +01:00 [FTL] gone", (MILLI, "FTL", None, "gone")),
    "Serilog's file, harmless": ("2026-11-01 11:00:01.123 +01:00 [INF] here", (MILLI, "INF", None, "here")),
    "zerolog's console": ("2026-11-01T10:00:01Z WRN slow disk", (FIRST, "WRN", None, "slow disk")),
    "Tomcat": (TOMCAT, ("2026-11-01T10:00:05.123000", "SEVERE", "org.x.core.Valve", "Servlet.service() threw exception")),
    "Tomcat in German": (
        TOMCAT.replace("SEVERE", "SCHWERWIEGEND"),
        ("2026-11-01T10:00:05.123000", "SEVERE", "org.x.core.Valve", "Servlet.service() threw exception")),
    "Tomcat in Japanese": (
        TOMCAT.replace("SEVERE", "警告"),
        ("2026-11-01T10:00:05.123000", "WARNING", "org.x.core.Valve", "Servlet.service() threw exception")),
    "Elasticsearch": (
        "[2026-11-01T10:00:01,123][WARN ][o.e.c.r.a.DiskThresholdMonitor] [node-1] high disk watermark exceeded",
        (MILLI, "WARN", "o.e.c.r.a.DiskThresholdMonitor", "high disk watermark exceeded")),
    "Kafka": (
        "[2026-11-01 10:00:01,123] ERROR [KafkaServer id=0] Fatal error (kafka.Server)",
        (MILLI, "ERROR", None, "[KafkaServer id=0] Fatal error (kafka.Server)")),
    ".NET's console": (
        "fail: Shop.Cart[0]\n      payment refused\n      for good", ("now", "error", "Shop.Cart", "payment refused\nfor good")),
    ".NET's console, coloured, on one line": (
        "\x1b[41m\x1b[30mfail\x1b[39m\x1b[22m\x1b[49m: Shop.Cart[0] payment refused",
        ("now", "error", "Shop.Cart", "payment refused")),
    "Ruby": (
        "F, [2026-11-01T10:00:01.123457 #4123] FATAL -- : ActionView::Template::Error (no)",
        ("2026-11-01T10:00:01.123457", "FATAL", None, "ActionView::Template::Error (no)")),
    "Ruby with a program's name": (
        "W, [2026-11-01T10:00:01.123457 #4123]  WARN -- shop: slow", ("2026-11-01T10:00:01.123457", "WARN", "shop", "slow")),
    "java.util.logging": (
        "Nov 01, 2026 10:00:01 AM org.x.core.Context listenerStart\nSEVERE: Error configuring listener",
        (FIRST, "SEVERE", "org.x.core.Context", "Error configuring listener")),
    "MySQL": (
        "2026-11-01T10:00:01.123000Z 0 [Note] [MY-010116] [Server] mysqld starting",
        (MILLI, "notice", "Server", "mysqld starting")),
    "glog": ("E20261101 10:00:01.123000  1234 disk.cc:55] no space", (MILLI, "E", "disk.cc", "no space")),
    "levels without a time": ("[INFO] building\n[ERROR] failed", ("now", "INFO", None, "building")),
    "PostgreSQL's jsonlog": (
        json.dumps({"timestamp": "2026-11-01 10:00:01.123 UTC", "error_severity": "ERROR", "message": "no such table",
                    "detail": "none", "hint": "make it", "statement": "SELECT 1"}),
        (MILLI, "ERROR", None, "no such table\nDETAIL:  none\nHINT:  make it\nSTATEMENT:  SELECT 1")),
    "PostgreSQL's jsonlog in Russian": (
        json.dumps({"timestamp": "2026-11-01 10:00:01.123 UTC", "error_severity": "ОШИБКА", "message": "нет"}),
        (MILLI, "ERROR", None, "нет")),
    "journald": (json.dumps(JOURNAL | {"MESSAGE": "no space"}), ("2026-11-01T10:00:01.123456", "err", "backupd", "no space")),
    "journald with bytes": (
        json.dumps(JOURNAL | {"MESSAGE": list(b"\x1b[31mno\x1b[0m space")}),
        ("2026-11-01T10:00:01.123456", "err", "backupd", "no space")),
    "GELF": (
        json.dumps({"version": "1.1", "host": "h1", "short_message": "boom", "full_message": "boom\n at x", "level": 3,
                    "timestamp": 1793527201.123, "_service": "shop"}),
        (MILLI, "err", "shop", "boom\n at x")),
    "ECS, nested": (
        json.dumps({"@timestamp": f"{FIRST}.123Z", "log": {"level": "error", "logger": "shop.db"}, "message": "no",
                    "service": {"name": "shop"}, "host": {"name": "h1"}}),
        (MILLI, "error", "shop", "no")),
    "ECS, dotted": (
        json.dumps({"@timestamp": f"{FIRST}.123Z", "log.level": "error", "message": "no", "log.logger": "shop"}),
        (MILLI, "error", "shop", "no")),
    "Google Cloud's text": (
        json.dumps({"severity": "ERROR", "timestamp": f"{FIRST}.123Z", "textPayload": "no route\n",
                    "resource": {"labels": {"container_name": "shop"}}}),
        (MILLI, "ERROR", "shop", "no route")),
    "Google Cloud's objects": (
        json.dumps({"severity": "DEFAULT", "timestamp": f"{FIRST}.123Z", "logName": "projects/p/logs/shop",
                    "jsonPayload": {"message": "no route", "level": "warn"}}),
        (MILLI, "warn", "shop", "no route")),
    "Google Cloud's requests": (
        json.dumps({"timestamp": f"{FIRST}.123Z", "insertId": "1", "logName": "projects/p/logs/requests", "severity": "WARNING",
                    "httpRequest": {"requestMethod": "GET", "requestUrl": "/pay", "status": 404, "latency": "0.5s"}}),
        (MILLI, "WARNING", "requests", "GET /pay")),
    "Log4j 2": (
        json.dumps({"instant": {"epochSecond": 1793527201, "nanoOfSecond": 123000000}, "level": "ERROR", "loggerName": "a.B",
                    "message": "no"}),
        (MILLI, "ERROR", "a.B", "no")),
    "Logstash": ("[2026-11-01T10:00:01,123][WARN ][logstash.agent    ][main] late", (MILLI, "WARN", "logstash.agent", "late")),
    "journald with a field twice": (
        json.dumps(JOURNAL | {"PRIORITY": ["6", "3"], "MESSAGE": ["yes", "no space"]}),
        ("2026-11-01T10:00:01.123456", "err", "backupd", "no space")),
    "OpenTelemetry": (
        json.dumps({"timeUnixNano": "1793527201123000000", "severityNumber": 17, "body": {"stringValue": "no"},
                    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}}),
        (MILLI, "error", "shop", "no")),
    "Serilog's compact JSON": (
        json.dumps({"@t": f"{FIRST}.123Z", "@mt": "Paid {Sum}", "SourceContext": "Shop"}),
        (MILLI, "Information", "Shop", "Paid {Sum}")),
    ".NET's JSON console": (
        json.dumps({"Timestamp": f"{FIRST}Z", "LogLevel": "Error", "Category": "Shop.Cart", "Message": "no"}),
        (FIRST, "Error", "Shop.Cart", "no")),
    "MongoDB": (
        json.dumps({"t": {"$date": f"{FIRST}.123+00:00"}, "s": "E", "c": "STORAGE", "ctx": "main", "msg": "no space"}),
        (MILLI, "E", "STORAGE", "no space")),
    "loguru": (
        json.dumps({"text": "x", "record": {"message": "no", "level": {"name": "ERROR", "no": 40}, "name": "shop",
                                            "time": {"timestamp": 1793527201.123}}}),
        (MILLI, "ERROR", "shop", "no")),
    "pino": (
        json.dumps({"level": 50, "time": 1793527201123, "pid": 1, "hostname": "h", "msg": "no"}), (MILLI, "50", None, "no")),
    "Python's levelno": (
        json.dumps({"levelno": 30, "created": 1, "msg": "late", "name": "shop"}), ("now", "warning", "shop", "late")),
    "Docker's json-file": (
        json.dumps({"log": f"{FIRST} ERROR no route\n", "stream": "stderr", "time": f"{FIRST}.123456789Z"}),
        ("2026-11-01T10:00:01.123456", "ERROR", None, "no route")),
    "Windows events": (
        '#TYPE System.Diagnostics.Eventing.Reader.EventLogRecord\n"Message","Id","Level","ProviderName","MachineName",'
        '"TimeCreated","LevelDisplayName"\n"It runs.","7036","4","Service","pc1","11/1/2026 10:00:02 AM","Information"',
        ("2026-11-01T10:00:02", "Information", "Service", "It runs.")),
    "Windows events without the level's name": (
        '"Message","Level","ProviderName","TimeCreated"\n"It broke.","2","Service","11/1/2026 1:00:02 PM"',
        ("2026-11-01T13:00:02", "error", "Service", "It broke.")),
    "Windows' event viewer": (
        "Level,Date and Time,Source,Event ID,Task Category\n"
        'Error,11/1/2026 10:00:02 AM,Service,7036,None,"It broke\nfor good."',
        ("2026-11-01T10:00:02", "Error", None, "It broke\nfor good.")),
    "Windows events in German": (
        '"Message","Level","ProviderName","TimeCreated","LevelDisplayName"\n"x","2","Dienst","01.11.2026 10:00:02","Fehler"',
        ("2026-11-01T10:00:02", "error", "Dienst", "x")),
    "JSON behind kubectl's timestamps": (
        f'{FIRST}.123456789Z {{"level":"error","msg":"no"}}', ("2026-11-01T10:00:01.123456", "error", None, "no")),
    "klog": ("E1101 10:00:01.123000       1 queue.go:55] cannot sync", (MILLI, "E", "queue.go", "cannot sync")),
    "a table in a text file": ("time;level;msg\n2026-11-01 10:00:01;warn;a, b\n", (FIRST, "warn", None, "a, b")),
}  # fmt: skip


@pytest.mark.parametrize("name", ["app.log", "app.log.1", "syslog", "catalina.out", "a.txt", "-"])
@pytest.mark.parametrize("case", CASES)
def test_a_file_is_read_by_what_it_holds_whatever_its_name(case: str, name: str):
    data, expected = CASES[case]
    assert read(data, name=name)[0] == expected


@pytest.mark.parametrize("case", CASES)
def test_line_ends_of_windows_and_a_byte_order_mark_change_nothing(case: str):
    data, expected = CASES[case]
    windows = b"\xef\xbb\xbf" + data.replace("\n", "\r\n").encode() + b"\r\n"
    assert [str(value).replace("\r\n", "\n") for value in read(windows)[0]] == list(map(str, expected))


def test_the_host_is_found_where_a_format_has_one():
    assert read(CASES["journald"][0], "host") == [("edge1",)]
    assert read(CASES["GELF"][0], "host") == [("h1",)]
    assert read(CASES["ECS, nested"][0], "host") == [("h1",)]
    assert read(CASES["Elasticsearch"][0], "host") == [("node-1",)]
    assert read(CASES["Windows events"][0], "host") == [("pc1",)]


def test_raw_log_keeps_the_colours_that_the_message_loses():
    assert read(ESCAPED, "raw_log") == [(ESCAPED,)]


@pytest.mark.parametrize("name", ["", "\n \n"])
def test_an_empty_file_is_what_its_name_says(name: str):
    assert guess_format("a.csv.gz", list(lines_of(name)), field_map()) == Format.CSV
    assert guess_format("d/a.ndjson", list(lines_of(name)), field_map()) == Format.JSONL
    assert guess_format("a.dat", list(lines_of(name)), field_map()) == Format.TEXT


def test_a_name_that_says_otherwise_is_not_believed():
    assert read('{"message": "x"}\n', "message", name="a.csv") == [("x",)]
    assert read("message,level\nx,INFO\n", "message", name="a.jsonl") == [("x",)]
    assert read("2026-11-01 10:00:00 INFO x\n", "message", name="a.csv") == [("x",)]


def test_commas_make_no_table_of_a_log():
    assert read("2026-11-01 10:00:00 INFO starting, log\n2026-11-01 10:00:01 INFO x, y\n", "message") == [
        ("starting, log",), ("x, y",),
    ]  # fmt: skip


def test_json_lines_with_strange_ones_between_stay_json_lines():
    good, bad, last = read('{"msg": "x"}\nstarting ...\n{"msg": "y"}\n', "message")
    assert good == ("x",) and bad[0].startswith("invalid JSON") and last == ("y",)


def test_objects_that_are_printed_over_several_lines_are_refused_with_the_way_out():
    with pytest.raises(UserError, match=r"jq -c \."):
        records_of('{\n  "msg": "x"\n}\n')


def test_a_layout_that_finds_few_records_is_not_taken():
    with pytest.raises(UserError, match=r"no known pattern fits.*--format says that it is csv, csvlog or jsonl"):
        records_of("nobody\nknows\nwhat\nthis is\n2026-11-01 10:00:00 ERROR x\nor\nthat\n")


def test_a_word_before_a_message_is_no_host():
    said: list[str] = []
    assert read("2026-11-01T10:00:00Z Listening on port 80", "host", "message", said=said) == [
        (None, "Listening on port 80")
    ]
    assert said == ["reading it with --pattern iso"]


def test_a_word_of_a_message_is_no_zone():
    assert read("2026-11-01 10:00:00 HTTP server started") == [
        ("2026-11-01T10:00:00", None, None, "HTTP server started")
    ]


def test_what_a_file_is_taken_for_is_said():
    said: list[str] = []
    records_of('{"msg": "x"}', name="app.log", said=said)
    records_of("2026-11-01T10:00:00Z stdout F 2026-11-01T10:00:00Z INFO x", said=said)
    assert said == [
        "reading it with --format jsonl",
        "reading it with --format cri",
        "reading what is text in it with --pattern iso",
    ]


anything = st.lists(
    st.sampled_from([b"{", b'{"log": "x", "stream": "stdout", "time": "1"}', b"\n", b"2026-11-01T10:00:00Z", b" stdout F ",
                     b" stderr P ", b"#TYPE x", b",", b'"', b"level=", b"a=b", b"\x1b[31m", b"ERROR:  ", b"\xff", b"\0", b"["])
    | st.binary(max_size=20), max_size=60,
).map(b"".join)  # fmt: skip


@given(anything)
def test_the_guess_never_fails_and_what_it_reads_is_a_row_a_reject_or_a_refusal(data: bytes):
    head = list(lines_of(data))
    assert guess_format("a", head, field_map()) in Format
    try:
        records = records_of(data, "a")
    except UserError:
        return
    assert all((record.row is None) != (record.reason is None) for record in records)


@given(anything, st.sampled_from(list(Format)))
def test_a_wrong_format_is_refused_or_rejects(data: bytes, kind: Format):
    try:
        records = records_of(data, "a", kind=kind)
    except UserError:
        return
    assert all((record.row is None) != (record.reason is None) for record in records)


def test_a_message_of_several_lines_keeps_its_lines_its_trace_and_its_cause():
    first = "2026-11-01 10:00:00,123 ERROR [main] c.a.Shop - Validation failed:"
    rest = [
        "basket.total: must not be negative", "basket.owner: must not be null", "java.lang.IllegalStateException: basket gone",
        "\tat shop.Basket.commit(Basket.java:12)", "Caused by: java.io.IOException: no space left", "\tat shop.Disk.write(D.java:7)",
    ]  # fmt: skip
    next_one = "2026-11-01 10:00:01,000 INFO [main] c.a.Shop - ready"
    data = "\n".join([first, *rest, next_one, "", first, *rest])
    whole = "\n".join(["Validation failed:", *rest])
    assert read(data, "level", "message") == [("ERROR", whole), ("INFO", "ready"), ("ERROR", whole)]
    assert read("\n".join([first, *rest]), "message") == [(whole,)]
    assert [record.last for record in records_of(data)] == [7, 8, 16]


def test_what_a_skipped_record_goes_on_with_is_rejected_not_joined():
    data = "2026-11-01 10:00:00,123 ERROR a.Shop: no\nmore\n2026-11-01 10:00:01,123 ERROR a.Shop: yes\n"
    assert read(data, "message", skip=1) == [("does not fit the pattern",), ("yes",)]


def test_a_line_with_a_time_that_fits_no_layout_joins_nothing():
    data = (
        "2026-11-01 10:00:00,123 ERROR a.Shop: no\n2026-11-01 10:00 cut\n"
        + "2026-11-01 10:00:01,123 INFO a.Shop: x\n" * 30
    )
    assert read(data, "message")[:3] == [("no",), ("does not fit the pattern",), ("x",)]


def test_a_record_whose_time_cannot_be_read_is_rejected_with_its_trace():
    good = "2026-11-01 10:00:00,123 ERROR a.Shop: no\n"
    records = records_of(good + "2026-13-01 10:00:00,123 ERROR a.Shop: no\n\tat x\n" + good)
    assert [record.reason for record in records] == [None, "unreadable timestamp: '2026-13-01 10:00:00,123'", None]
    assert records[1].raw.endswith(b"\tat x\n") and (records[1].first, records[1].last) == (2, 3)


_KEYS = [
    "message", "msg", "level", "timestamp", "error_severity", "detail", "__REALTIME_TIMESTAMP", "MESSAGE", "PRIORITY", "log",
    "short_message", "full_message", "LevelDisplayName", "Level", "textPayload", "jsonPayload", "protoPayload", "httpRequest",
    "resource", "labels", "severity", "severityNumber", "body", "@t", "@mt", "@x", "LogLevel", "Category", "Message", "text",
    "record", "t", "s", "c", "instant", "time", "pid", "hostname", "levelno", "host", "service", "stream", "logName", "insertId",
]  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\0"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*_KEYS, "name", "$date", "attributes"]), inner)
    ),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from(_KEYS), json_values, max_size=8), min_size=1, max_size=5))
def test_whatever_stands_at_known_keys_is_a_row_or_a_reject(objects: list[dict[str, object]]):
    try:
        records = records_of("\n".join(map(json.dumps, objects)), kind="jsonl")
    except UserError:
        return
    assert len(records) == len(objects)
    assert all((record.row is None) != (record.reason is None) for record in records)
