"""What views say, beside a count of the same made from the log table, the predictions and the queue alone.

A line is known by its log table, its key and its time. A time that is infinite, or outside the years 1 to 9999, counts as none: such
lines are told by their key only.
"""

import re
from dataclasses import dataclass

import psycopg

from support.pending_lines import LINES_AND_PREDICTIONS
from support.servers import Database

LOG_TABLE = "log_entries"

_LINES = """
line AS MATERIALIZED (
    SELECT l.id, CASE WHEN l."timestamp" >= '0001-01-01 00:00Z' AND l."timestamp" < '10000-01-01 00:00Z'
                      THEN l."timestamp" END AS time,
           logintel._shape(l.message, l.service, l.source_type, l.level, l.http_status, l.response_time_ms) AS shape
    FROM {table} l),
made AS MATERIALIZED (
    SELECT p.log_entry_id AS id, p.score_id, p."timestamp", p.predicted_at,
           (SELECT l.time FROM line l WHERE l.id = p.log_entry_id AND l.time = p."timestamp" LIMIT 1) AS time
    FROM logintel_internal.predictions p {of_table}),
line_key AS MATERIALIZED (
    SELECT k.*, CASE WHEN k.waits THEN greatest(k.lines - k.predictions, 1) ELSE 0 END AS waiting
    FROM (SELECT l.id, l.time, count(*) AS lines,
                 (SELECT count(*) FROM made m WHERE m.id = l.id AND m.time IS NOT DISTINCT FROM l.time) AS predictions,
                 EXISTS (SELECT FROM logintel_internal.pending q WHERE q.log_entry_id = l.id AND {is_of_time} {queued_of_table}) AS waits
          FROM line l GROUP BY l.id, l.time) AS k),
told AS MATERIALIZED (
    SELECT m.*, s.template, s.service, s.source_type, s.predicted_level, s.is_anomaly, s.is_correction,
           s.is_abstained,
           s.declared_level, (SELECT o.shape_hash FROM logintel_internal.scores o WHERE o.id = m.score_id) AS shape_hash
    FROM made m
    JOIN line_key k ON k.id = m.id AND k.time IS NOT DISTINCT FROM m.time
    LEFT JOIN logintel_internal._scores_now s ON s.score_id = m.score_id
    WHERE (m.time IS NOT NULL OR m."timestamp" = m.predicted_at) AND (NOT k.waits OR k.lines > 1)),
shown AS (
    SELECT t.* FROM told t
    JOIN line l ON l.id = t.id AND coalesce(l.time = t."timestamp", t."timestamp" = t.predicted_at))
"""
"""The lines, what was predicted of them, and which wait. `told` is all that views may tell of: a line that was changed
while a worker had it in hand may wait and have an outdated prediction, which counts nowhere. `shown` has it beside its
line; of a line without a time, any prediction of its key may be that has the time at which it was made."""

_LEVELS = ", ".join(
    f"count(*) FILTER (WHERE predicted_level = '{level}')" for level in ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
)
_FOUND = "count(*) FILTER (WHERE is_anomaly), count(*) FILTER (WHERE is_correction)"
_REJECTED = """EXISTS (
    SELECT FROM logintel_internal.levels v
    LEFT JOIN logintel_internal.feedback f ON f.is_current AND f.scope = 'line' AND f.log_entry_id = t.id
        AND f.shape_hash = t.shape_hash
    CROSS JOIN LATERAL logintel._truth(f, t.template, t.declared_level) AS truth
    WHERE v.level = t.declared_level AND truth.true_level = t.declared_level)"""

