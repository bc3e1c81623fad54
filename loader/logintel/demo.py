"""The command `logintel demo`: from an empty database to predictions, every result with the SQL that made it."""

import time
from contextlib import closing

import psycopg

from logintel import output, streams
from logintel.backfill import backfill
from logintel.database import connect
from logintel.options import Dsn
from logintel.simulation.command import simulate
from logintel.training.command import train

HISTORY_LINES = 20_000
LIVE_LINES_A_SECOND, LIVE_SECONDS = 60, 5
CORRUPTED = 0.05
"""Share of the ERROR, WARN and FATAL lines that the simulated sources log as INFO or DEBUG."""

RIGHT = (
    "SELECT c.reason, count(*) FILTER (WHERE t.problem LIKE '%\\_as\\_%') AS true_corrections,\n"
    "       count(*) AS corrections,\n"
    "       (SELECT count(*) FROM simulated_truth JOIN log_entries USING (log_id)\n"
    "        WHERE problem LIKE '%\\_as\\_%') AS corrupted_levels\n"
    "FROM logintel.ml_corrections c\n"
    "JOIN log_entries e ON e.id = c.log_entry_id\n"
    "JOIN simulated_truth t USING (log_id)\n"
    "GROUP BY c.reason ORDER BY c.reason"
)
TOUR = (
    (
        "Predictions of the latest lines (ml_recent_predictions)",
        "SELECT log_entry_id, service, declared_level, predicted_level, level_confidence AS confidence, category,\n"
        "       severity, left(message, 60) AS message\n"
        "FROM logintel.ml_recent_predictions ORDER BY \"timestamp\" DESC LIMIT 8",
    ),
    (
        "Corrections: levels that the sources got wrong, most dangerous first (ml_corrections)",
        "SELECT log_entry_id, declared_level, predicted_level, level_confidence AS confidence,\n"
        "       template_declared_levels, left(message, 60) AS message\n"
        "FROM logintel.ml_corrections ORDER BY severity_gap DESC, level_confidence DESC LIMIT 8",
    ),
    (
        "Templates whose level seems wrong in every line, most harmful first (ml_suspects)",
        "SELECT suspicion, service, declared_level, predicted_level, confidence, lines, telling_words,\n"
        "       left(template, 60) AS template\n"
        "FROM logintel.ml_suspects ORDER BY rank LIMIT 5",
    ),
    (
        "How right they are: the simulator kept the truth. None of its templates is wrong in all lines, some mislead",
        RIGHT,
    ),
    (
        "Anomalies by type (ml_anomalies)",
        "SELECT anomaly_type, severity, count(*) AS lines, max(anomaly_score) AS highest_score,\n"
        "       left(min(message), 60) AS example\n"
        "FROM logintel.ml_anomalies GROUP BY anomaly_type, severity ORDER BY lines DESC LIMIT 8",
    ),
    ("Statistics (ml_stats)", "SELECT * FROM logintel.ml_stats"),
    ("Predictions by level (ml_stats_by_level)", "SELECT * FROM logintel.ml_stats_by_level"),
    (
        "What the models say of a message nobody has logged before (analyze)",
        "SELECT predicted_level, level_confidence AS confidence, category, severity, template\n"
        "FROM logintel.analyze('payment provider refused 3 of 5 connections, giving up')",
    ),
    (
        "The models and what their own evaluation says of them (ml_models)",
        "SELECT name, version, candidate, accuracy, macro_f1, accuracy_random_split, samples, trained_at\n"
        "FROM logintel.ml_models WHERE state = 'in force' ORDER BY name",
    ),
    (
        "Status (ml_status)",
        "SELECT scoring, mode, models, lines, predictions, pending, coverage, latest_prediction\n"
        "FROM logintel.ml_status",
    ),
)
"""Title and SQL of everything that the demo prints."""


def demo(dsn: Dsn = None) -> None:
    """Show everything once: simulate logs, train, deploy, insert live lines, print what the views say.

    Safe to run again: the history is loaded once, training and live lines are done anew.
    """
    started = time.monotonic()
    with closing(connect(dsn, autocommit=True)) as connection:
        _set_up(connection)
        if _needs_history(connection):
            _say(f"loading {HISTORY_LINES:,} simulated lines, {CORRUPTED:.0%} of the errors and warnings hidden")
            simulate(lines=HISTORY_LINES, corrupt=CORRUPTED, dsn=dsn)
            connection.execute("SELECT logintel.maintain()")
            _print(connection, "What the default models found while these lines came in, before any training", RIGHT)
        _say("training on them, and deploying")
        train(lines=HISTORY_LINES, dsn=dsn, deploy=True)
        _say("scoring the lines that were there before with the new models")
        backfill(rescore=True, dsn=dsn)
        _say(f"inserting {LIVE_LINES_A_SECOND * LIVE_SECONDS} live lines, each scored as it is written")
        simulate(live=True, rate=LIVE_LINES_A_SECOND, seconds=LIVE_SECONDS, corrupt=CORRUPTED, seed=2, dsn=dsn)
        connection.execute("SELECT logintel.maintain()")
        for title, query in TOUR:
            _print(connection, title, query)
    _say(f"done in {time.monotonic() - started:.0f} seconds; make psql opens the database, make down stops it")


def _set_up(connection: psycopg.Connection) -> None:
    connection.execute("CREATE EXTENSION IF NOT EXISTS logintel_python CASCADE")
    if not connection.execute("SELECT FROM logintel_internal.attachments").fetchall():
        connection.execute("SELECT logintel.create_log_entries()")


def _needs_history(connection: psycopg.Connection) -> bool:
    [(lines,)] = connection.execute("SELECT count(*) FROM log_entries").fetchall()
    return lines < HISTORY_LINES


def _print(connection: psycopg.Connection, title: str, query: str) -> None:
    print(f"\n== {title}\n{query};", flush=True)
    output.show(connection.execute(query))


def _say(text: str) -> None:
    streams.complain(f"logintel: {text}")
