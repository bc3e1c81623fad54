"""The temporary cluster, and databases in it that know the shapes of the sample."""

import contextlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import baselines
import psycopg
from lines import COLUMNS, LINES, fill_sample, insert_select

from support import cluster
from support.tiny_models import WITHOUT_DEFAULTS

if TYPE_CHECKING:
    from logintel.training.models import TrainedModel

SETTINGS = {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "synchronous_commit": "off",
    "track_wal_io_timing": "on",
    "autovacuum": "off",
    "max_connections": "250",
}
_numbers = itertools.count(1)


@dataclass(frozen=True, eq=False)
class Suite:
    """What all benchmarks share. Each makes databases of its own, as copies of one that was prepared once."""

    server: cluster.Cluster
    models: "Sequence[TrainedModel]"  # those in force
    description: str
    _resources: contextlib.ExitStack

    @contextlib.contextmanager
    def database(self, template: str = "prepared") -> Iterator[psycopg.Connection]:
        """Make a database with empty log tables, the sample, and the models in force, which know all its shapes.

        The template `defaults` has the three default models in force, `prepared` a trained level model and an outlier
        model, which isn't linear.
        """
        name = f"bench_{next(_numbers)}"
        _on_server(self.server, f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            # Without prepared statements: plans would change while something is measured.
            with psycopg.connect(self.server.dsn(name), autocommit=True, prepare_threshold=None) as connection:
                connection.execute("CHECKPOINT")
                yield connection
        finally:
            _on_server(self.server, f"DROP DATABASE {name} WITH (FORCE)")

    def kept_database(self) -> psycopg.Connection:
        """Make such a database that lives as long as the suite."""
        return self._resources.enter_context(self.database())


@contextlib.contextmanager
def prepared() -> Iterator[Suite]:
    """Start the cluster and prepare the databases that others are copied from."""
    with cluster.temporary(SETTINGS) as server, contextlib.ExitStack() as resources:
        for name in ("defaults", "prepared"):
            _on_server(server, f"CREATE DATABASE {name}")
        with psycopg.connect(server.dsn("defaults"), autocommit=True) as connection:
            _create(connection)
            _know_sample(connection)
        with psycopg.connect(server.dsn("prepared"), autocommit=True) as connection:
            models, description = _prepare(connection, server.dsn("prepared"))
        yield Suite(server, models, description, resources)


def maintain(connection: psycopg.Connection) -> None:
    """Run the upkeep, however long it takes."""
    connection.execute("CALL logintel.maintain('1 hour')")


def settle(connection: psycopg.Connection) -> None:
    """Run the upkeep until it has caught up, as it had in a database that grew day by day; vacuum what it wrote."""
    behind = (
        "SELECT EXISTS (SELECT FROM logintel_internal.published_scores) OR EXISTS (SELECT FROM logintel_internal.count_readers r "
        "WHERE r.read_to < (SELECT max(c.id) FROM logintel_internal.count_changes c))"
    )
    maintain(connection)
    while connection.execute(behind).fetchone() == (True,):
        maintain(connection)
    tables = connection.execute(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = ANY ('{logintel,logintel_internal}'::regnamespace[]) "
        "AND c.relkind = 'r' AND NOT c.relispartition"
    ).fetchall()
    connection.execute(f"VACUUM ANALYZE {', '.join(name for (name,) in tables)}")
    connection.execute("CHECKPOINT")


def dsn_of(connection: psycopg.Connection) -> str:
    """Return the string that opens another connection to the same database."""
    return psycopg.conninfo.make_conninfo(connection.info.dsn, password=connection.info.password)


def _on_server(server: cluster.Cluster, statement: str) -> None:
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(statement)


def _create(connection: psycopg.Connection) -> tuple[int, str]:
    """Create the extension with its default models, the log tables, and the sample; return what the sample is."""
    connection.execute("CREATE EXTENSION logintel_python CASCADE")
    connection.execute("SELECT logintel.create_log_entries()")
    today = datetime.now(UTC).date()
    connection.execute("SELECT logintel.create_partitions(%s, %s)", (today, today + timedelta(days=1)))
    baselines.create_tables(connection)
    return fill_sample(connection)


def _know_sample(connection: psycopg.Connection) -> int:
    """Have the shapes of the sample scored, and leave the log tables empty; return how many shapes there are."""
    insert_select(connection, "log_entries")
    baselines.check_scored(connection, LINES)
    maintain(connection)
    [(shapes,)] = connection.execute("SELECT count(*) FROM logintel_internal.scores WHERE canonical").fetchall()
    connection.execute("VACUUM ANALYZE")
    # Last, so that the planner doesn't take the empty tables for tables that stay empty.
    baselines.empty(connection)
    return shapes


def _prepare(connection: psycopg.Connection, dsn: str) -> "tuple[list[TrainedModel], str]":
    distinct, source = _create(connection)
    # The jobs that logintel is compared with predict levels and anomalies: no category model here either.
    connection.execute(WITHOUT_DEFAULTS)
    models = _train(dsn, distinct)
    return models, f"{LINES:,} lines from {distinct:,} {source}, {_know_sample(connection):,} shapes"


def _train(dsn: str, lines: int) -> "list[TrainedModel]":
    """Train models on the distinct lines of the sample, register them, and put them into force."""
    from logintel.training.dataset import read_lines, shape_version
    from logintel.training.models import train_models

    with psycopg.connect(dsn) as connection:
        connection.execute(f"INSERT INTO log_entries ({COLUMNS}) SELECT {COLUMNS} FROM sample WHERE n <= %s", (lines,))
        models, _ = train_models(read_lines(connection, lines), outliers=True, shape_version=shape_version(connection))
        connection.execute("TRUNCATE log_entries")
        for model in models:
            connection.execute(
                "SELECT logintel.import_model(%s, %s, %s, %s)",
                (model.name, model.onnx, json.dumps(model.metadata), json.dumps(model.golden)),
            )
            connection.execute("SELECT logintel.deploy(%s)", (model.name,))
    return models
