"""Ten million predictions over thirty days: what views, inserts and retention take there."""

import functools
import itertools
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import baselines
import pgbench
import psycopg
from lines import COLUMNS, LINES, insert_select
from results import Failed, Result
from suite import Suite, dsn_of, maintain, settle

DAYS = 30
LARGE = 10_000_000
MEDIUM = 1_000_000
SMALL = 100_000
TAIL = 1000
ROUNDS = 5

FIRST_ROWS = "SELECT * FROM logintel.{} LIMIT 100"
OTHER_QUERIES = {
    "ml_stats_by_hour of a day": "SELECT * FROM logintel.ml_stats_by_hour WHERE time >= now() - interval '24 hours'",
    "ml_predictions, newest": 'SELECT * FROM logintel.ml_predictions ORDER BY "timestamp" DESC LIMIT 100',
    "ml_predictions of a line": f"SELECT * FROM logintel.ml_predictions WHERE log_entry_id = {LARGE // 2}",
}
"""What somebody asks a view first, beside its first rows."""
_OF_AN_HOUR = """SELECT * FROM logintel.{} WHERE "timestamp" >= now() - interval '1 hour' ORDER BY "timestamp" DESC LIMIT 50"""
FILTERED_QUERIES = {
    f"{view}, newest 50 of an hour": _OF_AN_HOUR.format(view)
    for view in ("ml_anomalies", "ml_corrections", "ml_recent_predictions")
} | {
    "critical in the last 5 minutes": "SELECT * FROM logintel.ml_recent_predictions "
    "WHERE severity = 'critical' AND \"timestamp\" >= now() - interval '5 minutes'"
}
"""What dashboards and alerts ask, with a filter of time."""

# In the order of time, as lines arrive.
_SAMPLE_SCORES = """
CREATE TABLE IF NOT EXISTS sample_scores AS
SELECT l.n, s.id AS score_id FROM sample l JOIN logintel_internal.scores s
    ON s.canonical AND s.shape_hash = logintel._shape_hash(l.message, l.service, l.source_type, l.level, NULL, NULL, (SELECT logintel._shape_seed()))"""
_FILL_LINES = f"""
INSERT INTO log_entries (id, "timestamp", {COLUMNS}) OVERRIDING SYSTEM VALUE
SELECT g, %(start)s + (g - %(first)s) * %(step)s, level, message, service, source_type
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS g JOIN sample s ON s.n = g %% {LINES} + 1 ORDER BY g"""
_FILL_PREDICTIONS = f"""
INSERT INTO logintel_internal.predictions (log_entry_id, score_id, "timestamp", predicted_at)
SELECT g, k.score_id, %(start)s + (g - %(first)s) * %(step)s, least(now(), %(start)s + (g - %(first)s) * %(step)s + interval '1 s')
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS g JOIN sample_scores k ON k.n = g %% {LINES} + 1 ORDER BY g"""


def views(suite: Suite) -> Iterator[Result]:
    """The first rows of every view, and other things asked of them, warm."""
    connection = large_database(suite)
    _insert_tail(connection)
    _check_counts(connection)
    names = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'logintel'::regnamespace AND relkind IN ('v', 'm') "
        "AND relname LIKE 'ml\\_%' ORDER BY relname"
    ).fetchall()
    queries = {name: FIRST_ROWS.format(name) for (name,) in names} | OTHER_QUERIES
    milliseconds = {name: _warm_milliseconds(connection, query) for name, query in queries.items()}
    slowest_first = dict(sorted(milliseconds.items(), key=lambda item: -item[1]))
    yield Result("views_10m_ms", max(milliseconds.values()), "ms, the slowest", slowest_first)


