"""Sessions that change and delete lines of their own, in all the ways that SQL has."""

from collections import deque

import psycopg
from ledger import may_vanish
from sessions import Soak
from writers import Writer

_MERGE = """
    MERGE INTO log_entries t
    USING (SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS u (log_id, host, message, wanted)) AS s
    ON t.log_id = s.log_id
    WHEN MATCHED AND s.wanted = 'delete' THEN DELETE
    WHEN MATCHED THEN UPDATE SET message = s.message, host = s.host
    WHEN NOT MATCHED AND s.wanted = 'write' THEN INSERT (log_id, host, message) VALUES (s.log_id, s.host, s.message)
"""
_UPSERT = """
    INSERT INTO log_entries (id, "timestamp", log_id, host, message) OVERRIDING SYSTEM VALUE
    SELECT id, "timestamp", log_id, %s, %s FROM log_entries WHERE log_id = ANY (%s)
    UNION ALL
    SELECT nextval('log_entries_id_seq'), now(), m, %s, %s FROM unnest(%s::text[]) AS m
    ON CONFLICT (id, "timestamp") DO UPDATE SET host = excluded.host, message = excluded.message
"""
_RECENT = 3000


class Changes(Writer):
    """Inserts, updates and deletes lines: shape, time, both or neither, alone and together, and puts some back."""

    kind = "changes"
    pause = 0.4

    def __init__(self, soak: Soak, number: int = 1) -> None:
        super().__init__(soak, number)
        self._recent: deque[str] = deque(maxlen=_RECENT)
        self._actions = (
            self._insert_more, self._change_messages, self._change_each, self._change_context, self._change_nothing_shown,
            self._move, self._delete_some, self._merge, self._upsert, self._replace,
        )  # fmt: skip

    def transact(self, connection: psycopg.Connection) -> bool:
        for action in self.random.choices(self._actions, k=self.random.choice((1, 1, 2, 4))):
            noted = self.ledger.savepoint()
            is_tried = self.random.random() < 0.3
            if is_tried:
                connection.execute("SAVEPOINT change")
            action(connection)
            self.count(f"statements to {action.__name__.strip('_').replace('_', ' ')}")
            if is_tried and self.random.random() < 0.4:
                connection.execute("ROLLBACK TO change")
                self.ledger.back_to(noted)
        return self.random.random() < 0.85

    def _some(self, most: int = 20) -> list[str]:
        """Choose lines that the open transaction sees, the latest ones most often."""
        markers = list(self._recent)
        if self.random.random() < 0.5:
            markers = markers[-60:]
        chosen = self.random.sample(markers, min(len(markers), self.random.randint(1, most)))
        return [marker for marker in chosen if self.ledger.now(marker) is not None]

    def _new_markers(self, number: int) -> list[str]:
        markers = [line.log_id for line in self.lines(number)]
        self._recent.extend(markers)
        return markers

    def _message(self) -> str:
        if self.random.random() < 0.2:
            return self.mixture.new_message()
        return self.mixture.known("", "").message or ""

    def _insert_more(self, connection: psycopg.Connection) -> None:
        lines = self.lines(self.random.choice((1, 8, 40)))
        self.insert(connection, lines)
        self._recent.extend(line.log_id for line in lines)

    def _update(self, connection: psycopg.Connection, assignments: str, values: list, markers: list[str]) -> None:
        revision = self.revision()
        self.ledger.write(markers, revision)
        updated = connection.execute(
            f"UPDATE log_entries SET host = %s, {assignments} WHERE log_id = ANY (%s)", [revision, *values, markers]
        ).rowcount
        if not sum(not may_vanish(marker) for marker in markers) <= updated <= len(markers):
            self.soak.journal.broke("acknowledged lines are there", f"{self.name}: {updated} of {len(markers)} updated")

    def _change_messages(self, connection: psycopg.Connection) -> None:
        self._update(connection, "message = %s", [self._message()], self._some())

    def _change_each(self, connection: psycopg.Connection) -> None:
        for marker in self._some(5):
            self._update(connection, "message = %s", [self._message()], [marker])

    def _change_context(self, connection: psycopg.Connection) -> None:
        column, value = self.random.choice(
            [("level", "ERROR"), ("level", None), ("service", "moved"), ("http_status", 503), ("response_time_ms", 2e4)]
        )
        self._update(connection, f"{column} = %s", [value], self._some())

    def _change_nothing_shown(self, connection: psycopg.Connection) -> None:
        self._update(connection, "message = message", [], self._some())

    def _move(self, connection: psycopg.Connection) -> None:
        days = self.random.choice((-1, 1))
        message, values = ("message = %s, ", [self._message()]) if self.random.random() < 0.5 else ("", [])
        self._update(
            connection,
            f""" {message} "timestamp" = "timestamp" + %s * interval '1 day'""",
            [*values, days],
            self._some(),
        )

    def _delete_some(self, connection: psycopg.Connection) -> None:
        markers = self._some()
        self.ledger.write(markers, None)
        connection.execute("DELETE FROM log_entries WHERE log_id = ANY (%s)", (markers,))

    def _merge(self, connection: psycopg.Connection) -> None:
        there, new = self._some(), self._new_markers(self.random.randint(0, 5))
        deleted = {marker for marker in there if self.random.random() < 0.3}
        markers, revision = there + new, self.revision()
        self.ledger.write(deleted, None)
        self.ledger.write([marker for marker in markers if marker not in deleted], revision)
        messages = [self._message() for _ in markers]
        wanted = ["delete" if marker in deleted else "write" for marker in markers]
        connection.execute(_MERGE, (markers, [revision] * len(markers), messages, wanted))

    def _upsert(self, connection: psycopg.Connection) -> None:
        there, new, revision = self._some(), self._new_markers(self.random.randint(0, 5)), self.revision()
        self.ledger.write(there + new, revision)
        message = self._message()
        connection.execute(_UPSERT, (revision, message, there, revision, message, new))

    def _replace(self, connection: psycopg.Connection) -> None:
        """Delete lines and insert them again under their old key."""
        markers, revision, message = self._some(), self.revision(), self._message()
        self.ledger.write(markers, revision)
        rows = connection.execute(
            """DELETE FROM log_entries WHERE log_id = ANY (%s) RETURNING id, "timestamp"::text, log_id""", (markers,)
        ).fetchall()
        for id_, timestamp, marker in rows:
            connection.execute(
                'INSERT INTO log_entries (id, "timestamp", log_id, host, message) OVERRIDING SYSTEM VALUE '
                "VALUES (%s, %s::timestamptz, %s, %s, %s)",
                (id_, timestamp, marker, revision, message),
            )
