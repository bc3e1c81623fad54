"""What has to hold when all sessions have ended: nothing lost, nothing twice, all counts the same."""

import re
from collections.abc import Iterable
from pathlib import Path

import psycopg
from journal import Journal
from mixtures import WORDS
from writers import Writer

_ZERO = {
    "nothing is pending": "SELECT count(*) FROM logintel_internal.pending",
    "every line has a prediction": """
        SELECT count(*) FROM logintel.log_lines l
        WHERE NOT EXISTS (SELECT FROM logintel_internal.predictions p WHERE p.log_entry_id = l.id)""",
    "no line has two predictions": "SELECT count(*) - count(DISTINCT log_entry_id) FROM logintel_internal.predictions",
    "no prediction without a line": """
        SELECT count(*) FROM logintel_internal.predictions p
        WHERE NOT EXISTS (SELECT FROM logintel.log_lines l WHERE l.id = p.log_entry_id)""",
    "lines = predictions": """
        SELECT (SELECT count(*) FROM logintel.log_lines) - (SELECT count(*) FROM logintel_internal.predictions)""",
    "a prediction has the time of its line": """
        SELECT count(*) FROM logintel_internal.predictions p JOIN logintel.log_lines l ON l.id = p.log_entry_id
        WHERE NOT logintel._is_time_of(l."timestamp", p."timestamp", p.predicted_at)""",
    "a prediction's score is of the line's shape": """
        SELECT count(*), min(format('line %s: %s', l.id, left(l.message, 60))) FROM logintel_internal.predictions p
        LEFT JOIN logintel_internal.scores s ON s.id = p.score_id
        LEFT JOIN logintel_internal.scores r ON r.id = s.rescored_id
        LEFT JOIN logintel.log_lines l ON l.id = p.log_entry_id
        WHERE s.shape_hash IS DISTINCT FROM
              logintel._shape_hash(l.message, l.service, l.source_type, l.level, l.http_status, l.response_time_ms, logintel._shape_seed())
           OR r.shape_hash <> s.shape_hash OR (r.id IS NULL AND s.rescored_id IS NOT NULL)""",
    "a score names the shape that its lines have": """
        SELECT count(*), min((
            SELECT format('line %s: ', l.id) || string_agg(format('%s is %s, not %s', key, left(to_json(to_jsonb(s) ->> key)::text, 60),
                                                                  left(to_json(value)::text, 60)), ', ')
            FROM jsonb_each_text(to_jsonb(h)) WHERE value IS DISTINCT FROM to_jsonb(s) ->> key))
        FROM logintel_internal.predictions p
        JOIN logintel_internal.scores s ON s.id = p.score_id
        JOIN logintel.log_lines l ON l.id = p.log_entry_id
        CROSS JOIN LATERAL logintel._shape(l.message, l.service, l.source_type, l.level, l.http_status, l.response_time_ms) h
        WHERE (CASE WHEN s.evicted_txid IS NULL THEN s.template ELSE left(s.template, 200) END,
               s.service, s.source_type, s.level, s.status_class, s.latency_bucket)
           IS DISTINCT FROM (CASE WHEN s.evicted_txid IS NULL THEN h.template ELSE left(h.template, 200) END,
               h.service, h.source_type, h.level, h.status_class, h.latency_bucket)""",
    "all scores of one set and shape say the same": """
        SELECT count(*) FROM (
            SELECT FROM logintel_internal.scores GROUP BY model_set_id, shape_hash
            HAVING count(DISTINCT (predicted_level, round(level_confidence::numeric, 4),
                                   round(anomaly_score::numeric, 4), anomaly_type)) > 1) AS d""",
    "every score is complete": """
        SELECT count(*) FROM logintel_internal.scores
        WHERE predicted_level IS NULL OR level_confidence IS NULL OR anomaly_score IS NULL
           OR level_confidence NOT BETWEEN 0 AND 1 OR anomaly_score NOT BETWEEN -1e-6 AND 1.000001""",
    "hourly_counts = recount": """
        SELECT count(*) FROM (SELECT hour, score_id, lines FROM logintel_internal.hourly_counts WHERE lines <> 0) h
        FULL JOIN (SELECT date_trunc('hour', "timestamp", 'UTC') AS hour, score_id, count(*) AS lines
                   FROM logintel_internal.predictions GROUP BY 1, 2) p USING (hour, score_id)
        WHERE h.lines IS DISTINCT FROM p.lines""",
    "score_totals = recount": """
        SELECT count(*) FROM (SELECT score_id, lines FROM logintel_internal.score_totals WHERE lines <> 0) t
        FULL JOIN (SELECT score_id, count(*) AS lines FROM logintel_internal.predictions GROUP BY 1) p USING (score_id)
        WHERE t.lines IS DISTINCT FROM p.lines""",
    "ml_stats = predictions": """
        SELECT (SELECT predictions FROM logintel.ml_stats) - (SELECT count(*) FROM logintel_internal.predictions)""",
    "ml_stats_by_hour = predictions": """
        SELECT (SELECT coalesce(sum(predictions), 0) FROM logintel.ml_stats_by_hour) - (SELECT count(*) FROM logintel_internal.predictions)""",
    "ml_stats_by_level = predictions": """
        SELECT count(*) FROM logintel.ml_stats_by_level s
        FULL JOIN (SELECT predicted_level AS level, count(*) AS n FROM logintel.ml_predictions GROUP BY 1) p USING (level)
        WHERE s.predictions IS DISTINCT FROM p.n""",
    "ml_stats_by_service = predictions": """
        SELECT (SELECT coalesce(sum(predictions), 0) FROM logintel.ml_stats_by_service) - (SELECT count(*) FROM logintel_internal.predictions)""",
    "ml_status = recount": """
        SELECT count(*) FROM logintel.ml_status
        WHERE (lines, predictions, pending) IS DISTINCT FROM
              ((SELECT count(*) FROM log_entries), (SELECT count(*) FROM logintel_internal.predictions), 0)""",
    "one canonical score a known shape": """
        SELECT count(*) FROM (SELECT FROM logintel_internal.scores WHERE evicted_txid IS NULL
                              GROUP BY model_set_id, shape_hash HAVING count(*) FILTER (WHERE canonical) <> 1) AS d""",
    "no lines are queued or removed by reconcile()": """
        SELECT coalesce(sum(done), 0) FROM logintel.reconcile() WHERE task <> 'counts corrected'""",
}
"""Promise -> query for a number that has to be 0, and perhaps an example of what it counts."""

