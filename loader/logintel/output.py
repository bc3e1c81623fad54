"""Query results as tables on stdout."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import psycopg
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDTH_WITHOUT_TERMINAL = 200


def _stdout() -> Console:
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL)


def columns_of(cursor: psycopg.Cursor) -> list[str]:
    """Names of a result's columns."""
    return [column.name for column in cursor.description or []]


def show(cursor: psycopg.Cursor) -> None:
    """Print a result as a table."""
    show_rows(columns_of(cursor), cursor.fetchall())


def show_record(cursor: psycopg.Cursor) -> None:
    """Print a result of one row as a table of names and values."""
    [row] = cursor.fetchall()
    show_rows(["", ""], zip(columns_of(cursor), row, strict=True), header=False)


def show_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, header: bool = True) -> None:
    """Print rows as a table. Whatever they hold is shown as text, never read as markup."""
    table = Table(show_header=header, box=box.MARKDOWN)
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_text(value)) for value in row))
    _stdout().print(table)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    # Control characters of a log line must not drive the reader's terminal.
    return "".join(c if c.isprintable() else " " for c in str(value))
