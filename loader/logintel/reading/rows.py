"""From CSV columns, JSON keys or a pattern's groups to the fields of the log table."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from logintel.errors import UserError
from logintel.reading.levels import NUMBER, Scale, SureLevel, name_of
from logintel.reading.records import BadLine
from logintel.reading.timestamps import Timestamps
from logintel.reading.values import CONVERTERS, as_text, check_text

# What a field is called elsewhere, the likeliest first, in lower case. `a+b`: both, joined by a blank.
ALIASES = {
    "log_id": ("uuid",),
    "timestamp": ("@timestamp", "ts", "datetime", "asctime", "month+date+time", "date+day+time", "date+time", "time",
                  "date and time", "timecreated", "timegenerated", "timemillis"),
    "level": ("severity", "loglevel", "log_level", "log.level", "levelname", "lvl", "severity_text", "severitytext"),
    "message": ("msg", "content", "body", "text", "log", "@message", "renderedmessage", "error.message"),
    "source_type": ("sourcetype", "system"),
    "host": ("hostname", "host.name", "host.hostname", "_hostname", "machinename", "computername", "computer"),
    "service": ("component", "logger", "logger_name", "service.name", "service_name", "module", "app", "application",
                "program", "syslog_identifier", "log.logger", "loggername", "providername", "name"),
    "category": (),
    "tags": (),
    "raw_log": ("_raw", "event.original"),
    "is_anomaly": ("anomaly",),
    "anomaly_type": (),
    "http_status": ("status_code", "statuscode", "http.response.status_code"),
    "response_time_ms": ("responsetime", "duration_ms", "elapsed_ms", "latency_ms"),
}  # fmt: skip
FIELDS = tuple(ALIASES)
_MAX_GUESSED = 100  # different numbers that are counted


def check_field(field: str, option: str) -> None:
    """Raise UserError unless the log table can have a field of this name."""
    if field not in ALIASES:
        raise UserError(f"{option} {field}: no such field; the fields are {' '.join(FIELDS)}")


class RowMaker:
    """Turns the values of a line into a row: typed, without empty values, with the load's constants (--set).

    `dropped` gathers the fields that came along but have no column in the log table, `guessed_levels` the numbers that
    stood for a level where nothing told their scale.
    """

    def __init__(
        self, fields: Iterable[str], constants: Mapping[str, str], timestamps: Timestamps, scale: Scale | None = None
    ) -> None:
        """Prepare for the log table's `fields`; `scale`: what numbers mean as levels where a source doesn't tell.

        Raises UserError for a constant of an unknown field or a wrong kind.
        """
        self._fields = frozenset(fields)
        self.now = timestamps.now
        self.dropped: set[str] = set()
        self.guessed_levels: Counter[str] = Counter()
        self._scale = scale
        self._converters = dict.fromkeys(FIELDS, as_text) | CONVERTERS | {
            "timestamp": lambda _, value: timestamps.parse(value),
            "level": self._level,
        }  # fmt: skip
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
        self.guessed_levels.clear()  # a constant is no line's
        self._open = self._fields - self._constants.keys()
        self._start = {"timestamp": timestamps.now} if "timestamp" in self._fields else {}
        self._start |= self._constants

    def wants(self, field: str) -> bool:
        """Say whether lines should bring a value for this field: it has a column and no constant."""
        if field not in self._fields:
            self.dropped.add(field)
        return self.takes(field)

    def takes(self, field: str) -> bool:
        """Say the same, of a field that perhaps no line has."""
        return field in self._open

    def row(self, values: Iterable[tuple[str, object]]) -> dict[str, object]:
        """Return the row (field -> value) for pairs (field, value as read); fields that it doesn't want are left out.

        A line without a timestamp gets the time of the load. Raises BadLine for an unreadable value.
        """
        row = self._start.copy()
        for field, value in values:
            if field not in self._open:
                self.wants(field)
            elif value is None or value == "":
                if field == "message":
                    row[field] = value
            else:
                row[field] = self._converters[field](field, value)
        return row

    def _level(self, field: str, value: object) -> str | None:
        text = as_text(field, value)
        if not NUMBER.fullmatch(text):
            return text or None
        if self._scale:
            return name_of(text, self._scale) or text
        if not isinstance(value, SureLevel) and (
            len(self.guessed_levels) < _MAX_GUESSED or text in self.guessed_levels
        ):
            self.guessed_levels[text] += 1
        return text


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
