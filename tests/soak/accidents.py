"""What happens to sessions and servers: backends terminated, cancelled and killed, the server stopped in two ways."""

import os
import signal
import time
from pathlib import Path
from threading import Thread

import psycopg
from sessions import PREFIX, Soak, was_killed

from support.servers import Cluster

QUIET = (0.2, 0.85)
"""Between these shares of the soak the server stays up, so that the memory of its backends can be compared."""

_SECONDS_A_STOP = 20
_CANCELLED = ("maintainer", "reconciler", "backfiller", "deployer", "rescorer", "worker")
"""Kinds of sessions whose statements are cancelled too: a writer's insert is not to be refused."""
_VICTIMS = """
    SELECT pid, application_name FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
      AND (application_name LIKE %s OR application_name = 'logintel worker')
    ORDER BY state <> 'active', random()
"""


class Accidents(Thread):
    """Kills sessions all the time, and stops the server before and after the quiet part."""

    def __init__(self, soak: Soak, cluster: Cluster) -> None:
        super().__init__(name="accidents", daemon=True)
        self._soak = soak
        self._cluster = cluster
        self._random = soak.random("accidents")
        self.killed_backends = 0

    def run(self) -> None:
        stops = self._plan()
        while not self._soak.stop.wait(self._random.uniform(0.5, 2.5)):
            try:
                if stops and self._soak.journal.seconds() >= stops[0][0]:
                    _, stop = stops.pop(0)
                    stop()
                else:
                    self._end_a_session()
            except psycopg.Error as error:
                if not was_killed(error):
                    self._soak.journal.broke("sessions can be killed", str(error))

    def _plan(self) -> list[tuple]:
        """Say when the server is stopped in which way, in seconds since the start."""
        seconds = self._soak.seconds
        parts = [(0.0, QUIET[0]), (QUIET[1], 1.0)]
        stops = []
        for start, end in parts:
            number = max(2, int(seconds * (end - start) / _SECONDS_A_STOP))
            stops += [seconds * (start + (end - start) * (n + 0.2) / number) for n in range(number)]
        ways = (self._kill_a_backend, self._stop_fast, self._stop_at_once)
        return [(at, ways[n % len(ways)]) for n, at in enumerate(stops)]

    def is_quiet(self) -> bool:
        """Tell whether this is the part of the soak in which the server stays up."""
        return QUIET[0] <= self._soak.journal.seconds() / self._soak.seconds <= QUIET[1]

    def _end_a_session(self) -> None:
        """Terminate a backend, or cancel its statement. In the quiet part the first session of each kind is spared."""
        with self._soak.connect("accidents") as connection:
            for pid, name in connection.execute(_VICTIMS, (PREFIX + "%",)).fetchall():
                is_writer = not any(kind in name for kind in _CANCELLED)
                if self.is_quiet() and name.endswith(" 1"):
                    continue
                if not is_writer and self._random.random() < 0.5:
                    connection.execute("SELECT pg_cancel_backend(%s)", (pid,))
                    self._soak.journal.count("accidents: statements cancelled")
                else:
                    connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
                    self._soak.journal.count("accidents: backends terminated")
                return

    def _kill_a_backend(self) -> None:
        """Kill a backend as the kernel would: the server restarts all of them and recovers from its log."""
        with self._soak.connect("accidents") as connection:
            pid, name = connection.execute(_VICTIMS, (PREFIX + "%",)).fetchall()[0]
        self._soak.journal.say(f"kill -9 of the backend of {name}")
        os.kill(pid, signal.SIGKILL)
        self.killed_backends += 1
        self._soak.journal.count("accidents: backends killed by SIGKILL")

    def _stop_fast(self) -> None:
        self._restart(signal.SIGINT, "fast")

    def _stop_at_once(self) -> None:
        self._restart(signal.SIGQUIT, "immediate")

    def _restart(self, how: signal.Signals, name: str) -> None:
        """Stop the server as `pg_ctl stop -m` does, and start it again."""
        self._soak.journal.say(f"restart, {name}")
        postmaster = int((self._cluster.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, how)
        deadline = time.monotonic() + 60
        while Path(f"/proc/{postmaster}").exists():
            if time.monotonic() > deadline:
                self._soak.journal.broke("the server stops when it is told to", f"it still runs 60 s after {how.name}")
                return
            time.sleep(0.05)
        self._cluster.up()
        self._soak.dsn = self._cluster.dsn()
        self._soak.journal.count(f"accidents: restarts, {name}")
