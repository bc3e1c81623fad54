"""Which program wrote an object (a JSON line, a row of CSV), told by its keys."""

from collections.abc import Callable
from functools import lru_cache

from logintel.reading.shapes import cloud, libraries, postgres, system

Found = dict[str, object]
Shape = Callable[[Found], Found]
"""From an object to field -> value; a field that it names has this value, None included."""

# The keys that tell, and the shape; the first that fits is taken.
_SHAPES: tuple[tuple[tuple[str, ...], Shape], ...] = (
    (("error_severity", "message"), postgres.server_log),
    (("__REALTIME_TIMESTAMP",), system.journald),
    (("MESSAGE", "PRIORITY"), system.journald),
    (("short_message",), system.gelf),
    (("LevelDisplayName",), system.windows_event),
    (("EntryType", "InstanceId"), system.windows_event),
    (("ProviderName", "Level", "TimeCreated"), system.windows_event),
    (("textPayload",), cloud.google),
    (("jsonPayload",), cloud.google),
    (("protoPayload",), cloud.google),
    (("insertId", "logName"), cloud.google),
    (("severityNumber",), cloud.open_telemetry),
    (("SeverityNumber",), cloud.open_telemetry),
    (("severity_number",), cloud.open_telemetry),
    (("severityText", "body"), cloud.open_telemetry),
    (("@t",), libraries.serilog),
    (("LogLevel", "Category", "Message"), libraries.dotnet),
    (("text", "record"), libraries.loguru),
    (("t", "s", "c", "msg"), libraries.mongod),
    (("instant", "level", "message"), libraries.log4j),
    (("level", "time", "pid", "hostname"), libraries.pino),
    (("level", "time", "msg", "v"), libraries.pino),
    (("levelno",), libraries.python),
)


def shape_of(found: Found) -> Shape | None:
    """Return the shape that an object has; None for an unknown one."""
    names = tuple(found)
    return (_remembered if len(names) < 100 else _shape_of)(names)  # many names would fill the memory


def _shape_of(names: tuple[str, ...]) -> Shape | None:
    return next((shape for keys, shape in _SHAPES if set(keys) <= set(names)), None)


_remembered = lru_cache(maxsize=256)(_shape_of)  # a load sees few different sets of keys
