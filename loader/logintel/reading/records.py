"""What travels through a load: lines as they stand in the file, and records made of them."""

import re
from dataclasses import dataclass
from typing import NamedTuple

# Nothing that writes logs writes longer lines; the bound keeps memory small whatever the file holds.
MAX_LINE_BYTES = 16 * 1024 * 1024


class BadLine(Exception):
    """Why a line cannot become a row; str() is the reason for the rejects file."""


class Line(NamedTuple):
    """One line of a file, or one part of a line that is longer than MAX_LINE_BYTES."""

    number: int  # from 1, as an editor counts
    raw: bytes  # with its line end
    part: int = 0  # 0: a whole line; 1, 2, ...: this part of an over-long one
    wrapped: "Wrapped | None" = None
    open: bool = False  # lines of another stream, which come after it, begin before its end

    @property
    def content(self) -> bytes:
        """What the program wrote: the line itself, or what its wrapper holds."""
        return self.wrapped.content if self.wrapped else self.raw

    @property
    def last(self) -> int:
        """The number of the last line that it is made of."""
        return self.wrapped.last if self.wrapped else self.number

    @property
    def stream(self) -> str:
        """The stream of the container that it came from; empty for a line that is no container's."""
        return self.wrapped.stream if self.wrapped else ""


class Wrapped(NamedTuple):
    """What the wrapper of a container's runtime says of the line in it."""

    content: bytes  # the line as the program wrote it
    timestamp: str  # when the runtime took it
    stream: str  # stdout or stderr
    last: int  # the number of the last line of the file that holds a part of it


@dataclass(slots=True)
class Record:
    """One or more whole lines that belong together: a row for the log table, or the reason why there is none."""

    first: int  # line numbers, both inclusive
    last: int
    raw: bytes
    row: dict[str, object] | None = None  # field -> value
    reason: str | None = None
    repeated: bool = False  # a further part of a line that was counted already
    open: bool = False  # a following record has earlier lines: a load that ends here has not settled them

    def reject(self, reason: str) -> None:
        """Turn the record into a rejected one."""
        self.row, self.reason = None, reason


def rejected(line: Line, reason: str) -> Record:
    """Make the record of a single line that is rejected."""
    return Record(line.number, line.last, line.raw, reason=reason, open=line.open)


def too_long(line: Line) -> Record:
    """Make the record of one part of an over-long line."""
    reason = f"longer than {MAX_LINE_BYTES // 1024**2} MB (part {line.part})"
    return Record(line.number, line.number, line.raw, reason=reason, repeated=line.part > 1)


def decode(raw: bytes) -> str:
    """Return the text of `raw` without its line end and without a byte order mark.

    Raises BadLine for bytes that aren't UTF-8, and for NUL, which Postgres text cannot hold.
    """
    nul = raw.find(b"\0")
    if nul >= 0:
        raise BadLine(f"NUL at byte {nul + 1}")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise BadLine(f"invalid UTF-8 at byte {error.start + 1}") from None
    return text.removesuffix("\n").removesuffix("\r").removeprefix("\ufeff")


# Colours and other orders to a terminal; #033 is how rsyslog writes their first character.
_ESCAPES = re.compile(r"(?:\x1b|#033)\[[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b\][^\x07\x1b]{0,1000}(?:\x07|\x1b\\)")


def without_escapes(text: str) -> str:
    """Return the text without colours and other orders to a terminal."""
    return _ESCAPES.sub("", text) if "\x1b" in text or "#033[" in text else text
