"""What the supervisor hears of: from its workers, from what it does regularly, and from the system."""

from dataclasses import dataclass
from typing import Any

import psycopg

from logintel.working.connections import is_lost, reason_of


@dataclass(frozen=True)
class Scored:
    """A worker has committed a batch."""

    lines: int


@dataclass(frozen=True)
class Failed:
    """Something did not work and will be tried again."""

    task: str
    reason: str
    lost: bool  # there is no connection: all that need one fail at once, for one reason

    @classmethod
    def of(cls, task: str, error: Exception, connection: psycopg.Connection | None) -> "Failed":
        """Describe the failure of a task that ran on `connection`, None where it could not be opened."""
        return cls(task, reason_of(error), is_lost(error, connection))


@dataclass(frozen=True)
class Backlog:
    """So many lines are pending, counted no further than makes a difference."""

    lines: int


@dataclass(frozen=True)
class Ended:
    """A worker's process has ended."""

    worker: Any  # process.WorkerProcess


@dataclass(frozen=True)
class Retraining:
    """A retraining waits for somebody to do it."""


@dataclass(frozen=True)
class Retrained:
    """The process that did a retraining has ended."""

    failure: str | None


@dataclass(frozen=True)
class Asked:
    """A signal asks for an end."""

    signal: int
