"""Numbering the lines of log tables that are older than the key which logintel added to it."""

import time

import psycopg
from psycopg import sql

from logintel import progress

_BLOCKS = 100
"""Blocks of 8 kB in one transaction: some ten thousand lines."""

# A plain table is not in the tree of its partitions.
_TABLES = """
SELECT coalesce(p.relid, a.log_table)::oid::bigint, pg_relation_size(coalesce(p.relid, a.log_table)) / 8192
FROM logintel_internal.attachments a
LEFT JOIN LATERAL pg_partition_tree(a.log_table) p ON true
WHERE a.columns ->> 'id' = 'logintel_id' AND coalesce(p.isleaf, true)
ORDER BY 1
"""


def number_lines(session: psycopg.Connection, *, rate: int | None = None) -> int:
    """Number all lines without a number, on an autocommit connection of the table's owner, in batches of blocks.

    At most `rate` lines a second. Numbered lines get their predictions. Progress on stderr. Returns how many lines were
    numbered. Raises psycopg.Error, InsufficientPrivilege at the end where another role owns a table; what was committed
    stays.
    """
    tables = [row for row in session.execute(_TABLES).fetchall() if _has_unnumbered(session, row[0])]
    if not tables:
        return 0
    numbered = 0
    refused: psycopg.errors.InsufficientPrivilege | None = None
    with progress.bar("numbering", None) as show:
        for table, blocks in tables:
            try:
                for block in range(0, blocks, _BLOCKS):
                    query = "SELECT logintel.number_lines(%s::oid::regclass, %s, %s)"
                    [(lines,)] = session.execute(query, (table, block, _BLOCKS)).fetchall()
                    numbered += lines
                    show(advance=lines)
                    time.sleep(lines / rate if rate else 0)
            except psycopg.errors.InsufficientPrivilege as error:
                refused = error
    if refused:
        raise refused
    return numbered


def _has_unnumbered(session: psycopg.Connection, table: int) -> bool:
    [(name,)] = session.execute("SELECT %s::oid::regclass::text", (table,)).fetchall()
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE logintel_id IS NULL)").format(sql.SQL(name))
    [(found,)] = session.execute(query).fetchall()
    return found
