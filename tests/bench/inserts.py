"""Inserts into an untriggered table, one with the noop trigger, and one that is scored: time, and space on disk."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator

import baselines
import lines
import pgbench
import psycopg
from baselines import TABLES
from lines import INSERT_NEW, LINES
from results import Failed, Result
from suite import Suite

BULK_ROUNDS = 7
ONE_ROW_ROUNDS = 5
ONE_ROW_SECONDS = 4
DURABLE_ROUNDS = 3
DURABLE = "-c synchronous_commit=on"
NEW_LINES = 20_000


def bulk_known(suite: Suite) -> Iterator[Result]:
    """Bulk inserts of known shapes, by INSERT ... SELECT and by COPY."""
    ratios = {}
    with suite.database() as connection:
        for way, insert in (("insert_select", lines.insert_select), ("copy", lines.copy)):
            seconds = _bulk_seconds(connection, insert)
            rates = {name: LINES / statistics.median(times) for name, times in seconds.items()}
            ratios[way] = _ratio(seconds["noop"], seconds["scored"])
            yield Result(f"bulk_known_{way}", rates["scored"], "lines/s", {k: rates[k] for k in ("none", "noop")})
            yield Result(f"bulk_known_{way}_vs_noop", ratios[way], "ratio of throughput")
            none = _ratio(seconds["none"], seconds["scored"])
            yield Result(f"bulk_known_{way}_vs_none", none, "ratio of throughput")
    yield Result("bulk_known_vs_noop", min(ratios.values()), "ratio of throughput", ratios)


def _bulk_seconds(
    connection: psycopg.Connection, insert: Callable[[psycopg.Connection, str], None]
) -> dict[str, list[float]]:
    """Seconds of each round by table; a round visits all tables, each time beginning with another one."""
    seconds: dict[str, list[float]] = {name: [] for name in TABLES}
    for names in _rounds(BULK_ROUNDS):
        baselines.empty(connection)
        for name in names:
            started = time.perf_counter()
            insert(connection, TABLES[name])
            seconds[name].append(time.perf_counter() - started)
    baselines.check_scored(connection, LINES)
    return seconds


def one_row(suite: Suite) -> Iterator[Result]:
    """One-row inserts of known shapes by 4 clients, synchronous_commit = off."""
    seconds: dict[str, list[float]] = {name: [] for name in TABLES}
    with suite.database() as connection:
        for names in _rounds(ONE_ROW_ROUNDS):
            baselines.empty(connection)
            for name in names:
                script = pgbench.one_row_script(TABLES[name])
                seconds[name].append(1 / pgbench.run(connection, script, seconds=ONE_ROW_SECONDS))
        [(inserted,)] = connection.execute("SELECT count(*) FROM log_entries").fetchall()
        baselines.check_scored(connection, inserted)
    rates = {name: 1 / statistics.median(times) for name, times in seconds.items()}
    yield Result("one_row", rates["scored"], "lines/s", {k: rates[k] for k in ("none", "noop")})
    for name in ("noop", "none"):
        yield Result(f"one_row_vs_{name}", _ratio(seconds[name], seconds["scored"]), "ratio of throughput")


def one_row_durable(suite: Suite) -> Iterator[Result]:
    """The same at the default synchronous_commit = on: a transaction returns when its log is on disk."""
    seconds: dict[str, list[float]] = {name: [] for name in TABLES}
    with suite.database() as connection:
        connection.execute("SELECT pg_stat_reset_shared('wal')")
        for names in _rounds(DURABLE_ROUNDS):
            baselines.empty(connection)
            for name in names:
                script = pgbench.one_row_script(TABLES[name])
                rate = pgbench.run(connection, script, seconds=ONE_ROW_SECONDS, settings=DURABLE)
                seconds[name].append(1 / rate)
        [(inserted,)] = connection.execute("SELECT count(*) FROM log_entries").fetchall()
        baselines.check_scored(connection, inserted)
        [(syncs, milliseconds)] = connection.execute("SELECT wal_sync, wal_sync_time FROM pg_stat_wal").fetchall()
    if not milliseconds:
        raise Failed("no transaction was synced to disk: fsync is off")
    rates = {f"{name} lines/s": 1 / statistics.median(times) for name, times in seconds.items()}
    found = {**rates, "ms a sync": milliseconds / syncs}
    yield Result("one_row_durable_vs_noop", _ratio(seconds["noop"], seconds["scored"]), "ratio of throughput", found)


def bulk_new(suite: Suite) -> Iterator[Result]:
    """Bulk inserts in which every line has a shape of its own, never seen before, with the three default models."""
    microseconds: dict[str, list[float]] = {name: [] for name in TABLES}
    with suite.database("defaults") as connection:
        for number, names in enumerate(_rounds(5)):
            baselines.empty(connection)
            for name in names:
                started = time.perf_counter()
                connection.execute(INSERT_NEW.format(TABLES[name]), (f"{name} {number}", NEW_LINES))
                microseconds[name].append((time.perf_counter() - started) * 1e6 / NEW_LINES)
        baselines.check_scored(connection, NEW_LINES)
    medians = {name: statistics.median(values) for name, values in microseconds.items()}
    yield Result("bulk_new_us_over_noop", medians["scored"] - medians["noop"], "µs a line", medians)


def disk_space(suite: Suite) -> Iterator[Result]:
    """What a prediction adds on disk, all indexes included."""
    with suite.database() as connection:
        empty = _sizes(connection)
        lines.insert_select(connection, "log_entries")
        bulk = _sizes(connection)
        baselines.check_scored(connection, LINES)
        yield _bytes_per_prediction("bytes_per_prediction", empty, bulk, LINES)
        baselines.empty(connection)
        empty = _sizes(connection)
        pgbench.run(connection, pgbench.one_row_script("log_entries"), transactions=LINES // pgbench.CLIENTS)
        baselines.check_scored(connection, LINES)
        yield _bytes_per_prediction("bytes_per_prediction_one_row", empty, _sizes(connection), LINES)


def _sizes(connection: psycopg.Connection) -> dict[str, float]:
    """Bytes of the predictions, of their tables alone, and of the shape scores."""
    [row] = connection.execute(
        "SELECT sum(pg_total_relation_size(relid)), sum(pg_table_size(relid)), "
        "pg_total_relation_size('logintel_internal.scores') FROM pg_partition_tree('logintel_internal.predictions')"
    ).fetchall()
    return dict(zip(("all", "table", "scores"), map(float, row), strict=True))


def _bytes_per_prediction(name: str, before: dict[str, float], after: dict[str, float], predictions: int) -> Result:
    table = (after["table"] - before["table"]) / predictions
    added = (after["all"] - before["all"]) / predictions
    parts = {"table": table, "indexes": added - table, "scores MB, not counted": after["scores"] / 1e6}
    return Result(name, added, "bytes", parts)


def _rounds(number: int) -> Iterator[list[str]]:
    """Names of the tables for each round, the first one last in the next."""
    names = itertools.cycle(TABLES)
    for _ in range(number):
        yield list(itertools.islice(names, len(TABLES)))
        next(names)


def _ratio(baseline: list[float], measured: list[float]) -> float:
    """Throughput against a baseline's: the median of the ratios of each round."""
    return statistics.median(b / m for b, m in zip(baseline, measured, strict=True))
