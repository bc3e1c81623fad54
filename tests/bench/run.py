"""make bench: what scoring costs, each figure as a ratio to baselines measured side by side in the same run.

Runs on a temporary cluster of this machine's PostgreSQL. See --help.
"""

import argparse
import fnmatch
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).parent.parent))  # for the modules that tests share

import scale
from connections import connections
from contention import contention
from external import external
from free_text import free_text
from inserts import bulk_known, bulk_new, disk_space, one_row, one_row_durable
from plans import after_deploy, mixed_batches, stale_plan
from rescoring import rescoring
from results import TARGETS, Failed, Result
from rich.table import Table
from safety import dropping_days, locks, serializable
from scorers import linear_model, one_new
from suite import Suite, prepared
from upkeep import upkeep_minute

from figures import Committed, console, number
from logintel.errors import UserError

BENCHMARKS: dict[str, Callable[[Suite], Iterator[Result]]] = {
    "bulk_known": bulk_known,
    "one_row": one_row,
    "one_row_durable": one_row_durable,
    "bulk_new": bulk_new,
    "bytes_per_prediction": disk_space,
    "vs": external,
    "connect": connections,
    "one_new": one_new,
    "linear_model": linear_model,
    "after_deploy": after_deploy,
    "mixed_batches": mixed_batches,
    "stale_plan": stale_plan,
    "rescore": rescoring,
    "contention": contention,
    "serializable": serializable,
    "locks": locks,
    "drop_days": dropping_days,
    "free_text": free_text,
    "views_10m": scale.views,
    "views_filtered": scale.filtered_views,
    "insert_10m": scale.inserts,
    "retention": scale.retention,
    "upkeep": upkeep_minute,
}
"""Each is called as its figures begin. The last four share a database and change it: their order matters."""

COMMITTED = Path(__file__).parent / "figures.json"

_ERRORS = (Failed, psycopg.Error, UserError, OSError, subprocess.SubprocessError)


def main() -> None:
    """Run the benchmarks and print their table; exit with 1 when one has failed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    parser.add_argument("--save", action="store_true", help=f"also make them the figures in {COMMITTED.name}")
    parser.add_argument("--only", default="*", help=f"which to run, as a pattern: {', '.join(BENCHMARKS)}, or a figure")
    arguments = parser.parse_args()
    chosen = [name for name in BENCHMARKS if _is_chosen(name, arguments.only)]
    if not chosen:
        sys.exit(f"bench: no benchmark is called {arguments.only}; there are {', '.join(BENCHMARKS)}")
    committed = Committed(COMMITTED, lambda result: result.higher_is_better)
    is_whole = len(chosen) == len(BENCHMARKS)
    if arguments.save and (refusal := committed.refusal(is_whole)):
        sys.exit(f"bench: {refusal}")
    try:
        results, failed = _run(chosen)
    except _ERRORS as error:
        sys.exit(f"bench: nothing could be measured: {_first_line(error)}")
    _print(results)
    committed.print_comparison(results)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    if arguments.save:
        committed.save(results, whole=is_whole and not failed)
    sys.exit(failed)


def _run(names: Sequence[str]) -> tuple[list[Result], bool]:
    """Run benchmarks; return what they found, and whether one has failed, which does not keep others from running."""
    results, failed = [], False
    seconds = {}
    started = time.monotonic()
    with prepared() as suite:
        seconds["preparation"] = time.monotonic() - started
        _say(f"{suite.description}, prepared in {seconds['preparation']:.0f} s")
        for name in names:
            started = time.monotonic()
            try:
                for result in BENCHMARKS[name](suite):
                    results.append(result)
            except _ERRORS as error:
                failed = True
                _say(f"{name} failed: {_first_line(error)}")
            seconds[name] = time.monotonic() - started
            _say(f"{name} took {seconds[name]:.0f} s")
    parts = ", ".join(f"{name} {took:.0f}" for name, took in sorted(seconds.items(), key=lambda part: -part[1]))
    _say(f"all took {sum(seconds.values()):.0f} s: {parts}")
    return results, failed


def _is_chosen(name: str, pattern: str) -> bool:
    """Whether the pattern is for the benchmark, or for a figure with a target that begins like it and no other."""
    figures = [figure for figure in TARGETS if name == _benchmark_of(figure)]
    return any(fnmatch.fnmatch(candidate, pattern) for candidate in (name, *figures))


def _benchmark_of(figure: str) -> str:
    return max((name for name in BENCHMARKS if figure.startswith(name)), key=len)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _print(results: list[Result]) -> None:
    table = Table("name", "value", "unit", "target", "baselines")
    for result in results:
        baselines = ", ".join(f"{name} {number(value)}" for name, value in result.baselines.items())
        target = f"{result.target} missed" if result.is_missed else result.target
        table.add_row(result.name, number(result.value), result.unit, target, baselines,
                      style="red" if result.is_missed else None)  # fmt: skip
    console().print(table)


if __name__ == "__main__":
    main()
