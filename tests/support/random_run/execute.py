"""Executes the steps of a random run in a database of its own and compares every figure after each."""

import collections
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg

from support.random_run.plan import SESSIONS, Step
from support.recount import Difference, Recount, settle
from support.tiny_models import ANOMALIES, LEVELS, TinyModel, tiny_model

_OTHER_LEVELS = (
    ("started", "DEBUG"), ("failed", "FATAL"), ("slow", "ERROR"), ("entering", "INFO"), ("panicked", "WARN"),
)  # fmt: skip
_OTHER_ANOMALIES = tuple((word, "none" if word == "panicked" else "system_failure") for word, _ in ANOMALIES)
_SETTINGS = "-c lock_timeout=150ms -c statement_timeout=100s"
"""One statement runs at a time, so whoever waits for a lock would wait for ever."""

_TABLES = """
    CREATE TYPE line_values AS (
        "timestamp" timestamptz, level text, message text, service text, source_type text, http_status integer,
        response_time_ms double precision);
    CREATE TABLE aside (
        id bigint, "timestamp" timestamptz, level text, message text, service text, source_type text,
        http_status integer, response_time_ms double precision);
    CREATE TABLE second_entries (
        id bigint GENERATED ALWAYS AS IDENTITY, "timestamp" timestamptz NOT NULL DEFAULT now(), level text, message text,
        service text, source_type text, http_status integer, response_time_ms double precision, host text,
        PRIMARY KEY (id, "timestamp"));
    SELECT logintel.attach('second_entries');
"""

EXPECTED = {
    "55P03": "locked by another session", "40001": "serialization failures", "40P01": "deadlocks",
    "23505": "keys that exist", "23514": "lines outside their partition", "25P01": "no transaction was open",
    "25P02": "the transaction had failed", "3B001": "no such savepoint", "42704": "nothing of that name is prepared",
    "42710": "the name of a prepared transaction was taken", "42P01": "no such partition",
    "42809": "the partition was not attached", "42P17": "the partition was attached already",
    "21000": "a line met twice", "55000": "not in this state", "P0002": "nothing to judge",
    "25001": "not at this isolation level",
    "22023": "the setting holds nothing", "55006": "in use by a statement of this session",
    "2D000": "no CALL within a transaction", "22P02": "nothing was taken", "27000": "a row changed by a trigger",
}  # fmt: skip
"""Errors that chance brings about, each by what it means here. Any other one ends the run as a failure."""
_NEVER_OF_A_WRITE = {"55000", "22023", "22P02", "25001", "P0002"}


@dataclass
class Failure:
    """What a run has shown to be wrong: after which step, and what."""

    step: int
    differences: list[Difference]

    @property
    def figures(self) -> frozenset[str]:
        return frozenset(difference.figure for difference in self.differences)


@dataclass
class Tally:
    """What was done, for who wants to know that a run did something."""

    steps: int = 0
    compared: int = 0
    not_compared: int = 0
    failed: collections.Counter[str] = field(default_factory=collections.Counter)


