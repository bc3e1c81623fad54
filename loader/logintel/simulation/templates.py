"""The templates of all services: read from services/*.txt, whose notation this module's parser defines.

A file is one system. Its head gives properties, then each [logger] is followed by its templates, one a line:

    LEVEL category weight [option...] | message with {placeholders} and {one|of|these}

Options: an anomaly type (the line is a part of such an incident), http=200,304 (the line has one of these statuses;
http=200,304/502,503: one of the latter when its system fails), ms=5..80 (it has a response time, all magnitudes between
alike), new (comes with a release late in the period). `\\n` and `\\t` in a message are a line break and a tab. Lines
that begin with # are comments.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from logintel.simulation.parameters import Maker, compile_message, placeholders

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
CATEGORIES = (
    "Security", "Performance", "System", "Application", "Database", "Network", "Authentication", "Error",
)  # fmt: skip
ANOMALY_TYPES = (
    "system_failure", "security_breach", "performance_issue", "data_corruption", "network_anomaly",
    "resource_exhaustion",
)  # fmt: skip
RHYTHMS = ("day", "night", "flat")


@dataclass(frozen=True, eq=False)
class Source:
    """One system of the company: `spellings` are its own words for the five levels, `share` its part of all lines."""

    name: str
    hosts: tuple[str, ...]
    spellings: dict[str, str]
    share: float
    rhythm: str


@dataclass(frozen=True, eq=False)
class Template:
    """One kind of line: what it says and its labels.

    `weight` counts within the source. `statuses` is empty for lines without an HTTP status, `failing_statuses` for
    lines that never tell of a failure; `response_time_ms` is the usual (least, most) or None. `fill` makes a message.
    """

    source: Source
    service: str
    level: str
    category: str
    weight: float
    message: str
    anomaly_type: str | None = None
    statuses: tuple[int, ...] = ()
    failing_statuses: tuple[int, ...] = ()
    response_time_ms: tuple[float, float] | None = None
    is_new: bool = False
    fill: Maker = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check what a typing slip would break. Raises ValueError."""
        if self.level not in LEVELS or self.category not in CATEGORIES or self.weight <= 0:
            raise ValueError("it must begin with LEVEL category weight")
        used = placeholders(self.message)
        if ("status" in used and not self.statuses) or ("ms" in used and not self.response_time_ms):
            raise ValueError("{status} needs the option http=, {ms} needs ms=")
        object.__setattr__(self, "fill", compile_message(self.message))


@cache
def _all_templates() -> tuple[Template, ...]:
    folder = resources.files("logintel.simulation") / "services"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".txt")), key=lambda file: file.name)
    return tuple(template for file in files for template in parse(file.read_text("utf-8"), file.name))


def templates() -> list[Template]:
    """Return every template with its labels, always in the same order."""
    return list(_all_templates())


def parse(text: str, name: str) -> Iterator[Template]:
    """Yield the templates of one file's text. Raises ValueError that names file and line."""
    head: dict[str, str] = {}
    source: Source | None = None
    service = ""
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("["):
                source = source or _source(head)
                service = line.strip("[] ")
            elif source is None:
                key, _, value = line.partition(":")
                head[key] = value.strip()
            else:
                yield _template(source, service, line)
        except (ValueError, KeyError) as error:
            raise ValueError(f"{name}, line {number}: {error}") from None


def _source(head: dict[str, str]) -> Source:
    prefix, hosts = head["hosts"].split()
    if head["rhythm"] not in RHYTHMS:
        raise ValueError(f"rhythm is one of {' '.join(RHYTHMS)}")
    return Source(
        name=head["source"],
        hosts=tuple(f"{prefix}-{number:02d}" for number in range(1, int(hosts) + 1)),
        spellings=dict(zip(LEVELS, head["levels"].split(), strict=True)),
        share=float(head["share"]),
        rhythm=head["rhythm"],
    )


def _template(source: Source, service: str, line: str) -> Template:
    labels, _, message = line.partition(" | ")
    level, category, weight, *options = labels.split()
    message = message.strip().replace("\\n", "\n").replace("\\t", "\t")
    return Template(source, service, level, category, float(weight), message, **_options(options))


def _options(options: list[str]) -> dict[str, object]:
    read: dict[str, object] = {}
    for option in options:
        key, _, value = option.partition("=")
        if key == "http":
            usual, _, failing = value.partition("/")
            read["statuses"] = tuple(int(status) for status in usual.split(","))
            read["failing_statuses"] = tuple(int(status) for status in failing.split(",") if failing)
        elif key == "ms":
            least, _, most = value.partition("..")
            read["response_time_ms"] = float(least), float(most)
        elif option in ANOMALY_TYPES:
            read["anomaly_type"] = option
        elif option == "new":
            read["is_new"] = True
        else:
            raise ValueError(f"no option {option}")
    return read
