"""PostgreSQL's jsonlog and csvlog."""

from logintel.reading.layouts.postgres_words import SEVERITIES

# What belongs to a message, as the server's text log calls it; jsonlog and csvlog have different names for some.
_PARTS = (
    ("DETAIL", ("detail",)),
    ("HINT", ("hint",)),
    ("QUERY", ("internal_query",)),
    ("CONTEXT", ("context",)),
    ("STATEMENT", ("statement", "query")),
)


def server_log(found: dict[str, object]) -> dict[str, object]:
    """Return a line of the server: its message with detail, hint, context and statement, as its text log has them."""
    texts = [str(found["message"] or "")]
    for name, keys in _PARTS:
        texts += [f"{name}:  {found[key]}" for key in keys if found.get(key)][:1]
    severity = str(found["error_severity"] or "")
    return {
        "timestamp": found.get("timestamp") or found.get("log_time"),
        "level": SEVERITIES.get(severity, severity),
        "message": "\n".join(texts),
    }
