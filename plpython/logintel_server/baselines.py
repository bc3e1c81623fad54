"""The baseline in a model's metadata: what its training lines were like, which models/README.md documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BINS = 10


@dataclass(frozen=True)
class Known:
    """What the training lines had: digests of templates, and words."""

    templates: frozenset[str]
    vocabulary: frozenset[str]


def known(metadata: Mapping[str, Any]) -> Known | None:
    """Return what the training lines of a model had; None where its baseline does not say."""
    baseline = metadata.get("baseline") or {}
    if "templates" not in baseline or "vocabulary" not in baseline:
        return None
    return Known(frozenset(baseline["templates"]), frozenset(baseline["vocabulary"]))


def fault(baseline: Any) -> str | None:
    """Say what keeps a baseline from being compared with, if anything: upkeep relies on it."""
    if not isinstance(baseline, dict):
        return "is no object"
    of_services = baseline.get("services", {})
    if not isinstance(of_services, dict):
        return "has services that are no object"
    for where, part in (("", baseline), *((f" of service {name!r}", part) for name, part in of_services.items())):
        if (
            not isinstance(part, dict)
            or not (_is_number(part.get("lines")) and part["lines"] > 0)
            or not _are_shares(part.get("classes"))
            or not _are_numbers(part.get("confidence"), BINS)
            or not _are_shares(part.get("usual"), or_null=True)
        ):
            return f"needs lines, classes, confidence ({BINS} numbers) and usual{where}"
    if not _are_shares(baseline.get("mix")):
        return "needs mix, the share of each service"
    if baseline.get("hours") is not None and not _are_numbers(baseline["hours"], 24):
        return "has hours that are not 24 numbers"
    if not _is_number(baseline.get("anomaly_threshold", 0)):
        return "has an anomaly_threshold that is no number"
    for key in ("templates", "vocabulary"):
        if not isinstance(baseline.get(key, []), list) or not all(isinstance(s, str) for s in baseline.get(key, [])):
            return f"has {key} that are no list of strings"
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


def _are_numbers(values: Any, count: int) -> bool:
    return isinstance(values, list) and len(values) == count and all(map(_is_number, values))


def _are_shares(values: Any, or_null: bool = False) -> bool:
    if not isinstance(values, dict):
        return False
    return all(_is_number(value) or (or_null and value is None) for value in values.values())
