"""Lines of a day and the baseline that a model's training lines had: what drift is measured between."""

from dataclasses import replace
from datetime import date

from logintel_server import tokens
from support.servers import Database
from support.tiny_models import TinyModel

DAY = date(2026, 3, 2)
MESSAGES = {"started": 0.7, "slow": 0.2, "failed": 0.1}
CLASSES = {"INFO": 0.7, "WARN": 0.2, "ERROR": 0.1}
USUAL = {"classes": 0.02, "confidence": 0.02, "services": 0.02, "new_templates": 0, "unknown_words": 0, "new_services": 0}


def baseline(classes: dict[str, float] = CLASSES, **changes: object) -> dict[str, object]:
    """A baseline of 5,000 lines, three messages by two services, of which the tiny models are nearly certain."""
    shares = {"classes": classes, "confidence": [0] * 9 + [1]}
    return {
        "lines": 5000,
        "hours": None,
        "anomaly_threshold": 0.7,
        **shares,
        "services": {"api": {"lines": 3000, **shares, "usual": USUAL}},
        "mix": {"api": 0.6, "db-#": 0.4},
        "templates": [tokens.digest(message) for message in MESSAGES],
        "vocabulary": list(MESSAGES),
        "usual": USUAL,
        **changes,
    }


def with_baseline(model: TinyModel, described: dict[str, object]) -> TinyModel:
    """Return the model with a baseline in its metadata."""
    return replace(model, metadata=model.metadata | {"baseline": described})


def write(
    db: Database, day: date = DAY, lines: int = 1000, shares: dict[str, float] = MESSAGES, api: float = 0.6
) -> None:
    """Write lines of the messages, each spread over the day, a share of them by `api` and the rest by instances of db."""
    for message, share in shares.items():
        db.execute(
            "INSERT INTO log_entries (timestamp, service, message) "
            "SELECT %s::date::timestamp AT TIME ZONE 'UTC' + i * interval '1 day' / %s, "
            "       CASE WHEN i < %s THEN 'api' ELSE 'db-' || i %% 3 END, %s FROM generate_series(0, %s - 1) AS i",
            (day, round(lines * share), round(lines * share * api), message, round(lines * share)),
        )
