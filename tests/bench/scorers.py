"""SQL against onnxruntime inside the same server: what scoring shapes costs, and what the rows of a linear model do."""

import time
from collections.abc import Iterator

import psycopg
from lines import SELECT_NEW
from results import Result
from suite import Suite

from logintel.training import default_models

BATCHES = (1, 8, 32, 256)
SHAPES = 1024
ROUNDS = 7

_SHAPES = f"""
CREATE TEMP TABLE shapes AS
SELECT ROW(array_agg(l.n), array_agg((l.shape).template), array_agg((l.shape).service), array_agg((l.shape).source_type),
              array_agg((l.shape).level), array_agg((l.shape).status_class), array_agg((l.shape).latency_bucket), NULL
             )::logintel._shapes AS batch
FROM (SELECT row_number() OVER () AS n, logintel._shape(s.message, s.service, s.source_type, s.level, NULL, NULL) AS shape
      FROM ({SELECT_NEW}) AS s (level, message, service, source_type)) AS l
GROUP BY l.n / %s
"""
_SCORERS = {
    "sql": "SELECT count(logintel._score_in_sql(logintel._lanes(%s), batch)) FROM shapes",
    "onnx": "SELECT count(logintel._python_scores(%s, batch)) FROM shapes",
}


def one_new(suite: Suite) -> Iterator[Result]:
    """New shapes in a warm session, by SQL and by onnxruntime in turns: the least of several rounds each."""
    with suite.database("defaults") as connection:
        us = _microseconds(connection)
        ratios = {f"{size} at once": us["onnx", size] / us["sql", size] for size in BATCHES}
        microseconds = {f"µs {scorer}, {size} at once": value for (scorer, size), value in us.items()}
        yield Result("one_new_vs_onnx", us["onnx", 1] / us["sql", 1], "ratio of time", ratios | microseconds)


def _microseconds(connection: psycopg.Connection) -> dict[tuple[str, int], float]:
    [(in_force,)] = connection.execute("SELECT logintel._set_in_force()").fetchall()
    least: dict[tuple[str, int], float] = {}
    for size in BATCHES:
        connection.execute("DROP TABLE IF EXISTS pg_temp.shapes")
        connection.execute(_SHAPES, ("scorers", SHAPES, size))
        for _ in range(ROUNDS):
            for scorer, query in _SCORERS.items():
                started = time.perf_counter()
                connection.execute(query, (in_force,))
                took = (time.perf_counter() - started) * 1e6 / SHAPES
                least[scorer, size] = min(took, least.get((scorer, size), took))
    return least


def linear_model(suite: Suite) -> Iterator[Result]:
    """What the rows of a version take: of the largest default model, registered once more."""
    model = default_models.model("category")
    with suite.database("defaults") as connection, connection.transaction(force_rollback=True):
        [(before,)] = connection.execute(_SIZE).fetchall()
        connection.execute("INSERT INTO logintel_internal.models (name, version, onnx, sha256, metadata, golden) "
                           "SELECT name, 99, onnx, sha256, metadata, golden FROM logintel_internal.models WHERE name = 'category'")
        started = time.perf_counter()
        connection.execute("SELECT logintel._make_linear(id) FROM logintel_internal.models WHERE version = 99")
        seconds = time.perf_counter() - started
        [(after,)] = connection.execute(_SIZE).fetchall()
        size = {"graph MB": len(model.onnx) / 1e6}
        yield Result("linear_model_mb", float(after - before) / 1e6, "MB of rows and index", size)
        yield Result("linear_model_s", seconds, "s from the graph to the rows", size)


_SIZE = "SELECT pg_total_relation_size('logintel_internal.linear_weights')"
