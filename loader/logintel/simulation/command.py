"""The command `logintel simulate`."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from logintel import progress, streams
from logintel.database import connect
from logintel.errors import UserError
from logintel.options import Dsn, LogTable
from logintel.simulation.corruption import PROBLEMS
from logintel.simulation.lines import SimulatedLine, Simulation
from logintel.simulation.writing import TRUTH_TABLE, copy_lines, insert_live, prepare, write_jsonl

_LINES, _DAYS, _RATE, _SECONDS = 20_000, 7.0, 10.0, 60.0


def simulate(
    lines: Annotated[int | None, typer.Option(min=1, help="How many lines.", show_default=f"{_LINES:,}")] = None,
    days: Annotated[
        float | None, typer.Option(min=0.001, max=366, help="They cover so many days.", show_default=f"{_DAYS:g}")
    ] = None,
    end: Annotated[datetime | None, typer.Option(help="When the last day ends, in UTC.", show_default="now")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same options and same --end: the same lines.")] = 1,
    corrupt: Annotated[
        float,
        typer.Option(
            metavar="RATE", min=0, max=0.5,
            help="The data-quality problems of real sources: this share of the ERROR lines is written as INFO, of the "
                 "WARN lines as DEBUG, of the FATAL lines as DEBUG, and of the anomalous lines without their flag.",
        ),
    ] = 0.0,
    live: Annotated[
        bool, typer.Option("--live", help="Insert lines one by one at their time, as an application does, from now on.")
    ] = False,
    rate: Annotated[
        float | None, typer.Option(min=0.1, help="With --live: lines a second, on average.", show_default=f"{_RATE:g}")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=1, max=86_400, help="With --live: for how long.", show_default=f"{_SECONDS:g}")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write JSON lines into this file, each with its truth, instead of the database.")
    ] = None,
    log_table: LogTable = None,
    dsn: Dsn = None,
) -> None:
    """Write realistic logs of an invented company into an attached log table.

    Its systems log in their own styles, with a daily rhythm, bursts and incidents of six kinds. The truth about
    each line is kept in the table simulated_truth (log_id, true_level, true_category, true_is_anomaly,
    true_anomaly_type, problem). A further run adds to both tables.
    """
    _check_options(live, {"--lines": lines, "--days": days, "--end": end, "--output": output},
                   {"--rate": rate, "--seconds": seconds})  # fmt: skip
    if live:
        seconds = seconds or _SECONDS
        lines, days = max(1, round((rate or _RATE) * seconds)), seconds / 86_400
    else:
        lines, days = lines or _LINES, days or _DAYS
        end = end.replace(tzinfo=UTC) if end else datetime.now(UTC)
    if output:
        simulation = Simulation(lines, seed=seed, end=end, days=days, corrupt=corrupt)
        _run(write_jsonl(output, simulation.lines()), str(output), simulation, lines)
        return
    with closing(connect(dsn, autocommit=True)) as connection:
        table = prepare(connection, log_table)
        end = end or datetime.now(UTC) + timedelta(seconds=seconds)
        simulation = Simulation(lines, seed=seed, end=end, days=days, corrupt=corrupt)
        write = insert_live if live else copy_lines
        _run(write(connection, table, simulation.lines()), str(table), simulation, lines)
        if missing := {"level", "category", "is_anomaly", "anomaly_type"} - table.columns.keys():
            streams.complain(f"note: {table} has no column for {', '.join(sorted(missing))}; left out")
    print(f"truth: {TRUTH_TABLE}, to be joined by log_id")


@dataclass
class _Tally:
    """What has been written so far."""

    lines: int = 0
    anomalies: int = 0
    problems: Counter[str] = field(default_factory=Counter)

    def add(self, batch: list[SimulatedLine]) -> None:
        self.lines += len(batch)
        self.anomalies += sum(line.true_is_anomaly for line in batch)
        self.problems.update(line.problem for line in batch if line.problem)

    def report(self, destination: str, incidents: int) -> None:
        print(f"{destination}: wrote {self.lines:,} lines")
        print(f"anomalies: {self.anomalies:,} lines ({self.anomalies / self.lines:.1%}), {incidents} incidents")
        kinds = ", ".join(f"{problem} {self.problems[problem]:,}" for problem in PROBLEMS if self.problems[problem])
        print(f"corrupted: {self.problems.total():,} lines{f' ({kinds})' if kinds else ''}")


def _run(written: Iterator[list[SimulatedLine]], destination: str, simulation: Simulation, lines: int) -> None:
    """Pull the batches through, show the progress and print the result."""
    tally = _Tally()
    try:
        with progress.bar("simulate", lines) as show:
            for batch in written:
                tally.add(batch)
                show(completed=tally.lines)
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name != "simulated_truth_pkey":
            raise _stopped(error, tally) from None
        raise UserError(f"these lines are in {TRUTH_TABLE} already: choose another --seed or --end") from None
    except psycopg.Error as error:
        raise _stopped(error, tally) from None
    except KeyboardInterrupt:
        raise UserError(f"interrupted; {tally.lines:,} lines are in {destination}") from None
    tally.report(destination, len(simulation.schedule.incidents))


def _stopped(error: psycopg.Error, tally: _Tally) -> UserError:
    reason = str(error.diag.message_primary or error).splitlines()[0]
    return UserError(f"the server stopped the simulation: {reason}; {tally.lines:,} lines are in")


def _check_options(live: bool, for_past: dict[str, object], for_live: dict[str, object]) -> None:
    """Raise UserError for options that have no meaning together with --live, or without it."""
    for name, value in (for_past if live else for_live).items():
        if value is not None:
            raise UserError(
                f"{name} does not go with --live: use --rate and --seconds" if live else f"{name} needs --live"
            )