def filtered_views(suite: Suite) -> Iterator[Result]:
    """What is asked of the views of lines with a filter of time, warm: of a million lines over the same days, and of ten."""
    milliseconds = {}
    with suite.database() as small:
        _fill_and_vacuum(small, MEDIUM)
        for size, connection in (("1m", small), ("10m", large_database(suite))):
            milliseconds |= {f"{name}, {size}": _warm_milliseconds(connection, query) for name, query in FILTERED_QUERIES.items()}
    yield Result("views_filtered_ms", max(milliseconds.values()), "ms, the slowest", milliseconds)


def _insert_tail(connection: psycopg.Connection) -> None:
    """Insert what comes in between two runs of maintain(): views have to count it themselves."""
    connection.execute(f"INSERT INTO log_entries ({COLUMNS}) SELECT {COLUMNS} FROM sample WHERE n <= %s", (TAIL,))


def _check_counts(connection: psycopg.Connection) -> None:
    """Raise Failed unless the statistics count every line."""
    [counts] = connection.execute(
        "SELECT (SELECT count(*) FROM log_entries) AS rows, (SELECT count(*) FROM logintel_internal.predictions) AS stored, "
        "s.lines, s.predictions, s.predictions + s.pending AS all, (SELECT predictions FROM logintel.ml_stats) AS stats, "
        "(SELECT sum(predictions) FROM logintel.ml_stats_by_hour)::bigint AS by_hour FROM logintel.ml_status s"
    ).fetchall()
    if len(set(counts)) > 1:
        raise Failed(f"counts differ: rows, predictions, ml_status (3), ml_stats, ml_stats_by_hour are {counts}")


def _warm_milliseconds(connection: psycopg.Connection, query: str) -> float:
    milliseconds = []
    for _ in range(2 + 5):
        started = time.perf_counter()
        connection.execute(query).fetchall()
        milliseconds.append((time.perf_counter() - started) * 1000)
    return statistics.median(milliseconds[2:])


def inserts(suite: Suite) -> Iterator[Result]:
    """Insert throughput at ten million rows against the same at a hundred thousand, over the same days."""
    large = large_database(suite)
    bulk: dict[str, list[float]] = {"10m": [], "100k": []}
    one_row: dict[str, list[float]] = {"10m": [], "100k": []}
    with suite.database() as small:
        sizes = {"10m": large, "100k": small}
        for number in range(ROUNDS):
            _fill(small, SMALL)
            order = list(sizes) if number % 2 else list(reversed(sizes))
            for size in order:
                bulk[size].append(_bulk_seconds(sizes[size]))
            for size in order:
                rate = pgbench.run(sizes[size], pgbench.one_row_script("log_entries"), seconds=3)
                one_row[size].append(1 / rate)
    ratios = {"bulk": _ratio(bulk), "one row": _ratio(one_row)}
    rates = {f"bulk {size} lines/s": LINES / statistics.median(seconds) for size, seconds in bulk.items()}
    rates |= {f"one row {size} lines/s": 1 / statistics.median(seconds) for size, seconds in one_row.items()}
    yield Result("insert_10m_vs_100k", min(ratios.values()), "ratio of throughput", ratios | rates)


def _bulk_seconds(connection: psycopg.Connection) -> float:
    """Seconds to insert the sample; it is taken back, so that rounds are alike."""
    with connection.transaction(force_rollback=True):
        started = time.perf_counter()
        insert_select(connection, "log_entries")
        return time.perf_counter() - started


def _ratio(seconds: dict[str, list[float]]) -> float:
    return statistics.median(small / large for small, large in zip(seconds["100k"], seconds["10m"], strict=True))