def prepare(dsn: str) -> str:
    """Set up a database that has the extension and the standard table; return the type that _take_pending() gives."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_TABLES)
        for levels, anomalies in ((LEVELS, ANOMALIES), (_OTHER_LEVELS, _OTHER_ANOMALIES)):
            _register(connection, tiny_model("level", levels))
            _register(connection, tiny_model("anomaly", anomalies))
        for name in ("level", "anomaly"):
            connection.execute("SELECT logintel.deploy(%s, 1)", (name,))
        connection.execute("SELECT logintel.backfill()")
        taken = "SELECT prorettype::regtype::text FROM pg_proc WHERE proname = '_take_pending'"
        return connection.execute(taken).fetchone()[0]


def _register(connection: psycopg.Connection, model: TinyModel) -> None:
    connection.execute(
        "SELECT logintel.import_model(%s, %s, %s, %s)",
        (model.name, model.onnx, json.dumps(model.metadata), json.dumps(model.golden)),
    )


class Run:
    """One run of some steps. `figures`: those compared, after the last step alone; by default all are, after each."""

    def __init__(
        self,
        dsn: str,
        steps: Sequence[Step],
        without: frozenset[str] = frozenset(),
        figures: frozenset[str] | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._dsn = dsn
        self._steps = steps
        self._without = without
        self._figures = figures
        self._say = say or (lambda text: None)
        self.tally = Tally()

    def failure(self) -> Failure | None:
        """Execute all steps, settle, and return what was wrong first, if anything was."""
        sessions = {name: self._connect(name) for name in SESSIONS}
        auditor = self._connect("auditor")
        try:
            tables = [name for (name,) in auditor.execute("SELECT log_table::text FROM logintel_internal.attachments ORDER BY id")]
            recounts = [Recount(auditor, table, without=self._without) for table in tables]
            for number, step in enumerate(self._steps, 1):
                wrong = self._execute(sessions[step.session], step)
                is_compared = self._figures is None or number == len(self._steps)
                found = [wrong] if wrong else self._differences(recounts) if is_compared else []
                if found:
                    return Failure(number, found)
                if number % 100 == 0:
                    self._say(f"{number} of {len(self._steps)} steps, {self.tally.compared} times compared")
            return self._settled(sessions, auditor, recounts)
        finally:
            _end_all(sessions, auditor)
            for session in (*sessions.values(), auditor):
                session.close()

    def _connect(self, name: str) -> psycopg.Connection:
        return psycopg.connect(self._dsn, autocommit=True, application_name=f"random run: {name}", options=_SETTINGS)

    def _execute(self, session: psycopg.Connection, step: Step) -> Difference | None:
        """Execute a step; an error that chance does not bring about is a difference. Errors end the transaction."""
        self.tally.steps += 1
        try:
            if step.sql.startswith("COPY"):
                statement, data = step.sql.split("\n", 1)
                with session.cursor().copy(statement) as copy:
                    copy.write(data)
            else:
                session.execute(step.sql)
        except psycopg.Error as error:
            writes = step.session.startswith("writer")
            if error.sqlstate not in EXPECTED or (writes and error.sqlstate in _NEVER_OF_A_WRITE):
                message = f"{error.sqlstate} {error}".splitlines()[0]
                return Difference("a statement failed", message, "no such error")
            self.tally.failed[EXPECTED[error.sqlstate]] += 1
            session.rollback()
        return None

    def _differences(self, recounts: Sequence[Recount]) -> list[Difference]:
        found = [recount.differences(self._figures) for recount in recounts]
        if None in found:
            self.tally.not_compared += 1
        else:
            self.tally.compared += 1
        return [difference for of_table in found for difference in of_table or ()]

    def _settled(
        self, sessions: dict[str, psycopg.Connection], auditor: psycopg.Connection, recounts: Sequence[Recount]
    ) -> Failure | None:
        """End what is open, score all that waits, and compare once more: then nothing waits."""
        _end_all(sessions, auditor)
        settle(auditor)
        left = [Difference("what the upkeep leaves to be compared", "lines and predictions", "nothing")]
        compared = [recount.differences(self._figures) for recount in recounts]
        found = [difference for of_table in compared for difference in (left if of_table is None else of_table)]
        self.tally.compared += 1
        if not found and (waiting := auditor.execute("SELECT sum(pending) FROM logintel.ml_status").fetchone()) != (0,):
            found = [Difference("ml_status (pending) when all is scored", str(waiting), "0")]
        return Failure(len(self._steps), found) if found else None


def _end_all(sessions: dict[str, psycopg.Connection], auditor: psycopg.Connection) -> None:
    """Roll back what is open or prepared."""
    for session in sessions.values():
        session.rollback()
    for (name,) in auditor.execute("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()").fetchall():
        auditor.execute(f"ROLLBACK PREPARED '{name}'")
