"""JSON lines: from lines to records."""

import json
from collections.abc import Iterator
from itertools import dropwhile

from logintel.errors import UserError
from logintel.reading.records import BadLine, Line, Record, decode, rejected, too_long
from logintel.reading.rows import FieldMap, check_text
from logintel.reading.source import peek

_LINES_TO_TRY = 100
_MISSING = object()


def jsonl_records(lines: Iterator[Line], fields: FieldMap, skip: int = 0) -> Iterator[Record]:
    """Yield the records of a file with one JSON object a line. Blank lines and the first `skip` lines are left out.

    Raises UserError before the first record when none of the first 100 lines has a message, and for a JSON array.
    """
    head, lines = peek(lines, _LINES_TO_TRY)
    _check_head(head, fields)
    for line in dropwhile(lambda line: line.number <= skip, lines):
        if line.part:
            yield too_long(line)
        elif line.raw.strip():
            try:
                yield Record(line.number, line.number, line.raw, _row(line.raw, fields))
            except BadLine as error:
                yield rejected(line, str(error))


def _check_head(head: list[Line], fields: FieldMap) -> None:
    keys: tuple[str, ...] = ()
    for line in head:
        start = line.raw.strip()
        if start == b"[" or start.startswith(b"[{"):
            raise UserError("the file is a JSON array: write one object a line first, with jq -c '.[]'")
        try:
            found = _object(line.raw)
        except BadLine:
            continue
        if _values(found, fields) is not None:
            return
        keys = keys or tuple(found)
    if keys:
        raise UserError(
            "no key holds the message: say which with --map message=KEY (a.b for a nested one); "
            f"the first object has {', '.join(keys)[:300]!a}"
        )


def _row(raw: bytes, fields: FieldMap) -> dict[str, object]:
    values = _values(_object(raw), fields)
    if values is None:
        raise BadLine("no message")
    row = fields.maker.row(values)
    if b"\\u" in raw:  # only an escape can bring in what the bytes themselves cannot hold
        for value in row.values():
            check_text("".join(value) if isinstance(value, list) else str(value))
    return row


def _object(raw: bytes) -> dict[str, object]:
    try:
        found = json.loads(decode(raw))
    except RecursionError:
        raise BadLine("invalid JSON: nested too deeply") from None
    except ValueError as error:
        raise BadLine(f"invalid JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadLine("not a JSON object")
    return found


def _values(found: dict[str, object], fields: FieldMap) -> list[tuple[str, object]] | None:
    """Return (field, value) for what the object holds; None when it should hold a message and doesn't."""
    pairs = [
        (field, found[columns[0]] if columns[0] in found and len(columns) == 1 else _joined(found, columns))
        for field, columns in fields.plan(tuple(found))
    ]
    values = [(field, value) for field, value in pairs if value is not _MISSING]
    if fields.maker.wants("message") and all(field != "message" for field, _ in values):
        return None
    return values


def _joined(found: dict[str, object], names: tuple[str, ...]) -> object:
    values = [_nested(found, name) for name in names]
    if len(values) == 1 or _MISSING in values:
        return values[0] if len(values) == 1 else _MISSING
    return " ".join(str(value) for value in values)


def _nested(found: dict[str, object], name: str) -> object:
    """Return the value of a key, or of a dotted path to a nested key; _MISSING when there is none."""
    if name in found:
        return found[name]
    value: object = found
    for key in name.split("."):
        if not isinstance(value, dict) or key not in value:
            return _MISSING
        value = value[key]
    return value
