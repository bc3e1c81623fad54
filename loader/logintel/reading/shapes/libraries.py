"""What logging libraries and databases write as JSON."""

from logintel.reading.levels import Scale, SureLevel, name_of


def serilog(found: dict[str, object]) -> dict[str, object]:
    """Return an event in Serilog's compact format, which leaves the level Information out."""
    message = found.get("@m", found.get("@mt"))
    exception = found.get("@x")
    shaped = {
        "timestamp": found["@t"],
        "level": found.get("@l") or "Information",
        "service": found.get("SourceContext"),
    }
    if message is not None or exception:
        shaped["message"] = "\n".join(str(text) for text in (message, exception) if text)
    return shaped


def dotnet(found: dict[str, object]) -> dict[str, object]:
    """Return a line of .NET's JSON console, whose category is a logger's name."""
    return {"level": found["LogLevel"], "service": found["Category"], "message": found["Message"], "category": None}


def loguru(found: dict[str, object]) -> dict[str, object]:
    """Return a record that Python's loguru serialised."""
    record = found["record"]
    if not isinstance(record, dict):
        return {}
    level, moment = record.get("level"), record.get("time")
    return {
        "message": record.get("message", found["text"]),
        "level": level.get("name") if isinstance(level, dict) else level,
        "timestamp": moment.get("timestamp") if isinstance(moment, dict) else moment,
        "service": record.get("name"),
    }


def mongod(found: dict[str, object]) -> dict[str, object]:
    """Return a line of MongoDB's server: its attributes belong to the message."""
    moment = found["t"]
    return {
        "timestamp": moment.get("$date") if isinstance(moment, dict) else moment,
        "level": str(found["s"] or "").rstrip("12345"),
        "service": str(found["c"]).strip(" -") or None,
        "message": found["msg"],
    }


def log4j(found: dict[str, object]) -> dict[str, object]:
    """Return an event of Log4j 2, which counts seconds and nanoseconds."""
    moment = found["instant"]
    seconds, nanoseconds = (
        (moment.get("epochSecond"), moment.get("nanoOfSecond", 0)) if isinstance(moment, dict) else (moment, 0)
    )
    known = isinstance(seconds, int) and isinstance(nanoseconds, int)
    return {
        "timestamp": f"{seconds}.{nanoseconds:09d}" if known else seconds,
        "level": found["level"],
        "message": found["message"],
        "service": found.get("loggerName"),
    }


def pino(found: dict[str, object]) -> dict[str, object]:
    """Return a line of pino or bunyan; the server knows their numbers."""
    level = found["level"]
    return {"level": SureLevel(level) if isinstance(level, int) and 10 <= level <= 60 else level}


def python(found: dict[str, object]) -> dict[str, object]:
    """Return a record of Python's logging that has its level as a number, and perhaps as a word."""
    word = next((found[key] for key in ("levelname", "level") if isinstance(found.get(key), str)), None)
    return {"level": word or name_of(found["levelno"], Scale.PYTHON)}
