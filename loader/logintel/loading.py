"""The command `logintel load`."""

import re
import signal
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.progress import DownloadColumn, TextColumn

from logintel import progress, streams
from logintel.database import connect
from logintel.errors import UserError
from logintel.options import Dsn
from logintel.reading.formats import Format, guess_format
from logintel.reading.from_csv import csv_records
from logintel.reading.from_jsonl import jsonl_records
from logintel.reading.from_text import choose_pattern, text_records
from logintel.reading.patterns import PATTERNS, find_pattern
from logintel.reading.records import Record
from logintel.reading.rows import FIELDS, FieldMap, RowMaker
from logintel.reading.source import Damaged, Source, peek
from logintel.reading.timestamps import Timestamps
from logintel.writing.batches import Batches
from logintel.writing.copying import BATCH_LINES, LogTable, attached_table
from logintel.writing.rejects import MAX_MEGABYTES, Rejects

_LINES_TO_GUESS_FROM = 1000
_COLUMNS = (
    DownloadColumn(),
    TextColumn("{task.fields[lines]:,} lines, {task.fields[rate]:,.0f}/s, {task.fields[rejected]:,} rejected"),
)


def load(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files to load, gzip or not; - is standard input.")
    ],
    file_format: Annotated[
        Format | None,
        typer.Option("--format", help="What the files are. Without it the name tells: .csv .jsonl .log ..."),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="Which CSV column or JSON key holds a field: message=Text, level=log.severity (nested key), "
            "timestamp=Date+Time (joined). May be repeated. Columns with usual names are found without it. "
            f"The fields: {' '.join(FIELDS)}.",
        ),
    ] = None,
    constants: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Give every line this value: source_type=nginx. Repeatable."),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            help=f"How lines of text are laid out: {' '.join(PATTERNS)}, or a regular expression with a group for each "
            r"field: '(?P<timestamp>\S+) (?P<level>\w+) (?P<message>.*)'. Without it the first lines tell. "
            "Indented lines and stack traces are appended to the message before them."
        ),
    ] = None,
    year: Annotated[
        int | None,
        typer.Option(
            min=1970,
            max=9999,
            help="The year of timestamps without one (syslog, Android). Without it: this "
            "year, or the last one for dates still to come.",
        ),
    ] = None,
    skip: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="Leave out the first N lines of the file: go on with an interrupted load."
        ),
    ] = 0,
    rejects: Annotated[
        Path | None,
        typer.Option(
            help="Where bad lines go, each with its reason. Without it: FILE.rejects in the working directory."
        ),
    ] = None,
    max_rejects: Annotated[
        int,
        typer.Option(min=0, metavar="MB", help="The rejects file grows to this size; what has no room is counted."),
    ] = MAX_MEGABYTES,
    batch: Annotated[int, typer.Option(min=1, help="Lines in one transaction.")] = BATCH_LINES,
    dsn: Dsn = None,
) -> None:
    """Load log files into the attached log table.

    CSV with a header, JSON lines and plain text are understood.

    A line that cannot be loaded never stops the load: it goes into a rejects
    file, byte for byte and with the reason.

    Timestamps are UTC unless they say otherwise; a line without one gets the
    time of the load.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite end too: say what is in
    for path in files:  # before its name is asked for the format: a name with a typing error has none
        if path != "-":
            _check_file(path)
    formats = [file_format or guess_format(path) for path in files]
    _check_options(files, formats, mapping, pattern, skip)
    compiled = find_pattern(pattern) if pattern else None
    with closing(connect(dsn, autocommit=True)) as connection:
        connection.execute("SET client_encoding = 'UTF8'")
        table = attached_table(connection)
        maker = RowMaker(table.columns, _pairs(constants, "--set"), Timestamps(year))
        job = _Job(connection, table, FieldMap(_pairs(mapping, "--map"), maker), compiled, skip, batch)
        for path, kind in zip(files, formats, strict=True):
            name = "stdin" if path == "-" else Path(path).name
            job.load(path, kind, rejects or Path(f"{name}.rejects"), max_rejects)
    for name in sorted(maker.dropped):
        streams.complain(f"note: {table} has no column for {name}; it was left out")
    if job.useless:
        names = ", ".join(job.useless)
        raise UserError(f"{names}: every line was rejected, and the rejects say why; try another --format or --pattern")


def _check_file(path: str) -> None:
    try:
        Path(path).stat()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None


def _check_options(
    files: list[str], formats: list[Format], mapping: list[str] | None, pattern: str | None, skip: int
) -> None:
    for path, kind in zip(files, formats, strict=True):
        if pattern and kind != Format.TEXT:
            raise UserError(f"{path} is {kind}: --pattern is for text; leave it out or say --format text")
        if mapping and kind == Format.TEXT:
            raise UserError(f"{path} is text: --map is for CSV and JSON; use --pattern with groups named after fields")
    if skip and len(files) > 1:
        raise UserError("--skip is for a single file: load the files one by one")


def _pairs(options: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for given in options or ():
        field, equals, value = given.partition("=")
        if not (field and equals and value):
            raise UserError(f"{option} {given}: write it as FIELD=..., for example {option} message=text")
        pairs[field] = value
    return pairs


@dataclass
class _Job:
    """What all files of one command share."""

    connection: psycopg.Connection
    table: LogTable
    fields: FieldMap
    pattern: re.Pattern[str] | None
    skip: int
    batch: int
    useless: list[str] = field(default_factory=list)
    """Files of which every line was rejected."""

    def load(self, path: str, kind: Format, rejects_path: Path, max_rejects: int) -> None:
        """Load one file and print the result. Raises UserError, which says how much of the file is in."""
        started = time.monotonic()
        with (
            Source(path) as source,
            Rejects(rejects_path, max_rejects) as rejects,
            progress.bar(source.name, source.size or None, _COLUMNS, lines=0, rate=0.0, rejected=0) as show,
        ):
            batches = Batches(self.connection, self.table, source.name, rejects, self.batch)

            def written() -> None:
                rate = batches.loaded / max(time.monotonic() - started, 1e-3)
                show(completed=source.position(), lines=batches.loaded, rate=rate, rejected=batches.rejected)

            try:
                batches.write(_until_damage(self._records(source, kind)), written)
                if source.damage:
                    raise UserError(source.damage)
            except UserError as error:
                state = _state(batches, self.skip if source.damage else None)
                raise UserError(f"{source.name}: {error}{state}") from None
            except KeyboardInterrupt:
                raise UserError(f"{source.name}: interrupted{_state(batches)}") from None
            except psycopg.Error as error:
                reason = " ".join(str(error.diag.message_primary or error).split())
                raise UserError(f"{source.name}: the server stopped the load: {reason}{_state(batches)}") from None
        kept = f" ({rejects_path}{_not_kept(batches)})" if batches.rejected else ""
        empty = "" if batches.settled or self.skip else ": there are no lines in it"
        print(
            f"{source.name}: loaded {batches.loaded:,} lines into {self.table}{empty}, "
            f"rejected {batches.rejected:,}{kept}, {time.monotonic() - started:.1f} s"
        )
        if batches.rejected and not batches.loaded:
            self.useless.append(source.name)

    def _records(self, source: Source, kind: Format) -> Iterator[Record]:
        if kind == Format.CSV:
            return csv_records(source.lines(), self.fields, self.skip)
        if kind == Format.JSONL:
            return jsonl_records(source.lines(), self.fields, self.skip)
        lines, pattern = source.lines(), self.pattern
        if pattern is None:
            head, lines = peek(lines, _LINES_TO_GUESS_FROM)
            name = choose_pattern(head)
            streams.complain(f"{source.name}: reading it with --pattern {name}")
            pattern = PATTERNS[name]
        return text_records(lines, pattern, self.fields.maker, self.skip)


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
