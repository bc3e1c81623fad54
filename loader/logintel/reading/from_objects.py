"""From an object (a JSON line, a row of CSV) to the values of fields."""

from logintel.reading.rows import FieldMap
from logintel.reading.shapes.recognised import shape_of

_MISSING = object()
# Objects whose keys are fields by their dotted names: {"log": {"level": ...}} is log.level.
_SPREAD = frozenset({"log", "service", "host", "http", "error", "event"})
_DEPTH = 3


class ObjectReader:
    """Reads objects: the user's choice of keys (--map) first, then what the shape tells, then usual names."""

    def __init__(self, fields: FieldMap) -> None:
        """Read by that choice, for its table."""
        self.fields = fields

    def values(self, found: dict[str, object]) -> dict[str, object] | None:
        """Return field -> value for what the object holds; None when it should hold a message and doesn't."""
        flat = _spread(found)
        values: dict[str, object] = {}
        for field, columns in self.fields.plan(tuple(flat)):
            value = flat[columns[0]] if len(columns) == 1 and columns[0] in flat else _joined(found, columns)
            if value is not _MISSING:
                values[field] = value
        shape = shape_of(found)
        wants = self.fields.maker.wants
        for field, value in shape(found).items() if shape else ():
            if field not in self.fields.chosen and (value is not None or field in values) and wants(field):
                values[field] = value
        return None if "message" not in values and wants("message") else values


def _spread(found: dict[str, object]) -> dict[str, object]:
    if not any(isinstance(found[key], dict) for key in _SPREAD & found.keys()):
        return found
    flat: dict[str, object] = {}
    for key, value in found.items():
        if key in _SPREAD and isinstance(value, dict):
            _put(flat, key, value, _DEPTH)
        else:
            flat[key] = value
    return flat


def _put(flat: dict[str, object], path: str, value: dict[str, object], depth: int) -> None:
    for key, inner in value.items():
        if isinstance(inner, dict) and depth > 1:
            _put(flat, f"{path}.{key}", inner, depth - 1)
        else:
            flat.setdefault(f"{path}.{key}", inner)


def _joined(found: dict[str, object], names: tuple[str, ...]) -> object:
    values = [_nested(found, name) for name in names]
    if len(values) == 1 or _MISSING in values:
        return values[0] if len(values) == 1 else _MISSING
    return " ".join(str(value) for value in values)


def _nested(found: dict[str, object], name: str) -> object:
    """Return the value of a key, or of a dotted path to a nested key; _MISSING when there is none."""
    if name in found:
        return found[name]
    value: object = found
    for key in name.split("."):
        if not isinstance(value, dict) or key not in value:
            return _MISSING
        value = value[key]
    return value
