"""Sessions that watch: memory and waiting of the others, and whether counts add up while everything goes on."""

import psycopg
from disturbances import Operator
from memory import Sample, private_mb
from sessions import PREFIX, Soak

_AUDITS = {
    "every line is scored or waits": """
        SELECT 'line ' || l.id || ' is neither in predictions nor in pending' FROM logintel.log_lines l
        WHERE NOT EXISTS (SELECT FROM logintel_internal.predictions p WHERE p.log_entry_id = l.id)
          AND NOT EXISTS (SELECT FROM logintel_internal.pending q WHERE q.log_entry_id = l.id) LIMIT 1""",
    "a line that does not wait has one prediction": """
        SELECT 'line ' || p.log_entry_id || ' has ' || count(*) FROM logintel_internal.predictions p
        WHERE NOT EXISTS (SELECT FROM logintel_internal.pending q WHERE q.log_entry_id = p.log_entry_id)
        GROUP BY p.log_entry_id HAVING count(*) > 1 LIMIT 1""",
    "no prediction without a line, save one that waits to be removed": """
        SELECT 'prediction of line ' || p.log_entry_id FROM logintel_internal.predictions p
        WHERE NOT EXISTS (SELECT FROM logintel.log_lines l WHERE l.id = p.log_entry_id)
          AND NOT EXISTS (SELECT FROM logintel_internal.pending q WHERE q.log_entry_id = p.log_entry_id) LIMIT 1""",
    "ml_stats agrees with the predictions at any moment": """
        SELECT 'ml_stats: ' || s.predictions || ', predictions: ' || p.n FROM logintel.ml_stats s,
            (SELECT count(*) AS n FROM logintel_internal.predictions p WHERE NOT EXISTS (
                SELECT FROM logintel_internal.pending q WHERE q.changed AND q.log_entry_id = p.log_entry_id)) p WHERE s.predictions <> p.n""",
    "ml_stats_by_hour agrees with the predictions at any moment": """
        SELECT 'ml_stats_by_hour: ' || h.n || ', predictions: ' || p.n
        FROM (SELECT coalesce(sum(predictions), 0) AS n FROM logintel.ml_stats_by_hour) h,
             (SELECT count(*) AS n FROM logintel_internal.predictions p WHERE NOT EXISTS (
                SELECT FROM logintel_internal.pending q WHERE q.changed AND q.log_entry_id = p.log_entry_id)) p WHERE h.n <> p.n""",
    "every prediction is shown": """
        SELECT 'ml_predictions: ' || v.n || ', predictions: ' || p.n
        FROM (SELECT count(*) AS n FROM logintel.ml_predictions) v,
             (SELECT count(*) AS n FROM logintel_internal.predictions p WHERE NOT EXISTS (
                SELECT FROM logintel_internal.pending q WHERE q.changed AND q.log_entry_id = p.log_entry_id)) p WHERE v.n <> p.n""",
}
"""Promise -> query that gives a row with what is wrong, or none. All hold under any snapshot."""

_WAITING = """
    SELECT w.application_name, b.names, extract(epoch FROM clock_timestamp() - min(l.waitstart))
    FROM pg_locks l
    JOIN pg_stat_activity w USING (pid)
    CROSS JOIN LATERAL (SELECT string_agg(DISTINCT s.application_name, ', ') AS names
                        FROM pg_stat_activity s WHERE s.pid = ANY (pg_blocking_pids(w.pid))) AS b
    WHERE NOT l.granted AND l.waitstart IS NOT NULL GROUP BY w.pid, w.application_name, b.names
"""
_LONGEST_WAIT = 2.0
"""Seconds that a writer may wait for a lock; attempts to attach or drop a partition give up after a tenth of one."""


class Auditor(Operator):
    """Checks under one snapshot, in the middle of it all, that everything adds up."""

    kind = "auditor"

    def __init__(self, soak: Soak, number: int = 1) -> None:
        super().__init__(soak, number)
        self.pause = min(10.0, max(1.0, soak.seconds / 60))

    def step(self, connection: psycopg.Connection) -> None:
        if self.soak.is_calm():
            return
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # Before the snapshot is taken: a partition that is dropped vanishes from older snapshots too.
            connection.execute("LOCK TABLE log_entries, logintel_internal.predictions IN ACCESS SHARE MODE")
            for promise, query in _AUDITS.items():
                if row := connection.execute(query).fetchone():
                    self.soak.journal.broke(promise, row[0])
        self.count("audits")


class Sampler(Operator):
    """Takes the memory of every session's backend, and notes who waits for whose lock."""

    kind = "sampler"

    def __init__(self, soak: Soak, writers: set[str]) -> None:
        """Take the kinds of sessions that write lines."""
        super().__init__(soak)
        self._writers = writers
        self.pause = min(5.0, max(0.5, soak.seconds / 100))
        self.samples: list[Sample] = []

    def step(self, connection: psycopg.Connection) -> None:
        for waiting, others, seconds in connection.execute(_WAITING).fetchall():
            self._note_wait(waiting.removeprefix(PREFIX), (others or "nobody any more").replace(PREFIX, ""), seconds)
        backends = connection.execute(
            "SELECT pid, application_name FROM pg_stat_activity WHERE application_name LIKE %s", (PREFIX + "%",)
        ).fetchall()
        for pid, name in backends:
            mb = private_mb(pid)
            if mb is not None:
                self.samples.append(Sample(self.soak.journal.seconds(), name.removeprefix(PREFIX), pid, mb))

    def _note_wait(self, name: str, others: str, seconds: float) -> None:
        is_writer = name.rsplit(" ", 1)[0] in self._writers
        who = "a writer" if is_writer else name.rsplit(" ", 1)[0]
        self.soak.journal.count(f"waiting: {who}, times seen")
        self.soak.journal.highest(f"waiting: {who}, longest seen, ms", int(seconds * 1000))
        if is_writer and seconds > _LONGEST_WAIT:
            self.soak.journal.broke("writers wait for nobody", f"{name} waits for {others} since {seconds:.1f} s")

    def megabytes(self) -> float:
        """The most private memory that one backend had in the last seconds."""
        recent = [sample.mb for sample in self.samples[-40:]]
        return max(recent, default=0.0)


class Reporter(Operator):
    """Prints how it stands every half minute."""

    kind = "reporter"
    pause = 0.0

    def __init__(self, soak: Soak, sampler: Sampler) -> None:
        super().__init__(soak)
        self._sampler = sampler

    def step(self, connection: psycopg.Connection) -> None:
        self.soak.stop.wait(min(30.0, self.soak.seconds / 4))
        query = """
            SELECT (SELECT count(*) FROM log_entries), (SELECT count(*) FROM logintel_internal.predictions),
                   (SELECT count(*) FROM logintel_internal.pending), (SELECT count(*) FROM logintel_internal.scores)"""
        [(lines, predictions, pending, scores)] = connection.execute(query).fetchall()
        self.soak.journal.say(
            f"{lines:,} lines, {predictions:,} predictions, {pending:,} pending, {scores:,} scores, "
            f"{self._sampler.megabytes():.0f} MB at most in a backend, {len(self.soak.journal.broken())} promises broken"
        )
