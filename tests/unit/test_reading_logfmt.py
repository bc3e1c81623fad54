"""logfmt: every pair comes back."""

import json

from hypothesis import given
from hypothesis import strategies as st

from logintel.reading.layouts.logfmt import Logfmt
from support.reading import read

keys = st.text("abcdefghijklmnop_.", min_size=1, max_size=8).filter(
    lambda key: key not in {"t", "host", "app", "lvl", "msg"}
)
values = st.text(st.characters(exclude_characters="\0\ufeff", exclude_categories=["Cs"]), max_size=20)


def written(value: str) -> str:
    """The value as Go's libraries write it: quoted where it needs to be."""
    return value if value and value.isascii() and value.isalnum() else json.dumps(value, ensure_ascii=False)


@given(values.filter(bool), st.dictionaries(keys, values), st.sampled_from(["info", "error", "warn"]))
def test_what_was_written_comes_back(message: str, others: dict[str, str], level: str):
    rest = [f"{key}={written(value)}" for key, value in others.items()]
    line = " ".join([f"ts=2026-11-01T10:00:00Z level={level}", f"msg={written(message)}", *rest])
    assert Logfmt().read(line) == {
        "timestamp": "2026-11-01T10:00:00Z", "level": level, "message": " ".join([message, *rest]),
    }  # fmt: skip


def test_a_key_that_comes_twice_is_kept():
    assert read("level=error msg=x level=warn a=1 a=2", "level", "message") == [("error", "x level=warn a=1 a=2")]


def test_words_between_pairs_stay():
    assert read("level=error msg=x retrying a=1", "message") == [("x retrying a=1",)]


@given(st.text('ab="\\ \n\t', max_size=60))
def test_anything_is_read_or_not(text: str):
    values = Logfmt().read(f"level=info {text}")
    assert values is None or values["level"] == "info"
