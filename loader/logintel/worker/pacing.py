"""How fast and how many: back-off after failures, workers for a backlog. Nothing waits here."""

import math

BATCHES_A_WORKER = 10
"""Pending batches that are worth one more worker: about what one scores in the second that another takes to start."""

SECONDS_BEFORE_SHRINKING = 10.0


class Backoff:
    """Seconds to wait after each failure in a row: doubling from the first to the longest."""

    def __init__(self, first: float = 0.5, longest: float = 30.0) -> None:
        """Begin with `first` seconds; never wait more than `longest`."""
        self._first, self._longest = first, longest
        self._next = first

    def next(self) -> float:
        """Return the seconds to wait after one more failure."""
        seconds = self._next
        self._next = min(2 * seconds, self._longest)
        return seconds

    def reset(self) -> None:
        """Begin anew: something worked."""
        self._next = self._first


def workers_for(backlog: int, batch: int, most: int) -> int:
    """Return how many workers a backlog of so many lines wants: from 1 to `most`."""
    return min(most, max(1, math.ceil(backlog / (batch * BATCHES_A_WORKER))))


class Sizing:
    """The number of workers over time: none until the backlog is known, then at least one.

    It grows at once, and shrinks when fewer have been enough for a while.
    """

    def __init__(self, batch: int, most: int) -> None:
        """Prepare for batches of so many lines and at most `most` workers."""
        self._batch, self._most = batch, most
        self._enough_since: float | None = None
        self.workers = 0

    @property
    def countable(self) -> int:
        """The backlog from which on more lines make no difference."""
        return self._batch * BATCHES_A_WORKER * self._most

    def update_blindly(self) -> None:
        """Have a worker at least, where the backlog cannot be seen."""
        self.workers = max(1, self.workers)

    def update(self, backlog: int, now: float) -> None:
        """Set `workers` for a backlog seen at the time `now`, in seconds."""
        wanted = workers_for(backlog, self._batch, self._most)
        if wanted >= self.workers:
            self.workers, self._enough_since = wanted, None
        elif self._enough_since is None:
            self._enough_since = now
        elif now - self._enough_since >= SECONDS_BEFORE_SHRINKING:
            self.workers, self._enough_since = wanted, None
