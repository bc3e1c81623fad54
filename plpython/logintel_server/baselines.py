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
