"""The kinds of files, and what a file's name tells of its kind."""

from enum import StrEnum
from pathlib import PurePath

from logintel.errors import UserError


class Format(StrEnum):
    """The kinds of files."""

    CSV = "csv"
    JSONL = "jsonl"
    TEXT = "text"


_FORMAT_OF_SUFFIX = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".json": Format.JSONL,
    ".log": Format.TEXT,
    ".txt": Format.TEXT,
}


def guess_format(path: str) -> Format:
    """Tell the format by the file's name. Raises UserError when the name doesn't tell."""
    found = _FORMAT_OF_SUFFIX.get(PurePath(path.lower().removesuffix(".gz")).suffix)
    if found is None:
        what = "standard input has no name to tell its format" if path == "-" else f"{path}: its name tells no format"
        raise UserError(f"{what}; say --format csv, jsonl or text")
    return found
