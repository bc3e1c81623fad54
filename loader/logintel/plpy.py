"""A stand-in for plpy: the Python that scores inside the server also runs outside it."""

import re
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row


class PlpyConnection:
    """What logintel_server needs of plpy, over a connection: prepare() and execute() with $1 parameters."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Run everything on `connection`, in its transaction."""
        self._connection = connection

    def prepare(self, query: str, types: Sequence[str] = ()) -> str:
        """Return the query with the types of its parameters written into it."""
        return re.sub(r"\$([0-9]+)", lambda number: f"{number[0]}::{types[int(number[1]) - 1]}", query)

    def execute(self, query: str, arguments: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run a query, prepared or not, and return its rows as mappings. Raises psycopg.Error."""
        with psycopg.RawCursor(self._connection, row_factory=dict_row) as cursor:
            return cursor.execute(query, arguments or None).fetchall()
