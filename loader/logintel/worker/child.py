"""Child processes: the one protocol between the supervisor and whatever it starts.

    python -P -m logintel.worker.child MODULE

imports the module and calls its run(report, stop, **configuration). The configuration is a line of JSON on standard
input, where no other user can see the connection string. Events are lines of JSON on standard output. When standard
input closes, because the supervisor wants an end or is gone itself, `stop` is set; a child that goes on all the same is
ended after GRACE_SECONDS. Whatever a child is doing, it may be killed: the server rolls back what was not committed.
"""

import contextlib
import importlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from queue import SimpleQueue
from typing import Any

from logintel.worker.events import Ended, Failed, Scored

GRACE_SECONDS = 10.0
"""What is in hand when the end is asked for may take so long; then it is given up, and rolled back."""

Report = Callable[[Scored | Failed], None]
_EVENTS = {event.__name__: event for event in (Scored, Failed)}


class Child:
    """A running child process. What it reports becomes events, the last of them Ended."""

    def __init__(self, module: str, configuration: dict[str, Any], events: SimpleQueue) -> None:
        """Start the process."""
        self.stopping = False
        # A process group of its own: Ctrl-C in a terminal is the supervisor's to handle.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", __name__, module],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, process_group=0,
        )  # fmt: skip
        threading.Thread(target=self._listen, args=(events,), daemon=True).start()
        with contextlib.suppress(BrokenPipeError):  # it has ended already, which _listen says
            self._process.stdin.write(json.dumps(configuration) + "\n")
            self._process.stdin.flush()

    def stop(self) -> None:
        """Ask it to end after what it has in hand."""
        self.stopping = True
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def kill(self) -> None:
        """End it at once."""
        self.stopping = True
        self._process.kill()

    def end(self) -> str | None:
        """Say how it ended, None where all was well. To be asked after Ended."""
        code = self._process.wait()
        return f"killed by signal {-code}" if code < 0 else f"ended with code {code}" if code else None

    def _listen(self, events: SimpleQueue) -> None:
        for line in self._process.stdout:
            [(name, fields)] = json.loads(line).items()
            events.put(_EVENTS[name](**fields))
        self._process.wait()
        events.put(Ended(self))


def main() -> None:
    """Run as a child process."""
    line = sys.stdin.readline()
    if not line:  # the supervisor is gone already
        return
    # Nothing that is printed may come between the events. Failures are reported; psycopg would also log some of them.
    pipe = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    stop = threading.Event()
    threading.Thread(target=_end_with_supervisor, args=(stop,), daemon=True).start()

    def report(event: Scored | Failed) -> None:
        try:
            os.write(pipe, (json.dumps({type(event).__name__: asdict(event)}) + "\n").encode())
        except BrokenPipeError:  # the supervisor is gone
            stop.set()

    module = sys.argv[1]
    try:
        importlib.import_module(module).run(report, stop, **json.loads(line))
    except Exception as error:
        report(Failed.of(module, error, None))
        raise


def _end_with_supervisor(stop: threading.Event) -> None:
    os.read(sys.stdin.fileno(), 1)
    stop.set()
    time.sleep(GRACE_SECONDS)
    os._exit(1)  # stuck in the server, or in a model


if __name__ == "__main__":
    main()