_SAYS = """
    SELECT count(*), min(s.template || ': ' || s.predicted_level) FROM logintel_internal.scores s
    JOIN logintel_internal.model_sets m ON m.id = s.model_set_id AND m.model_version ~ %(version)s
    WHERE s.evicted_txid IS NULL AND s.template ~ ('(^| )' || %(word)s || '( |$)')
      AND NOT EXISTS (SELECT FROM unnest(%(words)s::text[]) AS w WHERE w <> %(word)s AND s.template ILIKE '%%' || w || '%%')
      AND s.predicted_level <> %(level)s
"""
_SIZES = ("log_entries", "logintel_internal.predictions", "logintel_internal.scores", "logintel_internal.pending", "logintel_internal.removed_predictions",
          "logintel_internal.hourly_counts", "logintel_internal.score_totals")  # fmt: skip
_NEVER_LOGGED = re.compile(
    r"PANIC:|TRAP:|segfault|signal 11|signal 6\b|could not (?:read|write|access)|invalid page|deadlock"
)


def settle(connection: psycopg.Connection, journal: Journal) -> None:
    """Score what waits, maintain twice, and let history be read as the models in force score it."""
    connection.execute("UPDATE logintel.settings SET value = 'inline' WHERE name = 'mode'")
    while True:
        [(lines,)] = connection.execute("SELECT logintel.backfill()").fetchall()
        journal.count("at the end: lines scored", lines)
        if not lines:
            break
    for _ in range(2):
        connection.execute("SELECT * FROM logintel.maintain()")
    while connection.execute("SELECT logintel.rescore()").fetchone() != (0,):
        journal.count("at the end: calls of rescore")
    connection.execute("SELECT * FROM logintel.maintain()")


