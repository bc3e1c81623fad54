"""Re-scoring history after a deployment, against running the models on every line of it."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence

import psycopg
from lines import COLUMNS, INSERT_NEW, LINES, insert_select
from results import Failed, Result
from suite import Suite, dsn_of, maintain

from logintel_server import runtime, tokens

HISTORY = 1_000_000
MANY_SHAPES = 90_000  # below the setting known_shapes, so that none of them is evicted
BRUTE_FORCE = 100_000
QUIET_SECONDS = 3
_SHAPES = """
    SELECT s.template, s.service, s.source_type, s.level, s.status_class, s.latency_bucket, logintel.normalize_level(l.level)
    FROM log_entries l
    CROSS JOIN LATERAL logintel._shape(l.message, l.service, l.source_type, l.level, l.http_status, l.response_time_ms) AS s
    LIMIT %s"""


def rescoring(suite: Suite) -> Iterator[Result]:
    """Deploy another version over a million predictions and re-score them, while lines are inserted."""
    yield from _rescoring(suite, "rescore", 0)
    yield from _rescoring(suite, "rescore_many_shapes", MANY_SHAPES)


def _rescoring(suite: Suite, name: str, new_shapes: int) -> Iterator[Result]:
    """Re-score a history of real lines in which `new_shapes` lines have shapes of their own."""
    with suite.database() as connection:
        connection.execute(INSERT_NEW.format("log_entries"), (name, new_shapes))
        for _ in range(HISTORY // LINES):
            insert_select(connection, "log_entries")
        brute_force = _brute_force_seconds(connection)
        maintain(connection)
        connection.execute("VACUUM ANALYZE")
        register_next_version(connection, "level")
        with _Inserting(dsn_of(connection)) as inserting:
            time.sleep(QUIET_SECONDS)
            quiet_ms = inserting.longest_ms()
            started = time.perf_counter()
            connection.execute("SELECT logintel.deploy('level')")
            deployed = time.perf_counter()
            shapes = 0
            while rescored := connection.execute("SELECT logintel.rescore()").fetchone()[0]:
                shapes += rescored
            seconds = time.perf_counter() - started
        longest_ms = inserting.longest_ms()
        _check_rescored(connection)
    yield Result(f"{name}_vs_brute_force", brute_force / seconds, "ratio of time",
                 {"brute force s, from a part": brute_force, "deploy s": deployed - started,
                  "deploy and rescore s": seconds, "shapes": shapes})  # fmt: skip
    yield Result(f"{name}_max_insert_ms", longest_ms, "ms", {"before the deployment": quiet_ms})


def _brute_force_seconds(connection: psycopg.Connection) -> float:
    """Seconds to read a million lines and run the models in force on each, without writing anything back.

    Taken from the first BRUTE_FORCE lines: what a line costs does not depend on their number.
    """
    models = [
        runtime.open_model(name, f"{name} {version}", onnx, metadata)
        for name, version, onnx, metadata in connection.execute(
            "SELECT m.name, m.version, m.onnx, m.metadata FROM logintel_internal.models m "
            "JOIN logintel.ml_models d USING (name, version) WHERE d.state = 'in force'"
        )
    ]
    started = time.perf_counter()
    with connection.transaction(), connection.cursor("lines") as cursor:
        cursor.execute(_SHAPES, (BRUTE_FORCE,))
        while rows := cursor.fetchmany(runtime.MAX_SHAPES * 20):
            for first in range(0, len(rows), runtime.MAX_SHAPES):
                columns = _columns(rows[first : first + runtime.MAX_SHAPES])
                for model in models:
                    model.run(columns)
    return (time.perf_counter() - started) * HISTORY / BRUTE_FORCE


def _columns(rows: Sequence[tuple]) -> Mapping[str, list[str]]:
    made = [tokens.features(dict(zip(tokens.SHAPE_FIELDS, row, strict=False)), row[-1]) for row in rows]
    return {name: [features[name] for features in made] for name in tokens.FEATURES}


def register_next_version(connection: psycopg.Connection, name: str) -> None:
    """Register a version with the same graph: its scores are new to the server, and cost what they cost before."""
    connection.execute(
        "SELECT logintel.import_model(m.name, m.onnx, m.metadata, m.golden) FROM logintel_internal.models m WHERE m.name = %s",
        (name,),
    )


def _check_rescored(connection: psycopg.Connection) -> None:
    """Raise Failed unless every line is read as the models in force score it."""
    [(lines, others)] = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE p.model_version IS DISTINCT FROM s.models) "
        "FROM logintel.ml_predictions p CROSS JOIN (SELECT models FROM logintel.ml_status) AS s"
    ).fetchall()
    if others or lines < HISTORY:
        raise Failed(f"{others:,} of {lines:,} predictions were not re-scored")


class _Inserting:
    """Inserts a line of the sample every few milliseconds, on a connection of its own, and notes the longest wait."""

    def __init__(self, dsn: str):
        self._connection = psycopg.connect(dsn, autocommit=True)
        self._longest = 0.0
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "_Inserting":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._connection.close()

    def longest_ms(self) -> float:
        """Return the longest insert since the last call. Raises what ended the loop."""
        if self._error:
            raise self._error
        longest, self._longest = self._longest, 0.0
        return longest * 1000

    def _run(self) -> None:
        try:
            [(lines,)] = self._connection.execute("SELECT count(*) FROM sample").fetchall()
            number = 0
            while not self._stop.wait(0.002):
                number = (number + 7919) % lines  # a prime: lines from all over the sample
                started = time.perf_counter()
                self._connection.execute(
                    f"INSERT INTO log_entries ({COLUMNS}) SELECT {COLUMNS} FROM sample WHERE n = %s", (number + 1,)
                )
                self._longest = max(self._longest, time.perf_counter() - started)
        except psycopg.Error as error:
            self._error = error
