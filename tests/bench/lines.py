"""The lines that the benchmarks insert: real ones where they are at hand, else the simulator's."""

import csv
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg

LINES = 100_000
COLUMNS = "level, message, service, source_type"
SELECT_NEW = (
    "SELECT level, translate(md5(n::text || %s), '0123456789', 'ghijklmnop') || ' ' || message, service, source_type "
    "FROM sample WHERE n <= %s"
)
"""Selects as many lines as the second parameter says, each with a shape of its own: a word of letters made from its
number and the first parameter, in front of a real message."""
INSERT_NEW = f"INSERT INTO {{}} ({COLUMNS}) {SELECT_NEW}"
LOGHUB = Path(__file__).parents[3] / "shared" / "data" / "loghub"


def fill_sample(connection: psycopg.Connection) -> tuple[int, str]:
    """Make the table `sample` (n from 1, and COLUMNS) of LINES lines, distinct ones over and over.

    Returns how many are distinct, and where they come from.
    """
    distinct = list(_loghub() if LOGHUB.exists() else _simulated())
    connection.execute(
        "CREATE TABLE sample (n int PRIMARY KEY, level text, message text, service text, source_type text)"
    )
    with connection.cursor().copy(f"COPY sample (n, {COLUMNS}) FROM STDIN") as copy:
        for n, line in enumerate(itertools.islice(itertools.cycle(distinct), LINES), start=1):
            copy.write_row((n, *line))
    return len(distinct), "real lines of loghub" if LOGHUB.exists() else "simulated lines"


def insert_select(connection: psycopg.Connection, table: str) -> None:
    """Insert the sample by INSERT ... SELECT."""
    connection.execute(f"INSERT INTO {table} ({COLUMNS}) SELECT {COLUMNS} FROM sample")


def copy(connection: psycopg.Connection, table: str) -> None:
    """Insert the sample by COPY, its text taken from memory."""
    if not _copied:
        with connection.cursor().copy(f"COPY (SELECT {COLUMNS} FROM sample ORDER BY n) TO STDOUT") as out:
            _copied.append(b"".join(out))
    with connection.cursor().copy(f"COPY {table} ({COLUMNS}) FROM STDIN") as into:
        into.write(_copied[0])


_copied: list[bytes] = []


def _loghub() -> Iterator[tuple[str | None, str, str | None, str]]:
    for path in sorted(LOGHUB.glob("*_structured.csv")):
        system = path.name.split("_")[0]
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                # In these two the column Level is no level.
                level = None if system in ("Linux", "OpenSSH") else row.get("Level")
                yield level, row["Content"], row.get("Component"), system


def _simulated() -> Iterator[tuple[str | None, str | None, str | None, str | None]]:
    from logintel.simulation import generate

    for line in generate(16_000, seed=1, end=datetime(2026, 1, 1, tzinfo=UTC), days=7):
        yield line.level, line.message, line.service, line.source_type
