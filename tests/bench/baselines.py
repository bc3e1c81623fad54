"""Log tables to compare with: one without a trigger, and one with the noop trigger.

The noop trigger is the least that any trigger could do: one constant row a line into a plain table with the columns of
ml_predictions. It does not follow the product's design, so that the limit stays where it is.
"""

import psycopg
from psycopg import sql
from results import Failed

TABLES = {"none": "log_entries_none", "noop": "log_entries_noop", "scored": "log_entries"}
"""Log tables with the same columns, indexes and partitions."""

_NOOP = """
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO noop_predictions (log_entry_id, predicted_level, level_confidence, is_anomaly, anomaly_score, severity, model_version)
    SELECT id, 'INFO', 0.9, false, 0.1, 'low', 'noop 1' FROM new_lines;
    RETURN NULL;
END $$;
CREATE TRIGGER noop AFTER INSERT ON log_entries_noop REFERENCING NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION noop();
"""


def create_tables(connection: psycopg.Connection) -> None:
    """Create the tables to compare with, after log_entries and its partitions."""
    for name in ("none", "noop"):
        create_log_table(connection, TABLES[name])
    create_predictions(connection, "noop_predictions")
    connection.execute(_NOOP)


def create_log_table(connection: psycopg.Connection, name: str) -> None:
    """Create a log table with the columns, keys, indexes and partitions of log_entries."""
    connection.execute(
        sql.SQL('CREATE TABLE {} (LIKE log_entries INCLUDING ALL) PARTITION BY RANGE ("timestamp")').format(
            sql.Identifier(name)
        )
    )
    partitions = connection.execute(
        "SELECT replace(c.relname, 'log_entries', %s), pg_get_expr(c.relpartbound, c.oid) "
        "FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'log_entries'::regclass",
        (name,),
    ).fetchall()
    for partition, bound in partitions:
        connection.execute(
            sql.SQL("CREATE TABLE {} PARTITION OF {} {}").format(
                sql.Identifier(partition), sql.Identifier(name), sql.SQL(bound)
            )
        )


def create_predictions(connection: psycopg.Connection, name: str) -> None:
    """Create a plain table with the columns of ml_predictions, a key, and indexes on log_entry_id and predicted_at."""
    table = sql.Identifier(name)
    for statement in (
        "CREATE TABLE {} (LIKE logintel.ml_predictions)",
        "ALTER TABLE {} ALTER id SET NOT NULL, ALTER id ADD GENERATED ALWAYS AS IDENTITY, ADD PRIMARY KEY (id), "
        "ALTER predicted_at SET DEFAULT now()",
        "CREATE INDEX ON {} (log_entry_id)",
        "CREATE INDEX ON {} (predicted_at)",
    ):
        connection.execute(sql.SQL(statement).format(table))


def empty(connection: psycopg.Connection) -> None:
    """Empty all log tables and their predictions; the shapes stay known."""
    connection.execute(f"TRUNCATE noop_predictions, {', '.join(TABLES.values())}")
    connection.execute("CHECKPOINT")


def check_scored(connection: psycopg.Connection, lines: int) -> None:
    """Raise Failed unless exactly `lines` lines got a prediction: a figure counts only then."""
    [(predictions,)] = connection.execute("SELECT count(*) FROM logintel_internal.predictions").fetchall()
    if predictions != lines:
        raise Failed(f"{predictions:,} of {lines:,} lines were scored")
