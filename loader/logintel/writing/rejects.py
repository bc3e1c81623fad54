"""The file of rejected lines.

Each record is a header line and then the rejected bytes as they stood in the source:

    # logintel reject: app.log line 12, 34 bytes: does not fit the pattern
    ...the 34 bytes, line end included; when they have none, one is added...

So a person can read it, the byte count tells exactly where the original ends, and
`grep -av '^# logintel reject: ' app.log.rejects` gives the lines alone, to be mended and loaded.

A file that unpacks to a thousand times its size must not fill the disk: the rejects file grows to a given size, and
what it has no room for is counted.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from io import FileIO
from pathlib import Path

from logintel.errors import UserError
from logintel.reading.records import Record

MAX_MEGABYTES = 100


class Rejects:
    """Appends rejected records to a file, which is made with the first of them. A context manager."""

    def __init__(self, path: Path, megabytes: int = MAX_MEGABYTES) -> None:
        """Remember where to write, and how large that file may become; nothing is opened yet."""
        self.path = path
        self._limit = megabytes * 1024**2
        self._file: FileIO | None = None
        self._size = 0
        self._cut_line = 0  # the last line of which something was not kept

    def __enter__(self) -> "Rejects":
        """Return itself."""
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Close the file. Raises UserError when it says only now that it is not written."""
        try:
            if self._file:
                self._file.close()
        except OSError as refused:
            if error is None:
                raise self._error(refused) from None

    def write(self, source: str, records: Iterable[Record]) -> int:
        """Append the records and hand them to the operating system; return of how many lines something is not kept.

        Raises UserError when they cannot be written; then the file is as it was before.
        """
        kept: list[bytes] = []
        size, not_kept = self._size, 0
        try:
            for record in records:
                size = size if self._file else self._open()
                entry = _entry(source, record)
                entry_size = sum(map(len, entry))
                continues_cut = record.repeated and record.first == self._cut_line
                if continues_cut or size + entry_size > self._limit:
                    not_kept += not continues_cut
                    self._cut_line = record.first
                else:
                    kept += entry
                    size += entry_size
            if kept:
                self._write(b"".join(kept))
        except OSError as error:
            raise self._error(error) from None
        self._size = size
        return not_kept

    def _open(self) -> int:
        """Open the file and return its size. Raises OSError."""
        self._file = FileIO(self.path, "a")  # unbuffered: what could not be written must not be tried again later
        self._size = os.fstat(self._file.fileno()).st_size
        return self._size

    def _write(self, content: bytes) -> None:
        """Write all of it or nothing. Raises OSError."""
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException:
            with suppress(OSError):  # a pipe, a device
                os.truncate(self._file.fileno(), self._size)
            raise

    def _error(self, error: OSError) -> UserError:
        return UserError(f"{self.path} cannot be written: {error.strerror}; say where to with --rejects")


def _entry(source: str, record: Record) -> tuple[bytes, bytes, bytes]:
    where = f"{source} line {record.first}, {len(record.raw)} bytes"
    header = " ".join(f"# logintel reject: {where}: {record.reason}".split())
    return header.encode(errors="backslashreplace") + b"\n", record.raw, b"" if record.raw.endswith(b"\n") else b"\n"
