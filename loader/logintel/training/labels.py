"""What there is to learn from: examples for each model, what they lack, and what is odd about them."""

from collections import Counter
from collections.abc import Container, Sequence, Set

import numpy as np

from logintel.errors import UserError
from logintel.training.dataset import NORMAL, Examples, Line, anomaly_of, category_of, group, level_of

MINIMUM_LINES = 1000
MAX_CLASSES = 50
CONSTANT_TEMPLATES = 20
"""A source with fewer templates may well have one level for good reason."""
LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")

Doubted = Set[tuple[str, str]]
"""Templates, each with its service, whose declared level is not believed."""


def level_examples(lines: Sequence[Line], doubted: Doubted = frozenset()) -> tuple[Examples, list[str]]:
    """Group the lines for the level model and say what is odd about their levels.

    Lines of `doubted` templates teach nothing, unless only lines of one level would be left. Raises UserError when a
    level model cannot be learnt from them.
    """
    if len(lines) < MINIMUM_LINES:
        raise UserError(f"training needs {MINIMUM_LINES:,} lines and there are {len(lines):,}; load more lines, "
                        "or raise --lines")
    constant = _constant_sources(lines)
    believed = _believed(lines, doubted)
    examples = group("level", _telling(believed, constant), level_of, ("words", "context"), LEVELS)
    unknown = Counter(line.shape.level for line in lines if level_of(line) is None)
    # As the table holds them.
    spellings = ", ".join(f"'{name.strip(' ').lower()}'" for name, _ in unknown.most_common(5) if name)
    hint = (f"add the spellings {spellings} to logintel.level_names" if spellings
            else "map the column that holds levels in logintel.attach()")
    if not examples.classes:
        raise UserError(f"none of the {len(lines):,} lines has a known level; {hint}")
    if len(examples.classes) == 1:
        raise UserError(f"all lines have the level {examples.classes[0]} and a level model needs at least two; "
                        "load lines of other levels, or raise --lines")
    if missing := _missing(examples, "level"):
        raise UserError(f"{missing}; {hint if unknown else 'load other lines'}")
    notes = _oddities(constant, examples)
    if unknown:
        notes.insert(0, f"{unknown.total():,} of {len(lines):,} lines have no known level and were left out; {hint}")
    if left_out := len(lines) - len(believed):
        notes.append(f"lines that teach no level, because ml_suspects or ml_sources doubts it: {left_out:,}")
    if judged := sum(line.verdict is not None for line in lines):
        notes.append(f"lines with a verdict, which outranks what they declare: {judged:,}")
    return examples, notes


def _believed(lines: Sequence[Line], doubted: Doubted) -> Sequence[Line]:
    believed = [line for line in lines
                if line.verdict is not None or (line.shape.template, line.shape.service) not in doubted]
    return believed if len({level_of(line) for line in believed} - {None}) > 1 else lines


def category_examples(lines: Sequence[Line]) -> tuple[Examples, str | None]:
    """Group the lines for the category model and say what is missing for one, if anything."""
    examples = group("category", lines, category_of, ("words", "context"))
    return examples, _missing(examples, "category")


def anomaly_examples(lines: Sequence[Line]) -> tuple[Examples, str | None]:
    """Group the lines for an anomaly model with labels and say what is missing for one, if anything."""
    examples = group("anomaly", lines, anomaly_of, ("words", "context", "level"))
    missing = _missing(examples, "is_anomaly")
    if not missing and NORMAL not in examples.classes:
        missing = "no line has is_anomaly = false"
    return examples, missing


def unlabelled_examples(lines: Sequence[Line]) -> Examples:
    """Group the lines for an anomaly model without labels: they are all of one class."""
    return group("anomaly", lines, lambda line: NORMAL, ("words", "context", "level"))


def _missing(examples: Examples, column: str) -> str | None:
    labelled = len(examples.line_input)
    if not labelled:
        return f"no line has a value in {column}"
    if labelled < MINIMUM_LINES:
        return f"{labelled:,} lines have a value in {column} and training needs {MINIMUM_LINES:,}"
    if len(examples.classes) == 1:
        return f"all values in {column} mean {examples.classes[0]}"
    if len(examples.classes) > MAX_CLASSES:
        return f"{column} has {len(examples.classes):,} different values; a model tells at most {MAX_CLASSES} apart"
    if examples.templates.max() == 0:
        return "all messages have the same words"
    return None


def _constant_sources(lines: Sequence[Line]) -> dict[str, str]:
    """Return the sources that log everything as one level, and that level: it says nothing of their messages.

    Where no lines of two levels would be left, no source counts as one. Lines with a verdict are never left out.
    """
    levels: dict[str, set[str]] = {}
    templates: dict[str, set[str]] = {}
    for line in lines:
        if line.level:
            levels.setdefault(line.shape.source_type, set()).add(line.level)
            templates.setdefault(line.shape.source_type, set()).add(line.shape.template)
    constant = {source: next(iter(found)) for source, found in levels.items()
                if len(found) == 1 and len(templates[source]) >= CONSTANT_TEMPLATES}
    others = [level for line in _telling(lines, constant) if (level := level_of(line))]
    return constant if len(others) >= MINIMUM_LINES and len(set(others)) > 1 else {}


def _telling(lines: Sequence[Line], constant: Container[str]) -> list[Line]:
    """Return the lines without those of the `constant` sources, save where a verdict tells their level."""
    return [line for line in lines if line.shape.source_type not in constant or (line.verdict and line.verdict.level)]


def _oddities(constant: dict[str, str], examples: Examples) -> list[str]:
    """Sources with a constant level, and templates with several."""
    kept = {line.shape.source_type: ", but for those with a verdict" for line in examples.lines}
    notes = [f"every line of source '{source}' has the level {level}, which says nothing of a message: "
             f"left out{kept.get(source, '')}" for source, level in sorted(constant.items())]
    by_template = np.zeros((examples.templates.max() + 1, len(examples.classes)))
    np.add.at(by_template, examples.templates, examples.counts())
    mixed = int((np.count_nonzero(by_template, axis=1) > 1).sum())
    if mixed:
        notes.append(f"{mixed:,} of {len(by_template):,} templates occur with several levels: their lines vote")
    return notes
