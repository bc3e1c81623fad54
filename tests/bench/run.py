"""make bench: what scoring costs, each figure as a ratio to baselines measured side by side in the same run.

Runs on a temporary cluster of this machine's PostgreSQL. See --help.
"""

import argparse
import fnmatch
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).parent.parent))  # for the modules that tests share

import inserts
from lines import prepare
from rich.console import Console
from rich.table import Table

from logintel import cluster


@dataclass(frozen=True)
class Result:
    """One figure: its name never changes, so that runs can be compared."""

    name: str
    value: float
    unit: str
    baselines: dict[str, float] = field(default_factory=dict)


def bulk_known(connection: psycopg.Connection) -> Iterator[Result]:
    """Bulk inserts of known shapes."""
    for how, statement in (("insert_select", inserts.insert_select), ("copy", inserts.copy)):
        rates = inserts.bulk_rates(connection, statement)
        yield Result(f"bulk_known_{how}", rates["scored"], "lines/s", {k: rates[k] for k in ("none", "noop")})
        yield Result(f"bulk_known_{how}_vs_noop", rates["scored"] / rates["noop"], "ratio of throughput")
        yield Result(f"bulk_known_{how}_vs_none", rates["scored"] / rates["none"], "ratio of throughput")


def one_row(connection: psycopg.Connection) -> Iterator[Result]:
    """One-row inserts of known shapes by 4 clients, synchronous_commit = off."""
    rates = inserts.one_row_rates(connection)
    yield Result("one_row", rates["scored"], "lines/s", {k: rates[k] for k in ("none", "noop")})
    yield Result("one_row_vs_noop", rates["scored"] / rates["noop"], "ratio of throughput")
    yield Result("one_row_vs_none", rates["scored"] / rates["none"], "ratio of throughput")


def bulk_new(connection: psycopg.Connection) -> Iterator[Result]:
    """Bulk inserts in which every line has a shape of its own."""
    microseconds = inserts.bulk_new_microseconds(connection)
    yield Result("bulk_new_us_over_noop", microseconds["scored"] - microseconds["noop"], "µs a line", microseconds)


BENCHMARKS: dict[str, Callable[[psycopg.Connection], Iterator[Result]]] = {
    "bulk_known": bulk_known,
    "one_row": one_row,
    "bulk_new": bulk_new,
}


def main() -> None:
    """Run the benchmarks and print their table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    parser.add_argument("--only", default="*", help=f"which to run, as a pattern: {', '.join(BENCHMARKS)}")
    arguments = parser.parse_args()
    chosen = [name for name in BENCHMARKS if fnmatch.fnmatch(name, arguments.only)]
    if not chosen:
        sys.exit(f"bench: no benchmark is called {arguments.only}; there are {', '.join(BENCHMARKS)}")
    results: list[Result] = []
    settings = {"shared_buffers": "1GB", "max_wal_size": "8GB", "synchronous_commit": "off", "autovacuum": "off"}
    with cluster.temporary(settings) as server, psycopg.connect(server.dsn(), autocommit=True) as connection:
        print(f"bench: {prepare(connection)}", file=sys.stderr)
        for name in chosen:
            print(f"bench: {name}", file=sys.stderr)
            results += BENCHMARKS[name](connection)
    _print(results)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")


def _print(results: list[Result]) -> None:
    table = Table("name", "value", "unit", "baselines")
    for result in results:
        baselines = ", ".join(f"{name} {value:,.4g}" for name, value in result.baselines.items())
        table.add_row(
            result.name,
            f"{result.value:,.3f}" if result.value < 1000 else f"{result.value:,.0f}",
            result.unit,
            baselines,
        )
    Console(width=None if sys.stdout.isatty() else 140).print(table)


if __name__ == "__main__":
    main()
