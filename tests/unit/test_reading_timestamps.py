"""Timestamps as logs write them."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logintel.errors import UserError
from logintel.reading.records import BadLine
from logintel.reading.timestamps import Timestamps, find_zone

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
        ("01-Nov-2026 10:00:05.123", "2026-11-01T10:00:05.123000+00:00"),
        ("11/1/2026 10:00:02 AM", "2026-11-01T10:00:02+00:00"),
        ("11/1/2026 12:00:02 AM", "2026-11-01T00:00:02+00:00"),
        ("11/01/2026, 12:00:02\u202fPM", "2026-11-01T12:00:02+00:00"),
        ("Nov 01, 2026 1:00:05 PM", "2026-11-01T13:00:05+00:00"),
        ("1.11.2026 10:00:02", "2026-11-01T10:00:02+00:00"),
        ("20261101 10:00:00.123456", "2026-11-01T10:00:00.123456+00:00"),
        ("2026-11-01T10:00:01.123+0000", "2026-11-01T10:00:01.123000+00:00"),
        ("2026-11-01 10:00:00.123 +09", "2026-11-01T01:00:00.123000+00:00"),
        ("/Date(1700000000123)/", "2023-11-14T22:13:20.123000+00:00"),
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
     "11/1/2026 13:00:00 AM", "11/1/2026 0:00:00 PM", "1/11/2026 10:00:00", "31.13.2026 10:00:00",
     "2024-05-01 10:00:00 CEST", True, None, "0001-01-01T00:00:00+14:00", "٢٠٢٤-05-01 10:00:00", "x" * 10_000],
)  # fmt: skip
def test_what_cannot_be_read_is_said_so(text: object):
    with pytest.raises(BadLine, match="unreadable timestamp"):
        Timestamps(now=NOW).parse(text)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-11-01 10:00:00", "Europe/Berlin", "2026-11-01T09:00:00"),
        ("2026-07-01T10:00:00", "Europe/Berlin", "2026-07-01T08:00:00"),
        ("Jul  1 10:00:00 2026", "Europe/Berlin", "2026-07-01T08:00:00"),
        ("2026-07-01 10:00:00", "+01:00", "2026-07-01T09:00:00"),
        ("2026-07-01 10:00:00", "-0330", "2026-07-01T13:30:00"),
        ("2026-07-01 10:00:00Z", "Europe/Berlin", "2026-07-01T10:00:00"),
        ("2026-07-01 10:00:00 GMT", "Europe/Berlin", "2026-07-01T10:00:00"),
        ("2026-07-01 10:00:00 +05", "Europe/Berlin", "2026-07-01T05:00:00"),
        (1782900000, "Europe/Berlin", "2026-07-01T10:00:00"),
        ("2026-11-01 10:00:00.5 CET", "Europe/Berlin", "2026-11-01T09:00:00.500000"),
        ("2026-11-01 10:00:00 CST", "Asia/Shanghai", "2026-11-01T02:00:00"),
        ("2026-11-01 10:00:00 CST", "America/Chicago", "2026-11-01T16:00:00"),
        ("2026-10-25 02:30:00 CEST", "Europe/Berlin", "2026-10-25T00:30:00"),
        ("2026-10-25 02:30:00 CET", "Europe/Berlin", "2026-10-25T01:30:00"),
    ],
)
def test_a_zone_is_said_for_times_that_name_none_or_by_an_abbreviation(text: object, zone: str, expected: str):
    assert Timestamps(now=NOW, zone=find_zone(zone)).parse(text).isoformat() == f"{expected}+00:00"


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("2026-11-01 10:00:00 EST", "Europe/Berlin", "EST is not what the zone of --time-zone is called then"),
        ("2026-07-01 10:00:00 CET", "Europe/Berlin", "CET is not what the zone of --time-zone is called then"),
        ("2026-11-01 10:00:00 CET", "+01:00", "CET is not what the zone of --time-zone is called then"),
    ],
)
def test_an_abbreviation_is_never_guessed(text: str, zone: str, words: str):
    with pytest.raises(BadLine, match=words):
        Timestamps(now=NOW, zone=find_zone(zone)).parse(text)


@pytest.mark.parametrize(
    "name", ["", "Europe/Nowhere", "../etc/passwd", "/etc/passwd", "+99:00", "CET+1", "a\0b", "x" * 1000]
)
def test_an_unknown_zone_is_refused(name: str):
    with pytest.raises(UserError, match="no such zone; name one such as Europe/Berlin, or an offset"):
        find_zone(name)


@given(st.datetimes(), st.sampled_from(["T", " "]))
def test_iso_timestamps_come_back_as_they_were_written(moment: datetime, separator: str):
    assert Timestamps(now=NOW).parse(moment.isoformat(separator)) == moment.replace(tzinfo=UTC)


@given(st.text() | st.text("0123456789-:/ TZ.,+JanFebDec") | st.integers() | st.floats())
def test_anything_else_is_a_datetime_or_a_bad_line(value: object):
    with contextlib.suppress(BadLine):
        assert Timestamps(now=NOW).parse(value).tzinfo == UTC
