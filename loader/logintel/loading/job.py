"""The load of files, one after the other: from a source through a reader into the log table."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
from rich.progress import DownloadColumn, TextColumn

from logintel import progress, streams
from logintel.errors import UserError
from logintel.loading.summary import Summary
from logintel.reading.reader import Reader
from logintel.reading.records import Record
from logintel.reading.source import Damaged, Source
from logintel.writing.batches import Batches
from logintel.writing.copying import LogTable
from logintel.writing.rejects import Rejects

_COLUMNS = (
    DownloadColumn(),
    TextColumn("{task.fields[lines]:,} lines, {task.fields[rate]:,.0f}/s, {task.fields[rejected]:,} rejected"),
)


@dataclass
class Job:
    """What all files of one command share."""

    connection: psycopg.Connection
    table: LogTable
    reader: Reader
    batch: int
    _useless: list[str] = field(default_factory=list)
    """Files of which every line was rejected, with the reason for the first of them."""

    def load(self, path: str, rejects_path: Path, max_rejects: int) -> None:
        """Load one file and print the result. Raises UserError, which says how much of the file is in."""
        started = time.monotonic()
        with (
            Source(path) as source,
            Rejects(rejects_path, max_rejects) as rejects,
            progress.bar(source.name, source.size or None, _COLUMNS, lines=0, rate=0.0, rejected=0) as show,
        ):
            batches = Batches(self.connection, self.table, source.name, rejects, self.batch)
            summary = Summary(self.reader.fields.maker)

            def written() -> None:
                rate = batches.loaded / max(time.monotonic() - started, 1e-3)
                show(completed=source.position(), lines=batches.loaded, rate=rate, rejected=batches.rejected)

            try:
                batches.write(summary.watched(_until_damage(self._records(source))), written)
                if source.damage:
                    raise UserError(source.damage)
            except UserError as error:
                state = _state(batches, self.reader.skip if source.damage else None)
                raise UserError(f"{source.name}: {error}{state}") from None
            except KeyboardInterrupt:
                raise UserError(f"{source.name}: interrupted{_state(batches)}") from None
            except psycopg.Error as error:
                reason = " ".join(str(error.diag.message_primary or error).split())
                raise UserError(f"{source.name}: the server stopped the load: {reason}{_state(batches)}") from None
        kept = f" ({rejects_path}{_not_kept(batches)})" if batches.rejected else ""
        empty = "" if batches.settled or self.reader.skip else ": there are no lines in it"
        print(
            f"{source.name}: loaded {batches.loaded:,} lines into {self.table}{empty}, "
            f"rejected {batches.rejected:,}{kept}, {time.monotonic() - started:.1f} s"
        )
        for note in summary.notes(self.connection):
            streams.complain(f"note: {source.name}: {note}")
        if batches.rejected and not batches.loaded:
            self._useless.append(f"{source.name} ({summary.first_reason})")

    def check_useful(self) -> None:
        """Raise UserError when there are files of which nothing could be loaded."""
        if self._useless:
            raise UserError(
                f"{', '.join(self._useless)}: every line was rejected, and the rejects say why; "
                "try another --format or --pattern"
            )

    def _records(self, source: Source) -> Iterator[Record]:
        reader = replace(self.reader, say=lambda what: streams.complain(f"{source.name}: {what}"))
        return reader.records(source.name, source.lines())


def _until_damage(records: Iterator[Record]) -> Iterator[Record]:
    with suppress(Damaged):
        yield from records


def _not_kept(batches: Batches) -> str:
    """Say how many lines the rejects file had no room for."""
    lines = batches.not_kept
    return f"; {lines:,} line{'s were' if lines > 1 else ' was'} not kept, see --max-rejects" if lines else ""


def _state(batches: Batches, damaged_after: int | None = None) -> str:
    """Say how much of a file is in after its load ended early; `damaged_after` is what a damaged file was read with."""
    return _not_kept(batches) + _how_to_go_on(batches, damaged_after)


def _how_to_go_on(batches: Batches, damaged_after: int | None) -> str:
    if batches.committing:
        first, last = batches.committing
        return f"; see whether lines {first} to {last} are in: go on with --skip {last}, if not with --skip {first - 1}"
    if damaged_after is not None:
        # The same file would end in the same place: a message that may be cut there is not loaded.
        settled = max(batches.settled, damaged_after)
        how = f"with a file that is whole, the same options and --skip {settled}"
        return f"; {batches.loaded:,} lines are in: go on {how}"
    if not batches.settled:
        return "; no line of it was loaded"
    return f"; {batches.loaded:,} lines are in: go on with the same options and --skip {batches.settled}"
