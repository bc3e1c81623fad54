"""Keeps workers running: as many as the backlog wants, another for each that dies, none when the end is asked for."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import psycopg

from logintel.errors import UserError
from logintel.worker import retraining, scoring
from logintel.worker.child import GRACE_SECONDS, Child
from logintel.worker.events import Asked, Backlog, Ended, Failed, RetrainingWaits, Scored
from logintel.worker.loop import Loop, Turn
from logintel.worker.pacing import Backoff, Sizing
from logintel.worker.status import Status

_SECONDS_A_TURN = 1.0


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    dsn: str | None
    max_workers: int
    batch: int  # lines in one transaction
    poll: float  # seconds
    once: bool
    maintain_every: float  # seconds; 0: never


def pending_lines(connection: psycopg.Connection, limit: int) -> int:
    """Count the pending lines, no further than `limit`: a long queue must not cost a scan at each look."""
    query = "SELECT count(*) FROM (SELECT FROM logintel_internal.pending LIMIT %s) AS waiting"
    [(lines,)] = connection.execute(query, (limit,)).fetchall()
    return lines


def queue_older_lines(connection: psycopg.Connection) -> None:
    """Put the lines from before the attachment into the queue, where nobody has done so yet."""
    if connection.execute("SELECT FROM logintel_internal.attachments WHERE reconciled_tables IS NULL").fetchall():
        connection.execute("SELECT * FROM logintel.reconcile()")


class Supervisor:
    """Runs the workers. All that happens comes through one queue, handled by the main thread alone."""

    def __init__(self, options: Options) -> None:
        """Prepare; nothing is started yet."""
        self._options = options
        self._events: SimpleQueue = SimpleQueue()
        self._sizing = Sizing(options.batch, options.max_workers)
        self._status = Status(time.monotonic())
        self._workers: list[Child] = []
        self._retraining: Child | None = None
        self._schedule = retraining.Schedule()
        self._loops: list[Loop] = []
        self._stop_loops = threading.Event()
        self._deaths = Backoff()
        self._start_after = 0.0  # no worker is started before this time
        self._ended_by: int | None = None
        self._done = False

    @property
    def scored(self) -> int:
        """Lines scored so far."""
        return self._status.scored

    def run(self) -> int | None:
        """Run until a signal asks for an end and return it; with `once`, return None when nothing is pending.

        With `once`, raises UserError for whatever keeps lines from being scored.
        """
        with self._signals():
            upkeep = self._options.maintain_every
            self._regularly("counting the pending lines", self._count, self._options.poll)
            if upkeep:
                self._regularly("maintain()", _maintain, upkeep, first=upkeep)
            if upkeep and not self._options.once:
                every = min(retraining.SECONDS_BETWEEN_LOOKS, upkeep)
                self._regularly("requesting a retraining", self._look_for_retrainings, every)
            try:
                while not self._done:
                    self._adjust()
                    self._turn()
            finally:
                self._stop()
        return self._ended_by

    def _turn(self) -> None:
        """Handle what has happened, or the passing of time."""
        with contextlib.suppress(Empty):
            self._handle(self._events.get(timeout=_SECONDS_A_TURN))
        self._status.tick(time.monotonic())

    def _handle(self, event: Any) -> None:
        match event:
            case Scored(lines):
                self._status.scored += lines
                self._deaths.reset()
            case Backlog(lines):
                self._sizing.update(lines, time.monotonic())
                self._done = self._done or (self._options.once and lines == 0)
            case Failed():
                self._sizing.update_blindly()
                self._complain(event)
            case Ended(child):
                self._bury(child)
            case RetrainingWaits() if self._retraining is None:
                self._retraining = Child(retraining.__name__, {"dsn": self._options.dsn}, self._events)
            case Asked(number):
                self._ended_by, self._done = number, True

    def _complain(self, failure: Failed) -> None:
        text = f"{failure.task} failed: {failure.reason}"
        if self._options.once and failure.task != "maintain()":
            raise UserError(text)
        if failure.lost:
            text, key = f"no connection: {failure.reason}; trying again until the server answers", "no connection"
        else:
            text, key = text if failure.task == retraining.TASK else f"{text}; trying again", text
        self._status.complain(text, time.monotonic(), key)

    def _bury(self, child: Child) -> None:
        how = child.end()
        if child is self._retraining:
            self._retraining = None
            if how and not child.stopping:
                self._status.complain(f"{retraining.TASK} failed: it was {how}", time.monotonic())
            return
        self._workers.remove(child)
        if not child.stopping:
            self._start_after = time.monotonic() + self._deaths.next()
            self._status.say(f"a worker was lost: {how or 'it ended'}; another takes its place")

    def _adjust(self) -> None:
        """Start or stop workers, to have as many as the backlog wants."""
        running = [worker for worker in self._workers if not worker.stopping]
        if len(running) < self._sizing.workers and time.monotonic() >= self._start_after:
            configuration = {"dsn": self._options.dsn, "batch": self._options.batch, "poll": self._options.poll}
            for _ in range(self._sizing.workers - len(running)):
                self._workers.append(Child(scoring.__name__, configuration, self._events))
                running.append(self._workers[-1])
        for worker in running[self._sizing.workers :]:
            worker.stop()
            running.remove(worker)
        self._status.count_workers(len(running))

    def _stop(self) -> None:
        """End everything that runs. A second signal, or the end of patience, kills the children."""
        for child in self._children():
            child.stop()
        self._stop_loops.set()
        for loop in self._loops:
            loop.end()
        deadline = time.monotonic() + GRACE_SECONDS
        while self._children():
            try:
                event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                event = None
            if event is None or isinstance(event, Asked):
                for child in self._children():
                    child.kill()
                deadline = time.monotonic() + GRACE_SECONDS
            elif isinstance(event, Scored | Ended):
                self._handle(event)

    def _children(self) -> list[Child]:
        return [*self._workers, *([self._retraining] if self._retraining else [])]

    def _count(self, connection: psycopg.Connection) -> None:
        queue_older_lines(connection)
        self._events.put(Backlog(pending_lines(connection, self._sizing.countable)))

    def _look_for_retrainings(self, connection: psycopg.Connection) -> None:
        if self._schedule.look(connection):
            self._events.put(RetrainingWaits())

    def _regularly(self, task: str, turn: Turn, every: float, first: float = 0.0) -> None:
        loop = Loop(task, turn, every=every, dsn=self._options.dsn, report=self._events.put, stop=self._stop_loops)
        self._loops.append(loop)
        loop.start(first)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Turn SIGTERM and SIGINT into events. Putting into a SimpleQueue is safe in a handler."""
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = [signal.signal(number, lambda n, _: self._events.put(Asked(n))) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)


def _maintain(connection: psycopg.Connection) -> None:
    connection.execute("CALL logintel.maintain('45 s')")
