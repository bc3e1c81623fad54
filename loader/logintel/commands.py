"""The commands that call one SQL function or read one view: deploy, rollback, backfill, maintain, status, doctor."""

from contextlib import closing
from datetime import datetime
from typing import Annotated

import psycopg
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from logintel import tables
from logintel.database import connect
from logintel.errors import UserError
from logintel.options import Dsn

Model = Annotated[str, typer.Argument(metavar="MODEL", help="level, category or anomaly")]


def deploy(
    name: Model,
    version: Annotated[
        int | None, typer.Argument(help="Version; the newest one without it.", show_default=False)
    ] = None,
    dsn: Dsn = None,
) -> None:
    """Put a model version into force."""
    with closing(connect(dsn)) as connection, connection:
        [(models,)] = connection.execute("SELECT logintel.deploy(%s, %s)", (name, version)).fetchall()
    print(f"in force: {models}")


def rollback(name: Model, dsn: Dsn = None) -> None:
    """Return a model to the version that was in force before."""
    with closing(connect(dsn)) as connection, connection:
        [(models,)] = connection.execute("SELECT logintel.rollback(%s)", (name,)).fetchall()
    print(f"in force: {models}")


def backfill(
    since: Annotated[datetime | None, typer.Option(help="Only lines from this time on.", show_default=False)] = None,
    batch: Annotated[int, typer.Option(min=1, help="Lines in one transaction.")] = 10_000,
    dsn: Dsn = None,
) -> None:
    """Score the lines that have no prediction yet, in batches. May be stopped and run again at any time."""
    with closing(connect(dsn, autocommit=True)) as connection:
        print(f"scored {backfill_lines(connection, since=since, batch=batch):,} lines")


def backfill_lines(connection: psycopg.Connection, *, since: datetime | None = None, batch: int = 10_000) -> int:
    """Score pending lines on an autocommit connection until none is left; return how many. Progress on stderr."""
    pending = "SELECT pending FROM logintel.ml_status"
    scored = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=tables.STDERR, disable=not tables.STDERR.is_terminal) as progress:
        [(total,)] = connection.execute(pending).fetchall()
        task = progress.add_task("scoring", total=None if since else total)
        while True:
            [(done,)] = connection.execute('SELECT logintel.backfill(%s, "limit" => %s)', (since, batch)).fetchall()
            if not done:
                return scored
            scored += done
            progress.update(task, completed=scored)


def maintain(dsn: Dsn = None) -> None:
    """Do the regular upkeep once."""
    with closing(connect(dsn)) as connection, connection:
        tables.show(connection.execute("SELECT * FROM logintel.maintain()"))


def status(dsn: Dsn = None) -> None:
    """Show whether lines are scored, by which models, and how far."""
    with closing(connect(dsn)) as connection:
        tables.show_record(connection.execute("SELECT * FROM logintel.ml_status"))
        tables.show(
            connection.execute(
                "SELECT name, version, candidate, accuracy, macro_f1, samples, trained_at, deployed_at "
                "FROM logintel.ml_deployed_models"
            )
        )


def doctor(dsn: Dsn = None) -> None:
    """Check everything that scoring needs, and say what to do about each problem."""
    with closing(connect(dsn)) as connection:
        cursor = connection.execute("SELECT * FROM logintel.doctor()")
        rows = cursor.fetchall()
        tables.show_rows(tables.columns_of(cursor), rows)
    problems = sum(row[1] == "problem" for row in rows)
    if problems:
        raise UserError(f"doctor found {problems} problem{'s' * (problems > 1)}; the last column says what to do")
