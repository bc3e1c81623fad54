"""PostgreSQL's text log (log_destination = stderr), whatever its log_line_prefix and its language."""

import re

from logintel.reading.layouts.layout import Layout, Values
from logintel.reading.layouts.parts import CLOCK, DAY, MONTH
from logintel.reading.layouts.postgres_words import PARTS, SEVERITIES, TIGHT_PARTS

# The prefix is what somebody configured; the server itself ends it with a word, a colon and two blanks.
_MARK = re.compile(r"(?<!\w)(?:명령 )?(?P<word>\w{1,20}(?: \(FATAL\))?) ?:  ")
_TIGHT_MARK = re.compile(rf"(?<!\w)(?:{'|'.join(TIGHT_PARTS)}): ?")
_TIME = re.compile(
    rf"(?<!\d)(?:{DAY} {CLOCK}(?:\.\d{{1,6}})?(?: ?(?:[A-Z]{{2,5}}\b|[+-]\d\d(?::?\d\d)?(?!\d)))?|"
    r"\d{10}\.\d{3}(?!\d))",
    re.ASCII,
)
_SYSLOG_TIME = re.compile(rf"(?:<\d{{1,3}}>)?({MONTH} {{1,2}}\d{{1,2}} {CLOCK})")  # the server writes to syslog too
_LONGEST = 400  # characters of a line in which its prefix and its word are


class Postgres(Layout):
    """Lines of the server. What it says about a message in further lines (DETAIL, STATEMENT) belongs to the message."""

    def __init__(self) -> None:
        """Read every prefix that has a time, and an empty one."""
        super().__init__(_MARK)

    def read(self, text: str) -> Values | None:
        """Return the values of a line that begins a message."""
        mark = _mark(text)
        severity = mark and SEVERITIES.get(mark.groupdict().get("word", ""))
        if not severity:
            return None
        values: Values = {"level": severity, "message": text[mark.end() :]}
        moment = _time(text, mark.start())
        return values | {"timestamp": moment} if moment else values

    def continued(self, text: str) -> str | None:
        """Return a message's further line without its prefix."""
        mark = _mark(text)
        return text[mark.start() :] if mark else super().continued(text)


def _mark(text: str) -> re.Match[str] | None:
    """Return the word that ends the prefix; None where there is none, or no time and yet something before it."""
    known = (mark for mark in _MARK.finditer(text, 0, _LONGEST) if mark["word"] in SEVERITIES or mark["word"] in PARTS)
    mark = next(known, None) or _TIGHT_MARK.search(text, 0, _LONGEST)
    return mark if mark and (mark.start() == 0 or _time(text, mark.start())) else None


def _time(text: str, end: int) -> str | None:
    """Return the time in the prefix, which ends there; the server's own rather than that of syslog."""
    own = _TIME.search(text, 0, end)
    syslog = None if own else _SYSLOG_TIME.match(text, 0, end)
    return own[0] if own else syslog and syslog[1]
