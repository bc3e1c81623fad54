"""The command `logintel retrain`."""

import contextlib
import signal
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import psycopg
import typer

from logintel import output
from logintel.database import connect, reason_of
from logintel.errors import UserError
from logintel.options import Dsn

if TYPE_CHECKING:
    from logintel.retraining.run import Result

_COLUMNS = ("model", "gate", "passed", "")
_LACKING = """
    SELECT quote_ident(current_user), string_agg(l.privilege, ', ')
    FROM (SELECT 'EXECUTE on ' || p.oid::regprocedure AS privilege FROM pg_proc p
          WHERE p.pronamespace = 'logintel'::regnamespace AND p.proname IN ('import_model', 'deploy', 'start_ab_test')
            AND NOT has_function_privilege(p.oid, 'EXECUTE')
          UNION ALL
          SELECT 'SELECT on ' || c.oid::regclass FROM pg_class c
          WHERE c.oid IN ('logintel_internal.ab_tests'::regclass, 'logintel_internal.feedback'::regclass,
                          'logintel.log_lines'::regclass)
            AND NOT has_table_privilege(c.oid, 'SELECT')
          ORDER BY 1) AS l"""
_PASSED = {True: "yes", False: "no", None: "cannot be judged"}


def retrain(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[MODEL]...", help="level, category, anomaly; any without it")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Train them though nothing advises it.")] = False,
    lines: Annotated[int | None, typer.Option(
        min=1, help="How many of the latest lines to learn from.", show_default="as many as before, or 10,000"
    )] = None,
    seed: Annotated[int, typer.Option(help="Seed of all that is random: same lines, same seed, same models.")] = 0,
    dsn: Dsn = None,
) -> None:
    """Train the models again that were requested, or else that logintel.ml_retrain_advice advises.

    A model that is worse than the version in force, on templates that this one does not know or on feedback, is not
    registered. What becomes of the others is up to the setting after_retraining: test, now or manual.
    """
    with closing(connect(dsn, autocommit=True)) as connection:
        if lacking := lacking_rights(connection):
            raise UserError(lacking)
        begin = "SELECT logintel._begin_retraining(%s, %s)"
        [(retraining,)] = connection.execute(begin, (names or None, force)).fetchall()
        if retraining is None:
            print("nothing to retrain: it was neither requested nor is it advised; --force retrains all the same")
            return
        with _finished(connection, retraining):
            # scikit-learn takes seconds to import, and few commands need it.
            from logintel.retraining.run import retrain_models

            results = retrain_models(connection, retraining, lines=lines, seed=seed)
    _show(retraining, results)


def lacking_rights(connection: psycopg.Connection) -> str | None:
    """Say why this role may not retrain, None where it may: a request that is begun in vain is spoiled."""
    [(role, lacking)] = connection.execute(_LACKING).fetchall()
    return lacking and f"{role} may not retrain models, it lacks {lacking}: SELECT logintel.grant_manage('{role}')"


@contextlib.contextmanager
def _finished(connection: psycopg.Connection, retraining: int) -> Iterator[None]:
    """Let the retraining be told what kept it from its end. SIGTERM is an interrupt here."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except BaseException as error:
        reason = "interrupted" if isinstance(error, KeyboardInterrupt) else reason_of(error)
        # Where the connection is lost, whoever begins the next one will see that this one is over.
        with contextlib.suppress(psycopg.Error):
            connection.execute("SELECT logintel._finish_retraining(%s, %s)", (retraining, f"failed: {reason}"))
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _show(retraining: int, results: "list[Result]") -> None:
    rows = [(result.name, gate.gate, _PASSED[gate.passed], gate.detail) for result in results for gate in result.gates]
    output.show_rows(_COLUMNS, rows)
    for result in results:
        print(result)
    print(f"retraining {retraining} is done")
