"""A session: a thread with a connection of its own, which comes back after its backend or the server was killed."""

import random
import threading
import time
import traceback
from dataclasses import dataclass, field

import psycopg
from journal import Journal

PREFIX = "soak "
"""The application name of a session is this and its name, which is its kind and a number."""

_SHUTDOWN = {"57P01", "57P02", "57P03"}
_PATIENCE = 120.0
"""Seconds that a server may need to come back before that is called broken."""


@dataclass
class Soak:
    """What all sessions share. `dsn` changes when the server comes back on another port."""

    dsn: str
    journal: Journal
    seconds: float
    seed: int
    stop: threading.Event = field(default_factory=threading.Event)

    def connect(self, name: str) -> psycopg.Connection:
        """Open an autocommit connection under a name. Raises psycopg.OperationalError while the server is down."""
        return psycopg.connect(self.dsn, autocommit=True, application_name=PREFIX + name, connect_timeout=20)

    def is_calm(self) -> bool:
        """Tell whether this is one of the short times without long transactions, in which partitions can be dropped."""
        every = min(30.0, self.seconds / 4)
        return self.journal.seconds() % every < every / 5

    def random(self, name: str) -> random.Random:
        """Return a source of chance of one's own: the same seed, the same decisions."""
        return random.Random(f"{self.seed} {name}")


def was_killed(error: psycopg.Error) -> bool:
    """Tell whether an error means that the session's backend or server went away."""
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and error.sqlstate is None:
        return True
    return error.sqlstate in _SHUTDOWN


class Session(threading.Thread):
    """Does one step after the other until the soak stops. Subclasses say what a step is."""

    kind = ""
    pause = 1.0
    """Seconds between steps, on average."""

    def __init__(self, soak: Soak, number: int = 1) -> None:
        super().__init__(name=f"{self.kind} {number}", daemon=True)
        self.soak = soak
        self.number = number
        self.random = soak.random(self.name)
        self._gone_since: float | None = None

    def run(self) -> None:
        while not self.soak.stop.is_set():
            try:
                with self._connect() as connection:
                    self._gone_since = None
                    self._work(connection)
            except psycopg.Error as error:
                self._lost(error)
                self.soak.stop.wait(0.2)
            except Exception:
                self.soak.journal.broke("the soak itself works", f"{self.name}: {traceback.format_exc()[-280:]}")
                self.soak.stop.wait(5)

    def prepare(self, connection: psycopg.Connection) -> None:
        """Do what a new connection needs."""
        # The models are loaded at once, so that the session's memory can be compared from here on.
        connection.execute("SELECT logintel.analyze('started')")

    def step(self, connection: psycopg.Connection) -> None:
        """Do one piece of work."""
        raise NotImplementedError

    def refused(self, error: psycopg.Error) -> None:
        """A step failed although nobody killed the session."""
        self.soak.journal.broke(f"{self.kind}: a statement failed", f"{error.sqlstate} {error}")

    def killed(self) -> None:
        """The backend or the server went away during a step."""

    def count(self, what: str, number: int = 1) -> None:
        """Count something under this kind of session."""
        self.soak.journal.count(f"{self.kind}: {what}", number)

    def _connect(self) -> psycopg.Connection:
        connection = self.soak.connect(self.name)
        try:
            self.prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _work(self, connection: psycopg.Connection) -> None:
        while not self.soak.stop.is_set():
            try:
                self.step(connection)
            except psycopg.Error as error:
                if was_killed(error) or connection.closed:
                    self.killed()
                    raise
                self.refused(error)
                connection.rollback()
            self.soak.stop.wait(self.pause * self.random.uniform(0.3, 1.7))

    def _lost(self, error: psycopg.Error) -> None:
        if not was_killed(error):
            self.refused(error)
            return
        now = time.monotonic()
        if self._gone_since is None:
            self._gone_since = now
            self.count("connections lost")
        elif now - self._gone_since > _PATIENCE:
            self.soak.journal.broke("the server comes back", f"{self.name}: {error}")
            self._gone_since = now
