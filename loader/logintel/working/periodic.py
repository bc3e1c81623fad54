"""What the supervisor does regularly, each on a connection of its own: the main thread never waits for a server."""

import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import psycopg

from logintel.working.connections import is_lost, open_connection
from logintel.working.events import Failed
from logintel.working.pacing import Backoff


class Periodic:
    """Runs a function every so many seconds in a thread; what it returns, or why it failed, becomes an event."""

    def __init__(
        self,
        task: str,
        function: Callable[[psycopg.Connection], Any],
        *,
        every: float,
        first: float | None = None,
        dsn: str | None,
        events: SimpleQueue,
    ) -> None:
        """Begin in `first` seconds, in `every` seconds without it. A result of None is no event."""
        self._task, self._function, self._every, self._dsn, self._events = task, function, every, dsn, events
        self._stop = threading.Event()
        self._connection: psycopg.Connection | None = None
        wait = every if first is None else first
        self._thread = threading.Thread(target=self._run, args=(wait,), name=task, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, cancelling what runs; wait a moment for that, not for ever."""
        self._stop.set()
        connection = self._connection
        if connection:
            with contextlib.suppress(psycopg.Error):
                connection.cancel_safe(timeout=2)
        self._thread.join(timeout=2)

    def _run(self, wait: float) -> None:
        backoff = Backoff()
        while not self._stop.wait(wait):
            try:
                self._connection = self._connection or open_connection(self._dsn)
                event = self._function(self._connection)
            except Exception as error:
                event = Failed.of(self._task, error, self._connection)
                if self._connection and is_lost(error, self._connection):
                    self._connection = None
                wait = max(self._every, backoff.next())
            else:
                wait = self._every
                backoff.reset()
            if event is not None and not self._stop.is_set():
                self._events.put(event)
        if self._connection:
            self._connection.close()
