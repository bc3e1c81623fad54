"""The command `logintel worker` as a process beside the sessions, killed and started again now and then."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from threading import Thread

from sessions import Soak

from support.processes import start

_COMMAND = [
    "-m",
    "logintel",
    "worker",
    "--max-workers",
    "2",
    "--batch",
    "200",
    "--maintain-every",
    "5",
]
_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL, None)
"""How a worker ends: told to, interrupted, killed; None: one of its own processes is killed, and it goes on."""


def is_there() -> bool:
    """Tell whether the command line knows the command."""
    from logintel.cli import app

    return any(command.callback.__name__ == "worker" for command in app.registered_commands)


class WorkerRunner(Thread):
    """Runs a worker for some seconds, ends it in one way or another, and starts the next."""

    def __init__(self, soak: Soak) -> None:
        super().__init__(name="worker", daemon=True)
        self._soak = soak
        self._random = soak.random("worker")

    def run(self) -> None:
        while not self._soak.stop.is_set():
            process = start(
                *_COMMAND, "--dsn", self._soak.dsn, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            said: list[str] = []
            listener = Thread(target=lambda pipe=process.stdout, said=said: said.extend(pipe), daemon=True)
            listener.start()
            how = self._random.choice(_ENDS)
            try:
                self._soak.stop.wait(self._random.uniform(0.1, 0.3) * min(self._soak.seconds, 200))
                if how is None and not self._soak.stop.is_set():
                    self._kill_a_child(process.pid)
                    self._soak.stop.wait(10)
                self._end(process, signal.SIGTERM if how is None or self._soak.stop.is_set() else how)
            finally:
                if process.poll() is None:
                    process.kill()
            listener.join(10)
            if "cannot connect" in "".join(said):
                self._soak.journal.count("worker: started while the server was down")
            elif process.returncode < 0 and not said:
                self._soak.journal.count("worker: ended before it had begun")
            else:
                self._judge(process, said)

    def _end(self, process: subprocess.Popen, how: signal.Signals) -> None:
        if process.poll() is not None:
            return
        process.send_signal(how)
        self._soak.journal.count(f"worker: ended by {how.name}")
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            self._soak.journal.broke("a worker ends when it is told to", f"it still runs 60 s after {how.name}")

    def _judge(self, process: subprocess.Popen, said: list[str]) -> None:
        last = said[-1] if said else ""
        if last.startswith("scored "):
            self._soak.journal.count("worker: lines scored", int(last.split()[1].replace(",", "")))
        if "Traceback" in "".join(said):
            self._soak.journal.broke("a worker says what is wrong in one line", " ".join(said[-3:]))
        if process.returncode not in (0, 130, -signal.SIGKILL):
            self._soak.journal.broke("a worker goes on until it is told to end", f"code {process.returncode}: {last}")

    def _kill_a_child(self, pid: int) -> None:
        children = Path(f"/proc/{pid}/task/{pid}/children")
        if children.exists() and (pids := children.read_text().split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pids[0]), signal.SIGKILL)
                self._soak.journal.count("worker: processes of its own killed")
