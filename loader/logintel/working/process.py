"""A worker as its supervisor sees it: a child process, ended by closing the pipe to it."""

import contextlib
import json
import subprocess
import sys
import threading
from queue import SimpleQueue
from typing import Any

from logintel.working.events import Ended, Failed, Scored

_COMMAND = [sys.executable, "-P", "-m", "logintel.working.worker"]


class WorkerProcess:
    """A running worker. What it reports becomes events, the last of them Ended."""

    def __init__(self, configuration: dict[str, Any], events: SimpleQueue) -> None:
        """Start the process."""
        self.stopping = False
        # A process group of its own: Ctrl-C in a terminal is the supervisor's to handle.
        self._process = subprocess.Popen(  # noqa: S603
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
        )
        threading.Thread(target=self._listen, args=(events,), daemon=True).start()
        with contextlib.suppress(BrokenPipeError):  # it has ended already, which _listen says
            self._process.stdin.write(json.dumps(configuration) + "\n")
            self._process.stdin.flush()

    def stop(self) -> None:
        """Ask the worker to end after the batch in hand."""
        self.stopping = True
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def kill(self) -> None:
        """End the worker at once; the server rolls its batch back."""
        self.stopping = True
        self._process.kill()

    def end(self) -> str:
        """Say how the process ended. To be asked after Ended."""
        code = self._process.wait()
        return f"killed by signal {-code}" if code < 0 else f"ended with code {code}"

    def _listen(self, events: SimpleQueue) -> None:
        for line in self._process.stdout:
            report = json.loads(line)
            events.put(Scored(**report) if "lines" in report else Failed(**report))
        self._process.wait()
        events.put(Ended(self))
