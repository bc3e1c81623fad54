"""What the first insert of a new connection costs: time, and private memory of the server process."""

import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
from lines import COLUMNS
from results import Failed, Result
from suite import Suite, dsn_of

ROUNDS = 17
WARM_UP = 2
AT_ONCE = 200
SHARE_OF_MEMORY = 0.7
"""Of what is free, at most this is taken by the connections that are open at once."""


def connections(suite: Suite) -> Iterator[Result]:
    """First inserts of new connections, and many at once, with the default models."""
    with suite.database("defaults") as connection:
        known = connection.execute(f"SELECT {COLUMNS} FROM sample ORDER BY md5(n::text) LIMIT %s", (ROUNDS,)).fetchall()
        firsts: dict[str, list[tuple[float, float]]] = {"none": [], "noop": [], "known": [], "new": []}
        for number, line in enumerate(known):
            firsts["none"].append(_first_insert(dsn_of(connection), "log_entries_none", line))
            firsts["noop"].append(_first_insert(dsn_of(connection), "log_entries_noop", line))
            firsts["known"].append(_first_insert(dsn_of(connection), "log_entries", line))
            firsts["new"].append(_first_insert(dsn_of(connection), "log_entries", _new_line(f"first {number}")))
        ms, mb = ({name: statistics.median(first[i] for first in values[WARM_UP:]) for name, values in firsts.items()}
                  for i in (0, 1))  # fmt: skip
        yield Result("connect_known_ms", ms["known"] - ms["noop"], "ms over noop", ms)
        yield Result("connect_known_mb", mb["known"] - mb["noop"], "MB over noop", mb)
        yield Result("connect_new_ms", ms["new"] - ms["noop"], "ms over noop", {"noop": ms["noop"]})
        yield Result("connect_new_mb", mb["new"] - mb["noop"], "MB over noop", {"noop": mb["noop"]})
        yield from _many_at_once(connection, mb["new"])


def _new_line(key: str) -> tuple[str, str, str, str]:
    """Return a line with a shape that nobody has: a word of letters made from `key`."""
    word = "".join(chr(ord("a") + int(digit, 16)) for digit in key.encode().hex())
    return "INFO", f"worker {word} has lost its lease", "bench", "bench"


def _first_insert(dsn: str, table: str, line: tuple) -> tuple[float, float]:
    """Connect and insert a line: milliseconds of the insert, and megabytes of private memory after it."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        started = time.perf_counter()
        connection.execute(f"INSERT INTO {table} ({COLUMNS}) VALUES (%s, %s, %s, %s)", line)
        seconds = time.perf_counter() - started
        return seconds * 1000, private_memory(connection.info.backend_pid)


def private_memory(pid: int) -> float:
    """Return the megabytes that a process shares with no other one."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError as error:
        raise Failed(f"the memory of a server process cannot be read: {error}") from None
    lines = (line.split() for line in rollup.splitlines())
    return sum(int(words[1]) for words in lines if words[0] in ("Private_Clean:", "Private_Dirty:")) / 1024


def _many_at_once(connection: psycopg.Connection, mb_each: float) -> Iterator[Result]:
    """New connections that insert a new shape each at the same moment, and stay open until all have."""
    number = min(AT_ONCE, int(_free_memory() * SHARE_OF_MEMORY / mb_each))
    together, all_inserted = threading.Barrier(number), threading.Event()
    pids: list[int] = []
    seconds: list[float] = []

    def insert(index: int) -> None:
        with psycopg.connect(dsn_of(connection), autocommit=True) as own:
            pids.append(own.info.backend_pid)
            together.wait(timeout=60)
            started = time.perf_counter()
            own.execute(f"INSERT INTO log_entries ({COLUMNS}) VALUES (%s, %s, %s, %s)", _new_line(f"many {index}"))
            seconds.append(time.perf_counter() - started)
            all_inserted.wait()

    [(before,)] = connection.execute("SELECT count(*) FROM logintel_internal.predictions").fetchall()
    with ThreadPoolExecutor(number) as pool:
        futures = [pool.submit(insert, index) for index in range(number)]
        peak = 0.0
        waiting = True
        while waiting:
            time.sleep(0.5)
            waiting = len(seconds) < number and not any(future.done() for future in futures)  # one that is done failed
            peak = max(peak, sum(map(private_memory, list(pids))))
        all_inserted.set()
    for future in futures:
        future.result()
    [(after,)] = connection.execute("SELECT count(*) FROM logintel_internal.predictions").fetchall()
    if after - before != number:
        raise Failed(f"{after - before} of {number} first inserts were scored")
    found = {"connections": number, "mean MB": peak / number}
    yield Result("connect_200", peak, "MB at most, together", found)
    yield Result("connect_200_ms", max(seconds) * 1000, "ms, the slowest of the first inserts", found)


def _free_memory() -> float:
    """Return the megabytes that the machine can still give."""
    [line] = [line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:")]
    return int(line.split()[1]) / 1024
