"""What the supervisor says on standard error: one line when something changes."""

import math
from collections.abc import Callable

from logintel import streams

SECONDS_BETWEEN = 60.0
"""The same complaint, and the number of lines scored, come no more often than this."""


def _print(text: str) -> None:
    streams.complain(f"logintel: {text}")


class Status:
    """Lines of status and complaints. Times are seconds of a clock that only goes forward."""

    def __init__(self, now: float, write: Callable[[str], None] = _print) -> None:
        """Begin at the time `now`."""
        self.scored = 0
        self._write = write
        self._said: dict[str, float] = {}
        self._minute_began, self._scored_before = now, 0
        self._workers = 0

    def say(self, text: str) -> None:
        """Say it."""
        self._write(text)

    def complain(self, text: str, now: float, key: str | None = None) -> None:
        """Say what is wrong, unless the same was said within the last minute. `key`: what counts as the same."""
        key = key or text
        if now - self._said.get(key, -math.inf) >= SECONDS_BETWEEN:
            self._said = {k: at for k, at in self._said.items() if now - at < SECONDS_BETWEEN} | {key: now}
            self._write(text)

    def count_workers(self, workers: int) -> None:
        """Say how many workers run, when that has changed."""
        if workers != self._workers:
            self._workers = workers
            self._write(f"{workers} worker{'s' * (workers != 1)} running")

    def tick(self, now: float) -> None:
        """Say how many lines were scored, once a minute, when there were any."""
        if now - self._minute_began >= SECONDS_BETWEEN:
            scored = self.scored - self._scored_before
            if scored:
                a_minute = scored * 60 / (now - self._minute_began)
                self._write(f"{a_minute:,.0f} lines a minute, {self.scored:,} since the start")
            self._minute_began, self._scored_before = now, self.scored
