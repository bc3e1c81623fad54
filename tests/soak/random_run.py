"""Random statements over interleaved sessions, with a recount of every figure after each, for minutes.

    .venv/bin/python tests/soak/random_run.py --minutes 5              # seeds from the time on, until a figure differs
    .venv/bin/python tests/soak/random_run.py --seed 17 --steps 300    # one run, as the message of a failure says

Runs on a temporary cluster of the PostgreSQL of $PG_CONFIG, into which `make install` has installed, each seed in a
database of its own. What fails is run again with fewer steps, until no step can be left out. Exit code 1, and the steps
as SQL, when a figure differed.
"""

import argparse
import collections
import contextlib
import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # for the modules that tests share

from support.random_run.execute import Failure, Run, Tally, prepare
from support.random_run.plan import FEATURES, Recipe, Step
from support.random_run.shrink import shrink, trace
from support.servers import Database, Server, cluster
from support.tiny_models import WITHOUT_DEFAULTS

SETTINGS = {
    "fsync": "off", "full_page_writes": "off", "max_prepared_transactions": "8", "max_connections": "40", "jit": "off",
    "autovacuum": "off", "shared_buffers": "64MB",
}  # fmt: skip


def main() -> None:
    """Run seeds one after the other and print what differed."""
    arguments = _arguments()
    features = frozenset(FEATURES) - set(arguments.leave_out)
    seeds = iter([arguments.seed]) if arguments.seed is not None else itertools.count(int(time.time()) % 10**6)
    ends = time.monotonic() + arguments.minutes * 60
    failures, tally, runs = 0, collections.Counter(), 0
    with cluster.temporary(SETTINGS) as temporary:
        bench = Bench(Server("local", temporary.dsn("postgres")), frozenset(arguments.without), arguments.shrink)
        for seed in seeds:
            recipe = Recipe(seed, arguments.steps, features, bench.taken_type)
            failures += not bench.holds(recipe, tally)
            runs += 1
            if time.monotonic() > ends or (failures and not arguments.keep_going):
                break
    say(f"{runs} runs: " + ", ".join(f"{what} {count:,}" for what, count in sorted(tally.items())))
    if failures:
        sys.exit(f"random run: figures differed in {failures} of {runs} runs")
    say("all figures added up after every step")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="random_run.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5, help="begin no further seed after that; 5 unless told")
    parser.add_argument("--seed", type=int, help="run this seed only")
    parser.add_argument("--steps", type=int, default=300, help="statements a seed; 300 unless told")
    parser.add_argument("--leave-out", nargs="*", default=[], choices=FEATURES, help="statements to do without")
    parser.add_argument("--without", nargs="*", default=[], help="figures not to compare, by how their names begin")
    parser.add_argument("--shrink", type=float, default=120, help="seconds to look for fewer steps; 120 unless told")
    parser.add_argument("--keep-going", action="store_true", help="go on with the next seed after a failure")
    return parser.parse_args()


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"random run: {datetime.now(UTC):%H:%M:%S}  {text}", file=sys.stderr, flush=True)


class Bench:
    """Runs recipes on one server, each in a copy of one prepared database."""

    def __init__(self, server: Server, without: frozenset[str], seconds: float) -> None:
        self._server = server
        self._without = without
        self._seconds = seconds
        self._template = server.create_database()
        self._template.execute("CREATE EXTENSION logintel_python CASCADE")
        self._template.execute(WITHOUT_DEFAULTS)
        self._template.execute("SELECT logintel.create_log_entries()")
        self._template.close()  # a database can be copied only while nobody is connected to it
        self.taken_type = prepare(self._template.dsn)

    def holds(self, recipe: Recipe, tally: collections.Counter[str]) -> bool:
        """Run a recipe; where a figure differs, print the fewest steps that show it."""
        steps = recipe.plan(datetime.now(UTC).date())
        run = self._run(steps, None)
        with run as (failure, done):
            _add(tally, done)
        if failure is None:
            say(f"seed {recipe.seed}: all figures add up, {done.compared} times compared in {done.steps} steps")
            return True
        say(f"seed {recipe.seed}, step {failure.step}: " + "; ".join(map(str, failure.differences)))
        fewer, last = shrink(steps, failure, self._again, self._seconds)
        print(f"\n=== seed {recipe.seed}: {len(fewer)} steps of {failure.step} show it\n{trace(fewer)}")
        for difference in last.differences:
            print(f"      {difference}")
        left_out = " ".join(sorted(frozenset(FEATURES) - recipe.features))
        options = f" --leave-out {left_out}" if left_out else ""
        print(f"=== again: tests/soak/random_run.py --seed {recipe.seed} --steps {recipe.steps}{options}\n", flush=True)
        return False

    @contextlib.contextmanager
    def _run(self, steps: Sequence[Step], figures: frozenset[str] | None) -> Iterator[tuple[Failure | None, Tally]]:
        database: Database = self._server.create_database(self._template)
        try:
            run = Run(database.dsn, steps, self._without, figures, say if figures is None else None)
            yield run.failure(), run.tally
        finally:
            database.drop()

    def _again(self, steps: Sequence[Step], figures: frozenset[str]) -> Failure | None:
        with self._run(steps, figures) as (failure, _):
            return failure


def _add(tally: collections.Counter[str], done: Tally) -> None:
    tally["steps"] += done.steps
    tally["compared"] += done.compared
    tally["not compared"] += done.not_compared
    for what, count in done.failed.items():
        tally[f"({what})"] += count


if __name__ == "__main__":
    main()
