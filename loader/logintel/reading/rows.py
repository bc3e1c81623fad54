"""From CSV columns, JSON keys or a pattern's groups to the fields of the log table."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from logintel.errors import UserError
from logintel.reading.records import BadLine
from logintel.reading.timestamps import Timestamps

# What a field is called elsewhere, the likeliest first, in lower case. `a+b`: both, joined by a blank.
ALIASES = {
    "log_id": ("uuid",),
    "timestamp": ("@timestamp", "ts", "datetime", "asctime", "month+date+time", "date+day+time", "date+time", "time"),
    "level": ("severity", "loglevel", "log_level", "log.level", "levelname", "lvl", "severity_text", "severitytext"),
    "message": ("msg", "content", "body", "text", "log"),
    "source_type": ("sourcetype", "system"),
    "host": ("hostname", "host.name", "_hostname"),
    "service": ("component", "logger", "logger_name", "service.name", "service_name", "module", "app", "application",
                "program", "syslog_identifier", "name"),
    "category": (),
    "tags": (),
    "raw_log": ("_raw", "event.original"),
    "is_anomaly": ("anomaly",),
    "anomaly_type": (),
    "http_status": ("status_code", "statuscode", "http.response.status_code"),
    "response_time_ms": ("responsetime", "duration_ms", "elapsed_ms", "latency_ms"),
}  # fmt: skip
FIELDS = tuple(ALIASES)

_INTEGER = re.compile(r"([+-]?\d{1,20})(?:\.0*)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_BOOLEANS = {"true": True, "t": True, "yes": True, "y": True, "1": True,
             "false": False, "f": False, "no": False, "n": False, "0": False}  # fmt: skip


def check_field(field: str, option: str) -> None:
    """Raise UserError unless the log table can have a field of this name."""
    if field not in ALIASES:
        raise UserError(f"{option} {field}: no such field; the fields are {' '.join(FIELDS)}")


class RowMaker:
    """Turns the values of a line into a row: typed, without empty values, with the load's constants (--set).

    `dropped` gathers the fields that came along but have no column in the log table.
    """

    def __init__(self, fields: Iterable[str], constants: Mapping[str, str], timestamps: Timestamps) -> None:
        """Prepare for the log table's `fields`. Raises UserError for a constant of an unknown field or a wrong kind."""
        self._fields = frozenset(fields)
        self.dropped: set[str] = set()
        self._converters = _CONVERTERS | {"timestamp": lambda _, value: timestamps.parse(value)}
        self._constants: dict[str, object] = {}
        for field, value in constants.items():
            check_field(field, "--set")
            try:
                check_text(value)
                if field in self._fields:
                    self._constants[field] = self._converters[field](field, value)
                else:
                    self.dropped.add(field)
            except BadLine as error:
                raise UserError(f"--set {field}={value!a}: {error}") from None
        self._start = {"timestamp": timestamps.now} if "timestamp" in self._fields else {}
        self._start |= self._constants

    def wants(self, field: str) -> bool:
        """Say whether lines should bring a value for this field: it has a column and no constant."""
        if field not in self._fields:
            self.dropped.add(field)
        return field in self._fields and field not in self._constants

    def row(self, values: Iterable[tuple[str, object]]) -> dict[str, object]:
        """Return the row (field -> value) for pairs (field that it wants, value as read).

        A line without a timestamp gets the time of the load. Raises BadLine for an unreadable value.
        """
        row = self._start.copy()
        for field, value in values:
            if value is None or value == "":
                if field == "message":
                    row[field] = value
            else:
                row[field] = self._converters[field](field, value)
        return row


class FieldMap:
    """Which column or key holds which field: the user's choice (--map) first, then the field's name, then ALIASES."""

    def __init__(self, chosen: Mapping[str, str], maker: RowMaker) -> None:
        """Take the user's choice, field -> column, for the rows of `maker`; unknown fields are a UserError."""
        for field in chosen:
            check_field(field, "--map")
        self.chosen = dict(chosen)
        self.maker = maker
        self._remembered = lru_cache(maxsize=256)(self._plan)  # a load sees few different sets of keys

    def plan(self, names: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return (field, the columns to join for it) for a line that has the columns `names`."""
        return (self._remembered if len(names) < 100 else self._plan)(names)  # many names would fill the memory

    def _plan(self, names: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        lowered = {name.strip().lower(): name for name in reversed(names)}
        plan = {field: split_column(column, names) for field, column in self.chosen.items()}
        taken = {column for columns in plan.values() for column in columns}
        for field, aliases in ALIASES.items():
            for alias in (field, *aliases):
                columns = tuple(lowered.get(part, "") for part in alias.split("+"))
                if field not in plan and all(columns) and taken.isdisjoint(columns):
                    plan[field] = columns
        return tuple((field, columns) for field, columns in plan.items() if self.maker.wants(field))

    def finds_message(self, names: tuple[str, ...]) -> bool:
        """Say whether a line with these columns has a message (or gets a constant one)."""
        return not self.maker.wants("message") or "message" in dict(self.plan(names))


def split_column(column: str, names: Iterable[str]) -> tuple[str, ...]:
    """Read the column of a --map: its name as it stands, or several joined by `+` (Date+Time)."""
    return (column,) if column in names else tuple(column.split("+"))


def check_text(text: str) -> None:
    """Raise BadLine for what Postgres text cannot hold: NUL and halves of surrogate pairs."""
    if "\0" in text:
        raise BadLine("NUL in a value")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadLine("half a surrogate pair in a value") from None


def _text(_: str, value: object) -> str:
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
    return [_text(field, tag).strip() for tag in value]


def _unreadable(kind: str, field: str, value: object) -> BadLine:
    text = str(value)
    return BadLine(f"unreadable {kind} in {field}: {text[:64]!a}{'...' * (len(text) > 64)}")


_CONVERTERS: dict[str, Callable[[str, object], object]] = dict.fromkeys(FIELDS, _text) | {
    "is_anomaly": _boolean,
    "http_status": _integer,
    "response_time_ms": _number,
    "tags": _tags,
}
