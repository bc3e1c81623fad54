"""What one writer knows it has committed, and the comparison with what the log table holds.

A line is known by its marker, in log_id; each change of it writes a new revision into host. So the state of a line is
its revision, or None where it was deleted. Lines older than what is kept may vanish at any time.
"""

from collections.abc import Iterable, Mapping

import psycopg
from mixtures import OLD

State = str | None


def may_vanish(marker: str) -> bool:
    """Tell whether retention may remove a line."""
    return marker.endswith(OLD)


class Ledger:
    """The acknowledged lines of one writer. Used by one thread at a time."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}
        self._changes: dict[str, State] = {}
        self._unsure: dict[str, State] = {}
        self.is_committing = False

    def begin(self) -> None:
        """Start a transaction: nothing changed so far."""
        self._changes = {}
        self.is_committing = False

    def write(self, markers: Iterable[str], revision: State) -> None:
        """Note what the open transaction made of these lines; None: deleted."""
        self._changes.update(dict.fromkeys(markers, revision))

    def savepoint(self) -> dict[str, State]:
        """Return what back_to() returns to."""
        return dict(self._changes)

    def back_to(self, savepoint: dict[str, State]) -> None:
        """Forget what was noted since."""
        self._changes = savepoint

    def now(self, marker: str) -> State:
        """State of a line as the open transaction sees it; None where it is not there."""
        return self._changes[marker] if marker in self._changes else self.lines.get(marker)

    def committed(self) -> int:
        """The open transaction was acknowledged. Returns how many lines it changed."""
        changed = len(self._changes)
        for marker, state in self._changes.items():
            if state is None:
                self.lines.pop(marker, None)
            else:
                self.lines[marker] = state
        self.begin()
        return changed

    def undone(self) -> None:
        """The open transaction was rolled back."""
        self.begin()

    def lost(self) -> None:
        """The connection is gone: a transaction that was not being committed has never been; else nobody told."""
        if self.is_committing:
            self._unsure = self._changes
        self.begin()

    def settle(self, connection: psycopg.Connection) -> str | None:
        """Look up what became of a commit that nobody acknowledged; say what is wrong with it, else None.

        It must have come as a whole or not at all. To be called before the writer's next transaction.
        """
        if not self._unsure:
            return None
        rows = connection.execute(
            "SELECT log_id, host FROM log_entries WHERE log_id = ANY (%s)", (list(self._unsure),)
        ).fetchall()
        found = dict(rows)
        before = {marker: self.lines.get(marker) for marker in self._unsure}
        after, self._unsure = self._unsure, {}
        there = {marker: found.get(marker) for marker in after}
        self._changes = there
        self.committed()
        if len(found) < len(rows):
            return f"{len(rows) - len(found)} lines are there twice"
        kept = [marker for marker in after if not may_vanish(marker)]
        if any(there[marker] != before[marker] for marker in kept) and any(
            there[marker] != after[marker] for marker in kept
        ):
            halves = sum(there[marker] == after[marker] for marker in kept)
            return f"{halves} of {len(kept)} changes of one transaction are there"
        return None

    def differences(self, rows: Mapping[str, str]) -> tuple[list[str], list[str]]:
        """Compare with what the table holds of this writer, marker -> revision.

        Returns the markers of acknowledged lines that are missing or in another state, and of lines that nobody
        committed.
        """
        wrong = [
            marker
            for marker, revision in self.lines.items()
            if rows.get(marker) != revision and not (may_vanish(marker) and marker not in rows)
        ]
        return wrong, [marker for marker in rows if marker not in self.lines]
