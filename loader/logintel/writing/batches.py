"""Writing the records of one source in batches, so that an interrupted load has a clear state."""

from collections.abc import Callable, Iterable

import psycopg

from logintel.reading.records import Record
from logintel.writing.copying import LogTable, copy_rows
from logintel.writing.days import Days
from logintel.writing.rejects import Rejects

# A batch also ends when its lines have this many bytes: memory stays bounded with long lines too.
_BATCH_BYTES = 16 * 1024 * 1024
# with check option violated, a limit of the server's exceeded (an index entry too long), an exception in a trigger
_ROW_FAULTS = {"44000", "54000", "P0001"}


class Batches:
    """Writes records into the log table and their rejects into the rejects file, one transaction a batch.

    `loaded` and `rejected` count records, `not_kept` the lines that the rejects file had no room for; `settled` is the
    last line number up to which the load is complete; `committing` holds the (first, last) line of the batch whose
    commit is under way.
    """

    def __init__(
        self, connection: psycopg.Connection, table: LogTable, source: str, rejects: Rejects, batch_lines: int
    ) -> None:
        """Prepare for the source of that name. `connection` is in autocommit mode."""
        self._connection, self._table = connection, table
        self._source, self._rejects, self._batch_lines = source, rejects, batch_lines
        self._days = Days(connection)
        self.loaded = self.rejected = self.not_kept = self.settled = 0
        self._reached = 0
        self.committing: tuple[int, int] | None = None

    def write(self, records: Iterable[Record], on_batch: Callable[[], None]) -> None:
        """Write all records; call `on_batch` after each batch.

        Raises psycopg.Error for what isn't the fault of a row (a lost connection, a missing privilege), and UserError
        when the rejects file cannot be written.
        """
        pending: list[Record] = []
        size = 0
        for record in records:
            pending.append(record)
            size += len(record.raw)
            if (len(pending) >= self._batch_lines or size >= _BATCH_BYTES) and not record.open:
                self._write_batch(pending)
                on_batch()
                pending, size = [], 0
        self._write_batch(pending)
        on_batch()

    def _write_batch(self, records: list[Record]) -> None:
        self._days.prepare(record.row.get("timestamp") for record in records if record.row is not None)
        self._settle(records)

    def _settle(self, records: list[Record]) -> None:
        """Write these records; when the server refuses one of them, halve until it stands alone and reject it."""
        if not records:
            return
        good = [record for record in records if record.row is not None]
        bad = [record for record in records if record.row is None]
        try:
            with self._connection.transaction():
                if good:
                    copy_rows(self._connection, self._table, [record.row for record in good])
                # Before the commit: an interruption right here may reject a line twice, but never loses one.
                not_kept = self._rejects.write(self._source, bad)
                self.committing = records[0].first, max(record.last for record in records)
        except psycopg.Error as error:
            if not _is_fault_of_a_row(error):
                if not _leaves_commit_open(error):
                    self.committing = None
                raise
            self.committing = None
            if len(good) == 1:
                good[0].reject(f"refused by the server: {error.diag.message_primary or error}")
                return self._settle(records)
            middle = len(records) // 2
            self._settle(records[:middle])
            return self._settle(records[middle:])
        self.committing = None
        self.loaded += len(good)
        self.not_kept += not_kept
        self.rejected += sum(not record.repeated for record in bad)
        self._reached = max(self._reached, *(record.last for record in records))
        if not records[-1].open:
            self.settled = self._reached


def _leaves_commit_open(error: psycopg.Error) -> bool:
    """Say whether a commit that ended so may have happened: the connection was lost or the server shut down."""
    return error.sqlstate is None or error.sqlstate.startswith("57")


def _is_fault_of_a_row(error: psycopg.Error) -> bool:
    return isinstance(error, psycopg.DataError | psycopg.IntegrityError) or error.sqlstate in _ROW_FAULTS