FIGURES: dict[str, tuple[str, str]] = {
    "ml_status (lines, predictions, pending)": (
        "SELECT lines, predictions, pending FROM logintel.ml_status",
        "SELECT coalesce(sum(lines), 0), coalesce(sum(lines - waiting), 0), coalesce(sum(waiting), 0) FROM line_key",
    ),
    "ml_status (coverage)": (
        "SELECT round(coverage::numeric, 9) FROM logintel.ml_status",
        "SELECT round(sum(lines - waiting) / nullif(sum(lines), 0), 9) FROM line_key",
    ),
    "ml_stats": (
        "SELECT predictions, anomalies, corrections, abstained, templates, shapes FROM logintel.ml_stats",
        f"""SELECT count(*), {_FOUND}, count(*) FILTER (WHERE is_abstained), count(DISTINCT template),
                   count(DISTINCT score_id) FROM told""",
    ),
    "ml_stats_by_level": (
        "SELECT level, predictions, anomalies, corrections FROM logintel.ml_stats_by_level",
        f"SELECT predicted_level, count(*), {_FOUND} FROM told GROUP BY 1",
    ),
    "ml_stats_by_service": (
        """SELECT service, source_type, predictions, errors, warnings, anomalies, corrections
           FROM logintel.ml_stats_by_service""",
        f"""SELECT service, source_type, count(*), count(*) FILTER (WHERE predicted_level IN ('ERROR', 'FATAL')),
                   count(*) FILTER (WHERE predicted_level = 'WARN'), {_FOUND} FROM told GROUP BY 1, 2""",
    ),
    "ml_stats_by_hour": (
        """SELECT time::text, predictions, debug, info, warn, error, fatal, anomalies, corrections
           FROM logintel.ml_stats_by_hour""",
        f"""SELECT date_trunc('hour', "timestamp", 'UTC')::text, count(*), {_LEVELS}, {_FOUND} FROM told
            GROUP BY date_trunc('hour', "timestamp", 'UTC')""",
    ),
    "ml_predictions": (
        """SELECT log_entry_id, "timestamp"::text FROM logintel.ml_predictions""",
        """SELECT id, "timestamp"::text FROM told""",
    ),
    "ml_recent_predictions": (
        "SELECT log_entry_id FROM logintel.ml_recent_predictions",
        "SELECT id FROM shown WHERE predicted_at >= now() - interval '24 hours'",
    ),
    "ml_anomalies": ("SELECT log_entry_id FROM logintel.ml_anomalies", "SELECT id FROM shown WHERE is_anomaly"),
    "ml_corrections": (
        "SELECT log_entry_id FROM logintel.ml_corrections",
        f"SELECT t.id FROM shown t WHERE t.is_correction AND NOT {_REJECTED}",
    ),
    "ml_corrections (lines of the template, in all log tables)": (
        "SELECT log_entry_id, template_lines FROM logintel.ml_corrections",
        f"""SELECT t.id, (SELECT count(*) FROM told o WHERE o.template = t.template) FROM shown t
            WHERE t.is_correction AND NOT {_REJECTED}""",
    ),
    "lines that neither have a prediction nor wait": (
        "",
        "SELECT id, time::text FROM line_key WHERE NOT waits AND predictions < lines",
    ),
    "lines with more predictions than one": (
        "",
        "SELECT id, time::text, predictions FROM line_key WHERE predictions > lines AND NOT waits",
    ),
    "lines whose prediction is of another shape": (
        "",
        """SELECT t.id, s.template, (l.shape).template FROM told t
           JOIN line l ON l.id = t.id AND l.time = t.time
           LEFT JOIN logintel_internal.scores s ON s.id = t.score_id
           WHERE (CASE WHEN s.evicted_txid IS NULL THEN s.template ELSE left(s.template, 200) END,
                  s.service, s.source_type, s.level, s.status_class, s.latency_bucket)
              IS DISTINCT FROM
                 (CASE WHEN s.evicted_txid IS NULL THEN (l.shape).template ELSE left((l.shape).template, 200) END,
                  (l.shape).service, (l.shape).source_type, (l.shape).level, (l.shape).status_class,
                  (l.shape).latency_bucket)""",
    ),
    "predictions outside the years 1 to 9999": (
        "",
        """SELECT id, "timestamp"::text FROM told
           WHERE "timestamp" < '0001-01-01 00:00Z' OR "timestamp" >= '10000-01-01 00:00Z'""",
    ),
}  # fmt: skip
"""Figure -> what says it, and the recount. Where nothing says it, there are to be no such rows."""

_NEITHER_PREDICTED_NOR_WAITING = "lines that neither have a prediction nor wait"
_OF_COMPARED_PARTITIONS = """
    SELECT coalesce(bool_and(a.reconciled_tables IS NULL OR a.reconciled_tables = logintel._log_table_oids(a.log_table)), true)
    FROM logintel_internal.attachments a
"""


@dataclass(frozen=True)
class Difference:
    """A figure that differs from the recount, or cannot be read."""

    figure: str
    said: str
    recounted: str

    def __str__(self) -> str:
        return f"{self.figure}: says {self.said}, recounted {self.recounted}"


