"""Options that several commands share."""

from typing import Annotated

import typer

Dsn = Annotated[
    str | None,
    typer.Option(help="Connection string of the database. Without it the PG* variables count.", show_default=False),
]
