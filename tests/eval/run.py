"""make eval: how right the models are, each figure beside those of baselines measured in the same run.

Real logs are read from ../shared/data and never copied; where that folder is absent, only the project's own sets are
evaluated. Questions about what the server does are asked of a temporary cluster. See --help.
"""

import argparse
import contextlib
import fnmatch
import functools
import json
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # for the modules that tests share

import ab_tests
import anomalies
import corrections
import costs
import drift
import grouping
import levels
import own_templates
import psycopg
import readings
import suspects
from datasets import REAL
from results import PRODUCT, Result
from rich.table import Table

from figures import Committed, console
from support import cluster

COMMITTED = Path(__file__).parent / "figures.json"


@dataclass(frozen=True)
class Question:
    """One table. `figures` is a regular expression for the names of its figures.

    `answer` gets a connection to a database with the extension where the question needs a server.
    """

    title: str
    figures: str
    answer: Callable[..., Iterator[Result]]
    needs_real_logs: bool = True
    needs_server: bool = False


QUESTIONS = {
    "level_unseen_templates": Question(
        "Levels of templates never seen: real logs of 6 systems, one row a template, 5 folds by template",
        "level_unseen_templates_.*", levels.unseen_templates),
    "level_unseen_system": Question(
        "Levels of a system never seen: logintel is the default model, which was made from no real log",
        "level_unseen_system_.*", levels.unseen_systems),
    "level_unseen_statements": Question(
        "Levels of logging statements of four systems never seen, as published: mean of the four; default models",
        "level_unseen_statements_.*", readings.statements),
    "level_problem_calibration": Question(
        "P(WARN and above) against the share of such: templates of 6 systems never seen, 9% of them problems",
        "level_problem_calibration_error.*", readings.problem_calibration),
    "human": Question(
        "What people read in 197 templates of 8 systems never seen, against the default models",
        "(level|anomaly|category)_human_.*", readings.human),
    "anomaly_ordinary_share": Question(
        "Share of the ordinary lines (up to INFO, no anomaly to people) that the default models take for anomalies",
        "anomaly_ordinary_share.*", readings.ordinary_lines),
    "grouping": Question(
        "Grouping: lines in groups that are those of one true template, 8 systems; against masks of whole tokens",
        "grouping_accuracy.*", grouping.accuracy),
    "level_time_split": Question(
        "Levels of later lines: the latest fifth of each system; templates repeat, and memory knows most of them",
        "level_time_split_.*", levels.time_split),
    "level_random_split": Question(
        "Levels of random lines. This leaks: the same templates are on both sides, and every model looks good",
        "level_random_split_.*", levels.random_split),
    "corrections": Question(
        "Corrections: 3% of the lines of 6 systems play their level down, and models are trained on them as they are",
        "corrections_(precision|recall)", corrections.pooled),
    "corrections_by_system": Question(
        "Corrections where a table holds one system: 3% of its lines, at most a third of those of WARN and above",
        "corrections_(precision|recall)_(?!simulated).*", corrections.by_system),
    "corrections_simulated": Question(
        "Corrections on simulated lines, whose rare templates have one line or two",
        "corrections_.*_simulated", corrections.on_simulated_lines, needs_real_logs=False),
    "corrections_unseen_system": Question(
        "Corrections in a system never seen: which of its templates up to INFO are WARN and above in truth?",
        "corrections_unseen_system_.*", corrections.unseen_systems),
    "suspects_consistent": Question(
        "Suspects: a fifth of the problem templates of 6 systems is declared INFO in every line; ten draws",
        "suspects_consistent_(?!.*_(simulated|android|apache|hdfs|hadoop|openstack|spark)).*", suspects.consistent,
        needs_server=True),
    "suspects_consistent_by_system": Question(
        "The same where a table holds one system; a draw silences one template or a few",
        "suspects_consistent_.*_(android|apache|hdfs|hadoop|openstack|spark)", suspects.consistent_by_system,
        needs_server=True),
    "suspects_consistent_simulated": Question(
        "The same on simulated lines, some of which are made to mislead",
        "suspects_consistent_.*_simulated", suspects.consistent_simulated, needs_real_logs=False, needs_server=True),
    "suspects_natural": Question(
        "Suspects: eight systems as they are; templates that are recorded up to INFO and that people read as problems",
        "suspects_natural_.*", suspects.natural, needs_server=True),
    "suspects_renamed_release": Question(
        "Suspects: after a training, a release says a fifth of the problems in other words, and as INFO",
        "suspects_renamed_release_.*", suspects.renamed_release, needs_server=True),
    "suspects_silenced_service": Question(
        "Suspects: one service of the simulator after the other declares its problems INFO, and the rest as before",
        "suspects_silenced_service_.*", suspects.silenced_service, needs_real_logs=False, needs_server=True),
    "suspects_stamped": Question(
        "Suspects: of five services that write the messages of six systems, one stamps INFO on all of them",
        "suspects_stamped_source_(?!alone).*", suspects.stamped_beside_others, needs_server=True),
    "suspects_stamped_alone": Question(
        "Suspects: one service of the simulator after the other stamps INFO, and no other writes its messages",
        "suspects_stamped_source_alone_.*", suspects.stamped, needs_real_logs=False, needs_server=True),
    "anomaly_hdfs_sessions": Question(
        "Anomalous HDFS sessions, split by time. Only 10 of 110 are anomalous: see all the cuts",
        "anomaly_hdfs_sessions_.*", anomalies.hdfs),
    "anomaly_simulated": Question(
        "Anomalies of later simulated lines; the default models have never seen the simulator's templates",
        "anomaly_simulated_.*", anomalies.on_simulated_lines, needs_real_logs=False),
    "anomaly": Question(
        "Anomalies: the project's own templates, unseen and of unseen systems",
        "anomaly_(?!hdfs|simulated|human|ordinary).*", own_templates.anomalies, needs_real_logs=False),
    "category": Question(
        "Categories: the project's own templates, unseen and of unseen systems",
        "category_(?!human).*", own_templates.categories, needs_real_logs=False),
    "level_own_templates": Question(
        "Levels of the project's own templates, unseen and of unseen systems",
        "level_own_templates_.*", own_templates.levels, needs_real_logs=False),
    "drift": Question(
        "Drift: simulated days without it and with one that is known, judged by ml_drift; 4 to 6 minutes",
        "drift_.*", drift.drift, needs_real_logs=False, needs_server=True),
    "cost": Question(
        "What a new shape costs on one core, in batches of 256 and alone (logintel: the three default models together)",
        "cost_.*", costs.costs, needs_real_logs=False),
    "ab_tests": Question(
        "A/B tests, 500 each: wrongly decided where both models are equal, and rightly where one is 3 points better",
        "ab_.*", ab_tests.decisions, needs_real_logs=False, needs_server=True),
}  # fmt: skip


