"""The command line `logintel`."""

import sys

import psycopg
import typer

from logintel.backfill import backfill
from logintel.commands import deploy, doctor, maintain, pause, resume, rollback, status
from logintel.demo import demo
from logintel.errors import HOW_TO_INSTALL, UserError
from logintel.installation.command import install, tle, uninstall
from logintel.loading import load
from logintel.model_files import export, import_
from logintel.retraining.command import retrain
from logintel.simulation.command import simulate
from logintel.training.command import train
from logintel.worker.command import worker

app = typer.Typer(
    help="Log intelligence inside PostgreSQL: every log line scored at the moment of the write.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    load, train, retrain, deploy, rollback, backfill, worker, maintain, pause, resume, status, doctor, simulate, demo,
    install, uninstall, tle,
):
    app.command()(command)
app.command("export")(export)
app.command("import")(import_)


def main() -> None:
    """Run the command line; a user's mistake and a database's refusal are one line on stderr and exit code 1."""
    try:
        app()
    except UserError as error:
        _fail(str(error))
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName) as error:
        _fail(f"{error.diag.message_primary}; is logintel in this database? {HOW_TO_INSTALL}")
    except psycopg.Error as error:
        diag = error.diag
        parts = (diag.message_primary or str(error).strip().splitlines()[0], diag.message_detail, diag.message_hint)
        _fail("; ".join(part for part in parts if part))
    except KeyboardInterrupt:
        _fail("interrupted")


def _fail(message: str) -> None:
    print(f"logintel: {' '.join(message.split())}", file=sys.stderr)
    raise SystemExit(1)
