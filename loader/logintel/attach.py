"""The command `logintel attach`: a table of the user's own becomes the log table, and what was found in it is shown."""

from contextlib import closing
from typing import Annotated

import psycopg
import typer
from psycopg.types.json import Jsonb

from logintel import output, streams
from logintel.database import connect, print_notices
from logintel.errors import UserError
from logintel.options import Dsn, Json

_ATTACH = """
SELECT * FROM logintel.attach(
    %(log_table)s::regclass, %(columns)s, manage_partitions => %(manage_partitions)s, level_scale => %(level_scale)s,
    time_zone => %(time_zone)s, layout => %(layout)s, add_key => %(add_key)s, dry_run => %(dry_run)s)"""


def attach(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The table, as SQL names it: events, app.events.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=PLACE",
            help="Where a field is, if it was not found or is wrong: a column (message=msg), a place in a document "
            "(level=data->>level), nothing to leave the field out (host=). May be repeated.",
        ),
    ] = None,
    level_scale: Annotated[
        str | None,
        typer.Option(
            "--level-scale",
            metavar="SCALE",
            help="What numbers mean as levels: syslog, pino, python, dotnet, otel, log4j, monolog, windows, or your "
            'own as {"0": "DEBUG", ...}.',
        ),
    ] = None,
    time_zone: Annotated[
        str, typer.Option("--time-zone", metavar="ZONE", help="The zone of times that name none: Europe/Berlin.")
    ] = "UTC",
    layout: Annotated[
        str, typer.Option(metavar="PROGRAM", help="Whose table it is (serilog, pino, ...), if its columns don't tell.")
    ] = "auto",
    add_key: Annotated[
        bool, typer.Option("--add-key", help="Add a column that numbers lines, to a table without a key.")
    ] = False,
    manage_partitions: Annotated[
        bool,
        typer.Option("--manage-partitions", help="Let the upkeep create its daily partitions and drop old ones."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be attached, change nothing.")] = False,
    as_json: Json = False,
    dsn: Dsn = None,
) -> None:
    """Attach a table of your own: its lines are scored from here on.

    Shows for each field of a line where it is read, how that was found, and
    an example. Only who owns the table may attach it.
    """
    parameters = {
        "log_table": table, "columns": Jsonb(_columns(mapping or [])), "manage_partitions": manage_partitions,
        "level_scale": level_scale, "time_zone": time_zone, "layout": layout, "add_key": add_key, "dry_run": dry_run,
    }  # fmt: skip
    # With autocommit the table is attached before anything is shown: whoever reads the output can't undo it by leaving.
    with closing(connect(dsn, autocommit=True)) as connection:
        print_notices(connection)
        _check_name(connection, table)
        output.show_query(connection, _ATTACH, parameters, as_json=as_json)
    say = streams.complain if as_json else print
    if dry_run:
        say("nothing was attached: this was a dry run")
    else:
        say(f"attached {table}: new lines are scored; those that were there before are scored by logintel backfill")


def _columns(mapping: list[str]) -> dict[str, str | None]:
    """Return the mapping that the words field=place make. Raises UserError."""
    columns: dict[str, str | None] = {}
    for given in mapping:
        field, equals, place = given.partition("=")
        if not (field and equals):
            raise UserError(f"--map {given}: write it as FIELD=PLACE, for example --map message=msg")
        if field in columns:
            raise UserError(f"--map {given}: {field} has a place already; give each field once")
        columns[field] = place or None
    return columns


def _check_name(connection: psycopg.Connection, table: str) -> None:
    """Let the server look for a table. Raises UserError where there is none: that says nothing of logintel itself."""
    try:
        connection.execute("SELECT %s::regclass", (table,))
    except psycopg.errors.InsufficientPrivilege:
        raise
    except (psycopg.ProgrammingError, psycopg.NotSupportedError, psycopg.DataError) as error:
        raise UserError(
            f'{error.diag.message_primary}; name the table as SQL does: events, app.events, "App Logs" with its quotes'
        ) from None
