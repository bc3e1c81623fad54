"""From the lines of a file to its records, whatever kind of file it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from logintel.errors import UserError
from logintel.reading.containers import cri_part, docker_part, layout_inside, unwrapped
from logintel.reading.formats import Format, guess_format, named_format
from logintel.reading.from_csv import csv_records, csvlog_records
from logintel.reading.from_jsonl import jsonl_records
from logintel.reading.from_text import choose_pattern, text_records
from logintel.reading.layouts.layout import Layout
from logintel.reading.patterns import PATTERNS
from logintel.reading.records import Line, Record
from logintel.reading.rows import FieldMap
from logintel.reading.source import peek

_LINES_TO_GUESS_FROM = 1000
_WRAPPERS = {Format.CRI: cri_part, Format.DOCKER: docker_part}
_WITH_KEYS = (Format.CSV, Format.CSVLOG, Format.JSONL, Format.CRI, Format.DOCKER)
_WITH_LAYOUT = (Format.TEXT, Format.CRI, Format.DOCKER)


@dataclass(frozen=True)
class Reader:
    """Reads files by what the user said of them, and by their content where nothing was said."""

    fields: FieldMap
    kind: Format | None = None
    layout: Layout | None = None
    skip: int = 0
    say: Callable[[str], None] = lambda _: None
    """Told what was guessed."""

    def check(self, path: str) -> None:
        """Raise UserError when what the user said of the files cannot be true of the one at `path`."""
        kind = self.kind or (named_format(path) or Format.TEXT if self.layout else None)
        try:
            if kind is not None:
                self._check(kind)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None

    def records(self, path: str, lines: Iterator[Line]) -> Iterator[Record]:
        """Yield the records of a file. Raises UserError before the first one when it cannot be read so."""
        kind = self.kind or (Format.TEXT if self.layout else None)
        if kind is None:
            head, lines = peek(lines, _LINES_TO_GUESS_FROM)
            kind = guess_format(path, head, self.fields)
            self._check(kind)
            if head and kind not in (Format.TEXT, named_format(path)):
                self.say(f"reading it with --format {kind}")
        if kind == Format.CSV:
            return csv_records(lines, self.fields, self.skip)
        if kind == Format.CSVLOG:
            return csvlog_records(lines, self.fields, self.skip)
        if kind == Format.JSONL:
            return jsonl_records(lines, self.fields, self.skip)
        if kind == Format.TEXT:
            return self._text(lines)
        return self._inside(unwrapped(lines, _WRAPPERS[kind]))

    def _check(self, kind: Format) -> None:
        if self.layout and kind not in _WITH_LAYOUT:
            raise UserError(f"it is {kind}: --pattern is for text; leave it out or say --format text")
        if self.fields.chosen and kind not in _WITH_KEYS:
            raise UserError("it is text: --map is for CSV and JSON; use --pattern with groups named after fields")

    def _text(self, lines: Iterator[Line]) -> Iterator[Record]:
        layout = self.layout
        if layout is None:
            head, lines = peek(lines, _LINES_TO_GUESS_FROM)
            name = choose_pattern(head)
            self.say(f"reading it with --pattern {name}")
            layout = PATTERNS[name]
        return text_records(lines, layout, self.fields.maker, self.skip)

    def _inside(self, lines: Iterator[Line]) -> Iterator[Record]:
        head, lines = peek(lines, _LINES_TO_GUESS_FROM)
        layout, name = layout_inside(head, self.fields, self.layout)
        if name:
            self.say(f"reading what is text in it with --pattern {name}")
        return text_records(lines, layout, self.fields.maker, self.skip)
