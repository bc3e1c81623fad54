"""The lines that writers insert: of known shapes, of new ones, and odd ones."""

import random
import string
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from logintel.simulation.lines import generate

COLUMNS = 'log_id, host, "timestamp", level, message, service, source_type, http_status, response_time_ms'
TYPES = ("text", "text", "timestamptz", "text", "text", "text", "text", "integer", "float8")
WORDS = ("started", "failed", "slow", "entering", "panicked")
OLD = "-old"
"""The markers of lines that retention may remove end in this: those older than KEPT_DAYS."""
KEPT_DAYS = 30
SERVICES = ("billing", "search", "gateway", "mailer", None)
LEVELS = ("DEBUG", "INFO", "warn", "Error", "FATAL", "notice", None)
STATUSES = (None, None, 200, 302, 404, 503)

_HUGE = 1_000_000
_ODD_MESSAGES = (
    "", None, " ", "\n\n\t", "17", "9" * 5000, "x" * 300_000, "\\", "'; SELECT 1; --", "%s %d {} $1", "<*> <*>",
    "failed \u2028 über 東京 \U0001f525\U0001f525", "\u202eright to left slow", "e\u0301 is not \u00e9", "\ufeffstarted",
    "\u0661\u0662\u0663 started", "a\x01b\x1fc failed", "NULL", "\u001f\u001f", "{\"msg\": \"panicked\"}",
)  # fmt: skip
_ODD_LEVELS = (" ERROR ", "é", "E" * 500, "\u001f", "", "5", None)
_ODD_SERVICES = ("s" * 1000, "a\u001fb", "\u001f", "", "ツ", None)
_ODD_STATUSES = (-1, 0, 99, 100, 599, 600, 999, 1000, 2**31 - 1, -(2**31), None)
_ODD_TIMES_TAKEN = (0.0, -1.0, 99.999, 100.0, 1e12, 1e308, float("nan"), float("inf"), float("-inf"), None)
_ODD_TIMESTAMPS = (
    ("", "infinity"), (OLD, "-infinity"), (OLD, "0001-01-01 00:00:00+00 BC"), ("", "294276-12-31 23:59:59+00"),
    (OLD, "1970-01-01 00:00:00+00"), (OLD, "2000-02-29 23:59:59.999999+00"),
)  # fmt: skip


class Line(NamedTuple):
    """One line, its fields in the order of COLUMNS."""

    log_id: str
    host: str
    timestamp: str
    level: str | None
    message: str | None
    service: str | None
    source_type: str | None
    http_status: int | None
    response_time_ms: float | None


@cache
def _usual() -> list[tuple]:
    """Lines of an invented company: (level, message, service, source_type, http_status, response_time_ms)."""
    lines = generate(3000, seed=7, end=datetime.now(UTC), days=1)
    return [
        (line.level, line.message, line.service, line.source_type, line.http_status, line.response_time_ms)
        for line in lines
    ]


class Mixture:
    """A source of lines for one writer: the same chance, the same lines but for their times."""

    def __init__(self, chance: random.Random) -> None:
        self.random = chance

    def known(self, marker: str, revision: str) -> Line:
        """Make a line of one of a few thousand shapes, half of them words that the tiny models know."""
        if self.random.random() < 0.5:
            end, timestamp = self._timestamp()
            return Line(marker + end, revision, timestamp, *self.random.choice(_usual()))
        message = f"task {self.random.randrange(1000)} {self.random.choice(WORDS)}"
        return self._line(marker, revision, message)

    def new(self, marker: str, revision: str) -> Line:
        """Make a line of a shape that nobody has seen."""
        return self._line(marker, revision, self.new_message())

    def new_message(self) -> str:
        """Make a message of a shape that nobody has seen, with a word that the tiny models know."""
        word = "".join(self.random.choices(string.ascii_lowercase, k=14))
        return f"{word} {self.random.choice(WORDS)} after {self.random.randrange(100)} ms"

    def odd(self, marker: str, revision: str) -> Line:
        """Make a line that few have thought of: empty, huge, exotic, far from today."""
        choose = self.random.choice
        message = "z" * _HUGE if self.random.random() < 0.02 else choose(_ODD_MESSAGES)
        end, timestamp = choose(_ODD_TIMESTAMPS) if self.random.random() < 0.3 else self._timestamp()
        return Line(
            marker + end, revision, timestamp, choose(_ODD_LEVELS), message, choose(_ODD_SERVICES), choose(_ODD_SERVICES),
            choose(_ODD_STATUSES), choose(_ODD_TIMES_TAKEN),
        )  # fmt: skip

    def any(self, marker: str, revision: str, new_share: float = 0.02) -> Line:
        """Make a line of known shape, or now and then a new one."""
        return (self.new if self.random.random() < new_share else self.known)(marker, revision)

    def _line(self, marker: str, revision: str, message: str) -> Line:
        choose = self.random.choice
        taken = self.random.expovariate(1 / 300) if self.random.random() < 0.3 else None
        end, timestamp = self._timestamp()
        return Line(
            marker + end,
            revision,
            timestamp,
            choose(LEVELS),
            message,
            choose(SERVICES),
            "soak",
            choose(STATUSES),
            taken,
        )

    def _timestamp(self) -> tuple[str, str]:
        """Mostly now; sometimes of the days around, which have partitions of their own, or older than what is kept.

        Returns what a marker ends in, and the time.
        """
        now, kind = datetime.now(UTC), self.random.random()
        if kind < 0.06:
            return "", (now + timedelta(days=self.random.uniform(-3, 3))).isoformat()
        if kind < 0.07:
            return "", (now + timedelta(days=self.random.choice((-12, 9, 30, 400)))).isoformat()
        if kind < 0.09:
            return OLD, (now - timedelta(days=self.random.choice((400, *range(38, 46))))).isoformat()
        return "", now.isoformat()
