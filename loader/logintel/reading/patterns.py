"""The layouts of text logs that have a name, and the guess which of them a file has."""

import re

from logintel.errors import UserError
from logintel.reading.rows import FIELDS

_MONTH = r"[A-Z][a-z]{2}"
_CLOCK = r"\d\d:\d\d:\d\d"
_DAY = r"\d{4}[-/]\d\d[-/]\d\d"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)\b)?"
_ISO = rf"(?P<timestamp>{_DAY}[T ]{_CLOCK}(?:[.,]\d+)?{_ZONE})"
_LEVEL_WORD = (
    r"(?i:TRACE|DEBUG|VERBOSE|FINE(?:R|ST)?|CONFIG|INFO(?:RMATION)?|NOTICE|WARN(?:ING)?|ERR(?:OR)?|SEVERE|"
    r"CRIT(?:ICAL)?|FATAL|ALERT|EMERG(?:ENCY)?|PANIC)\b"
)
_LEVEL = rf"(?P<level>{_LEVEL_WORD})"
_SERVICE = r"(?P<service>[^\s:]+)"
_THREAD = r"(?:\[.{0,200}?\] )?"  # its name may hold brackets; bounded, or a strange line could take minutes
_MESSAGE = r"(?P<message>.*)"
_SYSLOG_NAME = r"(?:(?P<service>[^\s:\[]+)(?:\[\d+\])?:(?: |$))?"

# From the most particular to the most general: of layouts that fit a file equally well the first one is taken.
# `priority` is the number that syslog puts in front; it stands for a level.
_LAYOUTS = {
    "android": rf"(?P<timestamp>(?:\d{{4}}-)?\d\d-\d\d {_CLOCK}\.\d+) +\d+ +\d+ (?P<level>[VDIWEFA]) "
    rf"(?P<service>.{{0,200}}?) *:(?: |$){_MESSAGE}",
    "hdfs": rf"(?P<timestamp>\d{{6}} \d{{6}}) \d+ {_LEVEL} {_SERVICE}: {_MESSAGE}",
    "spark": rf"(?P<timestamp>\d\d/\d\d/\d\d {_CLOCK}) {_LEVEL} +{_SERVICE}: {_MESSAGE}",
    "openstack": rf"(?:\S+ )?{_ISO} \d+ {_LEVEL} (?P<service>\S+) \[[^\]]*\] {_MESSAGE}",
    "spring": rf"{_ISO} +{_LEVEL} \d+ --- (?:\[[^\]]*\] )+(?P<service>\S+) *: {_MESSAGE}",
    "log4j": rf"{_ISO} (?:- )?{_THREAD}{_LEVEL} +{_THREAD}(?:- )?(?P<service>[\w.$]+)(?:: | - ){_MESSAGE}",
    "python": rf"{_ISO} - (?P<service>\S+) - {_LEVEL} - {_MESSAGE}",
    "python_basic": rf"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?P<service>[^\s:]+):{_MESSAGE}",
    "postgres": rf"(?P<timestamp>{_DAY} {_CLOCK}(?:\.\d+)? [A-Z]{{3,5}}) \[\d+\] ?(?:\S+ ){{0,4}}?"
    r"(?P<level>DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION):  "
    + _MESSAGE,
    "klog": rf"(?P<level>[IWEF])(?P<timestamp>\d{{4}} {_CLOCK}\.\d+) +\d+ (?P<service>[^\s:]+):\d+\] {_MESSAGE}",
    "apache_error": rf"\[(?P<timestamp>{_MONTH} {_MONTH} +\d{{1,2}} {_CLOCK}(?:\.\d+)? \d{{4}})\] "
    rf"\[(?:(?P<service>\w*):)?(?P<level>\w+)\] (?:\[pid [^\]]*\] )?{_MESSAGE}",
    "nginx_error": rf"(?P<timestamp>\d{{4}}/\d\d/\d\d {_CLOCK}) \[(?P<level>\w+)\] \d+#\d+: {_MESSAGE}",
    "access": rf"\S+ (?:\S+ )?\S+ \S+ \[(?P<timestamp>\d\d/{_MONTH}/\d{{4}}:{_CLOCK} [+-]\d{{4}})\] "
    rf'"(?P<message>(?:[^"\\]|\\.)*)" (?P<http_status>\d{{3}}) (?:\d+|-)(?: .*)?',
    "syslog5424": r"<(?P<priority>\d{1,3})>1 (?P<timestamp>\S+) (?P<host>\S+) (?P<service>\S+) \S+ \S+ "
    rf"(?:-|(?:\[(?:[^\]\\]|\\.)*\])+)(?: |$){_MESSAGE}",
    "syslog": r"(?:<(?P<priority>\d{1,3})>)?"
    rf"(?P<timestamp>{_MONTH} +\d{{1,2}} {_CLOCK}|{_DAY}T{_CLOCK}(?:\.\d+)?{_ZONE}) "
    rf"(?!{_LEVEL_WORD})(?P<host>\w\S*) {_SYSLOG_NAME}{_MESSAGE}",
    "iso": rf"\[?{_ISO}\]?[ \t|]+(?:\[(?!{_LEVEL_WORD})[^\]]*\][ \t]*)?"
    rf"(?:[\[(<]?{_LEVEL}[\])>]?:?[ \t|-]*)?{_MESSAGE}",
    "plain": r"(?P<message>\S.*)",
}
PATTERNS = {name: re.compile(layout, re.DOTALL) for name, layout in _LAYOUTS.items()}

# The start of a line that belongs to the one before: indented, or a part of a Java or Python stack trace.
CONTINUATION = re.compile(
    r"\s|Caused by: |Traceback \(most recent call last\)|[\w.$]+(?:Error|Exception)(?:: |$)", re.ASCII
)


def find_pattern(given: str) -> re.Pattern[str]:
    """Return the pattern of that name, or the user's own regular expression.

    A group of the expression has the name of the field that it holds; there has to be one for the message.
    Raises UserError for an unknown name or an unusable expression.
    """
    if given in PATTERNS:
        return PATTERNS[given]
    if "(?P<" not in given:
        raise UserError(
            f"--pattern {given}: no pattern has that name; there are {' '.join(PATTERNS)}, "
            r"or give a regular expression such as '(?P<timestamp>\S+) (?P<level>\w+) (?P<message>.*)'"
        )
    try:
        pattern = re.compile(given, re.DOTALL)
    except re.error as error:
        raise UserError(f"--pattern: the regular expression is invalid: {error}") from None
    unknown = pattern.groupindex.keys() - set(FIELDS)
    if unknown:
        raise UserError(f"--pattern: no field is called {sorted(unknown)[0]}; the fields are {' '.join(FIELDS)}")
    if "message" not in pattern.groupindex:
        raise UserError("--pattern: the expression needs a group for the message: (?P<message>.*)")
    return pattern


def guess_pattern(texts: list[str]) -> str | None:
    """Return the name of the pattern that fits most of these lines; None when none fits half of them.

    A particular pattern wins over a more general one that fits a few more lines.
    """
    lines = [text for text in texts if text.strip() and not CONTINUATION.match(text)]
    fits = {
        name: sum(pattern.fullmatch(text) is not None for text in lines)
        for name, pattern in PATTERNS.items()
        if name != "plain"
    }
    best = max(fits.values())
    if not lines or best * 2 < len(lines):
        return None
    return next(name for name, count in fits.items() if count >= 0.9 * best)
