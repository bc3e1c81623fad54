"""Reading timestamps. Rule of time zones: what the text says, else the zone of the load, which is UTC unless given."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from logintel.errors import UserError
from logintel.reading.records import BadLine

_MONTHS = dict(zip(re.findall("...", "janfebmaraprmayjunjulaugsepoctnovdec"), range(1, 13), strict=True))
_TIME = r"(?P<hour>\d\d?):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
_HALF = r"[ \u00a0\u202f]?(?P<half>[AP])\.?M\.?"  # of the day; newer systems write a narrow blank
_ZONE = r"(?: ?(?:Z|UTC|GMT|(?P<offset>[+-]\d\d(?::?\d\d)?)|(?P<abbreviation>[A-Z]{2,5})))?"
# Everything but plain ISO 8601, which the standard library reads.
_FORMS = [
    re.compile(form, re.ASCII)
    for form in (
        rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[ T]{_TIME}{_ZONE}",  # 2024-05-01 10:00:00.123 UTC
        # syslog, Apache's error log
        rf"(?:[A-Za-z]{{3}},? )?(?P<name>[A-Za-z]{{3}}) +(?P<day>\d\d?) {_TIME}(?: (?P<year>\d{{4}}))?{_ZONE}",
        # access logs, e-mail, Tomcat
        rf"(?:[A-Za-z]{{3}}, )?(?P<day>\d\d?)[/ -](?P<name>[A-Za-z]{{3}})[/ -](?P<year>\d{{4}})[: ]{_TIME}{_ZONE}",
        rf"(?P<year>\d{{4}}|\d\d)/(?P<month>\d\d)/(?P<day>\d\d)[ T]{_TIME}{_ZONE}",  # nginx, Spark, Go
        r"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d) (?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)",  # HDFS
        rf"(?P<month>\d\d)-(?P<day>\d\d) {_TIME}",  # Android
        rf"(?P<year>\d{{4}})?(?P<month>\d\d)(?P<day>\d\d) {_TIME}",  # klog, glog
        # American, which AM and PM tell from other orders of day and month
        rf"(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<year>\d{{4}}),? {_TIME}{_HALF}",
        rf"(?P<name>[A-Za-z]{{3}}) (?P<day>\d\d?), (?P<year>\d{{4}}) {_TIME}{_HALF}",  # java.util.logging
        rf"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{{4}}) {_TIME}",  # 1.11.2026 10:00:02
    )
]
# A number counts seconds, milli-, micro- or nanoseconds since 1970, whichever puts it between 1973 and 5138.
_EPOCH = re.compile(r"(?:/Date\()?(\d{9,19}(?:\.\d+)?)(?:[+-]\d{4})?(?:\)/)?", re.ASCII)
_EPOCH_UNITS = ((1e11, 1), (1e14, 1e3), (1e17, 1e6), (float("inf"), 1e9))
_OFFSET = re.compile(r"[+-]\d\d(?::?\d\d)?", re.ASCII)
_CERTAIN = re.compile(r"(?:\d{4}.{6,30}(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)|\d{9,19}(?:\.\d+)?)", re.ASCII)


def find_zone(name: str) -> tzinfo:
    """Return the zone that --time-zone names: Europe/Berlin, or +01:00. Raises UserError for an unknown one."""
    try:
        return _zone(name) if _OFFSET.fullmatch(name) else ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, a folder
        pass
    raise UserError(f"--time-zone {name}: no such zone; name one such as Europe/Berlin, or an offset such as +01:00")


def is_certain(value: object) -> bool:
    """Say whether a timestamp is the same moment whoever reads it: it has a year, and a zone or none to need."""
    return _CERTAIN.fullmatch(str(value).strip()) is not None


class Timestamps:
    """Reads the timestamps of one load.

    A timestamp without a year (syslog, Android) gets `year`; when that is None the current year, or the one before
    when the timestamp would otherwise lie more than a day ahead. One without a zone is of `zone`, and so is one with
    an abbreviation, which means different zones in different countries: it is read when `zone` has it at that time.
    """

    def __init__(self, year: int | None = None, now: datetime | None = None, zone: tzinfo = UTC) -> None:
        """Remember the year, the zone and the time of the load, which also stands in for a missing timestamp."""
        self.now = now or datetime.now(UTC)
        self._year = year
        self._zone = zone
        # Neighbouring lines share their second.
        self._cached = lru_cache(maxsize=1024)(self._read)

    def parse(self, value: object) -> datetime:
        """Return `value` (text, or a number since 1970) as a datetime in UTC. Raises BadLine when it cannot be read."""
        if isinstance(value, datetime):
            return self._in_utc(value)
        text = str(value).strip()
        if len(text) > 64:
            raise BadLine(f"unreadable timestamp: {text[:64]!r}...")
        try:
            return self._cached(text)
        except (ValueError, OverflowError, KeyError):
            raise BadLine(f"unreadable timestamp: {text!r}") from None

    def _read(self, text: str) -> datetime:
        epoch = _EPOCH.fullmatch(text)
        if epoch:
            number = float(epoch[1])
            divisor = next(divisor for limit, divisor in _EPOCH_UNITS if number < limit)
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number / divisor)
        if text[4:5] == "-" or text[8:9] == "T":
            try:
                return self._in_utc(datetime.fromisoformat(text))
            except ValueError:
                pass  # one of the forms below may fit
        for form in _FORMS:
            match = form.fullmatch(text)
            if match:
                return self._build(text, match.groupdict())
        raise ValueError

    def _build(self, text: str, part: dict[str, str | None]) -> datetime:
        month = _MONTHS[part["name"].lower()] if part.get("name") else int(part["month"])
        hour = _hour(int(part["hour"]), part.get("half"))
        rest = (month, int(part["day"]), hour, int(part["minute"]), int(part["second"]),
                int((part.get("fraction") or "0").ljust(6, "0")[:6]))  # fmt: skip

        def moment(year: int) -> datetime:
            local = datetime(year, *rest)
            if part.get("abbreviation"):
                return self._abbreviated(text, local, part["abbreviation"])
            if part.get("offset"):
                return self._in_utc(local.replace(tzinfo=_zone(part["offset"])))
            return self._in_utc(local.replace(tzinfo=UTC) if text.endswith(("Z", "UTC", "GMT")) else local)

        if part.get("year"):
            return moment(_full_year(part["year"]))
        if self._year:
            return moment(self._year)
        this_year = moment(self.now.year)
        return this_year if this_year <= self.now + timedelta(days=1) else moment(self.now.year - 1)

    def _abbreviated(self, text: str, local: datetime, abbreviation: str) -> datetime:
        for fold in (0, 1):  # the hour that a change of clocks repeats has one name before it and one after
            moment = local.replace(tzinfo=self._zone, fold=fold)
            if moment.tzname() == abbreviation:
                return moment.astimezone(UTC)
        if self._zone is UTC:
            hint = f"say which zone {abbreviation} is with --time-zone, such as Europe/Berlin"
        else:
            hint = f"{abbreviation} is not what the zone of --time-zone is called then"
        raise BadLine(f"unreadable timestamp: {text!r}: {hint}")

    def _in_utc(self, moment: datetime) -> datetime:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone)
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError
    return hour % 12 + (12 if half == "P" else 0)


def _zone(offset: str) -> timezone:
    digits = offset[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def _full_year(digits: str) -> int:
    """Complete a year of two digits as POSIX does: 69 to 99 are 19xx."""
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= 69 else 2000)
