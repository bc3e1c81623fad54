"""Where lines come from: a file or standard input, gzip or not, read in a stream."""

import gzip
import io
import itertools
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from logintel.errors import UserError
from logintel.reading.records import MAX_LINE_BYTES, Line

_PEEK_BYTES = 4 * 1024 * 1024


class Damaged(Exception):
    """A file cannot be read to its end.

    It comes after the last line that can be read, so a record that has begun is none: more may belong to it.
    """


class Source:
    """An open file (`-`: standard input) and the stream of its lines. A context manager.

    Raises UserError when the file cannot be opened. When it cannot be read to its end, `damage` says why.
    """

    def __init__(self, path: str) -> None:
        """Open `path`; gzip is recognised by its first bytes, whatever the name."""
        self.name = "standard input" if path == "-" else path
        self._file = _open(path)
        try:
            self.size = 0 if path == "-" else Path(path).stat().st_size  # bytes; 0 when nobody knows
            head = self._file.peek(4)[:4]
        except OSError as error:
            raise UserError(f"{self.name} cannot be read: {error.strerror}") from None
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise UserError(f"{self.name} is UTF-16: convert it first, with iconv -f UTF-16 -t UTF-8")
        zipped = head[:2] == b"\x1f\x8b"
        self._data: BinaryIO = gzip.GzipFile(fileobj=self._file) if zipped else self._file
        self._bytes_read = 0
        self.damage: str | None = None

    def __enter__(self) -> "Source":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self._file is not sys.stdin.buffer:
            self._file.close()

    def position(self) -> int:
        """Bytes read so far; compressed ones where `size` counts those."""
        return self._file.tell() if self.size and self._data is not self._file else self._bytes_read

    def lines(self) -> Iterator[Line]:
        """Yield the lines; one that is too long comes in parts, so that memory stays bounded. Raises Damaged."""
        number, part = 1, 0
        try:
            while raw := self._data.readline(MAX_LINE_BYTES):
                self._bytes_read += len(raw)
                ended = raw.endswith(b"\n")
                if part or (not ended and len(raw) == MAX_LINE_BYTES):
                    part += 1
                yield Line(number, raw, part)
                if ended:
                    number, part = number + 1, 0
        except (OSError, EOFError, zlib.error) as error:
            self.damage = f"the file cannot be read beyond line {number - 1}: {error}"
            raise Damaged from None


def peek(lines: Iterator[Line], count: int) -> tuple[list[Line], Iterator[Line]]:
    """Return the first lines (`count` of them, a few megabytes at most) and an iterator over all lines, these too."""
    head: list[Line] = []
    size = 0
    try:
        for line in lines:
            head.append(line)
            size += len(line.raw)
            if len(head) >= count or size >= _PEEK_BYTES:
                break
    except Damaged as damage:
        lines = _failing(damage)
    return head, itertools.chain(head, lines)


def _failing(damage: Damaged) -> Iterator[Line]:
    raise damage
    yield


def _open(path: str) -> io.BufferedReader:
    if path == "-":
        return sys.stdin.buffer
    try:
        return open(path, "rb", buffering=1024 * 1024)
    except OSError as error:
        raise UserError(f"{path} cannot be opened: {error.strerror}") from None
