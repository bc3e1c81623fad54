"""CSV: from lines to records."""

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import dropwhile

from logintel.reading.csv_headers import CSVLOG, csvlog_columns, header_of, preamble
from logintel.reading.from_objects import ObjectReader
from logintel.reading.records import MAX_LINE_BYTES, BadLine, Line, Record, decode, rejected, too_long
from logintel.reading.rows import FieldMap
from logintel.reading.shapes.recognised import shape_of
from logintel.reading.source import peek

# A quote that is opened and never closed would swallow the rest of the file; real fields hold a few line breaks.
_MAX_LINES_PER_RECORD = 1000
_MAX_BYTES_PER_RECORD = MAX_LINE_BYTES

_LINES_TO_TRY = 100
_Values = Callable[[list[str]], Iterable[tuple[str, object]]]  # from a row's values to (field, value)


def csv_records(lines: Iterator[Line], fields: FieldMap, skip: int = 0) -> Iterator[Record]:
    """Yield the records of a CSV file. Its first line is the header, its delimiter the one of , ; TAB most used there.

    A field between quotes may hold line breaks, a record up to 1,000 lines. Blank lines are left out, and so are the
    first `skip` lines of the file. Raises UserError before the first record when a column of --map or every column
    for the message is missing, and when the first line is no header.
    """
    head, lines = peek(lines, _LINES_TO_TRY)
    if not head:
        return
    before = preamble(head)
    for _ in range(before):
        next(lines)
    header = header_of(head[before:], fields)
    yield from _records(dropwhile(lambda line: line.number <= max(skip, before + header.lines), lines),
                        header.names, header.delimiter, fields)  # fmt: skip


def csvlog_records(lines: Iterator[Line], fields: FieldMap, skip: int = 0) -> Iterator[Record]:
    """Yield the records of PostgreSQL's csvlog, which has no header. Raises UserError for a file that is none."""
    head, lines = peek(lines, _LINES_TO_TRY)
    if head:
        columns = csvlog_columns(head)
        yield from _records(dropwhile(lambda line: line.number <= skip, lines), CSVLOG[:columns], ",", fields)


def _records(lines: Iterator[Line], names: list[str], delimiter: str, fields: FieldMap) -> Iterator[Record]:
    csv.field_size_limit(_MAX_BYTES_PER_RECORD)
    source = _LinesForReader(lines)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    values_of = _values_of(names, fields)
    while (record := _next_record(reader, source, len(names), values_of, fields)) is not None:
        if record.row is not None or record.reason:
            yield record


def _values_of(names: list[str], fields: FieldMap) -> _Values:
    if shape_of(dict.fromkeys(names)):
        objects = ObjectReader(fields)
        return lambda values: (objects.values(dict(zip(names, values, strict=True))) or {}).items()
    plan = [(field, [names.index(column) for column in columns]) for field, columns in fields.plan(tuple(names))]
    return lambda values: (
        (field, values[at[0]] if len(at) == 1 else " ".join(values[each] for each in at)) for field, at in plan
    )


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


def _next_record(
    reader: Iterator[list[str]], source: _LinesForReader, width: int, values_of: _Values, fields: FieldMap
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
        return Record(first.number, last.number, raw, fields.maker.row(values_of(values)))
    except csv.Error as error:
        reason = "a quote is never closed" if "unexpected end" in str(error) else f"invalid CSV: {error}"
    except BadLine as error:
        reason = str(error)
    source.retry()
    return rejected(source.taken[0], reason)
