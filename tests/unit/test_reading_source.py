"""Files: plain, gzip, damaged, with lines of any length; and the rejects file."""

import gzip
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logintel.errors import UserError
from logintel.reading import source
from logintel.reading.records import Record
from logintel.reading.source import Damaged, Source, peek
from logintel.writing.rejects import Rejects


def raw_lines(path: Path) -> list[bytes]:
    with Source(str(path)) as opened:
        return [line.raw for line in opened.lines()]


@pytest.mark.parametrize("name", ["a.log", "a.log.gz"])
def test_gzip_is_recognised_by_its_content_whatever_the_name(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(gzip.compress(b"one\ntwo"))
    assert raw_lines(tmp_path / name) == [b"one\n", b"two"]
    (tmp_path / name).write_bytes(b"one\ntwo")
    assert raw_lines(tmp_path / name) == [b"one\n", b"two"]


def test_a_damaged_gzip_file_gives_its_good_lines_first(tmp_path: Path):
    path = tmp_path / "a.log.gz"
    path.write_bytes(gzip.compress(b"".join(b"line %d\n" % number for number in range(100_000)))[:-1000])
    with Source(str(path)) as opened:
        good: list[int] = []
        with pytest.raises(Damaged):
            good.extend(line.number for line in opened.lines())
        assert opened.damage.startswith(f"the file cannot be read beyond line {len(good)}: ")
    assert len(good) > 90_000 and good == list(range(1, len(good) + 1))


def test_a_line_that_is_too_long_comes_in_parts_and_the_next_one_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(source, "MAX_LINE_BYTES", 10)
    (tmp_path / "a.log").write_bytes(b"short\n" + b"x" * 25 + b"\nnine byte\nlast")
    with Source(str(tmp_path / "a.log")) as opened:
        assert [tuple(line)[:3] for line in opened.lines()] == [
            (1, b"short\n", 0), (2, b"x" * 10, 1), (2, b"x" * 10, 2), (2, b"x" * 5 + b"\n", 3),
            (3, b"nine byte\n", 0), (4, b"last", 0),
        ]  # fmt: skip


def test_peeking_takes_nothing_away(tmp_path: Path):
    (tmp_path / "a.log").write_bytes(b"1\n2\n3\n")
    with Source(str(tmp_path / "a.log")) as opened:
        head, lines = peek(opened.lines(), 2)
        assert [line.number for line in head] == [1, 2]
        assert [line.number for line in lines] == [1, 2, 3]


@pytest.mark.parametrize("content", [b"\xff\xfea\0", b"\xfe\xff\0a"])
def test_utf_16_is_refused_with_the_way_out(tmp_path: Path, content: bytes):
    (tmp_path / "a.log").write_bytes(content)
    with pytest.raises(UserError, match="iconv -f UTF-16"):
        raw_lines(tmp_path / "a.log")


def test_what_cannot_be_opened_is_said_in_one_line(tmp_path: Path):
    with pytest.raises(UserError, match="cannot be opened: Is a directory"):
        Source(str(tmp_path))


def read_rejects(data: bytes) -> list[tuple[int, bytes, str]]:
    """Read the file as its description says: a header with the count of bytes, then that many bytes."""
    found = []
    file = io.BytesIO(data)
    while header := file.readline():
        line, size, reason = re.fullmatch(
            r"# logintel reject: .* line (\d+), (\d+) bytes: (.*)\n", header.decode()
        ).groups()
        raw = file.read(int(size))
        assert raw.endswith(b"\n") or file.read(1) == b"\n"
        found.append((int(line), raw, reason))
    return found


@given(st.lists(st.tuples(st.binary(), st.text(min_size=1))))
def test_rejected_lines_come_back_byte_for_byte(tmp_path_factory: pytest.TempPathFactory, bad: list[tuple[bytes, str]]):
    path = tmp_path_factory.mktemp("rejects") / "a.rejects"
    with Rejects(path) as rejects:
        rejects.write("a.log", [Record(n, n, raw, reason=f"because {reason}") for n, (raw, reason) in enumerate(bad)])
    assert path.exists() == bool(bad)
    found = read_rejects(path.read_bytes()) if bad else []
    assert [(line, raw) for line, raw, _ in found] == [(n, raw) for n, (raw, _) in enumerate(bad)]


def test_rejects_of_a_later_load_are_added(tmp_path: Path):
    for number in (1, 2):
        with Rejects(tmp_path / "a.rejects") as rejects:
            rejects.write("a.log", [Record(number, number, b"bad\n", reason="why")])
    assert [line for line, _, _ in read_rejects((tmp_path / "a.rejects").read_bytes())] == [1, 2]


def test_a_rejects_file_that_cannot_be_written_is_said_in_one_line(tmp_path: Path):
    with Rejects(tmp_path / "missing" / "a.rejects") as rejects, pytest.raises(UserError, match="--rejects"):
        rejects.write("a.log", [Record(1, 1, b"bad\n", reason="why")])
