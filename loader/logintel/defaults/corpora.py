"""Labelled lines to learn from: models/corpora/*.txt.

A corpus is an invented system. `[service]` begins a section, and each line of it is

    LEVEL category[,category...] anomaly_type | message

with the primary category first, `-` where the line is no anomaly, and `\\n` and `\\t` for a line break and a tab in the
message. Lines that begin with # are comments. The masked messages are the templates; of lines whose words are the same
the first one counts.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from logintel.defaults.masks import mask
from logintel.simulation.templates import ANOMALY_TYPES, CATEGORIES, LEVELS
from logintel.training.dataset import NORMAL, Line, Shape
from logintel_server import tokens

FOLDER = Path(str(resources.files("logintel_models"))) / "corpora"

_LABELS = re.compile(r"(\S+) (\S+) (\S+) \| (.+)")


class Entry(NamedTuple):
    """One template: the system it is from, a line of it, and all categories that apply, the primary one first."""

    system: str
    line: Line
    categories: tuple[str, ...]

    @property
    def words(self) -> str:
        """The words of the template, as models read them."""
        return tokens.words(self.line.shape.template)


@cache
def entries() -> tuple[Entry, ...]:
    """Return all templates with their labels, always in the same order, each once."""
    distinct: dict[str, Entry] = {}
    for file in sorted(FOLDER.glob("*.txt")):
        for entry in parse(file.read_text("utf-8"), file.stem):
            distinct.setdefault(" ".join(word for word in entry.words.split() if word != tokens.MASK), entry)
    return tuple(distinct.values())


def parse(text: str, name: str) -> Iterator[Entry]:
    """Yield the lines of one corpus. Raises ValueError that names file and line."""
    service = ""
    for number, row in enumerate(text.splitlines(), 1):
        if not row.strip() or row.startswith("#"):
            continue
        if row.startswith("[") and row.endswith("]"):
            service = row[1:-1].strip()
            continue
        labels = _LABELS.fullmatch(row)
        if not labels or not service:
            raise ValueError(f"{name}, line {number}: not LEVEL category anomaly_type | message below a [service]")
        level, categories, anomaly_type, message = labels.groups()
        named = tuple(categories.split(","))
        if level not in LEVELS or not set(named) <= set(CATEGORIES) or anomaly_type not in (*ANOMALY_TYPES, "-"):
            raise ValueError(f"{name}, line {number}: no such level, category or anomaly type")
        text = message.replace("\\n", "\n").replace("\\t", "\t")
        yield _entry(name, service, level, named, None if anomaly_type == "-" else anomaly_type, text)


def _entry(system: str, service: str, level: str, categories: tuple[str, ...], anomaly_type: str | None,
           message: str) -> Entry:
    shape = Shape(template=mask(message), service=service)
    line = Line(shape, level, anomaly_type is not None, anomaly_type or NORMAL, categories[0])
    return Entry(system, line, categories)
