"""Private memory of backends, and whether it grows.

What counts is Private_Clean + Private_Dirty of a backend's mappings without the server's shared memory: a page of the
shared buffers that one backend alone has touched would count as its own, and says nothing about leaks.
"""

import statistics
from dataclasses import dataclass
from pathlib import Path

_SHARED_MEMORY = ("/dev/zero", "/SYSV", "/dev/shm/", "/memfd:", "/anon_hugepage")
TOLERANCE_SHARE = 0.10
TOLERANCE_MB = 2.0
SHORTEST_SECONDS = 60.0
"""Soaks that are shorter show the memory and judge nothing: it takes a while until backends have done all they do."""
READ_EVERYTHING = frozenset({"auditor", "reporter", "reconciler"})
"""Kinds of sessions whose queries need more memory the more lines there are, up to the server's work_mem."""
WARM_UP_SHARE = 0.2
"""Share of the quiet part that is left out: caches fill."""


def private_mb(pid: int) -> float | None:
    """Private memory of a backend in MB; None when the process is gone. Raises PermissionError."""
    try:
        text = Path(f"/proc/{pid}/smaps").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    kilobytes, counts = 0, True
    for line in text.splitlines():
        if line.startswith(("Private_Clean:", "Private_Dirty:")):
            kilobytes += int(line.split()[1]) * counts
        elif "-" in line.split(" ", 1)[0]:
            fields = line.split(None, 5)
            counts = not (len(fields) == 6 and fields[5].startswith(_SHARED_MEMORY))
    return kilobytes / 1024


@dataclass(frozen=True)
class Sample:
    """The memory of one backend at one moment, in seconds since the start of the soak."""

    at: float
    session: str
    pid: int
    mb: float

    @property
    def kind(self) -> str:
        """The kind of session, which is its name without the number."""
        return self.session.rsplit(" ", 1)[0]


@dataclass(frozen=True)
class Growth:
    """Median memory of one kind of session, early and late, in MB, of backends that lived all the time between."""

    kind: str
    backends: int
    early: float
    late: float

    @property
    def verdict(self) -> str:
        """Whether late is within the tolerance over early: flat, grows, or grows with the lines."""
        if self.late <= self.early * (1 + TOLERANCE_SHARE) + TOLERANCE_MB:
            return "flat"
        return "grows with the lines" if self.kind in READ_EVERYTHING else "grows"


def compare(samples: list[Sample], start: float, end: float) -> list[Growth]:
    """Compare the first and the last third of the time from `start` to `end`, after the warm-up, for each kind."""
    start += (end - start) * WARM_UP_SHARE
    third = (end - start) / 3
    early: dict[tuple[str, int], list[float]] = {}
    late: dict[tuple[str, int], list[float]] = {}
    for sample in samples:
        if start <= sample.at <= start + third:
            early.setdefault((sample.kind, sample.pid), []).append(sample.mb)
        elif end - third <= sample.at <= end:
            late.setdefault((sample.kind, sample.pid), []).append(sample.mb)
    growths = []
    for kind in sorted({kind for kind, _ in early}):
        pids = [pid for other, pid in early if other == kind and (kind, pid) in late]
        if pids:
            growths.append(Growth(
                kind, len(pids), statistics.median([mb for pid in pids for mb in early[kind, pid]]),
                statistics.median([mb for pid in pids for mb in late[kind, pid]]),
            ))  # fmt: skip
    return growths