def retention(suite: Suite) -> Iterator[Result]:
    """The maintain() that drops the oldest day's lines and predictions."""
    connection = large_database(suite)
    maintain(connection)  # what else there is to do
    [(oldest,)] = connection.execute('SELECT min("timestamp") FROM log_entries').fetchall()
    day = (oldest.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0),) * 2
    within = '"timestamp" >= %s AND "timestamp" < %s + interval \'1 day\''
    [(expected,)] = connection.execute(f"SELECT count(*) FROM log_entries WHERE {within}", day).fetchall()
    before, dead_before = _rows(connection), _dead_rows(connection)
    connection.execute("UPDATE logintel.settings SET value = %s WHERE name = 'retention_days'", (str(DAYS - 2),))
    started = time.perf_counter()
    maintain(connection)
    milliseconds = (time.perf_counter() - started) * 1000
    after, dead_after = _rows(connection), _dead_rows(connection)
    gone = tuple(b - a for b, a in zip(before, after, strict=True))
    if gone != (expected, expected):
        raise Failed(f"{gone[0]:,} lines and {gone[1]:,} predictions went, not {expected:,} each")
    if dead_after > dead_before:
        raise Failed(f"the remaining partitions have {dead_after - dead_before:,} dead rows more than before")
    [remaining] = connection.execute("SELECT lines, predictions FROM logintel.ml_status").fetchall()
    if remaining != after:
        raise Failed(f"ml_status counts {remaining} lines and predictions, there are {after}")
    yield Result("retention_day_ms", milliseconds, "ms", {"lines": expected, "dead rows": dead_after - dead_before})


def _rows(connection: psycopg.Connection) -> tuple[int, int]:
    return connection.execute(
        "SELECT (SELECT count(*) FROM log_entries), (SELECT count(*) FROM logintel_internal.predictions)"
    ).fetchone()


def _dead_rows(connection: psycopg.Connection) -> int:
    connection.execute("SELECT pg_stat_force_next_flush()")
    connection.execute("SELECT pg_stat_clear_snapshot()")
    [(dead,)] = connection.execute(
        "SELECT coalesce(sum(s.n_dead_tup), 0)::bigint FROM pg_stat_user_tables s WHERE s.relid IN (SELECT relid "
        "FROM pg_partition_tree('log_entries') UNION ALL SELECT relid FROM pg_partition_tree('logintel_internal.predictions'))"
    ).fetchall()
    return dead


@functools.cache
def large_database(suite: Suite) -> psycopg.Connection:
    """Make the database of ten million lines when it is first asked for."""
    connection = suite.kept_database()
    _fill_and_vacuum(connection, LARGE)
    return connection


def _fill_and_vacuum(connection: psycopg.Connection, rows: int) -> None:
    _fill(connection, rows)
    partitions = connection.execute(
        "SELECT relid::regclass::text FROM (SELECT * FROM pg_partition_tree('log_entries') "
        "UNION ALL SELECT * FROM pg_partition_tree('logintel_internal.predictions')) AS t WHERE isleaf"
    ).fetchall()
    # What autovacuum would have done by then: it visits partitions, never the table that they belong to.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda row: _execute(dsn_of(connection), f"VACUUM ANALYZE {row[0]}"), partitions))
    settle(connection)


def _fill(connection: psycopg.Connection, rows: int) -> None:
    """Make log_entries and predictions hold `rows` lines of the last DAYS days, today included, as if scored then."""
    baselines.empty(connection)
    now = datetime.now(UTC)
    first_day = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    connection.execute("SELECT logintel.create_partitions(%s, %s)", (first_day.date(), now.date()))
    connection.execute(_SAMPLE_SCORES)
    step = (now - first_day) / rows
    bounds = [first_day + timedelta(days=day) for day in range(DAYS)] + [now]
    firsts = [round((bound - first_day) / step) + 1 for bound in bounds]
    days = [
        {"start": first_day + (first - 1) * step, "step": step, "first": first, "last": following - 1}
        for first, following in itertools.pairwise(firsts)
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda day: _fill_day(dsn_of(connection), day), days))
    connection.execute("SELECT setval(pg_get_serial_sequence('log_entries', 'id'), %s)", (rows,))


def _fill_day(dsn: str, day: dict) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection, connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")  # the triggers stay out of it
        connection.execute(_FILL_LINES, day)
        connection.execute(_FILL_PREDICTIONS, day)


def _execute(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement)
