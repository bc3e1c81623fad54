"""Where simulated lines go: into the attached log table by COPY or as an application inserts them, or into a file.

The truth about the lines goes into the table simulated_truth, in the same transaction as the lines.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import psycopg
from psycopg import sql

from logintel import files
from logintel.errors import UserError
from logintel.simulation.lines import TRUTH, SimulatedLine
from logintel.writing.copying import BATCH_LINES, LogTable, attached_table, copy_rows

TRUTH_TABLE = "public.simulated_truth"

# A live writer that has fallen behind catches up in batches of this many lines.
_LIVE_BATCH_LINES = 100
_CREATE_TRUTH = """
    CREATE TABLE public.simulated_truth (
        log_id text CONSTRAINT simulated_truth_pkey PRIMARY KEY,
        true_level text NOT NULL,
        true_category text NOT NULL,
        true_is_anomaly boolean NOT NULL,
        true_anomaly_type text,
        problem text);
    COMMENT ON TABLE public.simulated_truth IS 'The truth about the lines that logintel simulate wrote.';
    COMMENT ON COLUMN public.simulated_truth.log_id IS 'The line: log_id in the log table.';
    COMMENT ON COLUMN public.simulated_truth.true_level IS 'Its level: DEBUG, INFO, WARN, ERROR or FATAL.';
    COMMENT ON COLUMN public.simulated_truth.true_category IS 'Its category.';
    COMMENT ON COLUMN public.simulated_truth.true_is_anomaly IS 'Whether it is a part of an anomaly.';
    COMMENT ON COLUMN public.simulated_truth.true_anomaly_type IS 'The kind of that anomaly; null for normal lines.';
    COMMENT ON COLUMN public.simulated_truth.problem IS 'What is wrong with the line as it was written: error_as_info, '
        'warn_as_debug, fatal_as_debug or anomaly_flag_missing; null: nothing.'"""


def prepare(connection: psycopg.Connection, log_table: str | None = None) -> LogTable:
    """Return the attached log table of this name, or the only one, and create simulated_truth where it is missing.

    `connection` is in autocommit mode. Raises UserError when no table is attached, or one without a column log_id.
    """
    table = attached_table(connection, log_table)
    if "log_id" not in table.columns:
        raise UserError(
            f"{table} has no column log_id, by which the truth finds its line: run ALTER TABLE {table} ADD log_id text"
        )
    with connection.transaction():
        if connection.execute("SELECT to_regclass(%s)", (TRUTH_TABLE,)).fetchone() == (None,):
            connection.execute(_CREATE_TRUTH)
    return table


def copy_lines(
    connection: psycopg.Connection, table: LogTable, lines: Iterable[SimulatedLine]
) -> Iterator[list[SimulatedLine]]:
    """Write lines by COPY, one transaction a batch; yield each batch once it is committed. Raises psycopg.Error."""
    columns = sql.SQL(", ").join(map(sql.Identifier, ("log_id", *TRUTH)))
    copy_truth = sql.SQL("COPY public.simulated_truth ({}) FROM STDIN").format(columns)
    for batch in _batches(lines):
        with connection.transaction():
            with connection.cursor() as cursor, cursor.copy(copy_truth) as copy:
                for line in batch:
                    copy.write_row([line.log_id, *line.truth().values()])
            copy_rows(connection, table, [line.row() for line in batch])
        yield batch


def insert_live(
    connection: psycopg.Connection, table: LogTable, lines: Iterable[SimulatedLine]
) -> Iterator[list[SimulatedLine]]:
    """Write each line when its time has come, with one INSERT in a transaction, as an application does.

    Yields what is committed: single lines, or batches while the server can't keep up. Raises psycopg.Error.
    """
    due: list[SimulatedLine] = []
    for line in lines:
        wait = (line.timestamp - datetime.now(UTC)).total_seconds()
        if due and (wait > 0 or len(due) == _LIVE_BATCH_LINES):
            _insert(connection, table, due)
            yield due
            due = []
            wait = (line.timestamp - datetime.now(UTC)).total_seconds()
        time.sleep(max(0.0, wait))
        due.append(line)
    if due:
        _insert(connection, table, due)
        yield due


def write_jsonl(path: Path, lines: Iterable[SimulatedLine]) -> Iterator[list[SimulatedLine]]:
    """Write lines as JSON objects, the truth under the key `truth`; yield batches of them. Raises UserError."""
    with files.written(path) as file:
        for batch in _batches(lines):
            for line in batch:
                row = {**line.row(), "timestamp": line.timestamp.isoformat(), "truth": line.truth()}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
            yield batch


def _insert(connection: psycopg.Connection, table: LogTable, lines: Sequence[SimulatedLine]) -> None:
    fields = [field for field in lines[0].row() if field in table.columns]
    into_log = _insert_statement((table.schema, table.name), [table.columns[field] for field in fields])
    into_truth = _insert_statement(("public", "simulated_truth"), ["log_id", *TRUTH])
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(into_truth, [[line.log_id, *line.truth().values()] for line in lines])
        cursor.executemany(into_log, [[line.row()[field] for field in fields] for line in lines])


def _insert_statement(table: tuple[str, str], columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(*table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
    )


def _batches(lines: Iterable[SimulatedLine]) -> Iterator[list[SimulatedLine]]:
    remaining = iter(lines)
    while batch := list(islice(remaining, BATCH_LINES)):
        yield batch
