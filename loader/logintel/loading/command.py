"""The command `logintel load`."""

import signal
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from logintel import streams
from logintel.database import connect
from logintel.errors import UserError
from logintel.loading.job import Job
from logintel.options import Dsn, LogTable
from logintel.reading.formats import Format
from logintel.reading.levels import Scale
from logintel.reading.patterns import PATTERNS, find_pattern
from logintel.reading.reader import Reader
from logintel.reading.rows import FIELDS, FieldMap, RowMaker
from logintel.reading.timestamps import Timestamps, find_zone
from logintel.writing.copying import BATCH_LINES, attached_table
from logintel.writing.rejects import MAX_MEGABYTES


def load(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files to load, gzip or not; - is standard input.")
    ],
    file_format: Annotated[
        Format | None,
        typer.Option("--format", help="What the files are. Without it their content tells, whatever their names."),
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
            "Lines that begin no record (stack traces, further lines of a message) are appended to the message before."
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            "--time-zone",
            metavar="ZONE",
            help="The zone of times that name none, or one by an abbreviation such as CET: Europe/Berlin, +01:00. "
            "Without it: UTC, and abbreviations other than UTC and GMT are rejected.",
        ),
    ] = None,
    level_scale: Annotated[
        Scale | None,
        typer.Option(
            "--level-scale",
            help="What numbers mean as levels where a format doesn't say it. Without it: pino's (10 to 60) and "
            "syslog's (0 to 7), and the end of the load reports them.",
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
    log_table: LogTable = None,
    dsn: Dsn = None,
) -> None:
    """Load log files into an attached log table.

    CSV with a header, JSON lines and plain text are understood, PostgreSQL's
    csvlog and jsonlog, systemd's journal, and the logs of containers.

    A line that cannot be loaded never stops the load: it goes into a rejects
    file, byte for byte and with the reason.

    Timestamps are UTC unless they, or --time-zone, say otherwise; a line
    without one gets the time of the load. What the lines lack is said at the
    end: levels, times, spellings of levels that logintel does not know.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite end too: say what is in
    for path in files:
        if path != "-":
            _check_file(path)
    if skip and len(files) > 1:
        raise UserError("--skip is for a single file: load the files one by one")
    timestamps = Timestamps(year, zone=find_zone(time_zone) if time_zone else UTC)
    layout = find_pattern(pattern) if pattern else None
    chosen, given = _pairs(mapping, "--map"), _pairs(constants, "--set")

    def reader(columns: Iterable[str]) -> Reader:
        maker = RowMaker(columns, given, timestamps, level_scale)
        return Reader(FieldMap(chosen, maker), file_format, layout, skip)

    for path in files:  # before anything is connected: with whichever columns, a mistake is one
        reader(FIELDS).check(path)
    with closing(connect(dsn, autocommit=True)) as connection:
        connection.execute("SET client_encoding = 'UTF8'")
        table = attached_table(connection, log_table)
        job = Job(connection, table, reader(table.columns), batch)
        for path in files:
            name = "stdin" if path == "-" else Path(path).name
            job.load(path, rejects or Path(f"{name}.rejects"), max_rejects)
    for name in sorted(job.reader.fields.maker.dropped):
        streams.complain(f"note: {table} has no column for {name}; it was left out")
    job.check_useful()


def _check_file(path: str) -> None:
    try:
        Path(path).stat()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None


def _pairs(options: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for given in options or ():
        field, equals, value = given.partition("=")
        if not (field and equals and value):
            raise UserError(f"{option} {given}: write it as FIELD=..., for example {option} message=text")
        pairs[field] = value
    return pairs
