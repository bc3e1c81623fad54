"""What logintel costs those who must not be kept from writing: transactions that fail, locks that are held, waits."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import psycopg
from results import Result
from suite import Suite, dsn_of, maintain

SESSIONS = 8
SECONDS = 10
DAYS = 1_108
EXPIRED = 120
_DIGITS = str.maketrans("0123456789", "ghijklmnop")


def serializable(suite: Suite) -> Iterator[Result]:
    """Sessions at SERIALIZABLE that write one line of a new shape a transaction; for comparison, the noop trigger."""
    with suite.database("defaults") as connection:
        failed = {table: _share_that_fails(connection, table) for table in ("log_entries_noop", "log_entries")}
        waiting, lines = connection.execute("SELECT pending, lines FROM logintel.ml_status").fetchone()
    yield Result("serializable_failed_over_noop", 100 * (failed["log_entries"][0] - failed["log_entries_noop"][0]), "% of transactions",
                 {"with logintel": 100 * failed["log_entries"][0], "noop": 100 * failed["log_entries_noop"][0],
                  "transactions": failed["log_entries"][1], "left waiting": waiting, "lines": lines})  # fmt: skip


def _share_that_fails(connection: psycopg.Connection, table: str) -> tuple[float, int]:
    def write(number: int) -> tuple[int, int]:
        tried = failed = 0
        with psycopg.connect(dsn_of(connection)) as session:
            session.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                tried += 1
                shape = f"job {number} {tried}".translate(_DIGITS)
                try:
                    session.execute(f"INSERT INTO {table} (level, message) VALUES ('INFO', %s)", (f"{shape} has failed",))
                    session.commit()
                except psycopg.errors.SerializationFailure:
                    failed += 1
                    session.rollback()
        return tried, failed

    with ThreadPoolExecutor(SESSIONS) as pool:
        counts = list(pool.map(write, range(SESSIONS)))
    tried = sum(count for count, _ in counts)
    return sum(count for _, count in counts) / tried, tried


def locks(suite: Suite) -> Iterator[Result]:
    """Locks that an open transaction holds after it wrote one line, where lines and predictions have many days."""
    with suite.database("defaults") as connection:
        few = _locks_held(connection)
        for first, last in ((DAYS - 9, DAYS // 2 + 1), (DAYS // 2, 1)):  # one transaction has no locks for all of them
            connection.execute("SELECT logintel.create_partitions(current_date - %s, current_date - %s)", (first, last))
        yield Result("locks_new_shape", _locks_held(connection), "locks", {"with 9 days": few, "days": DAYS})


def _locks_held(connection: psycopg.Connection) -> int:
    with psycopg.connect(dsn_of(connection)) as session:
        session.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', 'nobody has ever seen this before')")
        [(held,)] = session.execute("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()").fetchall()
        session.rollback()
    return held


def dropping_days(suite: Suite) -> Iterator[Result]:
    """The longest wait of a writer while an upkeep drops many expired days; for comparison, without one."""
    with suite.database("defaults") as connection:
        connection.execute("SELECT logintel.create_partitions(current_date - %s, current_date)", (EXPIRED + 9,))
        connection.execute(
            "INSERT INTO log_entries (level, message, timestamp) SELECT 'INFO', 'job ' || d || ' has failed', now() - d * interval '1 day' "
            "FROM generate_series(1, %s) d, generate_series(1, 200)", (EXPIRED + 9,),
        )  # fmt: skip
        maintain(connection)
        quiet, _ = _longest_insert(connection, lambda: time.sleep(5))
        connection.execute("UPDATE logintel.settings SET value = '9' WHERE name = 'retention_days'")
        longest, seconds = _longest_insert(connection, lambda: maintain(connection))
        [(dropped,)] = connection.execute("SELECT done FROM logintel.ml_upkeep WHERE task = 'drop days'").fetchall()
    yield Result("drop_days_wait_ms", longest, "ms", {"without": quiet, "days": dropped, "maintain() s": seconds})


def _longest_insert(connection: psycopg.Connection, meanwhile: Callable[[], object]) -> tuple[float, float]:
    """Insert lines one by one while something is done; return the longest time in ms, and the seconds that it took."""
    ended = Event()

    def write() -> float:
        longest = 0.0
        with psycopg.connect(dsn_of(connection), autocommit=True) as session:
            for _ in range(20):  # plans are made
                session.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', 'job 1 has failed')")
            while not ended.is_set():
                began = time.perf_counter()
                session.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', 'job 1 has failed')")
                longest = max(longest, time.perf_counter() - began)
                time.sleep(0.001)
        return longest * 1000

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        time.sleep(0.5)
        began = time.perf_counter()
        meanwhile()
        seconds = time.perf_counter() - began
        ended.set()
        return writing.result(), seconds
