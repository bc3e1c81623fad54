"""How well masks tell which lines are of one template, against the templates that people wrote down."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from datasets import REAL
from results import Result

from logintel.defaults.masks import mask

_WHOLE_TOKENS = re.compile(r"(?<![^ \t\n\r\f\v])[^ \t\n\r\f\v0-9]*+[0-9][^ \t\n\r\f\v]*")


def accuracy() -> Iterator[Result]:
    """Share of the lines in groups that are exactly those of one true template: each system's, and their mean."""
    contenders: dict[str, Callable[[str], str]] = {"logintel": mask, "whole_tokens": lambda text: _WHOLE_TOKENS.sub("<*>", text)}
    found: dict[str, dict[str, float]] = {}
    for file in sorted((REAL / "loghub").glob("*_2k.log_structured.csv")):
        with file.open(newline="", encoding="utf-8") as text:
            messages, events = zip(*((row["Content"], row["EventId"]) for row in csv.DictReader(text)), strict=True)
        found[file.name.split("_")[0].lower()] = {
            name: grouping_accuracy([masked(message) for message in messages], events) for name, masked in contenders.items()}
    found = {"": {name: float(np.mean([own[name] for own in found.values()])) for name in contenders}, **found}
    for system, figures in found.items():
        rounded = {name: round(figure, 4) for name, figure in figures.items()}
        yield Result(f"grouping_accuracy{'_' * bool(system)}{system}", rounded.pop("logintel"), "share", rounded)


def grouping_accuracy(groups: Sequence[str], events: Sequence[str]) -> float:
    """Return the share of the lines whose group has all lines of their event, and no others."""
    of_both, of_group, of_event = Counter(zip(groups, events, strict=True)), Counter(groups), Counter(events)
    right = sum(lines for (group, event), lines in of_both.items() if lines == of_group[group] == of_event[event])
    return right / len(groups)
