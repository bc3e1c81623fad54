"""The file of rejected lines.

Each record is a header line and then the rejected bytes as they stood in the source:

    # logintel reject: app.log line 12, 34 bytes: does not fit the pattern
    ...the 34 bytes, line end included; when they have none, one is added...

So a person can read it, the byte count tells exactly where the original ends, and
`grep -av '^# logintel reject: ' app.log.rejects` gives the lines alone, to be mended and loaded.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from logintel.errors import UserError
from logintel.reading.records import Record


class Rejects:
    """Appends rejected records to a file, which is made with the first of them. A context manager."""

    def __init__(self, path: Path) -> None:
        """Remember where to write; nothing is opened yet."""
        self.path = path
        self._file: BinaryIO | None = None

    def __enter__(self) -> "Rejects":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def write(self, source: str, records: Iterable[Record]) -> None:
        """Append the records and hand them to the operating system. Raises UserError when that fails."""
        try:
            for record in records:
                if self._file is None:
                    self._file = self.path.open("ab")
                where = f"{source} line {record.first}, {len(record.raw)} bytes"
                header = " ".join(f"# logintel reject: {where}: {record.reason}".split())
                self._file.write(header.encode(errors="backslashreplace") + b"\n" + record.raw)
                self._file.write(b"" if record.raw.endswith(b"\n") else b"\n")
            if self._file:
                self._file.flush()
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}; say where to with --rejects") from None
