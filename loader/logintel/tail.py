"""The command `logintel tail`: the newest predictions, and those that come."""

import signal
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import psycopg
import typer
from psycopg import sql
from rich.text import Text

from logintel import output, streams
from logintel.database import connect
from logintel.options import Dsn, Json, LogTable, Service
from logintel.training.labels import LEVELS

# A line is seen when its transaction commits, but its prediction has the time at which that transaction began: it may
# turn up behind lines that were shown already. So each look goes back a minute before the last one, and leaves out, by
# their keys, the lines that were shown. Of a transaction that was open for longer, lines may be missed. A line that is
# changed within the minute is not shown again. Times are the server's: the clock of this machine doesn't matter.
_LOOK_BACK = timedelta(minutes=1)
_SECONDS_BETWEEN_LOOKS = 1

_COLOURS = {"DEBUG": "dim", "INFO": "green", "WARN": "yellow", "ERROR": "red", "FATAL": "bold red"}
_LEVELS_WIDTH = len("DEBUG -> ERROR")

_WANTED = """
(%(levels)s::text[] IS NULL OR r.predicted_level = ANY (%(levels)s))
AND (%(service)s::text IS NULL OR r.service = %(service)s)
AND (%(log_table)s::regclass IS NULL OR r.log_table = %(log_table)s::regclass)"""
# A key is one of its table's.
_KEY = "concat(r.log_table::oid, '.', r.log_entry_id)"
_LINES = f"""
SELECT r.predicted_at, {_KEY}, date_trunc('second', r."timestamp")::text, row_to_json(r)
FROM logintel.ml_recent_predictions AS r WHERE {{wanted}}"""  # noqa: S608
_KEYS = f"""
SELECT {_KEY}, r.predicted_at FROM logintel.ml_recent_predictions AS r
WHERE r.predicted_at >= %(since)s AND {{wanted}}"""  # noqa: S608
_NEWEST = _LINES + "\nORDER BY r.predicted_at DESC LIMIT %(lines)s"
# The keys are an array, and no query: PostgreSQL leaves lines out by it before it reads their messages.
_NEW = _LINES + f"""
AND r.predicted_at >= %(since)s
AND (r.log_entry_id <> ALL (%(shown_ids)s::bigint[]) OR {_KEY} <> ALL (%(shown)s::text[]))
ORDER BY r.predicted_at, r.log_entry_id"""

Level = StrEnum("Level", [(level, level) for level in LEVELS])


class Line(NamedTuple):
    """A line with its prediction, in the order of predictions. `time` is text, `row` is that of the view as JSON."""

    predicted_at: datetime
    key: str
    time: str
    row: dict[str, Any]


def tail(
    lines: Annotated[int, typer.Option(min=0, metavar="N", help="Begin with so many of the newest lines.")] = 20,
    level: Annotated[
        Level | None,
        typer.Option(
            case_sensitive=False,
            metavar="LEVEL",
            help=f"Only lines predicted to be of this level or above: {', '.join(LEVELS)}.",
            show_default=False,
        ),
    ] = None,
    service: Service = None,
    no_follow: Annotated[bool, typer.Option("--no-follow", help="End after these lines.")] = False,
    log_table: LogTable = None,
    as_json: Json = False,
    dsn: Dsn = None,
) -> None:
    """Show the newest predictions of the last 24 hours, and follow: Ctrl-C ends it.

    A line whose declared level is not the predicted one is marked by !.
    """
    levels = list(LEVELS[LEVELS.index(level) :]) if level else None
    with closing(connect(dsn, autocommit=True)) as connection:
        feed = Feed(connection, levels, service, log_table)
        _show(feed.newest(lines), as_json)
        if not no_follow:
            _follow(feed, as_json)


def _follow(feed: "Feed", as_json: bool) -> None:
    # Ctrl-C waits for the look that is at work: an interrupted write is taken for none, and would be repeated. There is
    # no handler that sets a threading.Event: it waits for ever where it comes while the main thread holds that lock.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    while signal.sigtimedwait({signal.SIGINT}, _SECONDS_BETWEEN_LOOKS) is None:
        _show(feed.new(), as_json)


class Feed:
    """The lines of a log, each given once."""

    def __init__(
        self, connection: psycopg.Connection, levels: list[str] | None, service: str | None,
        log_table: str | None = None,
    ) -> None:  # fmt: skip
        """Read on an autocommit connection; only lines predicted to be of `levels`, of `service`, in `log_table`."""
        self._connection = connection
        self._wanted = {"levels": levels, "service": service, "log_table": log_table}
        self._shown: dict[str, datetime] = {}  # by key, when the prediction was made
        self._since = self._minute_ago()

    def newest(self, count: int) -> list[Line]:
        """Return the newest lines, the newest last. What came before them is not given later."""
        # First the keys, then the lines: what is committed between the two is new, and no gap.
        before = self._read(_KEYS, since=self._since)
        lines = sorted((Line(*row) for row in self._read(_NEWEST, lines=count)), key=lambda line: line[:2])
        self._shown = dict(before) | {line.key: line.predicted_at for line in lines}
        return lines

    def new(self) -> list[Line]:
        """Return the lines that came since the last call, in the order in which they were scored."""
        since = self._minute_ago()  # before the look: the next one goes back from here
        shown_ids = [int(key.partition(".")[2]) for key in self._shown]
        found = self._read(_NEW, since=self._since, shown=list(self._shown), shown_ids=shown_ids)
        lines = [Line(*row) for row in found]
        shown = self._shown | {line.key: line.predicted_at for line in lines}
        self._shown = {key: predicted_at for key, predicted_at in shown.items() if predicted_at >= since}
        self._since = since
        return lines

    def _minute_ago(self) -> datetime:
        [(time,)] = self._connection.execute("SELECT now() - %s", (_LOOK_BACK,)).fetchall()
        return time

    def _read(self, query: str, **parameters: Any) -> list[tuple]:
        text = sql.SQL(query).format(wanted=sql.SQL(_WANTED))
        # Planned for its parameters every time: a plan for any of them would not look the keys up in a hash.
        return self._connection.execute(text, self._wanted | parameters, prepare=False).fetchall()


def _show(lines: Iterable[Line], as_json: bool) -> None:
    for line in lines:
        if as_json:
            output.show_json(line.row)
        else:
            output.show_line(_text_of(line))
    streams.flush()  # whoever reads a pipe doesn't wait for more


def _text_of(line: Line) -> Text:
    declared, predicted = line.row["declared_level"], line.row["predicted_level"]
    differs = declared and predicted and declared != predicted
    levels = f"{declared} -> {predicted}" if differs else output.text_of(predicted)
    return Text.assemble(
        line.time,
        (" ! " if differs else "   ", "bold"),
        (levels.ljust(_LEVELS_WIDTH), _COLOURS.get(predicted, "")),
        " ",
        (output.text_of(line.row["service"] or "-"), "cyan"),
        " ",
        output.text_of(line.row["message"]),
    )
