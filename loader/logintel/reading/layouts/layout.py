"""What a layout is: it reads a line of text, and tells which lines belong to the one before."""

import re

from logintel.reading.levels import english_level
from logintel.reading.records import BadLine

Values = dict[str, object]
"""Field -> value as read."""

# The start of a line that belongs to the one before, whatever the layout: indented, or a part of a stack trace.
CONTINUATION = re.compile(
    r"\s|Caused by: |Traceback \(most recent call last\)|[\w.$]{1,500}(?:Error|Exception)(?:: |$)", re.ASCII
)
# The start of a line that is a record of its own, though perhaps in another layout: it has a time.
_STARTS_WITH_TIME = re.compile(
    r"[\[(<]{0,2} ?(?:\d{4}[-/]\d\d[-/]\d\d|\d{1,2}[-/](?:\d\d|[A-Z][a-z]{2})[-/]\d{2,4}|"
    r"(?:[A-Z][a-z]{2},? )?[A-Z][a-z]{2} {1,2}\d{1,2},?(?: \d{4})?)[T :]{1,2}\d{1,2}:\d\d",
    re.ASCII,
)
_SYSLOG_LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


class Layout:
    """A layout that a regular expression describes: its groups are the fields.

    A field that stands in two places of the expression has a group `field_` in the second. `priority` is a group too,
    the number that syslog puts in front; it stands for a level. `joins`: what doesn't start as a record does belongs to
    the record before.
    """

    is_text = True
    """Whether lines are text to show: colours are no part of it, and the line as it stands is raw_log."""
    is_wrapped = False
    """Whether only lines of a container's log are read."""

    def __init__(self, pattern: re.Pattern[str], *, joins: bool = True) -> None:
        """Read what the whole `pattern` fits."""
        self._pattern = pattern
        self._groups = [(name, name.rstrip("_")) for name in pattern.groupindex if name != "priority"]
        self._has_priority = "priority" in pattern.groupindex
        self._joins = joins

    def read(self, text: str) -> Values | None:
        """Return the values of a line that begins a record; None when the layout does not fit it."""
        match = self._pattern.fullmatch(text)
        if match is None:
            return None
        values: Values = {}
        for group, field in self._groups:
            value = match[group]
            if value is not None or field not in values:
                values[field] = None if value == "-" and field != "message" else value
        if self._has_priority and match["priority"]:
            values["level"] = _SYSLOG_LEVELS[int(match["priority"]) % 8]
        return values

    def continued(self, text: str) -> str | None:
        """Return what a line that doesn't begin a record adds to the one before; None when it belongs to none."""
        if CONTINUATION.match(text) or (self._joins and not starts_with_time(text)):
            return text
        return None

    def alone(self, text: str) -> Values:
        """Return the values of a line that neither begins a record nor goes on with one. Raises BadLine."""
        raise BadLine("does not fit the pattern")

    def finished(self, values: Values, more: list[str]) -> Values:
        """Return the values of a whole record: of its first line, and of what the following ones add."""
        return values | {"message": "\n".join([str(values.get("message") or ""), *more])} if more else values


class TranslatedLayout(Layout):
    """A layout whose programs write their levels in short words, or in the language of the machine."""

    def read(self, text: str) -> Values | None:
        """Return the values of a line that begins a record, with the level's usual word."""
        values = super().read(text)
        if values and values.get("level"):
            values["level"] = english_level(str(values["level"]))
        return values


def starts_with_time(text: str) -> bool:
    """Say whether a line starts as a record of its own, with a day and a time."""
    return _STARTS_WITH_TIME.match(text) is not None
