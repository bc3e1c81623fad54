"""Figures that are committed beside the benchmarks and the evaluations, and how a run compares with them.

A file holds {"machine": {...}, "date": ..., "figures": [{"name", "value", "unit", "baselines"}, ...]}.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

TOLERANCE = 0.1
"""A figure is better or worse than the committed one when it is so by more than this share of it."""


class Figure(Protocol):
    """What benchmarks and evaluations yield: a dataclass, whose fields are those of a figure in the file."""

    name: str
    value: float | None
    unit: str


class Committed:
    """The file of committed figures. `higher_is_better` tells it of a figure."""

    def __init__(self, path: Path, higher_is_better: Callable[[Figure], bool]):
        """Read the file, where there is one yet."""
        self._path = path
        self._higher_is_better = higher_is_better
        self._content: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def refusal(self, whole: bool) -> str | None:
        """Why the figures of a run on this machine cannot be saved: a part of them beside those of another machine."""
        if whole or not self._content or self._content["machine"] == machine():
            return None
        return f"{self._path} has the figures of another machine: save those of a whole run, not of a part"

    def save(self, results: Sequence[Figure], *, whole: bool) -> None:
        """Put results in place of the figures of their names and, where the run was whole, of all others."""
        measured = {result.name: asdict(result) for result in results}
        kept = {} if whole else {figure["name"]: figure for figure in self._content.get("figures", ())}
        content = {"machine": machine(), "date": datetime.now(UTC).date().isoformat(),
                   "figures": list((kept | measured).values())}  # fmt: skip
        self._path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def print_comparison(self, results: Sequence[Figure]) -> None:
        """Print what the results were when they were committed, what they are now, and which got better or worse."""
        if not self._content:
            return
        values = {figure["name"]: figure["value"] for figure in self._content["figures"]}
        title = f"against the figures of {self._content['date']}"
        if self._content["machine"] != machine():
            title += f", of another machine: {', '.join(map(str, self._content['machine'].values()))}"
        table = Table("name", "committed", "now", "ratio", "", title=title, title_justify="left")
        for result in results:
            before, now = values.get(result.name), result.value
            ratio = "" if not before or now is None else f"{now / before:.2f}"
            verdict = "new" if result.name not in values else self._verdict(result, before)
            table.add_row(result.name, number(before), number(now), ratio, verdict,
                          style={"worse": "red", "better": "green"}.get(verdict))  # fmt: skip
        console().print(table)

    def _verdict(self, result: Figure, before: float | None) -> str:
        if before is None or result.value is None or abs(result.value - before) <= TOLERANCE * abs(before):
            return ""
        return "better" if (result.value > before) == self._higher_is_better(result) else "worse"


def machine() -> dict[str, str | int]:
    """Return what the figures of this machine depend on."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    pg_config = os.environ.get("PG_CONFIG") or "pg_config"
    postgres = subprocess.run([pg_config, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    gigabytes = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    return {"cpu": models[0].split(":")[1].strip() if models else os.uname().machine,
            "cores": len(os.sched_getaffinity(0)), "memory": f"{gigabytes} GB",
            "postgresql": postgres, "python": sys.version.split()[0]}  # fmt: skip


def console() -> Console:
    """Return what tables are printed on: wide enough where it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else 160)


def number(value: float | None) -> str:
    """Return a number as tables show it."""
    if value is None:
        return ""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:,.2f}"
