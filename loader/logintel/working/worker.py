"""One worker process: scores batch after batch until its supervisor closes standard input, or is gone.

    python -P -m logintel.working.worker

Reads its configuration as one line of JSON from standard input, where no other user can see the connection string, and
reports on standard output, a line of JSON for each batch and each failure. Says nothing on standard error.
"""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import psycopg

from logintel.working.connections import is_lost, open_connection
from logintel.working.events import Failed, Scored
from logintel.working.pacing import Backoff
from logintel.working.scoring import Stopped, score_batch

GRACE_SECONDS = 10.0
"""A batch that is in hand when the end is asked for may take so long; then it is given up, and rolled back."""

Report = Callable[[Scored | Failed], None]


def score_until(stop: threading.Event, dsn: str | None, batch: int, poll: float, report: Report) -> None:
    """Score batches of up to `batch` lines until `stop` is set; rest for `poll` seconds when fewer were pending."""
    backoff = Backoff()
    connection: psycopg.Connection | None = None
    while not stop.is_set():
        try:
            connection = connection or open_connection(dsn)
            done = score_batch(connection, batch, stop.is_set)
        except Stopped:
            break
        except Exception as error:  # whatever it is: the lines are pending as before, and others may come
            report(Failed.of("scoring", error, connection))
            if connection and is_lost(error, connection):
                connection = None
            stop.wait(backoff.next())
            continue
        backoff.reset()
        if done.scored:
            report(Scored(done.scored))
        if done.taken < batch:  # let lines gather: a batch costs the same for one as for many
            stop.wait(poll)
    if connection:
        connection.close()


def main() -> None:
    """Run as a process of the supervisor's."""
    line = sys.stdin.readline()
    if not line:  # the supervisor is gone already
        return
    configuration: dict[str, Any] = json.loads(line)
    # What goes wrong is reported; psycopg would log a failed rollback, which needs no telling, to standard error.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    stop = threading.Event()
    threading.Thread(target=_end_with_supervisor, args=(stop,), daemon=True).start()

    def report(event: Scored | Failed) -> None:
        try:
            os.write(sys.stdout.fileno(), (json.dumps(asdict(event)) + "\n").encode())
        except BrokenPipeError:  # the supervisor is gone
            stop.set()

    score_until(stop, **configuration, report=report)


def _end_with_supervisor(stop: threading.Event) -> None:
    """Ask for an end when standard input is closed, by the supervisor or by its death; then wait a while at most."""
    os.read(sys.stdin.fileno(), 1)
    stop.set()
    time.sleep(GRACE_SECONDS)
    os._exit(1)  # stuck in the server: without this process it rolls back


if __name__ == "__main__":
    main()
