"""Reading timestamps. Rule of time zones: UTC, unless the text itself has an offset."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from logintel.reading.records import BadLine

_MONTHS = dict(zip(re.findall("...", "janfebmaraprmayjunjulaugsepoctnovdec"), range(1, 13), strict=True))
_TIME = r"(?P<hour>\d\d?):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
_ZONE = r"(?: ?(?:Z|UTC|GMT|(?P<offset>[+-]\d\d(?::?\d\d)?)))?"
# Everything but plain ISO 8601, which the standard library reads.
_FORMS = [
    re.compile(form, re.ASCII)
    for form in (
        rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[ T]{_TIME}{_ZONE}",  # 2024-05-01 10:00:00.123 UTC
        # syslog, Apache's error log
        rf"(?:[A-Za-z]{{3}},? )?(?P<name>[A-Za-z]{{3}}) +(?P<day>\d\d?) {_TIME}(?: (?P<year>\d{{4}}))?{_ZONE}",
        # access logs, e-mail
        rf"(?:[A-Za-z]{{3}}, )?(?P<day>\d\d?)[/ -](?P<name>[A-Za-z]{{3}})[/ -](?P<year>\d{{4}})[: ]{_TIME}{_ZONE}",
        rf"(?P<year>\d{{4}}|\d\d)/(?P<month>\d\d)/(?P<day>\d\d)[ T]{_TIME}{_ZONE}",  # nginx, Spark, Go
        r"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d) (?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)",  # HDFS
        rf"(?P<month>\d\d)-(?P<day>\d\d) {_TIME}",  # Android
        rf"(?P<month>\d\d)(?P<day>\d\d) {_TIME}",  # klog
    )
]
# A number counts seconds, milli-, micro- or nanoseconds since 1970, whichever puts it between 1973 and 5138.
_EPOCH = re.compile(r"\d{9,19}(?:\.\d+)?", re.ASCII)
_EPOCH_UNITS = ((1e11, 1), (1e14, 1e3), (1e17, 1e6), (float("inf"), 1e9))


class Timestamps:
    """Reads the timestamps of one load.

    A timestamp without a year (syslog, Android) gets `year`; when that is None the current year, or the one before
    when the timestamp would otherwise lie more than a day ahead.
    """

    def __init__(self, year: int | None = None, now: datetime | None = None) -> None:
        """Remember the year and the time of the load, which also stands in for a missing timestamp."""
        self.now = now or datetime.now(UTC)
        self._year = year
        # Neighbouring lines share their second.
        self._cached = lru_cache(maxsize=1024)(self._read)

    def parse(self, value: object) -> datetime:
        """Return `value` (text, or a number since 1970) as a datetime in UTC. Raises BadLine when it cannot be read."""
        if isinstance(value, datetime):
            return _in_utc(value)
        text = str(value).strip()
        if len(text) > 64:
            raise BadLine(f"unreadable timestamp: {text[:64]!r}...")
        try:
            return self._cached(text)
        except (ValueError, OverflowError, KeyError):
            raise BadLine(f"unreadable timestamp: {text!r}") from None

    def _read(self, text: str) -> datetime:
        if _EPOCH.fullmatch(text):
            number = float(text)
            divisor = next(divisor for limit, divisor in _EPOCH_UNITS if number < limit)
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number / divisor)
        if text[4:5] == "-" or text[8:9] == "T":
            try:
                return _in_utc(datetime.fromisoformat(text))
            except ValueError:
                pass  # one of the forms below may fit
        for form in _FORMS:
            match = form.fullmatch(text)
            if match:
                return self._build(match.groupdict())
        raise ValueError

    def _build(self, part: dict[str, str | None]) -> datetime:
        month = _MONTHS[part["name"].lower()] if part.get("name") else int(part["month"])
        rest = (
            month,
            int(part["day"]),
            int(part["hour"]),
            int(part["minute"]),
            int(part["second"]),
            int((part.get("fraction") or "0").ljust(6, "0")[:6]),
            _zone(part.get("offset")),
        )
        if part.get("year"):
            return _in_utc(datetime(_full_year(part["year"]), *rest))
        if self._year:
            return _in_utc(datetime(self._year, *rest))
        this_year = datetime(self.now.year, *rest)
        return _in_utc(this_year if this_year <= self.now + timedelta(days=1) else datetime(self.now.year - 1, *rest))


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _zone(offset: str | None) -> timezone:
    if not offset:
        return UTC
    digits = offset[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def _full_year(digits: str) -> int:
    """Complete a year of two digits as POSIX does: 69 to 99 are 19xx."""
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= 69 else 2000)
