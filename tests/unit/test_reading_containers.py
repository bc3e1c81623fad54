"""Logs of containers: parts are joined, what is inside is read by its own layout."""

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logintel.reading import containers
from support.reading import read, records_of

AT = "2026-11-01T10:00:01.123456789Z"
TIME = "2026-11-01T10:00:01.123456"


def cri(*lines: str) -> str:
    """Lines of a CRI log: `e F text` for a whole line of stderr, `o P text` for a part of stdout."""
    return "".join(f"{AT} std{'err' if line[0] == 'e' else 'out'} {line[2:]}\n" for line in lines)


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ('{"level":"error","msg":"payment refused","logger":"shop"}', (TIME, "error", "shop", "payment refused")),
        ("E1101 09:59:59.000000       1 queue.go:55] cannot sync", (TIME, "E", "queue.go", "cannot sync")),
        ("2026-11-01 10:00:00,123 ERROR shop: no", (TIME, "ERROR", "shop", "no")),
        ("2026-11-01T10:00:00Z ERROR no", ("2026-11-01T10:00:00", "ERROR", None, "no")),
        ("level=warn msg=slow", (TIME, "warn", None, "slow")),
        ("\x1b[31mfail\x1b[0m: Shop.Cart[0]", (TIME, "error", "Shop.Cart", "")),
        ("just a message", (TIME, None, None, "just a message")),
        ("{no JSON", (TIME, None, None, "{no JSON")),
    ],
)
def test_the_text_behind_the_flag_is_read_by_its_own_layout(inner: str, expected: tuple[object, ...]):
    assert read(cri(f"e F {inner}")) == [expected]
    docker = json.dumps({"log": f"{inner}\n", "stream": "stderr", "time": AT})
    assert read(docker) == [expected]
    assert read(docker, kind="docker") == read(cri(f"e F {inner}"), kind="cri") == [expected]


def test_what_is_inside_can_be_said():
    data = cri("e F 7/ERROR/no")
    assert read(data, "level", "message", kind="cri", pattern=r"\d+/(?P<level>\w+)/(?P<message>.*)") == [
        ("ERROR", "no")
    ]


def test_parts_are_joined():
    assert read(cri('o P {"level":"er', 'o P ror","msg":"pay', 'o F ment"}'), "level", "message") == [
        ("error", "payment")
    ]
    parts = [{"log": text, "stream": "stdout", "time": AT} for text in ("pay", "ment\n")]
    assert read("\n".join(map(json.dumps, parts)), "message") == [("payment",)]


def test_parts_of_both_streams_may_take_turns():
    records = records_of(cri("o P one ", "e P two ", "e F three", "o F four", "o F five"))
    assert [record.row["message"] for record in records] == ["one four", "two three", "five"]
    assert [(record.first, record.last, record.open) for record in records] == [
        (1, 4, True),
        (2, 3, False),
        (5, 5, False),
    ]
    assert records[0].raw == (cri("o P one ") + cri("o F four")).encode()


def test_a_trace_belongs_to_the_message_of_its_stream():
    data = cri(
        "e F 2026-11-01 10:00:00,123 ERROR a.B: boom", "e F java.io.IOException: gone", "e F \tat a.B.c", "o F up"
    )
    assert read(data, "message") == [("boom\njava.io.IOException: gone\n\tat a.B.c",), ("up",)]


def test_json_and_text_may_take_turns():
    data = cri('o F {"level":"error","msg":"no"}', "e F I1101 10:00:01.000000 1 a.go:5] up", 'o F {"msg":"yes"}')
    assert read(data, "level", "message") == [("error", "no"), ("I", "up"), (None, "yes")]


def test_a_line_that_is_no_containers_is_rejected():
    assert read(cri("o F x") + "broken\n" + cri("o F y"), "message") == [
        ("x",),
        ("not a line of a container's log",),
        ("y",),
    ]


def test_what_has_begun_when_the_file_ends_is_read():
    assert read(cri("o P begun ", "o P once more"), "message") == [("begun once more",)]


def test_a_line_without_an_end_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(containers, "MAX_LINE_BYTES", 1000)
    records = records_of(cri(*["o P " + "x" * 50] * 100))
    assert len(records) > 5 and sum(record.raw.count(b"\n") for record in records) == 100
    monkeypatch.setattr(containers, "_MAX_HELD_LINES", 10)
    records = records_of(cri("o P begun", *["e F x"] * 30))
    assert len(records) == 31 and [record.first for record in records] == list(range(1, 32))


words = st.text(st.characters(exclude_characters="\0\n\r\x1b{#", exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: not re.match(r"\s|\ufeff", text) and text.strip()
)


@given(st.lists(st.tuples(st.sampled_from("oe"), words, st.lists(st.integers(0, 40), max_size=3)), min_size=1))
def test_messages_come_back_however_they_were_cut(messages: list[tuple[str, str, list[int]]]):
    written = []
    for stream, message, cuts in messages:
        places = sorted({0, len(message), *(min(cut, len(message)) for cut in cuts)})
        pieces = [message[start:end] for start, end in pairwise(places)]
        written += [f"{stream} P {piece}" for piece in pieces[:-1]] + [f"{stream} F {pieces[-1]}"]
    data = cri(*written)
    records = records_of(data, pattern="plain", kind="cri")
    assert [record.row["message"] for record in records] == [message for _, message, _ in messages]
    assert b"".join(record.raw for record in records) == data.encode()


@given(st.lists(st.tuples(st.sampled_from("oe?"), st.booleans())))
def test_every_line_is_in_one_record_and_a_load_can_go_on_where_none_is_open(flags: list[tuple[str, bool]]):
    written = (cri(f"{stream} {'F' if ends else 'P'} x{number}") for number, (stream, ends) in enumerate(flags))
    data = "".join(text if stream != "?" else "broken\n" for (stream, _), text in zip(flags, written, strict=True))
    records = records_of(data, pattern="plain", kind="cri")
    assert sorted(b"".join(record.raw for record in records).splitlines()) == sorted(data.encode().splitlines())
    reached = 0
    for place, record in enumerate(records):
        reached = max(reached, record.last)
        if not record.open:  # all up to the last line so far is in, and what follows begins behind it
            assert all(after.first > reached for after in records[place + 1 :])
    assert not records or not records[-1].open
