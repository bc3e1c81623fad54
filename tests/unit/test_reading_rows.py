"""From columns to fields: names, kinds and constants."""

import pytest

from logintel.errors import UserError
from logintel.reading.rows import FIELDS, FieldMap, RowMaker
from logintel.reading.timestamps import Timestamps


def maker(*fields: str, **constants: str) -> RowMaker:
    return RowMaker(fields or FIELDS, constants, Timestamps())


def plan(*columns: str, **chosen: str) -> dict[str, tuple[str, ...]]:
    return dict(FieldMap(chosen, maker()).plan(columns))


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        (("message", "timestamp"), "timestamp"),
        (("msg", "@timestamp"), "timestamp"),
        (("Content", "Date", "Time"), "timestamp"),
        (("Content", "Month", "Date", "Time"), "timestamp"),
        (("text", "severity"), "level"),
        (("body", "Level"), "level"),
        (("log", "Component"), "service"),
        (("MESSAGE", "SYSLOG_IDENTIFIER"), "service"),
        (("msg", "logger"), "service"),
        (("msg", "hostname"), "host"),
        (("msg", "responseTime"), "response_time_ms"),
    ],
)
def test_usual_names_are_found_whatever_their_case(columns: tuple[str, ...], field: str):
    assert plan(*columns) == {"message": columns[:1], field: columns[1:]}


def test_the_fields_own_name_wins_over_a_usual_one():
    assert plan("msg", "message")["message"] == ("message",)


def test_a_chosen_column_serves_its_field_alone():
    assert plan("Content", "Level", host="Level") == {"message": ("Content",), "host": ("Level",)}


def test_a_column_whose_name_has_a_plus_can_be_chosen():
    assert plan("a+b", message="a+b") == {"message": ("a+b",)}
    assert plan("a", "b", message="a+b") == {"message": ("a", "b")}


@pytest.mark.parametrize(
    ("field", "given", "expected"),
    [
        ("is_anomaly", "TRUE", True), ("is_anomaly", "0", False), ("is_anomaly", 1, True), ("is_anomaly", False, False),
        ("http_status", "200", 200), ("http_status", "200.0", 200), ("http_status", 404, 404),
        ("response_time_ms", "12.5", 12.5), ("response_time_ms", 7, 7.0), ("response_time_ms", "1e3", 1000.0),
        ("tags", '["a", "b"]', ["a", "b"]), ("tags", ["a", 1], ["a", "1"]), ("tags", "a, b", ["a", "b"]),
        ("level", 30, "30"), ("level", "warn", "warn"), ("message", {"a": "é"}, '{"a": "é"}'),
    ],
)  # fmt: skip
def test_values_become_what_their_field_holds(field: str, given: object, expected: object):
    value = maker().row([(field, given)])[field]
    assert value == expected and type(value) is type(expected)


def test_an_empty_value_is_none_except_for_the_message():
    assert maker("message", "level", "tags").row([("message", ""), ("level", ""), ("tags", None)]) == {"message": ""}


def test_a_line_without_a_timestamp_gets_the_time_of_the_load():
    timestamps = Timestamps()
    assert RowMaker(["timestamp"], {}, timestamps).row([]) == {"timestamp": timestamps.now}


def test_a_constant_is_every_lines_value_and_the_files_own_is_not_asked_for():
    constant = maker("level", "http_status", level="INFO", http_status="200")
    assert not constant.wants("level")
    assert constant.row([]) == {"level": "INFO", "http_status": 200}


def test_fields_without_a_column_are_left_out_and_remembered():
    narrow = maker("message", host="a")
    assert dict(FieldMap({}, narrow).plan(("message", "level"))) == {"message": ("message",)}
    assert narrow.dropped == {"level", "host"}


@pytest.mark.parametrize(
    ("constants", "words"),
    [
        ({"colour": "red"}, "--set colour: no such field"),
        ({"http_status": "ok"}, "unreadable integer"),
        ({"host": "a\0"}, "NUL"),
    ],
)
def test_a_wrong_constant_is_refused(constants: dict[str, str], words: str):
    with pytest.raises(UserError, match=words):
        maker(**constants)


def test_a_wrong_field_is_refused():
    with pytest.raises(UserError, match="--map colour: no such field; the fields are log_id"):
        FieldMap({"colour": "x"}, maker())
