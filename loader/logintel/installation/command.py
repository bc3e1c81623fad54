"""The commands `logintel install`, `uninstall` and `tle`: logintel where CREATE EXTENSION is not to be had."""

import importlib.metadata
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from logintel import files
from logintel.database import connect
from logintel.errors import UserError
from logintel.installation import scripts
from logintel.installation.sources import Sources, of_package
from logintel.options import Dsn

_EXTENSIONS = """
SELECT string_agg(extname, ', ' ORDER BY extname) FROM pg_catalog.pg_extension
WHERE extname IN ('logintel', 'logintel_python')"""
_SCHEMA = """
SELECT r.rolname, r.rolname = current_user, EXISTS (SELECT FROM pg_catalog.pg_proc p
                                                    WHERE p.pronamespace = n.oid AND p.proname = '_release')
FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner WHERE n.nspname = 'logintel'"""
_VIEWS_ELSEWHERE = """
SELECT string_agg(DISTINCT v.oid::regclass::text, ', ')
FROM pg_depend d JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
JOIN pg_class v ON v.oid = r.ev_class
WHERE c.relnamespace = ANY ('{logintel,logintel_internal}'::regnamespace[])
  AND v.relnamespace <> ALL ('{logintel,logintel_internal}'::regnamespace[])"""


def install(dsn: Dsn = None) -> None:
    """Install logintel into a database as an ordinary role, or update what this command installed."""
    with closing(connect(dsn)) as connection, connection:
        connection.add_notice_handler(_print_warning)
        print(bring_in(connection, of_package()))


def bring_in(connection: psycopg.Connection, sources: Sources) -> str:
    """Install or update in the caller's transaction, and say what was done. Raises UserError, psycopg.Error."""
    if connection.info.server_version < 150000:
        raise UserError("this server is too old: logintel needs PostgreSQL 15 or newer")
    release = _plain_release(connection, "ALTER EXTENSION logintel UPDATE")
    if release == sources.release:
        return f"already installed: logintel {release}"
    if release:
        connection.execute(scripts.plain_update(sources, release))
        return f"updated logintel {release} to {sources.release}; start logintel worker again, if one runs"
    connection.execute(scripts.plain(sources))
    return f"installed logintel {sources.release}; next: SELECT logintel.create_log_entries()"


def uninstall(
    yes: Annotated[bool, typer.Option("--yes", help="Remove it without asking.")] = False, dsn: Dsn = None
) -> None:
    """Remove what `logintel install` installed; log lines stay."""
    with closing(connect(dsn)) as connection, connection:
        release = _plain_release(connection, "DROP EXTENSION {}")
        if release is None:
            raise UserError(f"there is no logintel in database {connection.info.dbname}")
        [(views,)] = connection.execute(_VIEWS_ELSEWHERE)
        if views:  # as DROP EXTENSION would say
            raise UserError(f"these views read logintel's: {views}; drop them first")
        print(f"logintel {release} goes, with all predictions, models and verdicts; log lines stay")
        if not (yes or typer.confirm(f"remove logintel from database {connection.info.dbname}?")):
            raise UserError("nothing was removed")
        connection.execute("DROP SCHEMA logintel, logintel_internal CASCADE")
    print("removed")


def tle(
    output: Annotated[
        Path | None, typer.Option(help="File to write; standard output without it.", show_default=False)
    ] = None,
) -> None:
    """Write the script that makes logintel an extension of pg_tle, as database.dev has them."""
    script = scripts.tle(of_package(), importlib.metadata.metadata("logintel")["Summary"])
    if output is None:
        sys.stdout.buffer.write(script.encode())  # the script's encoding is not the terminal's
        return
    with files.written(output) as file:
        file.write(script)
    print(f"wrote {output}; run it as a member of pgtle_admin, then CREATE EXTENSION logintel")


def _plain_release(connection: psycopg.Connection, instead: str) -> str | None:
    """Return which release `logintel install` installed, None for none. Raises UserError for an extension."""
    [(extensions,)] = connection.execute(_EXTENSIONS)
    if extensions:
        raise UserError(f"logintel is an extension in this database: {instead.format(extensions)}")
    schema = connection.execute(_SCHEMA).fetchone()
    if schema is None:
        return None
    owner, own, installed = schema
    if not installed:
        raise UserError("the schema logintel of this database is not logintel's: rename it")
    if not own:  # what somebody else put there is not run with this role's rights
        raise UserError(f"the schema logintel of this database belongs to {owner}: connect as that role")
    [(release,)] = connection.execute("SELECT logintel._release()")
    return release


def _print_warning(notice: psycopg.errors.Diagnostic) -> None:
    if notice.severity_nonlocalized == "WARNING":
        print("note: " + "; ".join(filter(None, (notice.message_primary, notice.message_hint))))
