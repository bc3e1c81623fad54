"""Reading of files without a server."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime

from logintel.reading.formats import Format
from logintel.reading.levels import Scale
from logintel.reading.patterns import find_pattern
from logintel.reading.reader import Reader
from logintel.reading.records import Line, Record
from logintel.reading.rows import FIELDS, FieldMap, RowMaker
from logintel.reading.timestamps import Timestamps, find_zone

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def lines_of(data: bytes | str) -> Iterator[Line]:
    raw = data.encode() if isinstance(data, str) else data
    return (Line(number, line) for number, line in enumerate(io.BytesIO(raw), 1))


def field_map(zone: str | None = None, scale: Scale | None = None, **chosen: str) -> FieldMap:
    timestamps = Timestamps(now=NOW, zone=find_zone(zone) if zone else UTC)
    return FieldMap(chosen, RowMaker(FIELDS, {}, timestamps, scale))


def records_of(
    data: bytes | str, name: str = "app.log", *, kind: str | None = None, pattern: str | None = None, skip: int = 0,
    fields: FieldMap | None = None, zone: str | None = None, scale: Scale | None = None, said: list[str] | None = None,
) -> list[Record]:  # fmt: skip
    """The records of a file, read as `logintel load` reads it; what was guessed is appended to `said`."""
    reader = Reader(
        fields or field_map(zone, scale), Format(kind) if kind else None, find_pattern(pattern) if pattern else None,
        skip, (said if said is not None else []).append,
    )  # fmt: skip
    return list(reader.records(name, lines_of(data)))


def read(data: bytes | str, *names: str, **options: object) -> list[tuple[object, ...]]:
    """What is read of a file: for each record the fields of these names, or the reason why it is rejected."""
    names = names or ("timestamp", "level", "service", "message")
    return [
        tuple(_shown(record.row.get(name)) for name in names) if record.row is not None else (record.reason,)
        for record in records_of(data, **options)
    ]


def _shown(value: object) -> object:
    """Times as text, that of the load as `now`."""
    if isinstance(value, datetime):
        return "now" if value == NOW else value.isoformat().removesuffix("+00:00")
    return value
