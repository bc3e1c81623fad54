"""JSON lines: from lines to records."""

import json
from collections.abc import Iterator

from logintel.errors import UserError
from logintel.reading.from_objects import ObjectReader
from logintel.reading.from_text import text_records
from logintel.reading.layouts.layout import Layout, Values
from logintel.reading.records import BadLine, Line, Record, decode
from logintel.reading.rows import FieldMap
from logintel.reading.source import peek
from logintel.reading.values import check_text

_LINES_TO_TRY = 100


def jsonl_records(lines: Iterator[Line], fields: FieldMap, skip: int = 0) -> Iterator[Record]:
    """Yield the records of a file with one JSON object a line. Blank lines and the first `skip` lines are left out.

    Raises UserError before the first record when none of the first 100 lines has a message, and for a JSON array.
    """
    head, lines = peek(lines, _LINES_TO_TRY)
    layout = JsonLines(fields)
    _check_head(head, layout.reader)
    yield from text_records(lines, layout, fields.maker, skip)


class JsonLines(Layout):
    """One object a line: the layout of JSON lines."""

    is_text = False

    def __init__(self, fields: FieldMap) -> None:
        """Read the fields that the user chose, or that have usual names."""
        self.reader = ObjectReader(fields)

    def read(self, text: str) -> Values:
        """Return the values of a line. Raises BadLine when it is no object, or one without a message."""
        values = self.reader.values(json_object(text))
        if values is None:
            raise BadLine("no message")
        if "\\u" in text:  # only an escape can bring in what the text itself cannot hold
            for value in values.values():
                for part in value if isinstance(value, list) else [value]:
                    check_text(part if isinstance(part, str) else json.dumps(part, ensure_ascii=False))
        return values

    def continued(self, text: str) -> None:
        """Say that every line is a record."""


def json_object(text: str) -> dict[str, object]:
    """Return the object that a line holds. Raises BadLine when it holds none."""
    try:
        found = json.loads(text)
    except RecursionError:
        raise BadLine("invalid JSON: nested too deeply") from None
    except ValueError as error:
        raise BadLine(f"invalid JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadLine("not a JSON object")
    return found


def _check_head(head: list[Line], reader: ObjectReader) -> None:
    keys: tuple[str, ...] = ()
    for line in head:
        start = line.content.strip().removeprefix(b"\xef\xbb\xbf")
        if start == b"[" or start.startswith(b"[{"):
            raise UserError("the file is a JSON array: write one object a line first, with jq -c '.[]'")
        if start == b"{":
            raise UserError("the objects in the file have several lines: write one a line first, with jq -c .")
        try:
            found = json_object(decode(line.content))
        except BadLine:
            continue
        if reader.values(found) is not None:
            return
        keys = keys or tuple(found)
    if keys:
        raise UserError(
            "no key holds the message: say which with --map message=KEY (a.b for a nested one); "
            f"the first object has {', '.join(keys)[:300]!a}"
        )
