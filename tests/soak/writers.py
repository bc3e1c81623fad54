"""Sessions that insert lines, each kind with its own mixture of transactions. A ledger says what was acknowledged."""

import time
from collections.abc import Callable, Sequence

import psycopg
from ledger import Ledger
from mixtures import COLUMNS, TYPES, Line, Mixture
from sessions import Session, Soak

ROLE = "soak_writer"
"""Writers have the rights of an ordinary role, as applications do."""

_VALUES = ", ".join(f"%s::{type_}" for type_ in TYPES)
INSERT = f"INSERT INTO log_entries ({COLUMNS}) VALUES ({_VALUES})"
_INSERT_SELECT = f"INSERT INTO log_entries ({COLUMNS}) SELECT * FROM unnest({', '.join(f'%s::{t}[]' for t in TYPES)})"


class Writer(Session):
    """Writes lines of its own: the marker of a line begins with the writer's name."""

    isolation = "READ COMMITTED"

    def __init__(self, soak: Soak, number: int = 1) -> None:
        super().__init__(soak, number)
        self.mixture = Mixture(soak.random(f"lines of {self.name}"))
        self.ledger = Ledger()
        self.is_new = True
        self._markers = 0
        self._revisions = 0

    def transact(self, connection: psycopg.Connection) -> bool:
        """Do the work of one open transaction; return whether it is to be committed."""
        raise NotImplementedError

    def prepare(self, connection: psycopg.Connection) -> None:
        super().prepare(connection)
        self.settle(connection)
        connection.execute(f"SET SESSION AUTHORIZATION {ROLE}")
        self.is_new = True  # a backend begins with the most that it is going to do, for the same reason as above

    def settle(self, connection: psycopg.Connection) -> None:
        """Find out what became of a commit that nobody acknowledged."""
        if problem := self.ledger.settle(connection):
            self.soak.journal.broke("a transaction comes as a whole or not at all", f"{self.name}: {problem}")

    def step(self, connection: psycopg.Connection) -> None:
        self.ledger.begin()
        connection.execute(f"BEGIN ISOLATION LEVEL {self.isolation}")
        if self.transact(connection):
            self.ledger.is_committing = True
            status = connection.execute("COMMIT").statusmessage
            if status != "COMMIT":
                raise psycopg.InternalError(f"COMMIT was answered by {status}")
            self.count("lines written", self.ledger.committed())
            self.count("transactions")
        else:
            connection.execute("ROLLBACK")
            self.ledger.undone()
            self.count("rolled back by themselves")

    def refused(self, error: psycopg.Error) -> None:
        self.ledger.undone()
        self.count("refused")
        if "violates partition constraint" in str(error):
            return  # PostgreSQL's doing: the line waited for the lock under which its day became a partition
        self.soak.journal.broke("no write is refused", f"{self.name}: {error.sqlstate} {error}")

    def killed(self) -> None:
        self.ledger.lost()
        self.count("transactions killed")

    def lines(self, number: int, make: Callable[[str, str], Line] | None = None) -> list[Line]:
        """Make lines with markers of their own."""
        make = make or self.mixture.any
        made = []
        for _ in range(number):
            self._markers += 1
            made.append(make(f"{self.name} {self._markers}", self.revision()))
        return made

    def revision(self) -> str:
        """Return the name of a state that no line of this writer has had."""
        self._revisions += 1
        return f"revision {self._revisions}"

    def insert(self, connection: psycopg.Connection, lines: Sequence[Line]) -> None:
        """Insert lines in one statement, of whichever kind chance wants."""
        for line in lines:
            self.ledger.write([line.log_id], line.host)
        started = time.monotonic()
        if len(lines) == 1:
            connection.execute(INSERT, lines[0])
        elif self.random.random() < 0.5:
            connection.execute(_INSERT_SELECT, [list(column) for column in zip(*lines, strict=True)])
        else:
            with connection.cursor().copy(f"COPY log_entries ({COLUMNS}) FROM STDIN") as copy:
                for line in lines:
                    copy.write_row(line)
        self.took(started)

    def took(self, started: float) -> None:
        """Keep the longest time that a statement took, in ms."""
        self.soak.journal.highest(f"{self.kind}: slowest statement, ms", int((time.monotonic() - started) * 1000))


