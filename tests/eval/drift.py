"""Drift that is known to be there, and its absence over a hundred days and more.

Lines of the simulator, 5,000 a day, one process from the first to the last: with its rhythm of day and week, bursts and
incidents, before its own release. The models of `logintel train` learn from the first week. Then come a hundred days
without drift, and three days each with one that is known, which begins on one of them:

- a new service: a system that was in neither training nor the days without drift;
- a reworded release: one system says the same in other words (REWORDED), as a new version of it would;
- a shifted mix: half of the systems write a fifth of what they did, or lines below WARN become a quarter.

Judged is what ml_drift says: any measure, of all lines or of a service, in the state drift, by the third day of a known
one. The baseline takes the customary thresholds for each day by itself, without what is usual for these lines.
"""

import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psycopg
from datasets import table_line
from results import Result

from logintel.simulation import SimulatedLine, generate
from logintel.training.models import train_models

SEEDS = (21, 22, 23)
"""Others than the thresholds were chosen with."""
LINES_A_DAY = 5000
TRAINING_DAYS = 7
QUIET_DAYS = 100
DRIFT_DAYS = 3
EACH_KIND = 3
"""How often each kind of drift is tried with each seed."""
LEAST_SHARE = 0.04
"""Share of the lines of a system that is new or reworded."""

_SYNONYMS = """
failed:unsuccessful status:outcome took:duration after:following lost:dropped connection:link request:call
query:statement refused:declined rejected:denied error:fault errors:faults timeout:expiry timed:expired
started:launched stopped:halted finished:complete finishing:completing waiting:pending cannot:unable slow:sluggish
queue:backlog worker:executor backend:upstream rows:records user:principal token:credential memory:heap
attempt:try attempts:tries retry:reattempt unknown:unrecognised invalid:malformed missing:absent full:exhausted
removed:deleted changed:modified reading:loading write:persist written:persisted read:fetched sent:emitted
received:accepted accepted:admitted closed:terminated opened:established order:purchase basket:cart disk:volume
server:instance cache:store hit:found miss:unfound crashed:aborted blocked:halted exceeded:surpassed limit:quota
old:previous new:fresh item:article key:entry msg:event job:task time:instant done:ready partition:slice
answers:replies password:secret session:visit index:catalogue search:lookup answered:replied email:mail
passed:succeeded running:active node:member image:picture pod:unit dur:elapsed method:verb path:route
"""
REWORDED = dict(pair.split(":") for pair in _SYNONYMS.split())
_WORD = re.compile("[A-Za-z]+")
_BELOW_WARN = ("DEBUG", "INFO")
_FIRST_DAY = datetime(2020, 1, 6, tzinfo=UTC)
_COLUMNS = ("timestamp", "level", "message", "source_type", "host", "service", "http_status", "response_time_ms")

Days = Sequence[list[SimulatedLine]]
FIXED = {
    "classes": 0.25,
    "confidence": 0.25,
    "services": 0.25,
    "new_templates": 0.15,
    "unknown_words": 0.05,
    "new_services": 0.05,
}


def drift(connection: psycopg.Connection) -> Iterator[Result]:
    """Yield the figures; `connection` is to a database of one's own, as superuser and in autocommit mode."""
    connection.execute("DROP EXTENSION IF EXISTS logintel CASCADE; DROP TABLE IF EXISTS public.log_entries")
    connection.execute("CREATE EXTENSION logintel_python CASCADE; SELECT logintel.create_log_entries()")
    quiet: list[tuple[bool, bool, bool]] = []
    found: dict[str, list[tuple[bool, bool]]] = {}
    for seed in SEEDS:
        for kind, first, days in _judged(connection, seed):
            if kind == "none":
                quiet += [_alarms(connection, first + timedelta(n)) for n in range(days)]
            else:
                found.setdefault(kind, []).append(_detected(connection, first, days))
    for name, i in (("drift_false_alarm_rate", 0), ("drift_watch_rate", 1)):
        yield Result(
            name, _share(day[i] for day in quiet), "share", {"fixed_thresholds": _share(day[2 + i] for day in quiet)}
        )
    for kind, tries in found.items():
        yield Result(
            f"drift_detected_{kind}",
            _share(it for it, _ in tries),
            "share",
            {"fixed_thresholds": _share(it for _, it in tries)},
        )


