"""The rejects file: bounded, and never half-written."""

import os
import resource
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logintel.errors import UserError
from logintel.reading.records import Line, Record, rejected, too_long
from logintel.writing.rejects import Rejects

MEGABYTE = 1024**2


def record(number: int, size: int) -> Record:
    return rejected(Line(number, b"x" * (size - 1) + b"\n"), "odd")


def test_what_has_no_room_is_not_kept_and_counted_by_lines(tmp_path: Path):
    with Rejects(tmp_path / "rejects", 1) as rejects:
        assert rejects.write("a.log", [record(1, 500_000)]) == 0
        assert rejects.write("a.log", [record(2, 600_000), record(3, 600_000), record(4, 10)]) == 2
    kept = (tmp_path / "rejects").read_text()
    assert "line 1," in kept and "line 4," in kept and "line 2," not in kept
    with Rejects(tmp_path / "rejects", 1) as rejects:  # what is there of other loads takes room too
        assert rejects.write("b.log", [record(1, 600_000)]) == 1


def test_a_line_in_parts_is_counted_once_and_ends_where_the_room_does(tmp_path: Path):
    parts = [too_long(Line(7, b"0" * 400_000, part)) for part in range(1, 9)]
    with Rejects(tmp_path / "rejects", 1) as rejects:
        assert sum(rejects.write("bomb.gz", [part]) for part in parts) == 1
    assert (tmp_path / "rejects").stat().st_size <= MEGABYTE
    assert (tmp_path / "rejects").read_text().count("# logintel reject: bomb.gz line 7") == 2


@given(st.lists(st.lists(st.integers(1, 700_000), max_size=4), max_size=6))
@settings(max_examples=40, deadline=None)
def test_the_file_never_outgrows_its_room_and_every_line_is_kept_or_counted(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]]
):
    path = tmp_path_factory.mktemp("rejects") / "rejects"
    number = not_kept = 0
    with Rejects(path, 1) as rejects:
        for sizes in batches:
            records = [record(number + offset, size) for offset, size in enumerate(sizes)]
            number += len(sizes)
            not_kept += rejects.write("a.log", records)
    content = path.read_bytes() if path.exists() else b""
    assert len(content) <= MEGABYTE
    assert content.count(b"# logintel reject:") + not_kept == number


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path):
    path = tmp_path / "rejects"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Rejects(path) as rejects:
        rejects.write("a.log", [record(1, 1000)])
        kept = path.read_bytes()
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
            with pytest.raises(
                UserError, match="rejects cannot be written: File too large; say where to with --rejects"
            ):
                rejects.write("a.log", [record(2, 1000), record(3, 9000)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert path.read_bytes() == kept
        assert rejects.write("a.log", [record(2, 1000)]) == 0
    assert path.read_text().count("# logintel reject: a.log line") == 2


def test_a_device_that_is_full_and_a_folder_are_told(tmp_path: Path):
    for path in ("/dev/full", tmp_path, tmp_path / "none" / "rejects"):
        with pytest.raises(UserError, match="cannot be written"), Rejects(Path(path)) as rejects:
            rejects.write("a.log", [record(1, 10)])


def test_without_rejects_no_file_is_made(tmp_path: Path):
    with Rejects(tmp_path / "rejects") as rejects:
        assert rejects.write("a.log", []) == 0
    assert os.listdir(tmp_path) == []
