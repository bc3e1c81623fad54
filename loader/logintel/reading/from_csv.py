"""CSV: from lines to records."""

import csv
from collections import deque
from collections.abc import Iterator
from itertools import dropwhile

from logintel.errors import UserError
from logintel.reading.records import MAX_LINE_BYTES, BadLine, Line, Record, decode, rejected, too_long
from logintel.reading.rows import FieldMap, split_column
from logintel.reading.source import peek

# A quote that is opened and never closed would swallow the rest of the file; real fields hold a few line breaks.
_MAX_LINES_PER_RECORD = 1000
_MAX_BYTES_PER_RECORD = MAX_LINE_BYTES

_Plan = list[tuple[str, list[int]]]  # field, positions of the columns that make it


def csv_records(lines: Iterator[Line], fields: FieldMap, skip: int = 0) -> Iterator[Record]:
    """Yield the records of a CSV file. Its first line is the header, its delimiter the one of , ; TAB most used there.

    A field between quotes may hold line breaks, a record up to 1,000 lines. Blank lines are left out, and so are the
    first `skip` lines of the file. Raises UserError before the first record when a column of --map or every column
    for the message is missing.
    """
    head, lines = peek(lines, 1)
    if not head:
        return
    delimiter = max(",;\t", key=lambda each: head[0].raw.count(each.encode()))
    csv.field_size_limit(_MAX_BYTES_PER_RECORD)
    header = _header(lines, delimiter)
    plan = _plan(header, fields)
    source = _LinesForReader(dropwhile(lambda line: line.number <= skip, lines))
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while (record := _next_record(reader, source, len(header), plan, fields)) is not None:
        if record.row is not None or record.reason:
            yield record


class _LinesForReader:
    """Hands lines to csv.reader as the text it wants, and remembers which ones it took for the current record."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._again: deque[Line] = deque()
        self.taken: list[Line] = []
        self._bytes = 0

    def __iter__(self) -> "_LinesForReader":
        return self

    def __next__(self) -> str:
        """Give the record's next line; none when the record gets too big or meets an over-long line."""
        if len(self.taken) >= _MAX_LINES_PER_RECORD or self._bytes >= _MAX_BYTES_PER_RECORD:
            raise StopIteration
        line = self._again.popleft() if self._again else next(self._lines)
        if line.part and self.taken:
            self._again.appendleft(line)
            raise StopIteration
        self.taken.append(line)
        self._bytes += len(line.raw)
        return "" if line.part else line.raw.decode(errors="surrogateescape")

    def start(self) -> None:
        """Begin a new record."""
        self.taken, self._bytes = [], 0

    def retry(self) -> None:
        """Hand out all lines of the record but the first again: a stray quote must not take other lines along."""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def _header(lines: Iterator[Line], delimiter: str) -> list[str]:
    source = _LinesForReader(lines)
    try:
        header = next(csv.reader(source, delimiter=delimiter, strict=True), [])
        decode(source.taken[0].raw)
    except (csv.Error, BadLine) as error:
        raise UserError(f"line 1 is no CSV header: {error}; save the file as CSV in UTF-8 with a header") from None
    return [name.removeprefix("\ufeff").strip() for name in header]


def _plan(header: list[str], fields: FieldMap) -> _Plan:
    names = tuple(header)
    found = f"its columns are {', '.join(names)[:300]!a}"
    for field, column in fields.chosen.items():
        if not set(split_column(column, names)) <= set(names):
            raise UserError(f"--map {field}={column}: the file has no such column; {found}")
    if not fields.finds_message(names):
        raise UserError(f"no column holds the message: say which with --map message=COLUMN; {found}")
    return [(field, [header.index(column) for column in columns]) for field, columns in fields.plan(names)]


def _next_record(
    reader: Iterator[list[str]], source: _LinesForReader, width: int, plan: _Plan, fields: FieldMap
) -> Record | None:
    """Return the next record, one with neither row nor reason for a blank line, None at the end."""
    source.start()
    try:
        values = next(reader, None)
        if values is None:
            return None
        first, last = source.taken[0], source.taken[-1]
        if first.part:
            return too_long(first)
        raw = first.raw if first is last else b"".join(line.raw for line in source.taken)
        if not values:
            return Record(first.number, last.number, raw)
        decode(raw)
        if len(values) != width:
            raise BadLine(f"{len(values)} fields where the header has {width}")
        row = fields.maker.row(
            (field, values[at[0]] if len(at) == 1 else " ".join(values[each] for each in at)) for field, at in plan
        )
        return Record(first.number, last.number, raw, row)
    except csv.Error as error:
        reason = "a quote is never closed" if "unexpected end" in str(error) else f"invalid CSV: {error}"
    except BadLine as error:
        reason = str(error)
    source.retry()
    return rejected(source.taken[0], reason)
