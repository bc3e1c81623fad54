"""The layouts of text logs by name, the user's own, and the guess which of them a file has."""

import re

from logintel.errors import UserError
from logintel.reading.layouts.consoles import DotnetConsole, JavaConsole
from logintel.reading.layouts.layout import CONTINUATION, Layout, TranslatedLayout, starts_with_time
from logintel.reading.layouts.logfmt import Logfmt
from logintel.reading.layouts.postgres import Postgres
from logintel.reading.layouts.simple import SIMPLE
from logintel.reading.rows import FIELDS

_TRANSLATED = ("tomcat", "mysql", "serilog")
_SINGLE_LINES = ("access", "plain")
_OTHERS = {"postgres": Postgres(), "dotnet": DotnetConsole(), "java": JavaConsole(), "logfmt": Logfmt()}


def _layout(name: str, expression: str) -> Layout:
    kind = TranslatedLayout if name in _TRANSLATED else Layout
    return kind(re.compile(expression, re.DOTALL), joins=name not in _SINGLE_LINES)


# From the most particular to the most general, as in SIMPLE.
PATTERNS: dict[str, Layout] = _OTHERS | {name: _layout(name, expression) for name, expression in SIMPLE.items()}
# These find no time and say little: nearly every line must be theirs.
_VAGUE = ("level",)


def find_pattern(given: str) -> Layout:
    """Return the layout of that name, or that of the user's own regular expression.

    A group of the expression has the name of the field that it holds; there has to be one for the message.
    Raises UserError for an unknown name or an unusable expression.
    """
    if given in PATTERNS:
        return PATTERNS[given]
    if "(?P<" not in given:
        raise UserError(
            f"--pattern {given}: no pattern has that name; there are {' '.join(PATTERNS)}, "
            r"or give a regular expression such as '(?P<timestamp>\S+) (?P<level>\w+) (?P<message>.*)'"
        )
    try:
        pattern = re.compile(given, re.DOTALL)
    except re.error as error:
        raise UserError(f"--pattern: the regular expression is invalid: {error}") from None
    unknown = pattern.groupindex.keys() - set(FIELDS)
    if unknown:
        raise UserError(f"--pattern: no field is called {sorted(unknown)[0]}; the fields are {' '.join(FIELDS)}")
    if "message" not in pattern.groupindex:
        raise UserError("--pattern: the expression needs a group for the message: (?P<message>.*)")
    return Layout(pattern, joins="timestamp" in pattern.groupindex)


def guess_pattern(texts: list[str]) -> str | None:
    """Return the name of the layout that these lines have; None when none fits well enough.

    A particular layout wins over a more general one that fits a few more lines.
    """
    lines = [text for text in texts if text.strip() and not CONTINUATION.match(text)]
    if not lines:
        return None
    fits = {name: _fits(name, layout, lines) for name, layout in PATTERNS.items() if name != "plain"}
    best = max(fits.values())
    return next((name for name, count in fits.items() if count >= 0.95 * best), None) if best else None


def _fits(name: str, layout: Layout, lines: list[str]) -> int:
    """Return how many of the lines begin a record of this layout; 0 when it isn't that of the file."""
    starts = [layout.read(text) is not None or _is_part(layout, text) for text in lines]
    count = sum(starts)
    if name in _VAGUE:
        return count if count >= 0.9 * len(lines) else 0
    # Lines that a message goes on with are no sign of another layout, where the file begins as it says.
    records = sum(start or layout.continued(text) is None for start, text in zip(starts, lines, strict=True))
    begins = starts[0] and count >= 0.1 * len(lines) and count >= 0.9 * records
    return count if begins or count * 2 >= len(lines) else 0


def _is_part(layout: Layout, text: str) -> bool:
    """Say whether the layout knows that a line with a time of its own goes on with a record."""
    return starts_with_time(text) and layout.continued(text) is not None
