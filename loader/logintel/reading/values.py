"""Single values: from what a file says to what a column of the log table takes."""

import json
import re
from collections.abc import Callable

from logintel.reading.records import BadLine, without_escapes

_INTEGER = re.compile(r"([+-]?\d{1,20})(?:\.0*)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_BOOLEANS = {"true": True, "t": True, "yes": True, "y": True, "1": True,
             "false": False, "f": False, "no": False, "n": False, "0": False}  # fmt: skip


def check_text(text: str) -> None:
    """Raise BadLine for what Postgres text cannot hold: NUL and halves of surrogate pairs."""
    if "\0" in text:
        raise BadLine("NUL in a value")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadLine("half a surrogate pair in a value") from None


def as_text(_: str, value: object) -> str:
    """Return the value as text: what is no string as JSON, and without orders to a terminal."""
    return without_escapes(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _raw(_: str, value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _boolean(field: str, value: object) -> bool:
    known = _BOOLEANS.get(str(value).strip().lower())
    if known is None:
        raise _unreadable("boolean", field, value)
    return known


def _integer(field: str, value: object) -> int:
    match = _INTEGER.fullmatch(str(value).strip())
    if not match:
        raise _unreadable("integer", field, value)
    return int(match[1])


def _number(field: str, value: object) -> float:
    text = str(value).strip()
    if not _NUMBER.fullmatch(text):
        raise _unreadable("number", field, value)
    return float(text)


def _tags(field: str, value: object) -> list[str]:
    """Read a JSON array, or names separated by commas."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else value.split(",")
        except (ValueError, RecursionError):
            raise _unreadable("array", field, value) from None
    if not isinstance(value, list):
        raise _unreadable("array", field, value)
    return [as_text(field, tag).strip() for tag in value]


def _unreadable(kind: str, field: str, value: object) -> BadLine:
    text = str(value)
    return BadLine(f"unreadable {kind} in {field}: {text[:64]!a}{'...' * (len(text) > 64)}")


CONVERTERS: dict[str, Callable[[str, object], object]] = {
    "raw_log": _raw,
    "is_anomaly": _boolean,
    "http_status": _integer,
    "response_time_ms": _number,
    "tags": _tags,
}
"""How the fields that aren't plain text (as_text) are read; each raises BadLine for what is none."""
