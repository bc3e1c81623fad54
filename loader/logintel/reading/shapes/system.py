"""What operating systems write: systemd's journal, GELF, Windows events."""

from logintel.reading.levels import Scale, name_of


def journald(found: dict[str, object]) -> dict[str, object]:
    """Return an entry of systemd's journal (journalctl -o json). A text that is no plain one is an array of bytes."""
    shaped = {
        "level": name_of(_text(found.get("PRIORITY")), Scale.SYSLOG),
        "host": _text(found.get("_HOSTNAME")),
        "service": _text(_first(found, "SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "_COMM")),
        "timestamp": found.get("__REALTIME_TIMESTAMP") or found.get("_SOURCE_REALTIME_TIMESTAMP"),
    }
    if "MESSAGE" in found:
        shaped["message"] = _text(found["MESSAGE"])
    return shaped


def gelf(found: dict[str, object]) -> dict[str, object]:
    """Return a message in the Graylog Extended Log Format, whose levels are syslog's."""
    short, full = str(found["short_message"] or ""), str(found.get("full_message") or "")
    return {
        "level": name_of(found.get("level"), Scale.SYSLOG),
        "message": full if full.startswith(short) else f"{short}\n{full}".rstrip("\n"),
        "timestamp": found.get("timestamp"),
        "host": found.get("host"),
        "service": _first(found, "_service", "_app", "_application_name", "_logger", "_LoggerName", "facility"),
    }


_EVENT_LEVELS = {"critical", "error", "warning", "information", "verbose"}


def windows_event(found: dict[str, object]) -> dict[str, object]:
    """Return an event of Windows, as PowerShell exports it (Get-WinEvent, Get-EventLog).

    Its level's name is in the language of the machine, and missing where that knows no name.
    """
    word, number = _first(found, "LevelDisplayName", "EntryType"), name_of(found.get("Level"), Scale.WINDOWS)
    return {
        "level": word if str(word).lower() in _EVENT_LEVELS else number or word,
        "timestamp": _first(found, "TimeCreated", "TimeGenerated", "TimeWritten"),
        "service": _first(found, "ProviderName", "Source"),
        "host": _first(found, "MachineName"),
        "category": None,  # a number in brackets
    }


def _first(found: dict[str, object], *keys: str) -> object:
    return next((found[key] for key in keys if found.get(key)), None)


def _text(value: object) -> object:
    """Return the value; of an array of bytes the text, of several values (a field that is there twice) the last."""
    if isinstance(value, list) and value:
        value = value[-1] if isinstance(value[-1], list) else value
        if value and all(type(byte) is int and 0 <= byte < 256 for byte in value):
            return bytes(value).decode(errors="replace").replace("\0", "")
        return value[-1] if value else None
    return value
