"""Timestamps as logs write them."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logintel.reading.records import BadLine
from logintel.reading.timestamps import Timestamps

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2015-10-18 18:01:47,978", "2015-10-18T18:01:47.978000+00:00"),
        ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00+00:00"),
        ("2024-05-01T10:00:00.123456789Z", "2024-05-01T10:00:00.123456+00:00"),
        ("2024-05-01T10:00:00+02:00", "2024-05-01T08:00:00+00:00"),
        ("2024-05-01 10:00:00.5 -0330", "2024-05-01T13:30:00.500000+00:00"),
        ("2024-05-01 10:00:00.123 UTC", "2024-05-01T10:00:00.123000+00:00"),
        ("2024-05-01", "2024-05-01T00:00:00+00:00"),
        ("20240501T100000Z", "2024-05-01T10:00:00+00:00"),
        ("2024/05/01 10:00:00", "2024-05-01T10:00:00+00:00"),
        ("17/06/09 20:10:40", "2017-06-09T20:10:40+00:00"),
        ("081109 203615", "2008-11-09T20:36:15+00:00"),
        ("Sun Dec 04 04:47:44 2005", "2005-12-04T04:47:44+00:00"),
        ("Fri Sep 09 10:42:29.902022 2011", "2011-09-09T10:42:29.902022+00:00"),
        ("10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36+00:00"),
        ("Mon, 02 Jan 2006 15:04:05 GMT", "2006-01-02T15:04:05+00:00"),
        (1700000000, "2023-11-14T22:13:20+00:00"),
        (1700000000.5, "2023-11-14T22:13:20.500000+00:00"),
        ("1700000000123", "2023-11-14T22:13:20.123000+00:00"),
        (1700000000123456, "2023-11-14T22:13:20.123456+00:00"),
        ("1700000000123456789", "2023-11-14T22:13:20.123457+00:00"),
    ],
)
def test_common_forms_are_read_as_utc_unless_they_have_an_offset(text: object, expected: str):
    assert Timestamps(now=NOW).parse(text).isoformat() == expected


@pytest.mark.parametrize("text", ["Feb 27 10:00:00", "02-27 10:00:00", "0227 10:00:00.000000"])
def test_a_timestamp_without_a_year_gets_the_given_one_or_this_one(text: str):
    assert Timestamps(now=NOW).parse(text) == datetime(2026, 2, 27, 10, tzinfo=UTC)
    assert Timestamps(2019, now=NOW).parse(text) == datetime(2019, 2, 27, 10, tzinfo=UTC)


def test_a_timestamp_without_a_year_is_never_more_than_a_day_ahead():
    assert Timestamps(now=NOW).parse("Dec 31 23:59:59").year == 2025
    assert Timestamps(now=NOW).parse("Mar  2 11:00:00").year == 2026
    assert Timestamps(2026, now=NOW).parse("Dec 31 23:59:59").year == 2026


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2024-13-01 10:00:00", "2024-05-01 25:00:00", "Feb 30 10:00:00", "Foo 01 10:00:00", "12:00:00", "1",
     "2024-05-01 10:00:00 CEST", True, None, "0001-01-01T00:00:00+14:00", "٢٠٢٤-05-01 10:00:00", "x" * 10_000],
)  # fmt: skip
def test_what_cannot_be_read_is_said_so(text: object):
    with pytest.raises(BadLine, match="unreadable timestamp"):
        Timestamps(now=NOW).parse(text)


@given(st.datetimes(), st.sampled_from(["T", " "]))
def test_iso_timestamps_come_back_as_they_were_written(moment: datetime, separator: str):
    assert Timestamps(now=NOW).parse(moment.isoformat(separator)) == moment.replace(tzinfo=UTC)


@given(st.text() | st.text("0123456789-:/ TZ.,+JanFebDec") | st.integers() | st.floats())
def test_anything_else_is_a_datetime_or_a_bad_line(value: object):
    with contextlib.suppress(BadLine):
        assert Timestamps(now=NOW).parse(value).tzinfo == UTC