def check_counts(connection: psycopg.Connection, journal: Journal) -> dict[str, str]:
    """Check the database alone; return promise -> outcome."""
    outcomes = {}
    for promise, query in _ZERO.items():
        number, *example = connection.execute(query).fetchone()
        outcomes[promise] = "holds" if number == 0 else f"broken: {number}"
        if number != 0:
            journal.broke(promise, " ".join([f"off by {number}", *map(str, example)]))
    return outcomes


def check_ledgers(connection: psycopg.Connection, writers: Iterable[Writer], journal: Journal) -> dict[str, str]:
    """Compare what writers were told with what is there; return promise -> outcome."""
    rows = connection.execute("SELECT log_id, host FROM log_entries").fetchall()
    if len(rows) != len(dict(rows)):
        journal.broke("a line is there once", f"{len(rows) - len(dict(rows))} lines are there twice")
    of_writer: dict[str, dict[str, str]] = {}
    for marker, revision in rows:
        of_writer.setdefault(marker.rsplit(" ", 1)[0], {})[marker] = revision
    acknowledged = wrong = unknown = 0
    for writer in writers:
        missing, strange = writer.ledger.differences(of_writer.get(writer.name, {}))
        acknowledged += len(writer.ledger.lines)
        wrong, unknown = wrong + len(missing), unknown + len(strange)
        if missing:
            journal.broke("acknowledged lines are there", f"{writer.name}: {len(missing)} are not, {missing[:3]}")
        if strange:
            journal.broke("no line of a rolled back transaction", f"{writer.name}: {len(strange)}, {strange[:3]}")
    return {
        f"{acknowledged:,} acknowledged lines are there": "hold" if not wrong else f"broken: {wrong}",
        "no line of a rolled back transaction": "holds" if not unknown else f"broken: {unknown}",
    }


def check_scores(connection: psycopg.Connection, levels: list[dict[str, str]], journal: Journal) -> dict[str, str]:
    """Check that scores say what their models say; `levels`: word -> level of each version of the level model."""
    wrong = 0
    for version, said in enumerate(levels, 1):
        for word, level in said.items():
            values = {"version": rf"level {version}\M", "word": word, "words": list(WORDS), "level": level}
            [(number, example)] = connection.execute(_SAYS, values).fetchall()
            wrong += number
            if number:
                journal.broke("a score says what its models say", f"{number} of level {version}, such as {example}")
    return {"a score says what its models say": "holds" if not wrong else f"broken: {wrong}"}


def check_log(log: Path, journal: Journal, killed_backends: int) -> dict[str, str]:
    """Check the server's own log: nothing crashed that was not killed; return promise -> outcome."""
    text = log.read_text(errors="replace")
    bad = [line for line in text.splitlines() if _NEVER_LOGGED.search(line)]
    crashes = len(re.findall(r"server process \(PID \d+\) was terminated by signal 9", text))
    if bad:
        journal.broke("the server's log is clean", f"{len(bad)} lines, such as {bad[0]}")
    if crashes != killed_backends:
        journal.broke("only killed backends crash", f"{crashes} crashes, {killed_backends} were killed")
    errors = re.findall(r"(?:ERROR|WARNING|FATAL): +(.*)", text)
    for error in errors:
        journal.count("server log: " + re.sub(r"\d+", "N", error)[:110])
    return {"the server's log is clean": "holds" if not bad and crashes == killed_backends else "broken"}


def sizes(connection: psycopg.Connection) -> list[tuple[str, int, float]]:
    """Table, rows and MB with indexes, of each table that could grow without bound."""
    measured = []
    for table in _SIZES:
        [(rows,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
        [(size,)] = connection.execute(
            "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(%s)", (table,)
        ).fetchall()
        if size is None:
            [(size,)] = connection.execute("SELECT pg_total_relation_size(%s)", (table,)).fetchall()
        measured.append((table, rows, float(size) / 2**20))
    return measured
