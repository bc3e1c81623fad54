"""A short random run: statements of all kinds over interleaved sessions, and a recount of every figure after each.

tests/soak/random_run.py runs for minutes, and leaves out steps of what failed until it is short enough to read.
"""

from datetime import UTC, datetime

import psycopg
import pytest

from support.random_run.execute import Run, prepare
from support.random_run.plan import FEATURES, Recipe, Step
from support.random_run.shrink import shrink, trace
from support.recount import FIGURES, Recount
from support.servers import Database

pytestmark = pytest.mark.any_server

SEEDS = (1, 2, 3)
STEPS = 120
TODAY = datetime.now(UTC).date()


@pytest.mark.parametrize("seed", SEEDS)
def test_figures_add_up_after_every_step_of_a_random_run(db: Database, seed: int) -> None:
    recipe = Recipe(seed, STEPS, frozenset(FEATURES) - {"prepared"}, prepare(db.dsn))  # the server prepares none
    steps = recipe.plan(TODAY)
    run = Run(db.dsn, steps)
    failure = run.failure()
    assert failure is None, "\n".join(
        [trace(steps[: failure.step]), *map(str, failure.differences),
         f"shorter: python tests/soak/random_run.py --seed {seed} --steps {STEPS} --leave-out prepared"]
    )  # fmt: skip
    assert run.tally.compared > STEPS // 2


def test_a_seed_is_a_plan() -> None:
    plan = Recipe(7, 300).plan(TODAY)
    assert plan == Recipe(7, 300).plan(TODAY)
    assert plan != Recipe(8, 300).plan(TODAY)
    assert plan[:100] == Recipe(7, 100).plan(TODAY)  # so a shorter run is the beginning of a longer one


def test_what_is_wrong_is_found_and_steps_that_do_not_matter_are_left_out(db: Database) -> None:
    prepare(db.dsn)
    insert, forget = "INSERT INTO log_entries (message) VALUES ('started')", "DELETE FROM logintel_internal.predictions"
    steps = [
        Step("writer 1", "BEGIN"), Step("writer 1", insert), Step("writer 2", "SELECT 1"), Step("writer 1", "COMMIT"),
        Step("upkeep", forget), Step("writer 3", insert),
    ]  # fmt: skip

    def run(fewer: list[Step], figures: frozenset[str]) -> object:
        with psycopg.connect(db.dsn, autocommit=True) as session:
            session.execute("TRUNCATE log_entries")
        return Run(db.dsn, fewer, figures=figures).failure()

    failure = Run(db.dsn, steps).failure()
    assert failure.step == 5
    assert "lines that neither have a prediction nor wait" in failure.figures
    fewer, _ = shrink(steps, failure, run, seconds=30)
    assert [step.sql for step in fewer] == [insert, forget]


def test_what_a_truncation_was_warned_of_is_compared_when_the_upkeep_has_looked_at_it(db: Database) -> None:
    prepare(db.dsn)
    steps = [
        Step("writer 2", "INSERT INTO log_entries (message) VALUES ('started')"),
        Step("worker", "BEGIN"), Step("worker", "SELECT logintel.backfill()"),  # holds what is to be truncated, too
        Step("writer 1", "BEGIN ISOLATION LEVEL REPEATABLE READ"), Step("writer 1", "TRUNCATE log_entries"),
        Step("writer 1", "COMMIT"), Step("worker", "COMMIT"), Step("upkeep", "SELECT * FROM logintel.maintain()"),
    ]  # fmt: skip
    run = Run(db.dsn, steps)
    assert run.failure() is None
    assert run.tally.not_compared == 3


@pytest.mark.parametrize("figure", [name for name in FIGURES if name.startswith(("ml_stats", "ml_predictions"))])
def test_each_figure_is_recounted(db: Database, figure: str) -> None:
    prepare(db.dsn)
    db.execute("INSERT INTO log_entries (message) VALUES ('started'), ('panicked')")
    recount = Recount(db.connection)
    assert recount.differences() == []
    db.execute(
        "INSERT INTO logintel_internal.predictions (log_entry_id, score_id, timestamp) "
        "SELECT 17, min(id), now() FROM logintel_internal.scores"
    )
    assert figure in {difference.figure for difference in recount.differences()}