def main() -> None:
    """Answer the questions and print a table for each; exit with 1 when one has failed."""
    parser = argparse.ArgumentParser(prog="make eval", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    parser.add_argument("--save", action="store_true", help=f"also make them the figures in {COMMITTED.name}")
    parser.add_argument("--only", default="*", help=f"which to run, as a pattern: {', '.join(QUESTIONS)}, or a figure")
    arguments = parser.parse_args()
    chosen = _chosen(arguments.only)
    if not chosen:
        sys.exit(f"eval: no question is called {arguments.only}; there are {', '.join(QUESTIONS)}")
    if not REAL.exists():
        _say(f"the real logs of {REAL} are not here: only the project's own sets are evaluated")
        chosen = [name for name in chosen if not QUESTIONS[name].needs_real_logs]
    committed = Committed(COMMITTED, lambda result: result.higher_is_better)
    is_whole = len(chosen) == len(QUESTIONS)
    if arguments.save and (refusal := committed.refusal(is_whole)):
        sys.exit(f"eval: {refusal}")
    results, failed = _run(chosen)
    committed.print_comparison(results)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    if arguments.save:
        committed.save(results, whole=is_whole and not failed)
    sys.exit(failed)


def _run(names: Sequence[str]) -> tuple[list[Result], bool]:
    """Answer questions; return the results, and whether one has failed, which does not keep others from running."""
    results, failed = [], False
    with contextlib.ExitStack() as resources:
        server = functools.cache(lambda: resources.enter_context(_server()))  # started by the first who needs it
        for name in names:
            started = time.monotonic()
            question = QUESTIONS[name]
            try:
                answer = list(question.answer(*([server()] if question.needs_server else [])))
            except Exception:
                failed = True
                _say(f"{name} failed: {traceback.format_exc()}")
                continue
            _print(question.title, answer)
            results += answer
            _say(f"{name} took {time.monotonic() - started:.0f} s")
    return results, failed


@contextlib.contextmanager
def _server() -> Iterator[psycopg.Connection]:
    """Start a temporary cluster and connect to a database in it that has the extension."""
    with cluster.temporary() as temporary, psycopg.connect(temporary.dsn(), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION logintel_python CASCADE")
        yield connection


def _chosen(pattern: str) -> list[str]:
    """The questions of that name or pattern or, where there is none, the one with the figure of that name."""
    named = [name for name in QUESTIONS if fnmatch.fnmatch(name, pattern)]
    return named or [name for name, question in QUESTIONS.items() if re.fullmatch(question.figures, pattern)]


def _say(text: str) -> None:
    print(f"eval: {text}", file=sys.stderr, flush=True)


def _print(title: str, results: Sequence[Result]) -> None:
    """One row a figure, one column a contender."""
    baselines = list(dict.fromkeys(name for result in results for name in result.baselines))
    table = Table(title=title, title_justify="left")
    table.add_column("figure", no_wrap=True)
    for name in (PRODUCT, *(["95%"] if any(result.interval for result in results) else []), *baselines):
        table.add_column(name.replace("_", " "), justify="right", style="bold" if name == PRODUCT else None)
    for result in results:
        interval = [" to ".join(map(_number, result.interval or ()))] if "95%" in [c.header for c in table.columns] else []
        others = (_number(result.baselines.get(name)) for name in baselines)
        table.add_row(result.name, _number(result.value), *interval, *others)
    console().print(table)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


if __name__ == "__main__":
    main()
