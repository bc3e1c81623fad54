"""What the supervisor hears of: from its child processes, from what it does regularly, and from the system."""

from dataclasses import dataclass
from typing import Any

import psycopg

from logintel.database import is_lost, reason_of


@dataclass(frozen=True)
class Scored:
    """A child has committed a batch."""

    lines: int


@dataclass(frozen=True)
class Failed:
    """Something did not work."""

    task: str
    reason: str
    lost: bool = False  # there is no connection: all that need one fail at once, for one reason

    @classmethod
    def of(cls, task: str, error: Exception, connection: psycopg.Connection | None) -> "Failed":
        """Describe the failure of a task that ran on `connection`, None where it could not be opened."""
        return cls(task, reason_of(error), is_lost(error, connection))


@dataclass(frozen=True)
class Ended:
    """A child process has ended."""

    child: Any  # child.Child


@dataclass(frozen=True)
class Backlog:
    """So many lines are pending, counted no further than makes a difference."""

    lines: int


@dataclass(frozen=True)
class RetrainingWaits:
    """A retraining was requested, and nobody does it yet."""


@dataclass(frozen=True)
class Asked:
    """A signal asks for an end."""

    signal: int
