"""The lines that the benchmarks insert, and three log tables to insert them into: untriggered, noop trigger, scored."""

import csv
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg

LINES = 100_000
LOGHUB = Path(__file__).parents[3] / "shared" / "data" / "loghub"
COLUMNS = "level, message, service, source_type"

# The least that any trigger could do: one constant row a line into a plain table with the columns of ml_predictions.
# It does not follow the product's design, so that the limit stays where it is.
_NOOP = """
CREATE TABLE noop_predictions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, log_entry_id bigint, predicted_level text, level_confidence real,
    category text, category_confidence real, labels text[], is_anomaly boolean, anomaly_score real,
    anomaly_confidence real, anomaly_type text, severity text, model_version text,
    predicted_at timestamptz DEFAULT now(), score_id bigint, latency_us real);
CREATE INDEX ON noop_predictions (log_entry_id);
CREATE INDEX ON noop_predictions (predicted_at);
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO noop_predictions (log_entry_id, predicted_level, level_confidence, is_anomaly, anomaly_score, severity, model_version)
    SELECT id, 'INFO', 0.9, false, 0.1, 'low', 'noop 1' FROM new_lines;
    RETURN NULL;
END $$;
CREATE TRIGGER noop AFTER INSERT ON log_entries_noop REFERENCING NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION noop();
"""

TABLES = {"none": "log_entries_none", "noop": "log_entries_noop", "scored": "log_entries"}
PREDICTIONS = {"none": None, "noop": "noop_predictions", "scored": "logintel.predictions"}


def prepare(connection: psycopg.Connection) -> str:
    """Fill an empty database and return what with.

    The table `sample` (n from 1, and COLUMNS) holds LINES lines; the deployed models know all of its shapes.
    """
    connection.execute("CREATE EXTENSION logintel CASCADE")
    connection.execute("SELECT logintel.create_log_entries()")
    for table in ("log_entries_none", "log_entries_noop"):
        connection.execute(f"CREATE TABLE {table} (LIKE log_entries INCLUDING ALL)")
    connection.execute(_NOOP)
    connection.execute(
        "CREATE TABLE sample (n int PRIMARY KEY, level text, message text, service text, source_type text)"
    )
    distinct = list(_loghub() if LOGHUB.exists() else _simulated())
    with connection.cursor().copy(f"COPY sample (n, {COLUMNS}) FROM STDIN") as copy:
        for n, line in enumerate(itertools.islice(itertools.cycle(distinct), LINES), start=1):
            copy.write_row((n, *line))
    _train(connection)
    connection.execute(f"INSERT INTO log_entries ({COLUMNS}) SELECT {COLUMNS} FROM sample")
    connection.execute("SELECT logintel.maintain()")
    connection.execute("VACUUM ANALYZE")
    [(shapes,)] = connection.execute("SELECT count(*) FROM logintel.shape_scores WHERE canonical").fetchall()
    source = "real lines of loghub" if LOGHUB.exists() else "simulated lines"
    return f"{LINES:,} lines from {len(distinct):,} {source}, {shapes:,} shapes"


def _train(connection: psycopg.Connection) -> None:
    """Train and deploy on the sample's own lines, as a user would."""
    from logintel.training.command import train

    connection.execute(f"INSERT INTO log_entries ({COLUMNS}) SELECT {COLUMNS} FROM sample WHERE n <= 16000")
    train(dsn=connection.info.dsn + f" password={connection.info.password}", deploy=True)
    connection.execute("TRUNCATE log_entries")


def _loghub() -> Iterator[tuple[str | None, str, str | None, str]]:
    for path in sorted(LOGHUB.glob("*_structured.csv")):
        system = path.name.split("_")[0]
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                # In these two the column Level is no level.
                level = None if system in ("Linux", "OpenSSH") else row.get("Level")
                yield level, row["Content"], row.get("Component"), system


def _simulated() -> Iterator[tuple[str | None, str | None, str | None, str | None]]:
    from logintel.simulation.generator import generate

    for line in generate(16_000, seed=1, end=datetime(2026, 1, 1, tzinfo=UTC), days=7):
        yield line.level, line.message, line.service, line.source_type