class Recount:
    """Compares figures with a recount, by a session in autocommit mode: it sees what is committed."""

    def __init__(
        self, session: psycopg.Connection, table: str = LOG_TABLE, without: frozenset[str] = frozenset(),
        lines: str | None = None,
    ) -> None:  # fmt: skip
        """Count the lines of a log table; `lines` is SQL that reads them under the names of fields, else its own are."""
        self._session = session
        session.execute("SET jit = off")  # the planner takes these counts for large ones, and would compile for seconds
        self._figures = {name: queries for name, queries in FIGURES.items() if not name.startswith(tuple(without))}
        # An entry that says "changed" speaks of all lines of its key: whoever takes it scores them all.
        knows_times = session.execute("""
            SELECT EXISTS (SELECT FROM pg_attribute
                           WHERE attrelid = 'logintel_internal.pending'::regclass AND attname = 'changed')
            """).fetchone()
        is_of_time = '(q.changed OR q."timestamp" IS NOT DISTINCT FROM l.time)' if knows_times == (True,) else "true"
        [(self._knows_truncations,)] = session.execute("SELECT to_regclass('logintel_internal.truncations') IS NOT NULL")
        number = f"(SELECT a.id FROM logintel_internal.attachments a WHERE a.log_table = '{table}'::regclass)"
        [(is_only,)] = session.execute("SELECT count(*) < 2 FROM logintel_internal.attachments")
        self._table = None if is_only else table
        if not is_only:
            self._figures = {name: queries for name, queries in self._figures.items() if "all log tables" not in name}
        self._with = "WITH" + _LINES.format(
            table=lines or table, is_of_time=is_of_time,
            of_table="" if is_only else f"WHERE logintel._attachment_of(p.score_id) = {number}",
            queued_of_table="" if is_only else f"AND q.attachment_id = {number}",
        )  # fmt: skip

    def differences(self, figures: frozenset[str] | None = None) -> list[Difference] | None:
        """Return what differs among these figures, all by default; None where it cannot be told at the moment.

        That is so while somebody has locked the log table against readers, and until the upkeep has compared the lines
        of partitions that were attached or detached, which no trigger tells of. Who truncates may leave predictions of
        lines that are gone, and notes that: until somebody has compared lines and predictions, figures may have more,
        but no line may be missing.
        """
        try:
            if not self._session.execute(_OF_COMPARED_PARTITIONS).fetchone()[0]:
                return None
            names = [name for name in self._figures if figures is None or name in figures]
            is_noted = self._notes_truncations()
            if is_noted:
                names = [name for name in names if name == _NEITHER_PREDICTED_NOR_WAITING]
            found = [self._compare(name) for name in names]
        except psycopg.errors.LockNotAvailable:
            return None
        differences = [difference for difference in found if difference]
        return None if is_noted and not differences else differences

    def _notes_truncations(self) -> bool:
        if not self._knows_truncations:
            return False
        return self._session.execute("SELECT EXISTS (SELECT FROM logintel_internal.truncations)").fetchone() == (True,)

    def _compare(self, name: str) -> Difference | None:
        said_by, recounted_by = self._figures[name]
        try:
            said = self._rows(self._of_table(said_by)) if said_by else []
        except psycopg.errors.LockNotAvailable:
            raise
        except psycopg.Error as error:
            return Difference(name, f"{error.sqlstate} {error}".splitlines()[0], "what can be read")
        recounted = self._rows(f"{self._with} {recounted_by}")
        if said == recounted:
            return None
        if not said_by:
            return Difference(name, "none", _shortened(recounted))
        return Difference(name, _shortened(_without(said, recounted)), _shortened(_without(recounted, said)))

    def _of_table(self, query: str) -> str:
        """Let the views say what they say of this log table."""
        if self._table is None:
            return query
        of_table = f"(SELECT * FROM logintel.\\1 WHERE log_table = '{self._table}'::regclass) AS v"
        return re.sub(r"logintel\.(ml_\w+)", of_table, query)

    def _rows(self, query: str) -> list[str]:
        """Return rows as text: a number is the same whatever its type."""
        rows = self._session.execute(query).fetchall()
        return sorted(f"({', '.join(map(str, row))})" for row in rows)


def _without(rows: list[str], others: list[str]) -> list[str]:
    """Return the rows that the others do not have, as often as they do not."""
    others = others.copy()
    return [row for row in rows if not (row in others and not others.remove(row))]


def _shortened(rows: list[str]) -> str:
    shown = " ".join(rows[:6]) or "nothing"
    return shown if len(rows) <= 6 else f"{shown} and {len(rows) - 6} rows more"


def settle(session: psycopg.Connection) -> None:
    """Score all that waits, and do the upkeep."""
    session.execute("UPDATE logintel.settings SET value = 'inline' WHERE name = 'mode' AND value <> 'inline'")
    while session.execute("SELECT logintel.backfill()").fetchone() != (0,):
        pass
    session.execute("SELECT * FROM logintel.maintain()")


def assert_figures_add_up(db: Database, table: str = LOG_TABLE) -> None:
    """Check every figure against the rows, at once and when all that waits is scored and the upkeep has counted."""
    recount = Recount(db.connection, table)
    assert [str(difference) for difference in recount.differences() or []] == []
    settle(db.connection)
    assert recount.differences() == []
    lines = db.value(f"SELECT count(*) FROM {table}")
    assert db.execute(LINES_AND_PREDICTIONS) == [(lines, lines, 0)]