class OneRow(Writer):
    """One line a transaction, as most applications write."""

    kind = "one_row"
    pause = 0.02

    def step(self, connection: psycopg.Connection) -> None:
        self.ledger.begin()
        self.ledger.is_committing = True
        self.insert(connection, self.lines(1))
        self.count("lines written", self.ledger.committed())
        self.count("transactions")


class Batch(Writer):
    """Many lines a statement, now and then more than the models score at once."""

    kind = "batch"
    pause = 1.0

    def transact(self, connection: psycopg.Connection) -> bool:
        # Many new shapes at first: it may meet as many after a deployment, and onnxruntime scores so many.
        number = self.random.choice((2, 20, 100, 700))
        lines = self.lines(700, self.mixture.new) if self.is_new else self.lines(number)
        self.insert(connection, lines)
        self.is_new = False
        return True


class FixedSnapshot(Batch):
    """Several statements under one snapshot: what is deployed or evicted meanwhile stays unseen."""

    kind = "fixed_snapshot"
    pause = 3.0
    isolation = "REPEATABLE READ"

    def transact(self, connection: psycopg.Connection) -> bool:
        connection.execute("SELECT 1")
        for _ in range(0 if self.soak.is_calm() else 3):
            self.soak.stop.wait(self.random.uniform(0, 1.5))
            number = self.random.choice((1, 5, 50))
            lines = self.lines(50, self.mixture.new) if self.is_new else self.lines(number)
            self.insert(connection, lines)
            self.is_new = False
        return True


class Savepoints(Writer):
    """Transactions with savepoints, some of them given up, sometimes more of them than a backend keeps in memory."""

    kind = "savepoints"
    pause = 0.5

    def transact(self, connection: psycopg.Connection) -> bool:
        for _ in range(self.random.choice((2, 4, 8, 80))):
            noted = self.ledger.savepoint()
            connection.execute("SAVEPOINT inner_part")
            self.insert(connection, self.lines(self.random.choice((1, 1, 3))))
            if self.random.random() < 0.3:
                connection.execute("ROLLBACK TO inner_part")
                self.ledger.back_to(noted)
                self.count("rolled back to a savepoint")
            elif self.random.random() < 0.5:
                connection.execute("RELEASE inner_part")
        return True


class Long(Writer):
    """Transactions that stay open for long and commit late, or not at all."""

    kind = "long"
    pause = 6.0

    def transact(self, connection: psycopg.Connection) -> bool:
        ends = self.soak.journal.seconds() + min(20.0, self.soak.seconds / 8) * self.random.uniform(0.3, 1)
        while self.soak.journal.seconds() < ends and not self.soak.is_calm() and not self.soak.stop.wait(1.0):
            self.insert(connection, self.lines(self.random.choice((1, 1, 5, 40))))
        return self.random.random() < 0.8


class RolledBack(Writer):
    """Transactions of which half come to nothing, by a ROLLBACK or by an error of their own."""

    kind = "rolled_back"
    pause = 0.3

    def transact(self, connection: psycopg.Connection) -> bool:
        self.insert(connection, self.lines(self.random.choice((1, 5, 60)), self._half_new))
        end = self.random.random()
        if end < 0.25:
            try:
                connection.execute("SELECT 1 / 0")
            except psycopg.errors.DivisionByZero:
                self.count("errors of their own")
            return False
        return end > 0.5

    def _half_new(self, marker: str, revision: str) -> Line:
        return self.mixture.any(marker, revision, new_share=0.5)


class NewShapes(Writer):
    """Lines of shapes that nobody has seen: a steady trickle, and bursts."""

    kind = "new_shapes"
    pause = 0.3

    def transact(self, connection: psycopg.Connection) -> bool:
        number = self.random.choice((100, 300, 600)) if self.random.random() < 0.03 else 1
        self.insert(connection, self.lines(600 if self.is_new else number, self.mixture.new))
        self.is_new = False
        return True


class Odd(Writer):
    """Lines that few have thought of."""

    kind = "odd"
    pause = 0.4

    def transact(self, connection: psycopg.Connection) -> bool:
        self.insert(connection, self.lines(self.random.choice((1, 1, 4)), self.mixture.odd))
        return True
