"""Retrainings of the worker's: requests are filed when it is time, and a child process does each of them."""

import os
import signal
import threading
import time

import psycopg

from logintel.errors import UserError
from logintel.retraining.command import lacking_rights, retrain
from logintel.worker.child import Report
from logintel.worker.events import Failed

TASK = "logintel retrain"
SECONDS_BETWEEN_LOOKS = 60.0


class Schedule:
    """Requests retrainings every so many hours, as the setting says, and sees whether one waits."""

    def __init__(self) -> None:
        """Begin: where the setting says so, a retraining is due at once."""
        self._asked_at: float | None = None
        self._has_complained = False

    def look(self, connection: psycopg.Connection) -> bool:
        """File a request if it is time, and tell whether one waits that this role may do.

        Raises UserError, once, where it may not: somebody else's worker may.
        """
        [(hours,)] = connection.execute(
            "SELECT value::integer FROM logintel.settings WHERE name = 'retrain_every_hours'").fetchall()
        if hours and (self._asked_at is None or time.monotonic() - self._asked_at >= hours * 3600):
            connection.execute("SELECT logintel.request_retraining()")
            self._asked_at = time.monotonic()
        waiting = "SELECT FROM logintel.ml_retrainings WHERE started_at IS NULL AND finished_at IS NULL"
        if not connection.execute(waiting).fetchall():
            return False
        lacking = lacking_rights(connection)
        if lacking and not self._has_complained:
            self._has_complained = True
            raise UserError(lacking)
        return not lacking


def run(report: Report, stop: threading.Event, dsn: str | None) -> None:
    """Do what `logintel retrain` does, as a child process: `stop` interrupts it, and nothing of it is registered."""
    threading.Thread(target=_interrupt, args=(stop,), daemon=True).start()
    try:
        retrain(dsn=dsn)
    except KeyboardInterrupt:
        pass
    except Exception as error:
        report(Failed.of(TASK, error, None))


def _interrupt(stop: threading.Event) -> None:
    stop.wait()
    os.kill(os.getpid(), signal.SIGINT)
