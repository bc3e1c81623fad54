"""Lines for the attached log table."""

import psycopg

from support.servers import Database


def insert(db: Database | psycopg.Connection, *messages: str | None, **columns: object) -> None:
    """Insert lines of these messages, by one statement and in this order, all with the same values in other columns."""
    names = "".join(f", {name}" for name in columns)
    values = ", %s" * len(columns)
    db.execute(f"INSERT INTO log_entries (message{names}) SELECT m{values} FROM unnest(%s::text[]) AS m",
               (*columns.values(), list(messages)))  # fmt: skip


def insert_new_shapes(db: Database, lines: int, prefix: str = "x") -> None:
    """Insert lines each of which has a shape of its own."""
    db.execute(
        "INSERT INTO log_entries (message) "
        "SELECT 'failed ' || %s || translate(g::text, '0123456789', 'abcdefghij') FROM generate_series(1, %s) g",
        (prefix, lines),
    )
