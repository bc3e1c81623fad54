"""The kinds of files, and the guess from its first lines which kind a file is."""

import json
from collections.abc import Iterable
from enum import StrEnum
from pathlib import PurePath

from logintel.reading.containers import cri_part, docker_part
from logintel.reading.csv_headers import is_csv, is_csvlog, is_table
from logintel.reading.from_text import texts_of
from logintel.reading.patterns import guess_pattern
from logintel.reading.records import Line
from logintel.reading.rows import FieldMap


class Format(StrEnum):
    """The kinds of files."""

    CSV = "csv"
    CSVLOG = "csvlog"
    JSONL = "jsonl"
    TEXT = "text"
    CRI = "cri"
    DOCKER = "docker"


_LINES_TO_TRY = 100
_FORMAT_OF_SUFFIX = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".json": Format.JSONL,
}


def named_format(path: str) -> Format | None:
    """Tell the format by the file's name; None when the name says nothing."""
    return _FORMAT_OF_SUFFIX.get(PurePath(path.lower().removesuffix(".gz")).suffix)


def guess_format(path: str, head: list[Line], fields: FieldMap) -> Format:
    """Tell the format by the file's first lines; by its name, and as text at last, only where they don't tell."""
    lines = [line for line in head if not line.part and line.content.strip()][:_LINES_TO_TRY]
    if not lines:
        return named_format(path) or Format.TEXT
    raws = [line.raw for line in lines]
    for kind, read in ((Format.CRI, cri_part), (Format.DOCKER, docker_part)):
        if _most(read(raw) is not None for raw in raws):
            return kind
    first = raws[0].strip().removeprefix(b"\xef\xbb\xbf")
    if _most(map(_is_object, raws)) or first in (b"[", b"{") or first.startswith(b"[{"):
        return Format.JSONL
    if is_csvlog(lines):
        return Format.CSVLOG
    if guess_pattern(texts_of(lines[:1])) is None and is_csv(lines, fields):
        return Format.CSV
    if guess_pattern(texts_of(head)):
        return Format.TEXT
    return named_format(path) or (Format.CSV if is_table(lines) else Format.TEXT)


def _is_object(raw: bytes) -> bool:
    try:
        return raw.lstrip(b"\xef\xbb\xbf \t").startswith(b"{") and isinstance(json.loads(raw.decode("utf-8-sig")), dict)
    except (ValueError, RecursionError):
        return False


def _most(answers: Iterable[bool]) -> bool:
    said = list(answers)
    return sum(said) * 2 >= len(said)
