"""The upkeep: one call of it, and what it takes after a minute of writing into a large installation."""

import time
from collections.abc import Iterator

import psycopg
import scale
from lines import COLUMNS, LINES
from results import Failed, Result
from suite import Suite, maintain, settle

KNOWN = 1_000_000
MINUTES = 3
NEW_SHARE = 100  # one line in so many has a shape that is new
RARE_SHARE = 50  # one in so many has one of the known shapes that few lines have

_WORD = "translate(md5({}), '0123456789', 'ghijklmnop')"
_TIME = f"%(start)s + l.n * (%(end)s - %(start)s) / {KNOWN + 1}"
# Lines with shapes of their own, as a source of free text writes them.
_RARE_LINES = f"""
CREATE UNLOGGED TABLE rare AS
SELECT g AS n, level, {_WORD.format("g || ' rare'")} || ' ' || message AS message, service, source_type
FROM generate_series(1, {KNOWN}) AS g JOIN sample s ON s.n = g % {LINES} + 1"""
_RARE_SCORES = """
INSERT INTO logintel_internal.scores ({columns})
SELECT {values}
FROM rare l
JOIN sample_scores k ON k.n = l.n %% {lines} + 1
JOIN logintel_internal.scores s ON s.id = k.score_id
CROSS JOIN LATERAL logintel._shape(l.message, l.service, l.source_type, l.level, NULL, NULL) AS shape"""
_FILL_LINES = f"""
WITH filled AS (
    INSERT INTO log_entries ("timestamp", {COLUMNS})
    SELECT {_TIME}, {COLUMNS} FROM rare l ORDER BY l.n
    RETURNING id, "timestamp", message, service, source_type, level)
INSERT INTO logintel_internal.predictions (log_entry_id, score_id, "timestamp", predicted_at)
SELECT f.id, s.id, f."timestamp", f."timestamp"
FROM filled f
JOIN logintel_internal.scores s ON s.canonical
 AND s.shape_hash = logintel._shape_hash(f.message, f.service, f.source_type, f.level, NULL, NULL, (SELECT logintel._shape_seed()))"""
_MINUTE = f"""
INSERT INTO log_entries ({COLUMNS})
SELECT level, CASE WHEN random() < 1.0 / {NEW_SHARE} THEN {_WORD.format("random()::text")} || ' ' || message ELSE message END,
       service, source_type
FROM (SELECT {COLUMNS} FROM sample WHERE n BETWEEN %(first)s AND %(first)s + 999 - 1000 / {RARE_SHARE}
      UNION ALL
      SELECT {COLUMNS} FROM rare WHERE n BETWEEN %(rare)s AND %(rare)s + 1000 / {RARE_SHARE} - 1) AS l"""


def upkeep_minute(suite: Suite) -> Iterator[Result]:
    """maintain() after a minute of 1,000 lines a second, and after a minute of nothing."""
    connection = scale.large_database(suite)
    _know_rare_shapes(connection)
    busy, quiet = [], []
    for minute in range(MINUTES):
        for second in range(60):
            batch = minute * 60 + second
            connection.execute(_MINUTE, {"first": batch * 977 % (LINES - 1000) + 1, "rare": batch * 5003 + 1})
        busy.append(_parts(connection))
        quiet.append(_parts(connection))
    for name, runs in (("upkeep_minute_ms", busy), ("upkeep_quiet_ms", quiet)):
        # The sum first: the run in the middle speaks for all.
        total, parts = sorted(runs, key=lambda run: run[0])[len(runs) // 2]
        yield Result(name, total, "ms", parts)


def _know_rare_shapes(connection: psycopg.Connection) -> None:
    """Let the model set in force know KNOWN more shapes, with a line each, over the days that are there."""
    connection.execute("UPDATE logintel.settings SET value = %s WHERE name = 'known_shapes'", (str(2 * KNOWN),))
    connection.execute(_RARE_LINES)
    connection.execute("CREATE INDEX ON rare (n)")
    connection.execute("ANALYZE rare")
    own = {"shape_hash": "logintel._shape_hash(l.message, l.service, l.source_type, l.level, NULL, NULL, (SELECT logintel._shape_seed()))",
           "template": "shape.template", "canonical": "true", "at_write": "true", "scored_at": _TIME}  # fmt: skip
    columns = [name for (name,) in connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'logintel_internal.scores'::regclass "
        "AND attnum > 0 AND NOT attisdropped AND attidentity = ''")]  # fmt: skip
    values = ", ".join(own.get(name, f"s.{name}") for name in columns)
    [(start, end)] = connection.execute('SELECT min("timestamp"), now() FROM log_entries').fetchall()
    with connection.transaction():
        times = {"start": start, "end": end}
        connection.execute(_RARE_SCORES.format(columns=", ".join(columns), values=values, lines=LINES), times)
        connection.execute("ANALYZE logintel_internal.scores")
        connection.execute("SET LOCAL session_replication_role = replica")  # the log table's triggers stay out of it
        connection.execute(_FILL_LINES, times)
    settle(connection)
    [(known,)] = connection.execute("SELECT count(*) FROM logintel_internal.scores WHERE canonical").fetchall()
    if known < KNOWN:
        raise Failed(f"{known:,} shapes are known, not {KNOWN:,}")


def _parts(connection: psycopg.Connection) -> tuple[float, dict[str, float]]:
    """Milliseconds of maintain(), and of those of its tasks that took longest."""
    started = time.perf_counter()
    maintain(connection)
    milliseconds = (time.perf_counter() - started) * 1000
    longest = connection.execute("SELECT task, seconds * 1000 FROM logintel.ml_upkeep ORDER BY seconds DESC LIMIT 6").fetchall()
    return milliseconds, dict(longest)
