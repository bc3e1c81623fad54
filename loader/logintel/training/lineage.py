"""Where a model comes from: which lines, and which versions it may replace. models/README.md documents the keys."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from logintel.training.dataset import Line

_SOURCE = """
    SELECT tables.names, to_json(period.first) #>> '{}', to_json(period.last) #>> '{}'
    FROM (
        SELECT string_agg(format('%%I.%%I', n.nspname, c.relname), ', ' ORDER BY a.id) AS names
        FROM logintel_internal.attachments a JOIN pg_class c ON c.oid = a.log_table
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE %(log_table)s::regclass IS NULL OR a.log_table = %(log_table)s::regclass) AS tables
    CROSS JOIN (
        SELECT min(l."timestamp") AS first, max(l."timestamp") AS last
        FROM (SELECT "timestamp" FROM logintel.log_lines
              WHERE %(log_table)s::regclass IS NULL OR log_table = %(log_table)s::regclass
              ORDER BY "timestamp" DESC, id DESC LIMIT %(limit)s) AS l) AS period"""


@contextmanager
def one_snapshot(connection: psycopg.Connection) -> Iterator[None]:
    """Let all that is read inside be of one moment, and hold nothing open afterwards."""
    before = connection.isolation_level
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    yield
    connection.rollback()
    connection.isolation_level = before


def trained_from(
    connection: psycopg.Connection, limit: int, lines: Sequence[Line], *, log_table: str | None = None
) -> dict[str, Any]:
    """Return what the latest `limit` lines of all attached tables, or of one, are, which were read as `lines`."""
    parameters = {"limit": limit, "log_table": log_table}
    [(table, first, last)] = connection.execute(_SOURCE, parameters).fetchall()
    return {
        "table": table,
        "lines": len(lines),
        "first": first,
        "last": last,
        "feedback": sum(line.verdict is not None for line in lines),
    }


def in_force(connection: psycopg.Connection) -> dict[str, int]:
    """Return the version in force of each model that has one."""
    return dict(connection.execute("SELECT name, version FROM logintel.ml_models WHERE state = 'in force'").fetchall())
