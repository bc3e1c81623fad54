"""What services of clouds and collectors export as JSON: Google Cloud, OpenTelemetry."""

import json
import re

from logintel.reading.levels import Scale, name_of

_MESSAGE_KEYS = ("message", "msg", "log", "textPayload")
_SERVICE_LABELS = ("service_name", "container_name", "function_name", "job_name", "module_id", "database_id")
_HOST_LABELS = ("pod_name", "node_name", "instance_id")
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s", re.ASCII)


def google(found: dict[str, object]) -> dict[str, object]:
    """Return an entry of Google Cloud's logs: text, an object, or an audit record."""
    payload = _object(found.get("jsonPayload"))
    resource = _object(_object(found.get("resource")).get("labels"))
    labels = _object(found.get("labels"))
    severity = found.get("severity")
    request = _object(found.get("httpRequest"))
    return {
        "timestamp": found.get("timestamp") or found.get("receiveTimestamp"),
        "level": severity if severity not in (None, "", "DEFAULT") else payload.get("severity", payload.get("level")),
        "message": _google_message(found, payload),
        "service": _first(resource, _SERVICE_LABELS) or _first(labels, ("k8s-pod/app", "app")) or _log_name(found),
        "host": _first(resource, _HOST_LABELS),
        "http_status": request.get("status"),
        "response_time_ms": _milliseconds(request.get("latency")),
    }


def open_telemetry(found: dict[str, object]) -> dict[str, object]:
    """Return a log record as OpenTelemetry's data model has it, in any of the usual spellings of its keys."""
    names = {key.replace("_", "").lower(): key for key in found}

    def value(*spellings: str) -> object:
        return next((found[names[name]] for name in spellings if name in names and found[names[name]]), None)

    resource = _attributes(value("resource")) | _attributes(value("resourceattributes"))
    return {
        "timestamp": value("timestamp", "timeunixnano", "time", "observedtimestamp", "observedtimeunixnano"),
        "level": value("severitytext") or name_of(value("severitynumber"), Scale.OTEL),
        "message": _any_value(value("body")),
        "service": resource.get("service.name"),
        "host": resource.get("host.name"),
    }


def _google_message(found: dict[str, object], payload: dict[str, object]) -> object:
    if found.get("textPayload") is not None:
        return str(found["textPayload"]).rstrip("\n")
    if payload:
        return _first(payload, _MESSAGE_KEYS) or json.dumps(payload, ensure_ascii=False)
    audit, request = _object(found.get("protoPayload")), _object(found.get("httpRequest"))
    said = _object(audit.get("status")).get("message")
    parts = (audit.get("methodName"), said, request.get("requestMethod"), request.get("requestUrl"))
    return " ".join(str(part) for part in parts if part) or None


def _log_name(found: dict[str, object]) -> str | None:
    return str(found.get("logName") or "").rpartition("/")[2] or None


def _milliseconds(latency: object) -> float | None:
    match = _SECONDS.fullmatch(str(latency))
    return float(match[1]) * 1000 if match else None


def _attributes(resource: object) -> dict[str, object]:
    """Return the attributes of a resource: an object, or OTLP's list of keys and values."""
    inner = resource.get("attributes", resource) if isinstance(resource, dict) else resource
    if isinstance(inner, list):
        pairs = [pair for pair in inner if isinstance(pair, dict) and "key" in pair]
        return {str(pair["key"]): _any_value(pair.get("value")) for pair in pairs}
    return _object(inner)


def _any_value(value: object) -> object:
    """Return what OTLP wraps into the name of its type."""
    return value["stringValue"] if isinstance(value, dict) and list(value) == ["stringValue"] else value


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _first(found: dict[str, object], keys: tuple[str, ...]) -> object:
    return next((found[key] for key in keys if found.get(key)), None)
