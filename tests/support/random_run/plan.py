"""What a random run does, decided by its seed alone: which session executes which statement, one after the other.

Nothing here depends on what a statement did, so that any step can be left out and the rest be run again.
"""

import random
from dataclasses import dataclass
from datetime import date

from support.random_run.upkeep import Operations, Work
from support.random_run.values import Values
from support.random_run.writes import Writes

WRITERS = ("writer 1", "writer 2", "writer 3")
WORKER = "worker"
UPKEEP = "upkeep"
SESSIONS = (*WRITERS, WORKER, UPKEEP)
FEATURES = ("odd_times", "duplicate_ids", "truncate", "partitions", "prepared", "isolation", "modes", "two_tables")
"""Kinds of statements that a run can do without."""
_MOST_IN_TRANSACTION = 8
_PREPARED = ("random_run_1", "random_run_2")


@dataclass(frozen=True)
class Step:
    """A statement of a session; a COPY has its data after the first line."""

    session: str
    sql: str


@dataclass(frozen=True)
class Recipe:
    """All that decides a run."""

    seed: int
    steps: int
    features: frozenset[str] = frozenset(FEATURES)
    taken_type: str = "bigint[]"

    def plan(self, today: date) -> list[Step]:
        """Return the steps of a run on this day."""
        return _Planner(self, today).steps(self.steps)


class _Writer:
    """A session that writes: it knows how far its transaction is."""

    def __init__(self, recipe: Recipe, chance: random.Random, writes: Writes) -> None:
        self._recipe = recipe
        self._random = chance
        self._writes = writes
        self._left = 0
        self._savepoints = 0

    def next(self) -> str:
        """Return its next statement."""
        kind = self._random.random()
        if not self._left:
            if kind < 0.45:
                return self._writes.any()
            self._left, self._savepoints = self._random.randint(1, _MOST_IN_TRANSACTION), 0
            levels = ("", "", " ISOLATION LEVEL REPEATABLE READ", " ISOLATION LEVEL SERIALIZABLE")
            return f"BEGIN{self._random.choice(levels) if 'isolation' in self._recipe.features else ''}"
        self._left -= 1
        if not self._left:
            return self._end(kind)
        if kind < 0.12:
            self._savepoints += 1
            return f"SAVEPOINT s{self._savepoints}"
        if self._savepoints and kind < 0.30:
            to = f"s{self._savepoints}"
            self._savepoints -= kind < 0.2
            return f"RELEASE {to}" if kind < 0.2 else f"ROLLBACK TO {to}"
        return self._writes.any()

    def _end(self, kind: float) -> str:
        if "prepared" in self._recipe.features and kind < 0.08:
            return f"PREPARE TRANSACTION '{self._random.choice(_PREPARED)}'"
        return "ROLLBACK" if kind < 0.25 else "COMMIT"


class _Planner:
    def __init__(self, recipe: Recipe, today: date) -> None:
        self._recipe = recipe
        self._random = chance = random.Random(recipe.seed)
        values = Values(chance, today, "odd_times" in recipe.features)
        two_tables = "two_tables" in recipe.features
        writes = Writes(chance, values, "duplicate_ids" in recipe.features, "truncate" in recipe.features, two_tables)
        self._writers = [_Writer(recipe, chance, writes) for _ in WRITERS]
        self._sources = {
            WORKER: Work(chance, recipe.taken_type, (0, 0, 1) if two_tables else (0,)),
            UPKEEP: Operations(chance, values, "partitions" in recipe.features, "modes" in recipe.features),
        }
        self._turns: dict[str, list[str]] = {WORKER: [], UPKEEP: []}

    def steps(self, many: int) -> list[Step]:
        return [self._step() for _ in range(many)]

    def _step(self) -> Step:
        if "prepared" in self._recipe.features and self._random.random() < 0.02:
            end = self._random.choice(("COMMIT PREPARED", "COMMIT PREPARED", "ROLLBACK PREPARED"))
            return Step(UPKEEP, f"{end} '{self._random.choice(_PREPARED)}'")
        session = self._random.choices(SESSIONS, (20, 20, 20, 20, 12))[0]
        if session in WRITERS:
            return Step(session, self._writers[WRITERS.index(session)].next())
        if not self._turns[session]:
            self._turns[session] = self._sources[session].turn()
        return Step(session, self._turns[session].pop(0))
