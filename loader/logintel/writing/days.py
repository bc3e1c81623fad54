"""The daily partitions of history: predictions have a partition a day, and so has a log table that logintel manages."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

import psycopg

MOST_DAYS_OF_A_BATCH = 60
"""A batch over more days is sparse: its lines lie well in the default partition."""
MOST_DAYS = 1100
LEAST_LINES = 1000
"""A day with fewer lines is left in the default partition, where it is known before how many there are."""

_MAY_CREATE = "SELECT has_function_privilege('logintel.create_partitions(date, date)', 'EXECUTE')"
_LARGE_DAYS = """
SELECT l.day FROM (SELECT ("timestamp" AT TIME ZONE 'UTC')::date AS day FROM logintel.log_lines
                   WHERE "timestamp" > '-infinity' AND "timestamp" < 'infinity') AS l
GROUP BY l.day HAVING count(*) >= %s ORDER BY l.day DESC LIMIT %s"""


class Days:
    """Makes the partitions of days before their lines are written, where the role may: lines do not move later."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Prepare for lines that are written on this connection, in autocommit mode."""
        self._connection = connection
        self._known: set[date] = set()
        self._may_create: bool | None = None

    def prepare(self, times: Iterable[object]) -> None:
        """Make the partitions of the days of these times, unless they are many. What is no time counts not."""
        days = {time.astimezone(UTC).date() for time in times if _is_plain_time(time)} - self._known
        if not days or len(days) > MOST_DAYS_OF_A_BATCH or len(self._known) + len(days) > MOST_DAYS:
            return
        self._known |= days
        self.create(days)

    def create_large(self) -> None:
        """Make the partitions of the days of which log tables have many lines."""
        try:
            found = self._connection.execute(_LARGE_DAYS, (LEAST_LINES, MOST_DAYS)).fetchall()
        except psycopg.errors.InsufficientPrivilege:
            return  # predictions of these days lie in the default partition, which doctor() tells
        self.create(day for (day,) in found)

    def create(self, days: Iterable[date]) -> None:
        """Make the partitions of these days. A day that cannot have one now stays in the default partition."""
        if self._may_create is None:
            self._may_create = self._connection.execute(_MAY_CREATE).fetchone() == (True,)
        if self._may_create:
            for day in sorted(days):
                self._connection.execute("SELECT logintel.create_partitions(%s, %s)", (day, day))


def _is_plain_time(time: object) -> bool:
    return isinstance(time, datetime) and time.tzinfo is not None and 1 < time.year < 9999
