"""logfmt: time=... level=error msg="cannot write block" err="no space left on device"."""

import re

from logintel.reading.layouts.layout import Layout, Values
from logintel.reading.layouts.parts import ISO

# Keys by what they hold, the likeliest first.
_KEYS = {
    "timestamp": ("ts", "time", "timestamp", "@timestamp", "datetime", "t"),
    "level": ("level", "lvl", "severity", "loglevel", "log.level"),
    "service": ("service", "logger", "component", "app", "service.name"),
    "host": ("host", "hostname"),
    "message": ("msg", "message"),
}
_PAIR = re.compile(
    r'\s*(?P<key>[^\s="]{1,200})(?:=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s"]*)))?(?=\s|$)', re.DOTALL
)
_START = re.compile(rf"(?:{ISO} )?(?=[^\s=\"]{{1,200}}=)", re.ASCII)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class Logfmt(Layout):
    """Pairs of key and value. What is no field of its own stays in the message, as it stands."""

    def __init__(self) -> None:
        """Read lines of pairs, perhaps with a time before them."""
        super().__init__(_START)

    def read(self, text: str) -> Values | None:
        """Return the values of a line; it must have a level or a time, and a message or more pairs."""
        start = _START.match(text)
        pairs = _pairs(text, start.end()) if start else None
        if pairs is None:
            return None
        values: Values = {"timestamp": start["timestamp"]} if start["timestamp"] else {}
        taken: set[str] = set()
        for field, keys in _KEYS.items():
            key = next((key for key in keys if pairs.get(key, (None,))[0]), None)
            if key is not None and field not in values:
                values[field] = pairs[key][0]
                taken.add(key)
        if not {"timestamp", "level"} & set(values) or len(pairs) + bool(start["timestamp"]) < 2:
            return None
        rest = [written for key, (_, written) in pairs.items() if key not in taken]
        return values | {"message": " ".join([str(values["message"]), *rest] if "message" in values else rest)}


def _pairs(text: str, at: int) -> dict[str, tuple[str | None, str]] | None:
    """Return key -> (value, the pair as it is written); None when something in the line is no pair.

    Of a key that is there twice the first counts, and the others stay in its writing.
    """
    pairs: dict[str, tuple[str | None, str]] = {}
    text = text.rstrip()
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None or pair.end() == at:
            return None
        key, at = pair["key"], pair.end()
        value = pair["bare"] if pair["quoted"] is None else _unescaped(pair["quoted"])
        written = pair[0].strip()
        pairs[key if key not in pairs else f"{key} {len(pairs)}"] = value, written
    return pairs


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPED.get(found[2], found[2]), text)
