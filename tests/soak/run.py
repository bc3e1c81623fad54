"""make soak: minutes of writes, deployments, crashes and upkeep side by side; then everything has to add up.

Runs on a temporary cluster of this machine's PostgreSQL. Exit code 1, and a line for each, when promises were broken.
See --help.
"""

import argparse
import json
import logging
import random
import sys
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).parent.parent))  # for the modules that tests share

import checks
import disturbances
import workers
from accidents import QUIET, Accidents
from changes import Changes
from journal import Journal
from memory import SHORTEST_SECONDS, TOLERANCE_MB, TOLERANCE_SHARE, Growth, compare
from observers import Auditor, Reporter, Sampler
from rich.console import Console
from rich.table import Table
from sessions import Session, Soak
from writers import ROLE, Batch, FixedSnapshot, Long, NewShapes, Odd, OneRow, RolledBack, Savepoints, Writer

from support.servers import cluster
from support.tiny_models import ANOMALIES, LEVELS, WITHOUT_DEFAULTS, TinyModel, tiny_model

WRITERS: tuple[tuple[type[Writer], int], ...] = (
    (OneRow, 2), (Batch, 2), (FixedSnapshot, 2), (Savepoints, 2), (Long, 2), (RolledBack, 1), (NewShapes, 2), (Odd, 1),
    (Changes, 3),
)  # fmt: skip
"""Kinds of writers, and how many of each."""

# No machine fails here, only processes: what they wrote is safe with the kernel, pages half written are not.
SETTINGS = {
    "fsync": "off", "full_page_writes": "on", "synchronous_commit": "on", "max_connections": "80",
    "shared_buffers": "128MB", "max_wal_size": "1GB", "checkpoint_timeout": "60s", "autovacuum_naptime": "5s",
    "log_lock_waits": "on", "log_min_messages": "warning",
}  # fmt: skip

_OTHER_LEVELS = {"started": "DEBUG", "failed": "FATAL", "slow": "ERROR", "entering": "INFO", "panicked": "WARN"}
_OTHER_ANOMALIES = {word: "none" if word == "panicked" else "system_failure" for word, _ in ANOMALIES}


def main() -> None:
    """Run the soak and print its results."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long sessions run; 10 unless told")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="repeats the decisions of another run"
    )
    arguments = parser.parse_args()
    seconds = arguments.minutes * 60
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # it warns of each connection that is lost, as many are
    with cluster.temporary(SETTINGS) as server:
        levels = _prepare(server.dsn())
        soak = Soak(server.dsn(), Journal(), seconds, arguments.seed)
        soak.journal.say(f"{seconds:.0f} seconds, seed {arguments.seed}")
        tables, killed_backends, writers = _run(soak, server)
        soak.journal.say("all sessions have ended; now everything has to add up")
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            checks.settle(connection, soak.journal)
            outcomes = checks.check_counts(connection, soak.journal)
            outcomes |= checks.check_scores(connection, levels, soak.journal)
            outcomes |= checks.check_ledgers(connection, writers, soak.journal)
            sizes = checks.sizes(connection)
        outcomes |= checks.check_log(server.home / "log", soak.journal, killed_backends)
    _print_counts(soak.journal)
    _print_table("promise", "outcome", rows=outcomes.items())
    _print_table("table", "rows", "MB", rows=[(name, f"{rows:,}", f"{mb:.1f}") for name, rows, mb in sizes])
    _print_memory(tables)
    if broken := soak.journal.broken():
        sys.exit("\n".join(f"soak: broken: {line}" for line in broken))
    print(f"soak: all promises held for {seconds:.0f} seconds")


def _prepare(dsn: str) -> list[dict[str, str]]:
    """Set up the database, register two versions of each model, and deploy the first; return what levels they say."""
    levels = [dict(LEVELS), _OTHER_LEVELS]
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION logintel_python CASCADE")
        connection.execute(WITHOUT_DEFAULTS)
        connection.execute("SELECT logintel.create_log_entries()")
        connection.execute("CREATE INDEX ON log_entries (log_id)")
        connection.execute("SELECT logintel.create_partitions(current_date - 45, current_date - 41)")
        connection.execute(f"CREATE ROLE {ROLE}")
        connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON log_entries TO {ROLE}")
        connection.execute(f"GRANT USAGE ON SEQUENCE log_entries_id_seq TO {ROLE}")
        for said, anomalies in zip(levels, (dict(ANOMALIES), _OTHER_ANOMALIES), strict=True):
            _register(connection, tiny_model("level", tuple(said.items())))
            _register(connection, tiny_model("anomaly", tuple(anomalies.items())))
        for name in disturbances.MODELS:
            connection.execute("SELECT logintel.deploy(%s, 1)", (name,))
        connection.execute("SELECT logintel.analyze('started')")  # what fails here would fail in every session
        connection.execute("SELECT logintel.backfill()")  # compares the log table once, as any first call does
    return levels


def _register(connection: psycopg.Connection, model: TinyModel) -> None:
    connection.execute(
        "SELECT logintel.import_model(%s, %s, %s, %s)",
        (model.name, model.onnx, json.dumps(model.metadata), json.dumps(model.golden)),
    )


def _run(soak: Soak, server: cluster.Cluster) -> tuple[list[Growth], int, list[Writer]]:
    """Let all sessions run for the time; return memory by kind, backends killed, and the writers with their ledgers."""
    writers = [kind(soak, number) for kind, many in WRITERS for number in range(1, many + 1)]
    sampler = Sampler(soak, {kind.kind for kind, _ in WRITERS})
    others: list[Session] = [sampler, Auditor(soak), Reporter(soak, sampler), *disturbances.all_sessions(soak)]
    accidents = Accidents(soak, server)
    threads = [*writers, *others, accidents]
    if workers.is_there():
        threads.append(workers.WorkerRunner(soak))
    else:
        soak.journal.say("the command logintel worker is not there; backfill() alone scores what waits")
    for thread in threads:
        thread.start()
    soak.stop.wait(soak.seconds)
    soak.stop.set()
    for thread in threads:
        thread.join(180)
        if thread.is_alive():
            soak.journal.broke("every session comes to an end", thread.name)
    server.up()  # it may have been killed a moment ago
    soak.dsn = server.dsn()
    for writer in writers:
        with soak.connect("settling") as connection:
            writer.settle(connection)
    growths = compare(sampler.samples, soak.seconds * QUIET[0], soak.seconds * QUIET[1])
    for growth in growths:
        if growth.verdict == "grows" and soak.seconds >= SHORTEST_SECONDS:
            soak.journal.broke("memory stays flat", f"{growth.kind}: {growth.early:.1f} MB, later {growth.late:.1f} MB")
    return growths, accidents.killed_backends, writers


def _print_counts(journal: Journal) -> None:
    _print_table(
        "what was done", "times", rows=[(name, f"{count:,}") for name, count in sorted(journal.counts.items())]
    )


def _print_memory(growths: list[Growth]) -> None:
    title = f"later: at most {TOLERANCE_SHARE:.0%} + {TOLERANCE_MB:.0f} MB more"
    rows = [(g.kind, str(g.backends), f"{g.early:.1f}", f"{g.late:.1f}", g.verdict) for g in growths]
    _print_table("private memory of", "backends", "MB, early", "MB, late", title, rows=rows)


def _print_table(*columns: str, rows) -> None:
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 150).print(table)


if __name__ == "__main__":
    main()
