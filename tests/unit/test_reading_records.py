"""Reading CSV, JSON lines and text: every line ends up in a row or in a reject, whatever the bytes are."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logintel.errors import UserError
from logintel.reading import from_text
from logintel.reading.from_csv import csv_records
from logintel.reading.from_jsonl import jsonl_records
from logintel.reading.from_text import text_records
from logintel.reading.patterns import PATTERNS, find_pattern
from logintel.reading.records import Line, Record, without_escapes
from logintel.reading.rows import FIELDS, FieldMap, RowMaker
from logintel.reading.timestamps import Timestamps

Reader = Callable[[bytes], list[Record]]


def lines(data: bytes) -> Iterator[Line]:
    return (Line(number, raw) for number, raw in enumerate(io.BytesIO(data), 1))


def field_map(**chosen: str) -> FieldMap:
    return FieldMap(chosen, RowMaker(FIELDS, {}, Timestamps()))


def read_csv(data: bytes, **chosen: str) -> list[Record]:
    return list(csv_records(lines(data), field_map(**chosen)))


def read_jsonl(data: bytes, **chosen: str) -> list[Record]:
    return list(jsonl_records(lines(data), field_map(**chosen)))


def read_text(data: bytes, pattern: str = "log4j", skip: int = 0) -> list[Record]:
    return list(text_records(lines(data), find_pattern(pattern), field_map().maker, skip))


def without_blank_lines(data: bytes) -> bytes:
    return b"".join(line for line in io.BytesIO(data) if line.strip())


def messages(records: list[Record]) -> list[object]:
    return [record.row["message"] if record.row else record.reason for record in records]


pieces = st.lists(
    st.sampled_from(
        [b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b" ", b"\t", b"a", b"\xc3\xa9", b'{"message": "x"}',
         b"[", b"{", b'"message":', b"\\u0000", b"\\ud800", b"Caused by: ", b"\xef\xbb\xbf", b"1",
         b"2024-05-01 10:00:00,000 INFO a.B: hello\n"]
    )
    | st.binary(max_size=8),
    max_size=40,
).map(b"".join)  # fmt: skip


@given(pieces)
@example(b'a,"open\nb,c\n"\n\n"x""y",\r\n')
@pytest.mark.parametrize(
    ("read", "start"),
    [
        (read_csv, b"message,level\n"),
        (read_jsonl, b'{"message": "first"}\n'),
        (read_text, b""),
        (lambda data: read_text(data, "plain"), b""),
    ],
    ids=["csv", "jsonl", "text", "plain"],
)
def test_every_line_of_any_bytes_is_in_one_record_which_is_a_row_or_a_reject(read: Reader, start: bytes, data: bytes):
    records = read(start + data)
    kept = b"".join(record.raw for record in records)
    expected = data if start.startswith(b"message") else start + data
    assert without_blank_lines(kept) == without_blank_lines(expected)
    assert all((record.row is None) != (record.reason is None) for record in records)
    numbers = [number for record in records for number in (record.first, record.last)]
    assert numbers == sorted(numbers)


# \x1b and #033 begin colours, which do not come back
texts = st.text(st.characters(exclude_characters="\0\x1b#", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(texts, texts), min_size=1))
def test_csv_values_come_back_as_they_were_written(pairs: list[tuple[str, str]]):
    file = io.StringIO(newline="")
    csv.writer(file).writerows([("message", "level"), *pairs])
    records = read_csv(file.getvalue().encode())
    assert [record.row["message"] for record in records] == [message for message, _ in pairs]
    assert [record.row.get("level") for record in records] == [level or None for _, level in pairs]


@given(
    st.lists(st.fixed_dictionaries({"message": texts}, optional={"level": texts, "tags": st.lists(texts)})),
    st.booleans(),
)
def test_json_values_come_back_as_they_were_written(objects: list[dict[str, object]], ascii_only: bool):
    data = "\n".join(json.dumps(each, ensure_ascii=ascii_only) for each in objects).encode()
    rows = [record.row for record in read_jsonl(data)]
    assert [row["message"] for row in rows] == [each["message"] for each in objects]
    assert [row.get("level") for row in rows] == [each.get("level") or None for each in objects]
    assert [row.get("tags") for row in rows] == [
        [tag.strip() for tag in each["tags"]] if "tags" in each else None for each in objects
    ]


def test_a_field_of_a_csv_file_may_hold_line_breaks():
    [first, second] = read_csv(b'message,level\n"boom\r\n  at x",ERROR\nfine,INFO\n')
    assert (first.row["message"], first.first, first.last) == ("boom\r\n  at x", 2, 3)
    assert second.row["message"] == "fine"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"one field", "1 fields where the header has 2"),
        (b"a,b,c", "3 fields where the header has 2"),
        (b'"a"b,c', "invalid CSV"),
        (b'"never closed,b', "a quote is never closed"),
        (b"\xff,b", "invalid UTF-8 at byte 1"),
        (b"a\0,b", "NUL at byte 2"),
    ],
)
def test_a_bad_csv_line_is_rejected_alone(line: bytes, reason: str):
    before, bad, after, last = read_csv(b"message,level\nbefore,\n" + line + b"\nafter,\nlast,\n")
    assert [before.row["message"], after.row["message"], last.row["message"]] == ["before", "after", "last"]
    assert bad.reason.startswith(reason) and bad.raw == line + b"\n" and bad.first == 3


def test_a_stray_quote_takes_no_other_line_along_even_when_another_one_would_close_it():
    records = read_csv(b'message,level\n"stray,\n' + b"good,\n" * 10 + b'"stray,\n' + b"good,\n" * 2000)
    assert messages(records).count("good") == 2010
    assert [record.first for record in records if record.reason] == [2, 13]


def test_the_header_tells_the_delimiter():
    assert [record.row["level"] for record in read_csv(b"level;message\nINFO;a, b\n")] == ["INFO"]
    assert [record.row["level"] for record in read_csv(b"level\tmessage\nINFO\ta, b\n")] == ["INFO"]


def test_a_byte_order_mark_is_no_part_of_the_first_column_or_message():
    assert messages(read_csv(b"\xef\xbb\xbfmessage\nx\n")) == ["x"]
    assert messages(read_jsonl(b'\xef\xbb\xbf{"message": "x"}')) == ["x"]
    assert messages(read_text(b"\xef\xbb\xbfx", "plain")) == ["x"]


@pytest.mark.parametrize(
    ("data", "chosen", "words"),
    [
        (b"when,what\n1,2\n", {}, "no column holds the message.*--map message=COLUMN.*when, what"),
        (b"when,what\n1,2\n", {"message": "nothing"}, "--map message=nothing.*no such column.*when, what"),
        (b"\xff\n", {}, "line 1 is no CSV header"),
    ],
)
def test_csv_without_the_needed_column_is_refused(data: bytes, chosen: dict[str, str], words: str):
    with pytest.raises(UserError, match=words):
        read_csv(data, **chosen)


def test_json_without_any_message_is_refused_but_a_single_line_without_is_rejected():
    with pytest.raises(UserError, match=r"--map message=KEY.*event, when"):
        read_jsonl(b'broken\n{"event": "x", "when": 1}\n')
    assert messages(read_jsonl(b'{"message": "x"}\n{"event": "y"}\n')) == ["x", "no message"]


def test_a_json_array_is_refused_with_the_way_out():
    with pytest.raises(UserError, match="jq"):
        read_jsonl(b'[\n{"message": "x"}\n]\n')


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "invalid JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"message": "a\\u0000b"}', "NUL in a value"),
        (b'{"message": "a\\ud800b"}', "half a surrogate pair"),
        (b'{"message": "x", "tags": ["\\u0000"]}', "NUL in a value"),
        (b"[" * 200_000, "invalid JSON: nested too deeply"),
        (b'{"message": "x", "timestamp": "soon"}', "unreadable timestamp: 'soon'"),
        (b'{"message": "x", "http_status": "ok"}', "unreadable integer in http_status: 'ok'"),
        (b'{"message": "x", "response_time_ms": "12.5ms"}', "unreadable number in response_time_ms: '12.5ms'"),
        (b'{"message": "x", "response_time_ms": NaN}', "unreadable number in response_time_ms: 'nan'"),
        (b'{"message": "x", "is_anomaly": "maybe"}', "unreadable boolean in is_anomaly: 'maybe'"),
        (b'{"message": "x", "tags": {"a": 1}}', "unreadable array in tags"),
    ],
)
def test_a_bad_json_line_is_rejected_with_the_reason(line: bytes, reason: str):
    good, bad = read_jsonl(b'{"message": "good"}\n' + line)
    assert good.row and bad.reason.startswith(reason) and bad.raw == line


def test_an_escaped_backslash_is_not_taken_for_an_escape():
    assert messages(read_jsonl(rb'{"message": "a \\u0000 b"}')) == [r"a \u0000 b"]


def test_json_may_be_nested_and_its_values_of_any_kind():
    data = b'{"event": {"text": {"code": 7}}, "log": {"severity": 30}, "message": null, "http_status": 200.0}'
    [record] = read_jsonl(data, message="event.text", level="log.severity")
    assert record.row["message"] == '{"code": 7}' and record.row["level"] == "30" and record.row["http_status"] == 200
    [record] = read_jsonl(b'{"message": null}')
    assert record.row["message"] is None


def test_several_columns_can_make_one_field():
    [record] = read_csv(b"Day,Clock,message\n2024-05-01,10:00:00,x\n", timestamp="Day+Clock")
    assert record.row["timestamp"].isoformat() == "2024-05-01T10:00:00+00:00"


def test_indented_lines_and_stack_traces_belong_to_the_message_before():
    entry = b"2024-05-01 10:00:00,000 ERROR [main] a.B: boom\n"
    trace = b"java.io.IOException: gone\n\tat a.B.c(B.java:1)\nCaused by: a.OtherError: x\n\t... 3 more\n"
    first, second = read_text(entry + trace + b"\n" + entry)
    assert first.row["message"] == "boom\n" + trace.decode().rstrip("\n")
    assert first.row["raw_log"] == (entry + trace).decode().rstrip("\n")
    assert (first.first, first.last, second.first) == (1, 5, 7)


def test_a_line_that_continues_nothing_is_rejected():
    assert messages(read_text(b"  indented\nunknown\n  indented\n")) == ["does not fit the pattern"] * 3


def test_continuation_lines_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(from_text, "MAX_CONTINUATION_BYTES", 100)
    records = read_text(b"2024-05-01 10:00:00,000 ERROR a.B: boom\n" + b" at somewhere\n" * 20)
    assert len(records[0].row["message"]) <= 140
    assert records[1].reason == "more than 1 MB of continuation lines"
    assert sum(record.raw.count(b"\n") for record in records) == 21


def test_lines_can_be_skipped_to_go_on_with_a_load():
    data = b"".join(b"line %d\n" % number for number in range(1, 6))
    assert messages(read_text(data, "plain", skip=3)) == ["line 4", "line 5"]
    records = csv_records(lines(b"message\na\nb\nc\n"), field_map(), skip=2)
    assert messages(list(records)) == ["b", "c"]
    records = jsonl_records(lines(b'{"message": "a"}\n{"message": "b"}\n'), field_map(), skip=1)
    assert messages(list(records)) == ["b"]


def test_an_empty_file_has_no_records():
    assert read_csv(b"") == read_jsonl(b"") == read_text(b"") == []


@pytest.mark.timeout(180)  # which is how a pattern that hangs fails
@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_hangs_on_a_strange_line_of_one_megabyte(name: str):
    starts = [
        "",
        "[",
        "<1>1 ",
        "2024-05-01 10:00:00 ",
        "05-01 10:00:00.0 1 1 I ",
        "2024-05-01 10:00:00.0 INFO 1 --- ",
        '"',
        "2024-05-01 10:00:00 UTC [1] ",
        "01-May-2024 10:00:00 SEVERE [",
        "[2024-05-01T10:00:00,0][WARN ][",
        "I, [2024-05-01T10:00:00.0 #1] ",
        "level=",
        'a="',
        "fail: ",
        "May 01, 2024 10:00:00 AM ",
        "\x1b[",
    ]
    fillers = [
        "a=",
        "a=1 ",
        '="',
        "\x1b[1;",
        "\x1b]",
        "LOG: ",
        "ERROR:",
        "[[",
        "a.",
        "::",
        "x",
        " ",
        "[",
        "x ",
        "[x] ",
        "[x] INFO ",
        "\\",
        '"',
        "x:",
        "- ",
    ]
    for start in starts:
        for filler in fillers:
            text = without_escapes(start + filler * (1_000_000 // len(filler)) + "\n")
            PATTERNS[name].read(text)
            PATTERNS[name].continued(text)


def test_a_message_of_one_megabyte_is_read():
    assert len(read_text(b"2024-05-01 10:00:00,000 INFO a.B: " + b"x " * 500_000)[0].row["message"]) == 1_000_000


def test_own_patterns_are_checked_before_anything_is_read():
    assert find_pattern(r"(?P<level>\w+) (?P<message>.*)").read("INFO x")["level"] == "INFO"
    for given_pattern, words in [
        ("log5j", "no pattern has that name; there are .*log4j"),
        ("(?P<message>", "the regular expression is invalid"),
        ("(?P<text>.*)", "no field is called text; the fields are"),
        ("(?P<level>.*)", re.escape("needs a group for the message: (?P<message>.*)")),
    ]:
        with pytest.raises(UserError, match=words):
            find_pattern(given_pattern)
