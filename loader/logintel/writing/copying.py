"""Into an attached log table, by COPY."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import psycopg
from psycopg import sql

from logintel.errors import HOW_TO_INSTALL, UserError
from logintel.reading.rows import FIELDS

BATCH_LINES = 5000

# The fields that nothing but the loader uses: an attachment need not name their columns.
_UNMAPPED = {"log_id", "tags", "raw_log"}
_ATTACHED = """
    SELECT n.nspname, c.relname, c.oid, a.columns
    FROM logintel_internal.attachments a JOIN pg_class c ON c.oid = a.log_table
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE %(name)s::text IS NULL OR a.log_table = to_regclass(%(name)s)
    ORDER BY a.id"""
_WRITABLE_COLUMNS = """
    SELECT a.attname, t.typcategory
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity <> 'a' AND a.attgenerated = ''"""


@dataclass(frozen=True)
class LogTable:
    """An attached log table: its name, and field -> column for the fields that can be written."""

    schema: str
    name: str
    columns: dict[str, str]

    def __str__(self) -> str:
        """Return schema.name, for messages."""
        return f"{self.schema}.{self.name}"


def attached_table(connection: psycopg.Connection, table: str | None = None) -> LogTable:
    """Find the attached log table of this name, or the only one. Raises UserError when that says none, or several."""
    try:
        with connection.transaction():
            found = connection.execute(_ATTACHED, {"name": table}).fetchall()
            if not found and table:
                raise UserError(f"{table} is not attached: run logintel attach {table}")
            if not found:
                raise UserError(
                    f"database {connection.info.dbname} has no log table: make one with SELECT "
                    "logintel.create_log_entries(), or use your own with SELECT logintel.attach(...)"
                )
            if len(found) > 1:
                names = [f"{schema}.{name}" for schema, name, _, _ in found]
                raise UserError(
                    f"several log tables are attached ({', '.join(names)}): name one with --table {names[0]}"
                )
            [(schema, name, oid, mapping)] = found
            kinds = dict(connection.execute(_WRITABLE_COLUMNS, (oid,)).fetchall())
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        raise UserError(
            f"database {connection.info.dbname} has no logintel: {HOW_TO_INSTALL}"
        ) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise UserError(
            f"{error.diag.message_primary}: ask for the right to read it, or connect as another user"
        ) from None
    columns = {field: mapping.get(field) or (field if field in _UNMAPPED else None) for field in FIELDS}
    columns = {field: column for field, column in columns.items() if column in kinds}
    if kinds.get(columns.get("tags")) != "A":  # tags are written as an array
        columns.pop("tags", None)
    return LogTable(schema, name, columns)


def copy_rows(connection: psycopg.Connection, table: LogTable, rows: Sequence[dict[str, object]]) -> None:
    """Write rows (field -> value) with one COPY, inside the caller's transaction.

    Columns that none of the rows has keep their defaults. Raises psycopg.Error when the server refuses a row.
    """
    present = set().union(*rows)
    fields = [field for field in table.columns if field in present] or ["message"]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.schema, table.name),
        sql.SQL(", ").join(sql.Identifier(table.columns[field]) for field in fields),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([row.get(field) for field in fields])


def load_rows(
    connection: psycopg.Connection, rows: Iterable[dict[str, object]], *, log_table: str | None = None
) -> int:
    """Write rows (field -> value, as logintel.reading.rows.FIELDS) into an attached log table; return how many.

    Where several are attached, `log_table` says which.

    Each batch of 5,000 is one transaction, unless the caller has one open: then all belongs to that one. Rows without
    a timestamp get the present time; fields that the table has no column for are left out. Raises UserError when no
    such table is attached, ValueError for an unknown field, psycopg.Error when the server refuses a row.
    """
    table = attached_table(connection, log_table)
    remaining = iter(rows)
    count = 0
    while batch := list(islice(remaining, BATCH_LINES)):
        unknown = set().union(*batch) - set(FIELDS)
        if unknown:
            raise ValueError(f"no such field: {', '.join(sorted(unknown))}")
        now = datetime.now(UTC)
        with connection.transaction():
            copy_rows(connection, table, [{"timestamp": now} | row for row in batch])
        count += len(batch)
    return count
