"""Text: from lines to records, by a pattern."""

import re
from collections.abc import Iterator
from itertools import dropwhile

from logintel.errors import UserError
from logintel.reading.patterns import CONTINUATION, PATTERNS, guess_pattern
from logintel.reading.records import BadLine, Line, Record, decode, rejected, too_long
from logintel.reading.rows import RowMaker

# A log line with more than this behind it is a sign that the pattern does not fit the file.
MAX_CONTINUATION_BYTES = 1024 * 1024
_SYSLOG_LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


def text_records(lines: Iterator[Line], pattern: re.Pattern[str], maker: RowMaker, skip: int = 0) -> Iterator[Record]:
    """Yield the records of a text log: the pattern's groups are the fields, the line as it stands is raw_log.

    A line that the pattern does not fit but that looks like a continuation (see CONTINUATION) is appended to the
    message before it, up to 1 MB in all. Blank lines and the first `skip` lines are left out.
    """
    groups = [group for group in pattern.groupindex if maker.wants("level" if group == "priority" else group)]
    keep_raw = maker.wants("raw_log")
    current: Record | None = None
    more: list[tuple[Line, str]] = []  # what is to be appended to the current record
    size = 0
    for line in dropwhile(lambda line: line.number <= skip, lines):
        if not line.raw.strip():
            continue
        try:
            text = "" if line.part else decode(line.raw)
            match = None if line.part else pattern.fullmatch(text)
            if match is None and current and current.row and not line.part and CONTINUATION.match(text):
                size += len(line.raw)
                if size > MAX_CONTINUATION_BYTES:
                    raise BadLine("more than 1 MB of continuation lines")
                more.append((line, text))
                continue
            following = too_long(line) if line.part else _record(line, text, match, groups, maker, keep_raw)
        except BadLine as error:
            following = rejected(line, str(error))
        if current:
            yield _joined(current, more)
        current, more, size = following, [], 0
    if current:
        yield _joined(current, more)


def choose_pattern(head: list[Line]) -> str:
    """Return the name of the pattern that fits the first lines of a file. Raises UserError when none does."""
    if not any(line.raw.strip() for line in head):
        return "plain"
    texts = [line.raw.decode(errors="replace").rstrip("\r\n").removeprefix("\ufeff") for line in head if not line.part]
    name = guess_pattern(texts)
    if name is None:
        raise UserError(
            f"no known pattern fits the first lines: say --pattern with one of {' '.join(PATTERNS)} (plain: every line "
            r"is a message), or your own such as '(?P<timestamp>\S+) (?P<level>\w+) (?P<message>.*)'"
        )
    return name


def _record(
    line: Line, text: str, match: re.Match[str] | None, groups: list[str], maker: RowMaker, keep_raw: bool
) -> Record:
    if match is None:
        raise BadLine("does not fit the pattern")
    values = [_value(group, match[group]) for group in groups]
    if keep_raw:
        values.append(("raw_log", text))
    return Record(line.number, line.number, line.raw, maker.row(values))


def _value(group: str, text: str | None) -> tuple[str, str | None]:
    if group == "priority":
        return "level", text and _SYSLOG_LEVELS[int(text) % 8]
    return group, None if text == "-" and group != "message" else text


def _joined(record: Record, more: list[tuple[Line, str]]) -> Record:
    if more:
        texts = [text for _, text in more]
        for field in record.row.keys() & {"message", "raw_log"}:
            record.row[field] = "\n".join([str(record.row[field] or ""), *texts])
        record.raw = b"".join([record.raw, *(line.raw for line, _ in more)])
        record.last = more[-1][0].number
    return record
