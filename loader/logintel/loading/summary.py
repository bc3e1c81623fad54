"""What the end of a load says of the lines that are in: what was not found in them, what was guessed."""

from collections import Counter
from collections.abc import Iterator

import psycopg

from logintel.reading.records import Record
from logintel.reading.rows import RowMaker

_MAX_SPELLINGS = 1000  # that are counted; a file with more has no levels there
_SHOWN = 5
_UNKNOWN = "SELECT name FROM unnest(%s::text[]) AS name WHERE logintel.normalize_level(name) IS NULL"


class Summary:
    """Counts, while the records of one file go by, what its lines lack."""

    def __init__(self, maker: RowMaker) -> None:
        """Count what is missing of what `maker` wants: a table without a column for it lacks nothing."""
        self._maker = maker
        self._lines = self._timeless = self._levelless = 0
        self._levels: Counter[str] = Counter()
        self.first_reason: str | None = None  # why a line was rejected
        maker.guessed_levels.clear()

    def watched(self, records: Iterator[Record]) -> Iterator[Record]:
        """Yield the records as they are."""
        for record in records:
            if record.row is not None:
                self._count(record.row)
            elif self.first_reason is None:
                self.first_reason = record.reason
            yield record

    def notes(self, connection: psycopg.Connection) -> Iterator[str]:
        """Yield a sentence for each thing to know. Asks the server which spellings of levels it doesn't know."""
        if self._levelless and self._maker.takes("level"):
            yield f"no level in {_of(self._levelless, self._lines)}"
        if self._timeless and self._maker.takes("timestamp"):
            yield f"no time of their own in {_of(self._timeless, self._lines)}, which have the time of the load"
        unknown = _unknown_levels(connection, self._levels)
        if unknown:
            yield f"unknown levels: {_shown(unknown)}; add rows for them to logintel.level_names"
        if self._maker.guessed_levels:
            yield (
                f"levels that are numbers: {_shown(self._maker.guessed_levels)}; read as pino's (10 to 60) or "
                "syslog's (0 to 7); --level-scale says that they are others"
            )

    def _count(self, row: dict[str, object]) -> None:
        self._lines += 1
        self._timeless += row.get("timestamp") is self._maker.now
        level = row.get("level")
        if level is None:
            self._levelless += 1
        elif len(self._levels) < _MAX_SPELLINGS or level in self._levels:
            self._levels[str(level)] += 1


def _unknown_levels(connection: psycopg.Connection, levels: Counter[str]) -> Counter[str]:
    """Return the spellings that the server does not know; none where it may not be asked."""
    try:
        names = connection.execute(_UNKNOWN, (list(levels),)).fetchall() if levels else []
    except psycopg.errors.InsufficientPrivilege:
        names = []
    return Counter({name: levels[name] for (name,) in names})


def _of(count: int, lines: int) -> str:
    return f"{count:,} of {lines:,} lines"


def _shown(counts: Counter[str]) -> str:
    most = ", ".join(f"{name[:40]!a} ({count:,})" for name, count in counts.most_common(_SHOWN))
    return most + (f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else "")
