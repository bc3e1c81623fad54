"""The values that random statements write, as SQL. The same chance, the same values."""

import random
from datetime import date, timedelta

COLUMNS = '"timestamp", level, message, service, source_type, http_status, response_time_ms'
ODD_TIMES = (
    "infinity", "-infinity", "294276-12-31 23:30:00+00", "0044-03-15 12:00:00+00 BC", "9999-12-31 23:30:00+00",
    "0001-01-01 00:00:00+00", "10000-01-01 00:00:00+00", "0001-12-31 23:59:59.999999+00 BC", "1970-01-01 00:00:00+00",
)  # fmt: skip
OLD_DAYS = (-42, -41, -40)
"""Days that retention drops, with days of their own now and then."""
_WORDS = ("started", "failed", "slow", "entering", "panicked")
_LEVELS = ("INFO", "info", "WARNING", "Error", "DEBUG", " critical ", "", "none such", None)
_SERVICES = ("billing", "search", "", None)
_STATUSES = ("NULL", "NULL", "200", "503", "1000", "-1")
_TIMES_TAKEN = ("NULL", "NULL", "20", "7000", "'NaN'", "'infinity'")


def quoted(value: str | None) -> str:
    """Return a value as SQL."""
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


class Values:
    """A source of values; `odd_times` says whether some lines have times that few think of."""

    def __init__(self, chance: random.Random, today: date, odd_times: bool) -> None:
        self._random = chance
        self._today = today
        self._odd_times = odd_times

    def day(self, offset: int) -> date:
        """Return the day so many days from today."""
        return self._today + timedelta(days=offset)

    def partition(self, offset: int) -> str:
        """Name the partition of a day."""
        return f"log_entries_{self.day(offset):%Y_%m_%d}"

    def time_of(self, offset: int) -> str:
        """Return a time of that day, at one of few minutes so that times meet."""
        chance = self._random
        usual = f"{chance.randrange(24):02}:{chance.choice((0, 17)):02}:00"
        clock = chance.choice(("00:00:00", "23:59:59.999999", usual))
        return f"{self.day(offset)} {clock}+00"

    def time(self) -> str:
        """Return a time: mostly of the days that have partitions."""
        kind = self._random.random()
        if self._odd_times and kind < 0.12:
            return self._random.choice(ODD_TIMES)
        if kind < 0.70:
            return self.time_of(0)
        if kind < 0.84:
            return self.time_of(self._random.choice((1, 2)))
        return self.time_of(self._random.choice((*OLD_DAYS, -2, 9, 10)))

    def message(self) -> str | None:
        """Return a message: mostly of few shapes, now and then of a new one."""
        kind = self._random.random()
        if kind < 0.05:
            return self._random.choice((None, "", " ", "x" * 5000, "17 18"))
        word = self._random.choice(_WORDS)
        if kind < 0.85:
            return f"{self._random.choice(('task 17', 'job'))} {word}"
        return f"{''.join(self._random.choices('abcdefgh', k=6))} {word}"

    def level(self) -> str:
        """Return a level as SQL."""
        return quoted(self._random.choice(_LEVELS))

    def service(self) -> str:
        """Return a service as SQL."""
        return quoted(self._random.choice(_SERVICES))

    def status(self) -> str:
        """Return an HTTP status as SQL."""
        return self._random.choice(_STATUSES)

    def line(self, time: str | None = None) -> str:
        """Return the values of a line's columns, as SQL."""
        taken = self._random.choice(_TIMES_TAKEN)
        return (
            f"{quoted(time or self.time())}, {self.level()}, {quoted(self.message())}, {self.service()}, "
            f"{self._random.choice(('NULL', quoted('soak')))}, {self.status()}, {taken}"
        )

    def copied(self) -> str:
        """Return a line as COPY reads it."""
        level, service = self._random.choice(("INFO", "fatal", r"\N")), self._random.choice(("billing", r"\N"))
        message = self.message()
        return "\t".join((self.time(), level, r"\N" if message is None else message, service, "soak", r"\N", r"\N"))
