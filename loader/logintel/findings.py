"""The commands `logintel corrections` and `logintel anomalies`: what was found in the log, newest first."""

import re
from contextlib import closing
from datetime import datetime, timedelta
from typing import Annotated

import typer
from psycopg import sql

from logintel import output
from logintel.database import connect
from logintel.errors import UserError
from logintel.options import Dsn, Json, Service

# What fits a terminal. A time is text already: those outside the years that Python knows are shown as well.
_TIME = "date_trunc('second', \"timestamp\")::text AS time, service"
_MESSAGE = "CASE WHEN length(message) > 200 THEN left(message, 197) || '...' ELSE message END AS message"
_OF_CORRECTIONS = (
    f"{_TIME}, declared_level || ' -> ' || predicted_level AS level, level_confidence AS confidence, {_MESSAGE}"
)
_OF_ANOMALIES = f"{_TIME}, anomaly_type AS anomaly, anomaly_score AS score, predicted_level AS level, {_MESSAGE}"

_NEWEST = """
SELECT {columns} FROM {view} AS found
WHERE (%(service)s::text IS NULL OR service = %(service)s)
  AND "timestamp" >= coalesce(%(since)s::timestamptz, now() - %(ago)s::interval, '-infinity')
ORDER BY found."timestamp" DESC LIMIT %(limit)s"""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

Since = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION|TIME",
        help="Only lines of the last 30m, 2h, 7d or 4w, or from a time on: 2026-11-01T10:00.",
        show_default=False,
    ),
]
Limit = Annotated[int, typer.Option(min=1, metavar="N", help="At most so many lines.")]


def corrections(
    since: Since = None, service: Service = None, limit: Limit = 20, as_json: Json = False, dsn: Dsn = None
) -> None:
    """Show the newest lines whose declared level is wrong."""
    _show_newest("ml_corrections", _OF_CORRECTIONS, since, service, limit, as_json, dsn)


def anomalies(
    since: Since = None, service: Service = None, limit: Limit = 20, as_json: Json = False, dsn: Dsn = None
) -> None:
    """Show the newest lines that are anomalies."""
    _show_newest("ml_anomalies", _OF_ANOMALIES, since, service, limit, as_json, dsn)


def _show_newest(
    view: str, columns: str, since: str | None, service: str | None, limit: int, as_json: bool, dsn: str | None
) -> None:
    """Print rows of a view: these columns as a table, or all of them as JSON."""
    begin = _begin_of(since) if since else None
    parameters = {
        "service": service,
        "since": begin if isinstance(begin, datetime) else None,
        "ago": begin if isinstance(begin, timedelta) else None,
        "limit": limit,
    }
    query = sql.SQL(_NEWEST).format(
        columns=sql.SQL("*" if as_json else columns), view=sql.Identifier("logintel", view)
    )
    with closing(connect(dsn)) as connection:
        output.show_query(connection, query, parameters, as_json=as_json)


def _begin_of(since: str) -> datetime | timedelta:
    """Read a duration or a time. A time without a zone is one of the session's, as everywhere in SQL."""
    if duration := re.fullmatch(r"([0-9]{1,5})([smhdw])", since):
        return timedelta(**{_UNITS[duration[2]]: int(duration[1])})
    try:
        return datetime.fromisoformat(since)
    except ValueError:
        raise UserError(
            f"--since {since}: give a duration such as 30m, 2h or 7d, or a time such as 2026-11-01T10:00"
        ) from None
