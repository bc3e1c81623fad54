"""The command line `logintel`."""

import importlib.metadata
import logging
import re
import sys
from typing import Annotated, NoReturn

import psycopg
import typer
from psycopg.conninfo import conninfo_to_dict

from logintel import streams
from logintel.attach import attach
from logintel.backfill import backfill
from logintel.commands import deploy, doctor, maintain, pause, resume, rollback, status
from logintel.database import reason_of
from logintel.demo import demo
from logintel.errors import HOW_TO_GET_RIGHTS, HOW_TO_INSTALL, UserError
from logintel.findings import anomalies, corrections
from logintel.installation.command import install, tle, uninstall
from logintel.loading.command import load
from logintel.model_files import export, import_
from logintel.retraining.command import retrain
from logintel.simulation.command import simulate
from logintel.tail import tail
from logintel.training.command import train
from logintel.worker.command import worker

app = typer.Typer(
    help="Log intelligence inside PostgreSQL: every log line scored at the moment of the write.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (
    attach, load, train, retrain, deploy, rollback, backfill, tail, corrections, anomalies, worker, maintain, pause,
    resume, status, doctor, simulate, demo, install, uninstall, tle,
):
    app.command()(command)
app.command("export")(export)
app.command("import")(import_)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"logintel {importlib.metadata.version('logintel')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Take what stands before a command."""


_HAS_URI = re.compile(r"postgres(ql)?(\+\w+)?://|://\S*:\S*@")


def main() -> None:
    """Run the command line; a user's mistake and a database's refusal are one line on stderr and no traceback."""
    streams.prepare()
    # What it would log is raised as well, or of no interest to a user.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    arguments = sys.argv[1:]
    try:
        if any(map(_is_connection_string, _all_but_dsn(arguments))):
            _fail("there is a connection string where none belongs: give it as one word after --dsn", 2)
        code = app(prog_name="logintel", standalone_mode=False)
        streams.flush()
    except UserError as error:
        _fail(str(error))
    except typer.Abort:
        _fail("given up")
    except typer.TyperException as error:
        if not arguments:  # what it says is the help, which it has printed
            raise SystemExit(2) from None
        _fail(_usage_error(error, arguments), 2)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName) as error:
        _fail(f"{error.diag.message_primary}; is logintel in this database? {HOW_TO_INSTALL}")
    except psycopg.errors.InsufficientPrivilege as error:
        hint = error.diag.message_hint or HOW_TO_GET_RIGHTS
        _fail("; ".join(part for part in (error.diag.message_primary, error.diag.message_detail, hint) if part))
    except psycopg.Error as error:
        diag = error.diag
        parts = (diag.message_primary or reason_of(error), diag.message_detail, diag.message_hint)
        _fail("; ".join(part for part in parts if part))
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}")
    except UnicodeEncodeError:
        _fail("a word of the command line, or a file's name, is not valid UTF-8: write it anew")
    except KeyboardInterrupt:
        _fail("interrupted")
    raise SystemExit(code)


def _fail(message: str, code: int = 1) -> NoReturn:
    streams.complain(f"logintel: {' '.join(message.split())}")
    streams.give_up()
    raise SystemExit(code)


def _all_but_dsn(arguments: list[str]) -> list[str]:
    """Return the words of a command line without the values of --dsn."""
    return [
        word
        for before, word in zip(["", *arguments], arguments, strict=False)
        if before != "--dsn" and not word.startswith("--dsn=")
    ]


def _is_connection_string(word: str) -> bool:
    """Tell whether a word may hold a password. Messages repeat words, and files are named after them."""
    if _HAS_URI.search(word):
        return True
    try:
        return "password" in conninfo_to_dict(word)
    except (psycopg.Error, UnicodeError):
        return False


def _usage_error(error: typer.TyperException, arguments: list[str]) -> str:
    """Say what is wrong with a command line, in words of its own only where none of it is a connection string."""
    context = getattr(error, "ctx", None)
    advice = f"; see {context.command_path if context else 'logintel'} --help"
    if not any(word.startswith("--dsn") for word in arguments):
        return error.format_message().rstrip(".") + advice
    if parameter := getattr(error, "param", None):
        return f"{parameter.opts[0]}: what is given for it cannot be used{advice}"
    return f"there are too many words, or an option that is unknown; a connection string is one word{advice}"
