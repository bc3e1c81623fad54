"""Layouts whose records always have several lines: .NET's console, java.util.logging's."""

import re
import textwrap

from logintel.reading.layouts.layout import Layout, TranslatedLayout, Values
from logintel.reading.layouts.parts import ISO, MONTH
from logintel.reading.levels import english_level

_DOTNET = re.compile(
    rf"(?:\[?{ISO}\]? ?)?(?P<level>trce|dbug|info|warn|fail|crit): "
    r"(?P<service>[^\s\[\]]{1,300})\[\d+\](?: (?P<message>.*))?",
    re.DOTALL,
)
_JUL = re.compile(
    rf"(?P<timestamp>{MONTH} \d\d?, \d{{4}} \d\d?:\d\d:\d\d [AP]M) (?P<service>\S{{1,300}})"
    r"(?P<message>)(?: \S{1,300})?"
)
_JUL_MESSAGE = re.compile(r"(?P<level>[^\W\d_]{1,20}(?: [^\W\d_]{1,20})?): (?P<message>.*)", re.DOTALL)


class DotnetConsole(TranslatedLayout):
    """.NET's console: level and logger, and on the following lines the message, indented."""

    def __init__(self) -> None:
        """Read with or without a time, and with the message on the first line too (SingleLine)."""
        super().__init__(_DOTNET)

    def finished(self, values: Values, more: list[str]) -> Values:
        """Return the values with a message that has lost its indentation."""
        texts = [values["message"], textwrap.dedent("\n".join(more))]
        return values | {"message": "\n".join(str(text) for text in texts if text)}


class JavaConsole(Layout):
    """The console of java.util.logging: time and class on the first line, level and message on the second."""

    def __init__(self) -> None:
        """Read the format that Java has had since version 1.4, in English."""
        super().__init__(_JUL)

    def finished(self, values: Values, more: list[str]) -> Values:
        """Return the values with the level that stands on the second line."""
        said = _JUL_MESSAGE.fullmatch("\n".join(more))
        if said is None:
            return super().finished(values, more)
        return values | {"level": english_level(said["level"]), "message": said["message"]}
