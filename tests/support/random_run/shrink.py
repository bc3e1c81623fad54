"""Leaves out steps of a run that failed, as long as it still fails in the same way."""

import time
from collections.abc import Callable, Sequence

from support.random_run.execute import Failure
from support.random_run.plan import Step

Again = Callable[[Sequence[Step], frozenset[str]], Failure | None]


def shrink(steps: Sequence[Step], failure: Failure, run: Again, seconds: float) -> tuple[list[Step], Failure]:
    """Return fewer steps that fail in the same figures, and that failure. `run` runs steps in a fresh database."""
    kept = list(steps[: failure.step])
    ends = time.monotonic() + seconds
    size = max(len(kept) // 2, 1)
    while size:
        at = 0
        while at < len(kept) and time.monotonic() < ends:
            fewer = kept[:at] + kept[at + size :]
            found = run(fewer, failure.figures) if fewer else None
            if found and found.figures == failure.figures:  # fewer would be another fault
                kept, failure = fewer[: found.step], Failure(found.step, found.differences)
            else:
                at += size
        size //= 2
    return kept, failure


def trace(steps: Sequence[Step], most: int = 15) -> str:
    """Write the last steps as a person would replay them: who executes what."""
    first = max(len(steps) - most, 0)
    lines = [f"-- {first} steps before"] if first else []
    for number, step in enumerate(steps[first:], first + 1):
        text = step.sql.replace("\n", "\n" + " " * 15)
        lines.append(f"{number:5} {step.session:9} {text}")
    return "\n".join(lines)
