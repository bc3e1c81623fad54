"""The commands that call one SQL function or read one view, such as deploy, pause and status."""

from contextlib import closing
from typing import Annotated

import typer

from logintel import output
from logintel.database import connect, print_notices
from logintel.errors import UserError
from logintel.options import Dsn, Json

_MODELS_IN_FORCE = """
SELECT name, version, candidate, accuracy, macro_f1, samples, trained_at, deployed_at
FROM logintel.ml_models WHERE state = 'in force' ORDER BY name"""
# As one document: whoever asks for the status reads one line.
_STATUS_WITH_MODELS = f"""
SELECT s.*, (SELECT coalesce(json_agg(m), '[]') FROM ({_MODELS_IN_FORCE}) AS m) AS models_in_force
FROM logintel.ml_status s ORDER BY s.log_table"""  # noqa: S608

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


def maintain(as_json: Json = False, dsn: Dsn = None) -> None:
    """Do the regular upkeep once."""
    with closing(connect(dsn, autocommit=True)) as connection:
        print_notices(connection)
        connection.execute("CALL logintel.maintain('45 s')")
        output.show_query(connection, "SELECT * FROM logintel.ml_upkeep", as_json=as_json)


Why = Annotated[str | None, typer.Option(help="Why: it is recorded.", show_default=False)]


def pause(why: Why = None, dsn: Dsn = None) -> None:
    """Pause scoring: lines are stored, and wait."""
    _change_mode("SELECT logintel.pause(%s)", why, dsn)


def resume(why: Why = None, dsn: Dsn = None) -> None:
    """End a pause: back to the mode before it."""
    _change_mode("SELECT logintel.resume(%s)", why, dsn)


def _change_mode(query: str, why: str | None, dsn: str | None) -> None:
    with closing(connect(dsn)) as connection, connection:
        connection.add_notice_handler(lambda notice: print(f"note: {notice.message_primary}"))
        [(mode,)] = connection.execute(query, (why,)).fetchall()
    print(f"mode: {mode}")


def status(as_json: Json = False, dsn: Dsn = None) -> None:
    """Show whether lines are scored, by which models, and how far."""
    with closing(connect(dsn)) as connection:
        if as_json:
            output.show_query(connection, _STATUS_WITH_MODELS, as_json=True)
            return
        output.show_record(connection.execute("SELECT * FROM logintel.ml_status ORDER BY log_table"))
        output.show(connection.execute(_MODELS_IN_FORCE))


def doctor(as_json: Json = False, dsn: Dsn = None) -> None:
    """Check everything that scoring needs, and say what to do about each problem."""
    with closing(connect(dsn)) as connection:
        rows = output.show_query(connection, "SELECT * FROM logintel.doctor()", as_json=as_json)
    problems = sum(row["status"] == "problem" for row in rows)
    if problems:
        raise UserError(f"doctor found {problems} problem{'s' * (problems > 1)}; the last column says what to do")
