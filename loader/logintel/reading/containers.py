"""Logs of containers: each line is wrapped by the runtime (Kubernetes' CRI, Docker's json-file), long ones in parts."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from logintel.reading.from_jsonl import JsonLines
from logintel.reading.from_text import texts_of
from logintel.reading.layouts.layout import CONTINUATION, Layout, Values
from logintel.reading.patterns import PATTERNS, guess_pattern
from logintel.reading.records import MAX_LINE_BYTES, BadLine, Line, Wrapped
from logintel.reading.rows import FieldMap

_MAX_HELD_LINES = 1000
# The second form is what `kubectl logs --timestamps` and `docker logs -t` print; only of JSON it is sure.
_CRI = re.compile(rb"(\d{4}-\S{10,60}) (?:(stdout|stderr) ([FP])(?::\S{0,100})?(?: (.*))?|(\{.*\}))", re.DOTALL)
_DOCKER_KEYS = {"log", "stream", "time", "attrs"}


class Part(NamedTuple):
    """One line of a container's log: what the runtime says, and the program's line or a part of it."""

    timestamp: str
    stream: str
    content: bytes
    ends: bool


def cri_part(raw: bytes) -> Part | None:
    """Read a line of a CRI runtime; None when it is none."""
    match = _CRI.fullmatch(raw.rstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf"))
    if match is None:
        return None
    moment, stream, flag, content, whole = match.groups(default=b"")
    return Part(moment.decode(errors="replace"), stream.decode(), whole or content, flag != b"P")


def docker_part(raw: bytes) -> Part | None:
    """Read a line of Docker's json-file driver; None when it is none."""
    try:
        found = json.loads(raw.decode("utf-8-sig")) if b'"log"' in raw and b'"stream"' in raw else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not {"log", "stream", "time"} <= found.keys() <= _DOCKER_KEYS:
        return None
    text = str(found["log"])
    return Part(
        str(found["time"]),
        str(found["stream"]),
        text.removesuffix("\n").encode(errors="surrogatepass"),
        text.endswith("\n"),
    )


def unwrapped(lines: Iterator[Line], read: Callable[[bytes], Part | None]) -> Iterator[Line]:
    """Yield the lines that the programs wrote, their parts joined; lines that are no container's stay as they are.

    Both streams stand in one file, so other lines may come between two parts: the lines come in the order of their
    beginnings.
    """
    parts: dict[str, _Parts] = {}  # what has begun, by stream
    held: list[Line] = []  # complete, but behind the beginning of what is not
    size = 0  # bytes of both
    for line in lines:
        part = None if line.part else read(line.raw)
        if part is None:
            held.append(line)
        else:
            begun = parts.setdefault(part.stream, _Parts(line.number, part))
            begun.add(line, part)
            if part.ends or begun.size >= MAX_LINE_BYTES:
                held.append(parts.pop(part.stream).line())
        size += len(line.raw)
        if len(held) > _MAX_HELD_LINES or size > 2 * MAX_LINE_BYTES:
            held += [begun.line() for begun in parts.values()]
            parts = {}
        if not parts:
            yield from _in_order(held)
            held, size = [], 0
    yield from _in_order(held + [begun.line() for begun in parts.values()])


class InsideContainer(Layout):
    """What programs write inside: JSON, or a layout of text, or lines that are a message and nothing else."""

    is_wrapped = True

    def __init__(self, fields: FieldMap, layout: Layout | None) -> None:
        """Read objects as JSON lines, and text by that layout."""
        self._objects = JsonLines(fields)
        self._layout = layout

    def read(self, text: str) -> Values | None:
        """Return the values of a line that begins a record."""
        if text.startswith("{"):
            try:
                return _FromJson(self._objects.read(text))
            except BadLine:
                pass  # then it is text
        return self._layout.read(text) if self._layout else None

    def continued(self, text: str) -> str | None:
        """Return what a line adds to the record before it; None when it belongs to none."""
        if self._layout:
            return self._layout.continued(text)
        return text if CONTINUATION.match(text) else None

    def alone(self, text: str) -> Values:
        """Return a message: its time is what the runtime says."""
        return {"message": text}

    def finished(self, values: Values, more: list[str]) -> Values:
        """Return the values of a whole record."""
        layout = None if isinstance(values, _FromJson) else self._layout
        return layout.finished(values, more) if layout else super().finished(values, more)


def layout_inside(head: list[Line], fields: FieldMap, given: Layout | None) -> tuple[InsideContainer, str]:
    """Return the layout of what the programs wrote, and its name; `head`: the first lines, unwrapped."""
    texts = [text for text in texts_of(head) if not text.startswith("{")]
    name = None if given else guess_pattern(texts)
    return InsideContainer(fields, PATTERNS[name] if name else given), name or ""


class _FromJson(dict[str, object]):
    """Values that were read as JSON."""


@dataclass
class _Parts:
    """The parts of a line, so far."""

    first: int
    begin: Part
    lines: list[Line] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, line: Line, part: Part) -> None:
        self.lines.append(line)
        self.contents.append(part.content)
        self.size += len(line.raw)

    def line(self) -> Line:
        raw = b"".join(line.raw for line in self.lines)
        wrapped = Wrapped(b"".join(self.contents), self.begin.timestamp, self.begin.stream, self.lines[-1].number)
        return Line(self.first, raw, wrapped=wrapped)


def _in_order(lines: list[Line]) -> Iterator[Line]:
    """Yield the lines by their beginnings; all but the last of them are open when they overlap."""
    ordered = sorted(lines, key=attrgetter("number"))
    for place, line in enumerate(ordered, 1):
        yield line._replace(open=place < len(ordered))
