"""Text: from lines to records, by a layout. One record may have several lines."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import dropwhile

from logintel.errors import UserError
from logintel.reading.layouts.layout import Layout, Values
from logintel.reading.patterns import PATTERNS, guess_pattern
from logintel.reading.records import BadLine, Line, Record, decode, rejected, too_long, without_escapes
from logintel.reading.rows import RowMaker
from logintel.reading.timestamps import is_certain

# A log line with more than this behind it is a sign that the pattern does not fit the file.
MAX_CONTINUATION_BYTES = 1024 * 1024
_CHARACTERS_TO_GUESS_FROM = 4000  # of a line


def text_records(lines: Iterator[Line], layout: Layout, maker: RowMaker, skip: int = 0) -> Iterator[Record]:
    """Yield the records of a text log; the line as it stands is raw_log.

    A line that begins no record but goes on with one (see the layout) is appended to the message before it, up to 1 MB
    in all. Blank lines and the first `skip` lines are left out.
    """
    keep_raw = layout.is_text and maker.wants("raw_log")
    current: _Begun | None = None
    for line in dropwhile(lambda line: line.number <= skip, lines):
        if not line.content.strip():
            continue
        try:
            following = _begun(line, layout, current)
        except BadLine as error:
            following = rejected(line, str(error))
        if following is current:
            continue
        if current:
            yield current.record(layout, maker, keep_raw)
        current = following if isinstance(following, _Begun) else None
        if isinstance(following, Record):
            yield following
    if current:
        yield current.record(layout, maker, keep_raw)


def _begun(line: Line, layout: Layout, current: "_Begun | None") -> "_Begun | Record":
    """Return the record that a line begins, or `current` when the line goes on with it. Raises BadLine."""
    if line.part:
        return too_long(line)
    if layout.is_wrapped and not line.wrapped:
        raise BadLine("not a line of a container's log")
    raw = text = decode(line.content)
    if layout.is_text:
        text = without_escapes(raw)
    if line.wrapped:
        raw = decode(line.raw)
    values = layout.read(text)
    if values is None and current and current.lines[0].stream == line.stream:
        more = layout.continued(text)
        if more is not None:
            current.add(line, raw, more)
            return current
    return _Begun([line], [raw], layout.alone(text) if values is None else values)


def choose_pattern(head: list[Line]) -> str:
    """Return the name of the layout that the first lines of a file have. Raises UserError when none does."""
    if not any(line.content.strip() for line in head):
        return "plain"
    name = guess_pattern(texts_of(head))
    if name is None:
        raise UserError(
            f"no known pattern fits the first lines: say --pattern with one of {' '.join(PATTERNS)} (plain: every line "
            r"is a message), or your own such as '(?P<timestamp>\S+) (?P<level>\w+) (?P<message>.*)'; --format says "
            "that it is csv, csvlog or jsonl"
        )
    return name


def texts_of(head: list[Line]) -> list[str]:
    """Return the first lines of a file as text to guess from."""
    texts = (
        line.content.decode(errors="replace").rstrip("\r\n").removeprefix("\ufeff") for line in head if not line.part
    )
    return [without_escapes(text)[:_CHARACTERS_TO_GUESS_FROM] for text in texts]


@dataclass(slots=True)
class _Begun:
    """A record whose first lines are read."""

    lines: list[Line]
    raws: list[str]  # the same as text
    values: Values
    more: list[str] = field(default_factory=list)
    _size: int = 0

    def add(self, line: Line, raw: str, text: str) -> None:
        """Append a line. Raises BadLine when the record has too many of them."""
        self._size += len(line.raw)
        if self._size > MAX_CONTINUATION_BYTES:
            raise BadLine("more than 1 MB of continuation lines")
        self.lines.append(line)
        self.raws.append(raw)
        self.more.append(text)

    def record(self, layout: Layout, maker: RowMaker, keep_raw: bool) -> Record:
        """Return the whole record."""
        first, last = self.lines[0], self.lines[-1]
        raw = first.raw if first is last else b"".join(line.raw for line in self.lines)
        made = Record(first.number, last.last, raw, open=last.open)
        try:
            values = layout.finished(self.values, self.more)
            if first.wrapped and not is_certain(values.get("timestamp") or ""):
                values = values | {"timestamp": first.wrapped.timestamp}
            if keep_raw:
                values = values | {"raw_log": "\n".join(self.raws)}
            made.row = maker.row(values.items())
        except BadLine as error:
            made.reason = str(error)
        return made
