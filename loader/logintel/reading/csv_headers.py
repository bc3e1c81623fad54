"""What the first lines of a CSV file tell: its delimiter, its columns, and whether it has a header at all."""

import csv
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from logintel.errors import UserError
from logintel.reading.layouts.postgres_words import SEVERITIES
from logintel.reading.records import MAX_LINE_BYTES, BadLine, Line, decode
from logintel.reading.rows import FieldMap, split_column
from logintel.reading.shapes.recognised import shape_of
from logintel.reading.timestamps import Timestamps

# The columns of PostgreSQL's csvlog. Version 12 had 23 of them, 13 has 24, and since 14 there are 26.
_CSVLOG = """
    log_time user_name database_name process_id connection_from session_id session_line_num command_tag
    session_start_time virtual_transaction_id transaction_id error_severity sql_state_code message detail hint
    internal_query internal_query_pos context query query_pos location application_name backend_type leader_pid query_id
"""
CSVLOG = _CSVLOG.split()
_LEAST_CSVLOG = 22
_LOG_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \S{1,8}", re.ASCII)
_SEVERITY = CSVLOG.index("error_severity")
_NUMBER = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?", re.ASCII)
# What the event viewer of Windows exports: it gives the last column, the message, no name.
_EVENT_VIEWER = ["level", "date and time", "source", "event id", "task category"]


class Header(NamedTuple):
    """The header of a CSV file."""

    names: list[str]
    delimiter: str
    lines: int  # that it takes


def preamble(head: Sequence[Line]) -> int:
    """Return how many lines stand before the header: PowerShell's `#TYPE ...`, Excel's `sep=;`."""
    first = _text(head[0]).lower()
    return int(first.startswith("#type ") or re.fullmatch(r'"?sep=.?"?', first) is not None)


def delimiter_of(line: Line) -> str:
    """Return the delimiter of , ; TAB that a header uses most."""
    return max(",;\t", key=lambda each: line.raw.count(each.encode()))


def header_of(head: Sequence[Line], fields: FieldMap) -> Header:
    """Return the header, which `head` begins with. Raises UserError when there is none, or none that serves."""
    if not head:
        raise UserError("there is no CSV header")
    number = head[0].number
    delimiter = delimiter_of(head[0])
    rows = _rows(head, delimiter, strict=True)
    try:
        decode(head[0].raw)
        names = [name.removeprefix("\ufeff").strip() for name in next(rows, [])]
    except (csv.Error, BadLine) as error:
        raise UserError(
            f"line {number} is no CSV header: {error}; save the file as CSV in UTF-8 with a header"
        ) from None
    taken = rows.lines_taken
    if [name.lower() for name in names] == _EVENT_VIEWER:
        names.append("Message")
    if is_csvlog(head):
        raise UserError("it is PostgreSQL's csvlog, which has no header: say --format csvlog")
    others = [row for row in _rows(head[taken:], delimiter) if len(row) == len(names)]
    if _is_data(names, others):
        raise UserError(
            f"line {number} is data, no header: put the names of the columns before it, such as sed "
            f"'1i timestamp{delimiter}level{delimiter}message' FILE | logintel load - --format csv"
        )
    _check(names, fields)
    return Header(names, delimiter, taken)


def csvlog_columns(head: Sequence[Line]) -> int:
    """Return how many columns a csvlog has. Raises UserError for a file that is none."""
    for row in _rows(head, ","):
        if _is_csvlog_row(row):
            return len(row)
    raise UserError(
        f"the first lines are no csvlog of PostgreSQL: {_LEAST_CSVLOG} to {len(CSVLOG)} columns, a time with its zone "
        "first and the severity 12th; without --format csvlog its content tells what it is"
    )


def is_csvlog(lines: Sequence[Line]) -> bool:
    """Say whether a file begins as PostgreSQL's csvlog does."""
    return _is_csvlog_row(next(_rows(lines, ","), []))


def is_csv(lines: Sequence[Line], fields: FieldMap) -> bool:
    """Say whether a file begins with a header that serves, and goes on with rows that fit it."""
    before = preamble(lines)
    if before:
        return True
    delimiter = delimiter_of(lines[0])
    rows = list(_rows(lines, delimiter))
    names = tuple(name.strip() for name in rows[0]) if rows else ()
    if len(names) < 2 or [name.lower() for name in names] == _EVENT_VIEWER:
        return len(names) > 1
    serves = fields.chosen.keys() & {"message"} or fields.finds_message(names) or shape_of(dict.fromkeys(names))
    return bool(serves) and 2 * sum(len(row) == len(names) for row in rows[1:]) >= len(rows) - 1


def is_table(lines: Sequence[Line]) -> bool:
    """Say whether all lines have the same columns, three or more, though nothing tells what they are."""
    widths = {len(row) for row in _rows(lines, delimiter_of(lines[0])) if row}
    return len(lines) > 1 and len(widths) == 1 and min(widths) > 2


def _check(names: list[str], fields: FieldMap) -> None:
    found = f"its columns are {', '.join(names)[:300]!a}"
    for field, column in fields.chosen.items():
        if not set(split_column(column, names)) <= set(names):
            raise UserError(f"--map {field}={column}: the file has no such column; {found}")
    if not fields.finds_message(tuple(names)):
        raise UserError(f"no column holds the message: say which with --map message=COLUMN; {found}")


def _is_data(names: list[str], others: list[list[str]]) -> bool:
    """Say whether a first line has what no name is: a number, a time, a value that other rows have too."""
    if any(_NUMBER.fullmatch(name) or _is_time(name) for name in names):
        return True
    others = [row for row in others if row != names]  # files put together repeat their header
    return any(name and any(row[at].strip() == name for row in others) for at, name in enumerate(names))


def _is_time(text: str) -> bool:
    try:
        Timestamps().parse(text)
    except BadLine as error:
        return "--time-zone" in str(error)
    return True


def _is_csvlog_row(row: list[str]) -> bool:
    return (
        _LEAST_CSVLOG <= len(row) <= len(CSVLOG)
        and _LOG_TIME.fullmatch(row[0].removeprefix("\ufeff")) is not None
        and row[_SEVERITY] in SEVERITIES
    )


class _rows:
    """The rows of the first lines, as far as they can be read; `lines_taken`: by the rows so far."""

    def __init__(self, lines: Sequence[Line], delimiter: str, *, strict: bool = False) -> None:
        csv.field_size_limit(MAX_LINE_BYTES)
        self.lines_taken = 0
        self._strict = strict
        self._lines = iter([line for line in lines if not line.part])
        self._reader = csv.reader(self._texts(), delimiter=delimiter, strict=strict)

    def _texts(self) -> Iterator[str]:
        for line in self._lines:
            self.lines_taken += 1
            yield _text(line) + "\n"

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        try:
            return next(self._reader)
        except csv.Error:
            if self._strict:
                raise
            raise StopIteration from None


def _text(line: Line) -> str:
    return line.raw.decode(errors="surrogateescape").rstrip("\r\n").removeprefix("\ufeff")
