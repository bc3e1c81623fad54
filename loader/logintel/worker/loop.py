"""Doing something again and again on a connection, whatever happens to the server."""

import contextlib
import threading
from collections.abc import Callable

import psycopg

from logintel.database import open_connection
from logintel.worker.events import Failed
from logintel.worker.pacing import Backoff

Turn = Callable[[psycopg.Connection], bool | None]
"""Does the work of one turn; returns True where the next one is to begin at once."""


class Loop:
    """Takes a turn every so many seconds, later after failures, and reports these, until `stop` is set."""

    def __init__(self, task: str, turn: Turn, *, every: float, dsn: str | None, report: Callable[[Failed], None],
                 stop: threading.Event) -> None:  # fmt: skip
        """Prepare; `task` is the name in reports."""
        self._task, self._turn, self._every, self._dsn, self._report = task, turn, every, dsn, report
        self._stop = stop
        self._connection: psycopg.Connection | None = None

    def run(self, wait: float = 0.0) -> None:
        """Begin in `wait` seconds and return when `stop` is set."""
        backoff = Backoff()
        while not self._stop.wait(wait):
            try:
                self._connection = self._connection or open_connection(self._dsn)
                at_once = self._turn(self._connection)
            except Exception as error:  # whatever it is: it was rolled back, and may work the next time
                if self._stop.is_set():
                    break
                failed = Failed.of(self._task, error, self._connection)
                self._report(failed)
                if failed.lost:
                    self._connection = None
                wait = max(self._every, backoff.next())
            else:
                wait = 0.0 if at_once else self._every
                backoff.reset()
        if self._connection:
            self._connection.close()

    def start(self, wait: float) -> None:
        """Run in a thread of its own: the supervisor's main thread never waits for a server."""
        self._thread = threading.Thread(target=self.run, args=(wait,), name=self._task, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """End what start() began, cancelling what runs; wait a moment for that, not for ever."""
        self._stop.set()
        if connection := self._connection:
            with contextlib.suppress(psycopg.Error):
                connection.cancel_safe(timeout=2)
        self._thread.join(timeout=2)