def _judged(connection: psycopg.Connection, seed: int) -> Iterator[tuple[str, date, int]]:
    """Train, write the days of each kind, and have them judged: (kind, first day, days), each kind at its own time."""
    chance = random.Random(f"{seed} drift")
    days = _days(seed)
    systems = sorted({line.source_type for line in days[0]})
    large = [name for name in systems if _lines_of(days[1], name) > LEAST_SHARE * LINES_A_DAY]
    newcomer, *released = chance.sample(large, 1 + EACH_KIND)
    known = [[line for line in day if line.source_type != newcomer] for day in days]
    _train(connection, [line for day in known[:TRAINING_DAYS] for line in day])
    written = [("none", _write(connection, 0, known[TRAINING_DAYS:]), QUIET_DAYS)]
    for number, system in enumerate(released):
        after = TRAINING_DAYS + chance.randrange(20, QUIET_DAYS - DRIFT_DAYS)
        then = slice(after, after + DRIFT_DAYS)
        for kind, drifted in (
            ("new_service", days[then]),
            ("reworded_release", [_reworded(day, system) for day in known[then]]),
            ("shifted_mix", _shifted(known[then], chance.sample(systems, len(systems) // 2), number % 2 == 0, chance)),
        ):
            written.append((kind, _write(connection, len(written), drifted), DRIFT_DAYS))
    connection.execute("SELECT logintel.maintain()")
    while connection.execute(
        "SELECT FROM logintel_internal.drift_days WHERE changed UNION ALL "
        "SELECT FROM logintel_internal.count_changes c JOIN logintel_internal.count_readers r ON c.id > r.read_to WHERE r.reader = 'drift' LIMIT 1"
    ).rowcount:
        connection.execute("SELECT logintel.maintain()")
    yield from written
    connection.execute("TRUNCATE public.log_entries, logintel_internal.drift")


def _days(seed: int) -> Days:
    """All days of one process, before its release at seven tenths of the time."""
    wanted = TRAINING_DAYS + QUIET_DAYS
    simulated = int(wanted / 0.7) + 1
    end = _FIRST_DAY + timedelta(days=simulated)
    days: list[list[SimulatedLine]] = [[] for _ in range(wanted)]
    for line in generate(LINES_A_DAY * simulated, seed=seed, end=end, days=simulated):
        if (number := (line.timestamp - _FIRST_DAY).days) == wanted:
            break
        days[number].append(line)
    return days


def _lines_of(day: Iterable[SimulatedLine], system: str) -> int:
    return sum(line.source_type == system for line in day)


def _reworded(day: Iterable[SimulatedLine], system: str) -> list[SimulatedLine]:
    """Let one system say what it says in other words."""
    return [replace(line, message=_WORD.sub(_synonym, line.message)) if line.source_type == system else line
            for line in day]  # fmt: skip


def _synonym(found: re.Match) -> str:
    word = found[0]
    other = REWORDED.get(word.lower(), word)
    return other.capitalize() if word[0].isupper() and other.islower() else other


def _shifted(days: Days, systems: Sequence[str], by_system: bool, chance: random.Random) -> Days:
    """Leave a fifth of the lines of some systems or, as in a storm of errors, a quarter of those below WARN."""
    share = 1 / 5 if by_system else 1 / 4
    return [[line for line in day
             if not (line.source_type in systems if by_system else line.true_level in _BELOW_WARN) or chance.random() < share]
            for day in days]  # fmt: skip


def _train(connection: psycopg.Connection, lines: Sequence[SimulatedLine]) -> None:
    """Train all models, and put them into force."""
    [(version,)] = connection.execute("SELECT logintel._shape_version()").fetchall()
    models, _ = train_models([table_line(line)._replace(timestamp=line.timestamp) for line in lines], shape_version=version,
                             candidates=("logistic_regression",))  # fmt: skip
    for model in models:
        connection.execute("SELECT logintel.import_model(%s, %s, %s, %s)",
                           (model.name, model.onnx, json.dumps(model.metadata), json.dumps(model.golden)))  # fmt: skip
        connection.execute("SELECT logintel.deploy(%s)", (model.name,))


def _write(connection: psycopg.Connection, number: int, days: Days) -> date:
    """Write the lines of some days, moved on by 20 weeks for each `number`: away from all others; return the first day."""
    moved = timedelta(weeks=20 * number)
    with connection.cursor().copy(f"COPY public.log_entries ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
        for day in days:
            for line in day:
                copy.write_row([line.timestamp + moved, *(getattr(line, name) for name in _COLUMNS[1:])])
    return (days[0][0].timestamp + moved).date()


def _alarms(connection: psycopg.Connection, day: date) -> tuple[bool, bool, bool, bool]:
    """Tell whether anything is drift on a day, whether anything is to be watched, and both by fixed thresholds."""
    rows = connection.execute("SELECT state, measure, value FROM logintel.ml_drift WHERE day = %s", (day,)).fetchall()
    if not rows:
        raise RuntimeError(f"{day} was not judged")
    customary = [value / FIXED[measure] for _, measure, value in rows]
    return (any(state == "drift" for state, _, _ in rows), any(state != "none" for state, _, _ in rows),
            max(customary) >= 1, max(customary) >= 0.4)  # fmt: skip


def _detected(connection: psycopg.Connection, first: date, days: int) -> tuple[bool, bool]:
    """Tell whether anything is drift within the days, and whether fixed thresholds say so."""
    alarms = [_alarms(connection, first + timedelta(n)) for n in range(days)]
    return any(drifting for drifting, *_ in alarms), any(fixed for _, _, fixed, _ in alarms)


def _share(values: Iterable[bool]) -> float:
    counted = list(values)
    return round(sum(counted) / len(counted), 4)
