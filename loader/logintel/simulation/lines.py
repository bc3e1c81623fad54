"""From templates and a schedule to lines."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from random import Random

from logintel.simulation.corruption import corrupted
from logintel.simulation.parameters import Moment
from logintel.simulation.schedule import Schedule, Slot, Surge, activity
from logintel.simulation.templates import Template, templates

# Outside of incidents the templates of anomalies are this much rarer than their weights say.
_STRAY = 0.008
# Of the ordinary lines of a system in trouble that tell a status or a time, how many show it.
_AFFECTED = 0.8
# By what response times are multiplied then.
_SLOWDOWN = {
    "performance_issue": (20.0, 100.0),
    "network_anomaly": (10.0, 80.0),
    "resource_exhaustion": (8.0, 40.0),
    "system_failure": (5.0, 40.0),
}


@dataclass(frozen=True, slots=True)
class SimulatedLine:
    """One line as its source wrote it, and the truth about it.

    `level` is spelled as the source spells it, `true_level` is one of DEBUG INFO WARN ERROR FATAL. `problem` is what
    was done to the line: None, 'error_as_info', 'warn_as_debug', 'fatal_as_debug' or 'anomaly_flag_missing'.
    `template` is what the line was made from.
    """

    log_id: str
    timestamp: datetime
    level: str
    message: str
    source_type: str
    host: str
    service: str
    category: str
    is_anomaly: bool
    anomaly_type: str | None
    http_status: int | None
    response_time_ms: float | None
    true_level: str
    true_category: str
    true_is_anomaly: bool
    true_anomaly_type: str | None
    problem: str | None
    template: Template

    def row(self) -> dict[str, object]:
        """Return the fields of the log table, field -> value."""
        return {name: getattr(self, name) for name in _ROW}

    def truth(self) -> dict[str, object]:
        """Return the columns of simulated_truth but log_id, column -> value."""
        return {name: getattr(self, name) for name in TRUTH}


TRUTH = ("true_level", "true_category", "true_is_anomaly", "true_anomaly_type", "problem")
_ROW = tuple(name for name in SimulatedLine.__slots__ if name not in (*TRUTH, "template"))


class Simulation:
    """All that one set of arguments decides: the same arguments, the same lines."""

    def __init__(self, lines: int, *, seed: int, end: datetime, days: float, corrupt: float = 0.0) -> None:
        """Plan `lines` lines over the `days` before `end`, which has a time zone; `corrupt`: 0 to 0.5, see corruption.

        The problems are put into the same lines that come without them. Raises ValueError for what is out of range.
        """
        if lines < 0 or days <= 0 or end.tzinfo is None or not 0 <= corrupt <= 0.5:
            raise ValueError("lines is at least 0, days above 0, end has a time zone, corrupt is from 0 to 0.5")
        end = end.astimezone(UTC)
        self._templates = templates()
        self._rng = _random(seed, "lines")
        self._corruption = _random(seed, "corruption")
        self._corrupt = corrupt
        arguments = f"{lines} {seed} {end.isoformat()} {float(days)} {float(corrupt)}"
        self._run = hashlib.sha256(arguments.encode()).hexdigest()[:16]
        self._pools: dict[tuple, list[float]] = {}
        self.schedule = Schedule(self._templates, _random(seed, "schedule"), lines, end, days)

    def lines(self) -> Iterator[SimulatedLine]:
        """Yield the lines in order of time. To be called once."""
        rng, number = self._rng, 0
        for slot in self.schedule.slots():
            if not slot.lines:
                continue
            length = self.schedule.slot_length
            times = sorted(slot.start + length * rng.random() for _ in range(slot.lines))
            for time, (template, surge) in zip(times, self._choose(slot), strict=True):
                number += 1
                yield self._line(f"{self._run}-{number}", time, template, surge, slot.surges)

    def _choose(self, slot: Slot) -> Iterator[tuple[Template, Surge | None]]:
        """Yield a template for each line of the slot, and the surge that it belongs to."""
        rng = self._rng
        weights = self._weights(slot)
        if not slot.surges:
            for template in rng.choices(self._templates, cum_weights=weights, k=slot.lines):
                yield template, None
            return
        origins = (None, *slot.surges)
        for surge in rng.choices(origins, [slot.weight, *(surge.strength for surge in slot.surges)], k=slot.lines):
            if surge is None:
                yield rng.choices(self._templates, cum_weights=weights)[0], None
            else:
                yield rng.choices(surge.templates, [template.weight for template in surge.templates])[0], surge

    def _weights(self, slot: Slot) -> list[float]:
        """Return the cumulated weights of all templates on ordinary lines at the time of the slot."""
        key = (slot.start.hour, slot.start.weekday() >= 5, slot.released)
        if key not in self._pools:
            totals: dict[str, float] = {}
            for template in self._templates:
                totals[template.source.name] = totals.get(template.source.name, 0.0) + template.weight
            self._pools[key] = list(accumulate(
                template.weight / totals[template.source.name] * template.source.share
                * activity(template.source.rhythm, slot.start.hour, slot.start.weekday())
                * (_STRAY if template.anomaly_type else 1.0) * (slot.released or not template.is_new)
                for template in self._templates
            ))  # fmt: skip
        return self._pools[key]

    def _line(
        self, log_id: str, time: datetime, template: Template, surge: Surge | None, surges: tuple[Surge, ...]
    ) -> SimulatedLine:
        rng, source = self._rng, template.source
        anomaly_type = template.anomaly_type
        status = rng.choice(template.statuses) if template.statuses else None
        taken = None
        if template.response_time_ms:
            least, most = template.response_time_ms
            taken = least * (most / least) ** rng.random()
        if surges and surge is None and anomaly_type is None:
            anomaly_type, status, taken = self._suffer(template, surges, status, taken)
        if taken is not None:
            taken = round(taken, 1)
        truth = template.level, anomaly_type
        level, flagged, problem = template.level, anomaly_type, None
        if self._corrupt:
            level, flagged, problem = corrupted(*truth, self._corrupt, self._corruption)
        return SimulatedLine(
            log_id, time, source.spellings[level], template.fill(rng, Moment(time, status, taken)), source.name,
            rng.choice(source.hosts), template.service, template.category, flagged is not None, flagged, status, taken,
            template.level, template.category, anomaly_type is not None, anomaly_type, problem, template,
        )  # fmt: skip

    def _suffer(
        self, template: Template, surges: tuple[Surge, ...], status: int | None, taken: float | None
    ) -> tuple[str | None, int | None, float | None]:
        """Return (anomaly type, status, response time) of an ordinary line while its system may be in an incident."""
        rng = self._rng
        for surge in surges:
            slower = _SLOWDOWN.get(surge.anomaly_type or "")
            if slower is None or taken is None or template.source.name not in surge.systems or rng.random() > _AFFECTED:
                continue
            failing = template.failing_statuses
            return surge.anomaly_type, rng.choice(failing) if failing else status, taken * rng.uniform(*slower)
        return None, status, taken


def _random(seed: int, purpose: str) -> Random:
    """Return a source of chance that drawing for another purpose does not disturb."""
    return Random(f"{seed} {purpose}")  # noqa: S311


def generate(lines: int, *, seed: int, end: datetime, days: float, corrupt: float = 0.0) -> Iterator[SimulatedLine]:
    """Yield exactly `lines` lines over the `days` before `end`, in order of time; see Simulation for the arguments."""
    return Simulation(lines, seed=seed, end=end, days=days, corrupt=corrupt).lines()
