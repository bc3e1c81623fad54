"""Options that several commands share."""

from typing import Annotated

import typer

Dsn = Annotated[
    str | None,
    typer.Option(
        envvar="DATABASE_URL",  # which other users of the machine cannot see, unlike a command line
        help="Connection string of the database. Without it the variable DATABASE_URL counts, then the PG* variables.",
        show_default=False,
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs: a document a row.")]

Service = Annotated[str | None, typer.Option(help="Only lines of this service.", show_default=False)]

LogTable = Annotated[
    str | None,
    typer.Option(
        "--table", metavar="TABLE", help="The log table, where several are attached: app.events.", show_default=False
    ),
]
