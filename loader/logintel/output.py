"""Query results on stdout: as tables, as lines, or as JSON."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
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


def show_query(
    connection: psycopg.Connection,
    query: str | sql.Composable,
    parameters: Mapping[str, Any] | None = None,
    *,
    as_json: bool,
) -> list[dict[str, Any]]:
    """Print what a query says, as a table or as one JSON document a row, and return its rows."""
    query = sql.SQL(query) if isinstance(query, str) else query
    if as_json:
        # The server writes times, numbers and the values of unusual types as JSON has them.
        cursor = connection.execute(sql.SQL("SELECT row_to_json(r) FROM ({}) AS r").format(query), parameters)
        documents = [document for (document,) in cursor]
        for document in documents:
            show_json(document)
        return documents
    cursor = connection.execute(query, parameters)
    columns, rows = columns_of(cursor), cursor.fetchall()
    show_rows(columns, rows)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def show_json(document: Mapping[str, Any]) -> None:
    """Print a document on a line of its own, in ASCII: it drives no terminal, and no encoding lacks a character."""
    print(json.dumps(document))


def show_line(line: Text) -> None:
    """Print a line, however long, in colours where stdout is a terminal."""
    _stdout().print(line, soft_wrap=True)


def show(cursor: psycopg.Cursor) -> None:
    """Print a result as a table."""
    show_rows(columns_of(cursor), cursor.fetchall())


def show_record(cursor: psycopg.Cursor) -> None:
    """Print a result of one row, or of few, as a table of names and values: a column for each row."""
    rows = cursor.fetchall()
    show_rows([""] * (1 + len(rows)), zip(columns_of(cursor), *rows, strict=True), header=False)


def show_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, header: bool = True) -> None:
    """Print rows as a table. Whatever they hold is shown as text, never read as markup."""
    table = Table(show_header=header, box=box.MARKDOWN)
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text(text_of(value)) for value in row))
    _stdout().print(table)


def text_of(value: Any) -> str:
    """Return a value as a person reads it, without anything that could drive a terminal."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else " " for c in str(value))
