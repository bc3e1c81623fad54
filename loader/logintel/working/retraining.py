"""Retrainings on a schedule: requests are filed when it is time, and each is done by a process of its own.

    python -P -m logintel.working.retraining

is that process: `logintel retrain`, which ends with its supervisor. It reads the connection string from standard input,
where no other user can see it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from queue import SimpleQueue

import psycopg

from logintel.working.events import Retrained, Retraining

_COMMAND = [sys.executable, "-P", "-m", "logintel.working.retraining"]
GRACE_SECONDS = 10.0
"""Training stops between two steps; then it is given up. What it does not finish is not registered."""

SECONDS_BETWEEN_LOOKS = 60.0


class Schedule:
    """Requests retrainings every so many hours, as the setting says, and tells of those that wait."""

    def __init__(self) -> None:
        """Begin: where the setting says so, a retraining is due at once."""
        self._asked_at: float | None = None

    def look(self, connection: psycopg.Connection) -> Retraining | None:
        """File a request if it is time, and return Retraining where one waits."""
        [(hours,)] = connection.execute(
            "SELECT value::integer FROM logintel.settings WHERE name = 'retrain_every_hours'").fetchall()
        if hours and (self._asked_at is None or time.monotonic() - self._asked_at >= hours * 3600):
            connection.execute("SELECT logintel.request_retraining()")
            self._asked_at = time.monotonic()
        waits = connection.execute(
            "SELECT FROM logintel.ml_retrainings WHERE started_at IS NULL AND finished_at IS NULL").fetchall()
        return Retraining() if waits else None


class RetrainingProcess:
    """A running `logintel retrain`. Its end becomes an event, Retrained."""

    def __init__(self, dsn: str | None, events: SimpleQueue) -> None:
        """Start the process."""
        # A process group of its own: Ctrl-C in a terminal is the supervisor's to handle.
        self._process = subprocess.Popen(  # noqa: S603
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            process_group=0,
        )
        threading.Thread(target=self._listen, args=(events,), daemon=True).start()
        with contextlib.suppress(BrokenPipeError):  # it has ended already, which _listen says
            self._process.stdin.write(f"{dsn or ''}\n")
            self._process.stdin.flush()

    def stop(self) -> None:
        """Ask it to end."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def _listen(self, events: SimpleQueue) -> None:
        said = self._process.stderr.read().strip().splitlines()
        code = self._process.wait()
        reason = said[-1].removeprefix("logintel: ") if said else f"it ended with code {code}"
        events.put(Retrained(reason if code else None))


def main() -> None:
    """Run as a process of the supervisor's."""
    line = sys.stdin.readline()
    if not line:  # the supervisor is gone already
        return
    threading.Thread(target=_end_with_supervisor, daemon=True).start()
    from logintel import cli  # whose main() reads the command line, and says what is wrong in one line

    os.environ["DATABASE_URL"] = line.rstrip("\n")
    sys.argv = ["logintel", "retrain"]
    cli.main()


def _end_with_supervisor() -> None:
    """Interrupt the training when standard input is closed, by the supervisor or by its death."""
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(GRACE_SECONDS)
    os._exit(1)  # stuck: nothing of it was committed


if __name__ == "__main__":
    main()
