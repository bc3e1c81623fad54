"""When lines come: the rhythm of day and week, bursts and incidents, over a period cut into slots of a minute."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from logintel.simulation.templates import ANOMALY_TYPES, Template

_INCIDENT_SHARE = 0.03  # of all lines are written by incidents
_BURST_SHARE = 0.05
_LEAST_SLOTS = 100  # a short period, as live lines have, is cut finer than into minutes
_RELEASE = 0.7  # of the period is over when the release comes that brings the templates marked new


@dataclass(frozen=True)
class Surge:
    """Additional lines of some templates for a while: an incident, or a harmless burst where `anomaly_type` is None.

    `first` and `last` are slots, both inclusive; `strength` is what it adds to a slot's weight.
    """

    first: int
    last: int
    templates: tuple[Template, ...]
    anomaly_type: str | None
    strength: float

    @property
    def systems(self) -> frozenset[str]:
        """Names of the systems that it affects."""
        return frozenset(template.source.name for template in self.templates)


@dataclass(frozen=True)
class Slot:
    """A short span of time: how many lines it has, and what else goes on then. `weight` is that of ordinary lines."""

    start: datetime
    lines: int
    weight: float
    surges: tuple[Surge, ...]
    released: bool


class Schedule:
    """How `lines` lines spread over the `days` before `end`: `incidents`, `bursts` and slots, all decided by `rng`."""

    def __init__(self, templates: Sequence[Template], rng: Random, lines: int, end: datetime, days: float) -> None:
        """Plan the period. Both its rhythm and the number of incidents and bursts follow from its length."""
        self._count = max(_LEAST_SLOTS, round(days * 1440))
        self._lines = lines
        self._start = end - timedelta(days=days)
        self.slot_length = timedelta(days=days) / self._count
        shares: dict[str, float] = {}
        for source in dict.fromkeys(template.source for template in templates):
            shares[source.rhythm] = shares.get(source.rhythm, 0.0) + source.share
        self._weights = [self._rhythm(slot, shares) * rng.gammavariate(8, 1 / 8) for slot in range(self._count)]
        self.incidents = self._incidents(templates, rng, days)
        self.bursts = self._bursts(templates, rng, days)

    def slots(self) -> Iterator[Slot]:
        """Yield the slots in order of time; their lines add up exactly."""
        starting: dict[int, list[Surge]] = {}
        for surge in (*self.incidents, *self.bursts):
            starting.setdefault(surge.first, []).append(surge)
        total = math.fsum(self._weights)
        total += math.fsum(s.strength * (s.last - s.first + 1) for s in (*self.incidents, *self.bursts))
        active: list[Surge] = []
        given, weight_so_far = 0, 0.0
        for slot, weight in enumerate(self._weights):
            active = [surge for surge in active if surge.last >= slot] + starting.get(slot, [])
            weight_so_far += weight + sum(surge.strength for surge in active)
            last = slot == self._count - 1
            due = self._lines if last else min(self._lines, int(self._lines * weight_so_far / total))
            yield Slot(self._time(slot), due - given, weight, tuple(active), slot >= self._count * _RELEASE)
            given = due

    def _time(self, slot: int) -> datetime:
        return self._start + slot * self.slot_length

    def _rhythm(self, slot: int, shares: dict[str, float]) -> float:
        time = self._time(slot)
        return sum(share * activity(rhythm, time.hour, time.weekday()) for rhythm, share in shares.items())

    def _incidents(self, templates: Sequence[Template], rng: Random, days: float) -> list[Surge]:
        """Plan incidents of every anomaly type, in a random order."""
        types = list(ANOMALY_TYPES)
        rng.shuffle(types)
        plans = []
        for number in range(max(len(types), round(days * 1.4))):
            kind = types[number % len(types)]
            matching = [template for template in templates if template.anomaly_type == kind]
            systems = sorted({template.source.name for template in matching})
            affected = rng.sample(systems, min(len(systems), rng.randint(2, 4)))
            pool = tuple(template for template in matching if template.source.name in affected)
            plans.append((pool, kind, self._length(rng, 0.006), rng.uniform(0.5, 1.5)))
        return self._place(plans, _INCIDENT_SHARE, rng)

    def _bursts(self, templates: Sequence[Template], rng: Random, days: float) -> list[Surge]:
        """Plan times when one logger writes far more than usual, though nothing is wrong."""
        usual = [template for template in templates if template.anomaly_type is None and not template.is_new]
        plans = []
        for _ in range(max(3, round(days * 3))):
            chosen = rng.choice(usual)
            same = (t for t in usual if t.source is chosen.source and t.service == chosen.service)
            plans.append((tuple(same), None, self._length(rng, 0.0006), rng.uniform(0.5, 1.5)))
        return self._place(plans, _BURST_SHARE, rng)

    def _length(self, rng: Random, most: float) -> int:
        """Return a number of slots: up to the share `most` of a week, and never longer than in a week."""
        return max(1, round(min(self._count, 10_080) * most * rng.uniform(0.25, 1)))

    def _place(self, plans: list[tuple], share: float, rng: Random) -> list[Surge]:
        """Give each plan (templates, type, length, strength) its time; together they add `share` of the ordinary."""
        wanted = share * math.fsum(self._weights) / math.fsum(plan[2] * plan[3] for plan in plans)
        surges = []
        for pool, kind, length, strength in plans:
            first = rng.randrange(self._count - length)
            surges.append(Surge(first, first + length - 1, pool, kind, strength * wanted))
        return sorted(surges, key=lambda surge: surge.first)


def activity(rhythm: str, hour: int, weekday: int) -> float:
    """Return how busy a system of this rhythm (day, night or flat) is in that hour, 0 to 1. Monday is 0."""
    if rhythm == "flat":
        return 0.5
    if rhythm == "night":
        return 0.1 + 0.9 * max(0.0, math.cos(math.pi * (hour - 2) / 8))
    weekend = 0.7 if weekday >= 5 else 1.0
    return weekend * (0.1 + 0.9 * max(0.0, math.sin(math.pi * (hour - 5) / 18)))
