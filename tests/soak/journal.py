"""What the soak knows about itself: counts of what was done, and promises that were broken."""

import sys
import threading
import time
from collections import Counter


class Journal:
    """Counts and broken promises of all sessions. May be used by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self.counts: Counter[str] = Counter()
        self._broken: dict[str, list[str]] = {}

    def count(self, what: str, number: int = 1) -> None:
        """Add to the count of `what`: a name such as 'maintain: runs'."""
        with self._lock:
            self.counts[what] += number

    def highest(self, what: str, value: int) -> None:
        """Keep the highest value of `what`."""
        with self._lock:
            self.counts[what] = max(self.counts[what], value)

    def broke(self, promise: str, detail: str) -> None:
        """Note that a promise did not hold. Said at once when it is the first time, and again at the end."""
        with self._lock:
            details = self._broken.setdefault(promise, [])
            details.append(" ".join(detail.split())[:300])
            first = len(details) == 1
        if first:
            self.say(f"BROKEN: {promise}: {details[0]}")

    def broken(self) -> list[str]:
        """One line for each broken promise, with the first detail."""
        with self._lock:
            return [
                f"{promise}: {details[0]}" + (f" (and {len(details) - 1} times more)" if len(details) > 1 else "")
                for promise, details in self._broken.items()
            ]

    def seconds(self) -> float:
        """Seconds since the soak began."""
        return time.monotonic() - self._started

    def say(self, text: str) -> None:
        """Print a line with the time since the start."""
        print(f"soak: {self.seconds():6.1f} s  {text}", file=sys.stderr, flush=True)
