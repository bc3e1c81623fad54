"""The command `logintel train`."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import psycopg
import typer

from logintel import output
from logintel.database import connect
from logintel.options import Dsn, LogTable

if TYPE_CHECKING:
    from logintel.training.models import TrainedModel

_COLUMNS = ("model", "candidate", "unseen templates", "macro-F1", "WARN+ AUC", "anomaly PR AUC", "split by time",
            "random split", "")


def train(
    lines: Annotated[int, typer.Option(min=1, help="How many of the latest lines to learn from.")] = 10_000,
    outliers: Annotated[bool, typer.Option(
        "--outliers", help="Without labels of anomalies: learn what is rare, instead of keeping the model in force."
    )] = False,
    seed: Annotated[int, typer.Option(help="Seed of all that is random: same lines, same seed, same models.")] = 0,
    deploy: Annotated[bool, typer.Option("--deploy", help="Put the new models into force.")] = False,
    transformer: Annotated[bool, typer.Option("--transformer", help="Let a transformer compete too.")] = False,
    log_table: LogTable = None,
    dsn: Dsn = None,
) -> None:
    """Train models on the latest lines of all attached tables, or of one, and register them.

    They start from the default models. The level model needs lines with at least two levels; a category model is made
    where lines have a category, an anomaly model where they have values in is_anomaly or anomaly_type.
    """
    with closing(connect(dsn)) as connection:
        # scikit-learn takes seconds to import, and few commands need it.
        from logintel.training.learning import learn
        from logintel.training.neighbours import refresh_neighbours

        learnt = learn(connection, lines=lines, seed=seed, outliers=outliers, transformer=transformer,
                       log_table=log_table)
        versions = _register(connection, learnt.models, deploy)
        refresh_neighbours(connection)
    models = learnt.models
    output.show_rows(_COLUMNS, [row for model in models for row in _candidates(model)])
    for note in learnt.notes:
        print(f"note: {note}")
    registered = [f"{model.name} {versions[model.name]}" for model in models]
    print(f"registered {', '.join(registered)}, trained on {len(learnt.lines):,} lines")
    if deploy:
        print(f"in force: {', '.join(registered)}")
    else:
        print(f"to put them into force: {' && '.join(f'logintel deploy {name}' for name in registered)}")


def _register(connection: psycopg.Connection, models: "Sequence[TrainedModel]", deploy: bool) -> dict[str, int]:
    """Register all models or none, and deploy them if so wished. Returns the version of each name."""
    from logintel.training.learning import register

    with connection.transaction():
        versions = {model.name: register(connection, model) for model in models}
        for model in models if deploy else ():
            connection.execute("SELECT logintel.deploy(%s, %s)", (model.name, versions[model.name]))
    return versions


def _candidates(model: "TrainedModel") -> Iterator[tuple[Any, ...]]:
    """Rows of the table: how each candidate did."""
    if model.metadata["kind"] == "outlier":
        yield model.name, "isolation forest", *[None] * 6, "no labels to measure with"
    for name, splits in model.metadata.get("evaluation", {}).items():
        unseen = splits["unseen_templates"]
        yield (model.name, name.replace("_", " "), unseen["accuracy"], unseen["macro_f1"], unseen.get("problem_auc"),
               unseen.get("pr_auc"), splits["time_split"]["accuracy"], splits["random_split"]["accuracy"],
               "chosen" if name == model.metadata["candidate"] else "")
