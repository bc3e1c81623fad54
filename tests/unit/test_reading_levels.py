"""Levels: numbers in the scale that their source tells, or the user, or nobody."""

import json

import pytest

from logintel.reading.levels import Scale, english_level, name_of
from support.reading import field_map, read, records_of


@pytest.mark.parametrize(
    ("scale", "names"),
    [
        (Scale.SYSLOG, {0: "emerg", 2: "crit", 3: "err", 4: "warning", 6: "info", 7: "debug", 8: None}),
        (Scale.PINO, {10: "trace", 20: "debug", 30: "info", 35: "info", 40: "warn", 50: "error", 60: "fatal"}),
        (Scale.PYTHON, {10: "debug", 20: "info", 25: "info", 30: "warning", 40: "error", 50: "critical"}),
        (Scale.DOTNET, {0: "trace", 1: "debug", 2: "information", 3: "warning", 4: "error", 5: "critical", 6: None}),
        (Scale.OTEL, {0: None, 1: "trace", 8: "debug", 9: "info", 13: "warn", 17: "error", 24: "fatal", 25: None}),
        (
            Scale.LOG4J,
            {100: "fatal", 200: "error", 300: "warn", 400: "info", 500: "debug", 600: "trace", 40000: "error"},
        ),
        (Scale.WINDOWS, {1: "critical", 2: "error", 3: "warning", 4: "information", 5: "verbose"}),
    ],
)
def test_a_number_means_what_its_scale_says(scale: Scale, names: dict[int, str | None]):
    assert {number: name_of(number, scale) for number in names} == names
    assert {number: name_of(f" {number} ", scale) for number in names} == names


@pytest.mark.parametrize("value", ["", "error", None, True, "1e3", [], {}])
def test_what_is_no_number_has_no_name(value: object):
    assert name_of(value, Scale.SYSLOG) is None


def test_a_scale_that_is_said_holds_for_the_whole_load():
    data = '{"level": 4, "msg": "x"}\n{"level": "2", "msg": "y"}\n{"level": "error", "msg": "z"}\n{"level": 99, "msg": "w"}'
    assert read(data, "level", scale=Scale.DOTNET) == [("error",), ("information",), ("error",), ("99",)]
    assert read("message,level\nx,30\n", "level", name="a.csv", scale=Scale.PYTHON) == [("warning",)]


def test_numbers_whose_scale_is_a_guess_stay_and_are_counted():
    fields = field_map()
    assert read('{"level": 30, "msg": "x"}\n{"level": 30, "msg": "y"}\n{"level": "3", "msg": "z"}', "level", fields=fields) == [
        ("30",), ("30",), ("3",),
    ]  # fmt: skip
    assert fields.maker.guessed_levels == {"30": 2, "3": 1}


@pytest.mark.parametrize(
    "found",
    [
        {"level": 30, "time": 1793527201123, "pid": 1, "hostname": "h", "msg": "x"},
        {"__REALTIME_TIMESTAMP": "1793527201123456", "PRIORITY": "3", "MESSAGE": "x"},
        {"short_message": "x", "level": 3},
        {"severityNumber": 9, "body": "x"},
        {"level": "error", "msg": "x"},
    ],
)
def test_numbers_whose_scale_is_told_are_no_guess(found: dict[str, object]):
    fields = field_map()
    records_of(json.dumps(found), fields=fields)
    assert not fields.maker.guessed_levels


def test_words_of_other_languages_have_an_english_one():
    words = {
        "SCHWERWIEGEND": "SEVERE",
        "GRAVE": "SEVERE",
        "ATTENTION": "WARNING",
        "警告": "WARNING",
        "trce": "trace",
        "x": "x",
    }
    assert {word: english_level(word) for word in words} == words
