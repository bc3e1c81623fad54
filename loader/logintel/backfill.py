"""The command `logintel backfill`: the server scores pending lines, or history anew, in as many sessions as wanted."""

import contextlib
import math
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing
from datetime import datetime
from typing import Annotated

import psycopg
import typer

from logintel import progress
from logintel.database import connect, reason_of
from logintel.errors import UserError
from logintel.numbering import number_lines
from logintel.options import Dsn, LogTable
from logintel.writing.days import Days

Take = Callable[[psycopg.Connection], int]
"""Does one batch on an autocommit connection and returns how many it did, 0 when none is left."""


def backfill(
    since: Annotated[datetime | None, typer.Option(help="Only lines from this time on.", show_default=False)] = None,
    batch: Annotated[int, typer.Option(min=1, help="Lines in one transaction.")] = 10_000,
    jobs: Annotated[int, typer.Option(min=1, help="Sessions side by side.")] = 1,
    rate: Annotated[
        int | None,
        typer.Option(min=1, metavar="LINES", help="At most so many lines a second, of all jobs.", show_default=False),
    ] = None,
    rescore: Annotated[
        bool,
        typer.Option("--rescore", help="Read history as the models in force score it: shapes instead of lines."),
    ] = False,
    log_table: LogTable = None,
    dsn: Dsn = None,
) -> None:
    """Score the lines that have no prediction yet, in batches. May be stopped and run again at any time."""
    if rescore and (since or log_table):
        option = "--since" if since else "--table"
        raise UserError(
            f"{option} does not go with --rescore: history is scored anew by shapes, whatever lines have them"
        )
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(closing(connect(dsn, autocommit=True))) for _ in range(jobs)]
        try:
            if rescore:
                print(f"rescored {rescore_shapes(*sessions, batch=batch, rate=rate):,} shapes")
            else:
                _number_lines(sessions[0], rate)
                Days(sessions[0]).create_large()
                lines = backfill_lines(*sessions, since=since, batch=batch, rate=rate, log_table=log_table)
                print(f"processed {lines:,} pending lines")
        except KeyboardInterrupt:
            raise UserError("interrupted; what is done stays done: run the same again to go on") from None


def _number_lines(session: psycopg.Connection, rate: int | None) -> None:
    """Number older lines of a table to which a key was added, where this is its owner; say so where it is not."""
    try:
        if numbered := number_lines(session, rate=rate):
            print(f"numbered {numbered:,} lines")
    except psycopg.errors.InsufficientPrivilege as error:
        print(f"note: {reason_of(error)}", file=sys.stderr)


def backfill_lines(
    *sessions: psycopg.Connection, since: datetime | None = None, batch: int = 10_000, rate: int | None = None,
    log_table: str | None = None,
) -> int:  # fmt: skip
    """Score pending lines of all log tables, or of one, on autocommit connections, side by side, until none is left.

    At most `rate` lines a second are begun. Progress on stderr. Returns how many lines were taken out of the queue: not
    all of them have got a prediction, some were deleted meanwhile. Raises psycopg.Error; what was committed stays.
    """
    limit = batch_within(rate, len(sessions), batch)

    def take(session: psycopg.Connection) -> int:
        query = "SELECT logintel.backfill(%s, max_lines => %s, log_table => %s::regclass)"
        [(lines,)] = session.execute(query, (since, limit, log_table)).fetchall()
        return lines

    pending = "SELECT coalesce(sum(pending), 0)::bigint FROM logintel.ml_status"
    total = None if since or log_table else _count(sessions[0], pending)
    with progress.bar("scoring", total) as show:
        return run_jobs(sessions, take, limit=limit, rate=rate, done=lambda lines: show(advance=lines))


def rescore_shapes(*sessions: psycopg.Connection, batch: int = 10_000, rate: int | None = None) -> int:
    """Let the shapes of history be read as the models in force score them, as backfill_lines() does it with lines."""
    limit = batch_within(rate, len(sessions), batch)

    def take(session: psycopg.Connection) -> int:
        [(shapes,)] = session.execute("SELECT logintel.rescore(%s)", (limit,)).fetchall()
        return shapes

    with progress.bar("scoring shapes", None) as show:
        return run_jobs(sessions, take, limit=limit, rate=rate, done=lambda shapes: show(advance=shapes))


def run_jobs(
    sessions: Sequence[psycopg.Connection],
    take: Take,
    *,
    limit: int,
    rate: int | None = None,
    done: Callable[[int], None] = lambda count: None,
) -> int:
    """Call `take` on each session, side by side, until it returns 0 there; return the sum.

    `limit` is what one call does at most, `rate` what all together may do a second. The first error, or an interrupt,
    cancels what runs on the other sessions and is raised.
    """
    throttle = Throttle(rate) if rate else None
    stop = threading.Event()

    def job(session: psycopg.Connection) -> int:
        total = 0
        while not (stop.is_set() or (throttle and stop.wait(throttle.reserve(limit, time.monotonic())))):
            count = take(session)
            if not count:
                break
            total += count
            done(count)
        return total

    with ThreadPoolExecutor(len(sessions)) as pool:
        running = [pool.submit(job, session) for session in sessions]
        try:
            ended, _ = wait(running, return_when=FIRST_EXCEPTION)
            return sum([future.result() for future in ended])  # raises the first error: only that ends a wait early
        except BaseException:
            stop.set()
            for session in sessions:
                with contextlib.suppress(psycopg.Error):
                    session.cancel_safe(timeout=5)
            raise


def _count(session: psycopg.Connection, query: str) -> int:
    [(count,)] = session.execute(query).fetchall()
    return count


class Throttle:
    """At most `rate` lines a second, whoever asks. Safe to share between threads."""

    def __init__(self, rate: float) -> None:
        """Allow `rate` lines a second."""
        self._rate = rate
        self._free_at = -math.inf
        self._lock = threading.Lock()

    def reserve(self, lines: int, now: float) -> float:
        """Reserve a batch of lines at the time `now`, in seconds; return the seconds to wait before it may begin."""
        with self._lock:
            begin = max(self._free_at, now)
            self._free_at = begin + lines / self._rate
            return begin - now


def batch_within(rate: int | None, jobs: int, batch: int) -> int:
    """Return how many of the `batch` lines one of `jobs` sessions may take at once: together a second's worth."""
    return batch if rate is None else max(1, min(batch, rate // jobs))
