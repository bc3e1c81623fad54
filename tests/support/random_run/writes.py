"""Random statements of those who write log lines."""

import random
import re
from collections.abc import Callable

from support.random_run.values import COLUMNS, Values, quoted

ASIDE = "aside"
"""A table that is not attached, for lines that are moved out of the log table and back."""
SECOND = "second_entries"
"""Another attached table, whose lines have the same keys."""
_ALL = "id, " + COLUMNS
_KEYED = f"INSERT INTO log_entries ({_ALL}) OVERRIDING SYSTEM VALUE"


def _at(time: str) -> str:
    """Return all columns of a line with another time."""
    return _ALL.replace('"timestamp"', time)


class Writes:
    """A source of statements that write. Each is one SQL text, or that of a COPY and its data."""

    def __init__(
        self, chance: random.Random, values: Values, duplicate_ids: bool, truncate: bool, two_tables: bool
    ) -> None:
        self._random = chance
        self._two_tables = two_tables
        self._values = values
        kinds: list[tuple[int, Callable[[], str]]] = [
            (10, self._insert), (3, self._insert_many), (3, self._insert_select), (3, self._copy),
            (1, self._new_shapes), (3, self._into_partition), (3, self._upsert), (2, self._insert_or_nothing),
            (10, self._update), (5, self._move), (2, self._new_key), (2, self._update_partition), (9, self._delete),
            (2, self._delete_partition), (4, self._merge), (3, self._replace), (3, self._move_by_hand),
            (3, self._put_aside), (3, self._take_back), (2, self._three_at_once),
        ]  # fmt: skip
        if duplicate_ids:
            kinds.append((3, self._second_of_a_key))
        if truncate:
            kinds += [(1, self._truncate), (1, self._truncate_partition)]
        self._weights = [weight for weight, _ in kinds]
        self._kinds = [kind for _, kind in kinds]

    def any(self) -> str:
        """Return a statement of any kind."""
        statement = self._random.choices(self._kinds, self._weights)[0]()
        is_of_partition = re.search("log_entries_[0-9d]", statement)
        if self._two_tables and not is_of_partition and self._random.random() < 0.35:
            return statement.replace("log_entries", SECOND)
        return statement

    def _some(self, most: int = 4, of: str = "log_entries") -> str:
        """Return a condition that a few lines fulfil: the latest, those that wait, or any."""
        salt, many = self._random.randrange(100), self._random.randint(1, most)
        where = self._random.choice((
            "", f"WHERE id > (SELECT max(id) - 9 FROM {of})", "WHERE id IN (SELECT log_entry_id FROM logintel_internal.pending)",
        ))  # fmt: skip
        order = f"ORDER BY md5(id || 's{salt}'), 2 LIMIT {many}"
        return f"""(id, "timestamp") IN (SELECT id, "timestamp" FROM {of} {where} {order})"""

    def _change(self, table: str = "", moves: bool = True) -> str:
        """Return what an UPDATE sets; `table` tells its message from another where both could be meant."""
        values, choices = self._values, [f"message = {table}message", "host = 'elsewhere'"]
        choices += [f"message = {quoted(values.message())}", f"level = {values.level()}"]
        choices += [f"service = {values.service()}", f"http_status = {values.status()}"]
        if moves:
            choices += [f"""message = {quoted(values.message())}, "timestamp" = {quoted(values.time())}"""]
        return self._random.choice(choices)

    def _a_day(self) -> int:
        return self._random.choice((0, 0, 0, 1, 2))

    def _time_of(self, day: int) -> str:
        return f"timestamptz {quoted(self._values.time_of(day))}"

    def _insert(self) -> str:
        return f"INSERT INTO log_entries ({COLUMNS}) VALUES ({self._values.line()})"

    def _insert_many(self) -> str:
        lines = "), (".join(self._values.line() for _ in range(self._random.randint(2, 6)))
        return f"INSERT INTO log_entries ({COLUMNS}) VALUES ({lines})"

    def _insert_select(self) -> str:
        many = self._random.choice((2, 3, 12))
        time, message = self._time_of(self._a_day()), quoted(self._values.message() or "")
        return (
            f"""INSERT INTO log_entries ("timestamp", level, message, service) SELECT {time}, """
            f"{self._values.level()}, 'job ' || g || ' ' || {message}, NULL FROM generate_series(1, {many}) g"
        )

    def _new_shapes(self) -> str:
        """Insert more shapes than the smallest look-up holds, over a few calls."""
        salt = self._random.randrange(1000)
        return (
            "INSERT INTO log_entries (message) SELECT 'failed ' || translate(md5(g || "
            f"'s{salt}'), '0123456789', 'ghijklmnop') FROM generate_series(1, 45) g"
        )

    def _copy(self) -> str:
        lines = "\n".join(self._values.copied() for _ in range(self._random.randint(1, 5)))
        return f"COPY log_entries ({COLUMNS}) FROM STDIN\n{lines}\n"

    def _into_partition(self) -> str:
        day = self._a_day()
        line = self._values.line(self._values.time_of(day))
        # Before PostgreSQL 17 a partition has no identity of its own.
        return (
            f"INSERT INTO {self._values.partition(day)} ({_ALL}) OVERRIDING SYSTEM VALUE "
            f"VALUES (nextval('log_entries_id_seq'), {line})"
        )

    def _upsert(self) -> str:
        return (
            f"{_KEYED} SELECT {_ALL} FROM log_entries WHERE {self._some()} "
            f"UNION ALL SELECT nextval('log_entries_id_seq'), {self._typed_line()} "
            f"""ON CONFLICT (id, "timestamp") DO UPDATE SET {self._change("log_entries.", moves=False)}"""
        )

    def _insert_or_nothing(self) -> str:
        return (
            f"{_KEYED} SELECT {_ALL} FROM log_entries WHERE {self._some()} "
            f"UNION ALL SELECT nextval('log_entries_id_seq'), {self._typed_line()} ON CONFLICT DO NOTHING"
        )

    def _typed_line(self) -> str:
        """Return a line's columns as a SELECT has them, whose NULLs need types."""
        return f"(l).* FROM (SELECT ROW({self._values.line()})::line_values AS l) AS made"

    def _update(self) -> str:
        return f"UPDATE log_entries SET {self._change()} WHERE {self._some()}"

    def _move(self) -> str:
        return f"""UPDATE log_entries SET "timestamp" = {quoted(self._values.time())} WHERE {self._some()}"""

    def _new_key(self) -> str:
        return f"UPDATE log_entries SET id = DEFAULT WHERE {self._some()}"

    def _update_partition(self) -> str:
        partition = self._values.partition(self._a_day())
        return f"UPDATE {partition} SET {self._change()} WHERE {self._some(of=partition)}"

    def _delete(self) -> str:
        return f"DELETE FROM log_entries WHERE {self._some(8)}"

    def _delete_partition(self) -> str:
        partition = self._random.choice((self._values.partition(self._a_day()), "log_entries_default"))
        return f"DELETE FROM {partition} WHERE {self._some(of=partition)}"

    def _merge(self) -> str:
        return (
            f"MERGE INTO log_entries l USING (SELECT {_ALL} FROM log_entries WHERE {self._some(6)} "
            f'UNION ALL SELECT 0, {self._typed_line()}) s ON l.id = s.id AND l."timestamp" = s."timestamp" '
            f"WHEN MATCHED AND l.id % 3 = {self._random.randrange(3)} THEN DELETE "
            f"WHEN MATCHED THEN UPDATE SET {self._change('l.')} "
            f"WHEN NOT MATCHED THEN INSERT ({COLUMNS}) VALUES (s.{COLUMNS.replace(', ', ', s.')})"
        )

    def _replace(self) -> str:
        """Delete lines and insert them again under their key in one statement, changed or not."""
        message = self._random.choice(("message", quoted(self._values.message())))
        return (
            f"WITH gone AS (DELETE FROM log_entries WHERE {self._some()} RETURNING {_ALL}) "
            f"{_KEYED} SELECT {_ALL.replace('message', f'{message}::text')} FROM gone"
        )

    def _move_by_hand(self) -> str:
        """Move lines to a partition by DELETE and INSERT, as for a day that was in the default partition."""
        day = self._a_day()
        source = self._random.choice(("log_entries_default", "log_entries", self._values.partition(self._a_day())))
        time = self._time_of(day)
        target = self._random.choice(("log_entries", self._values.partition(day)))
        return (
            f"WITH moved AS (DELETE FROM {source} WHERE {self._some(of=source)} RETURNING {_ALL}) "
            f"{_KEYED.replace('log_entries', target, 1)} SELECT {_at(time)} FROM moved"
        )

    def _put_aside(self) -> str:
        return (
            f"WITH moved AS (DELETE FROM log_entries WHERE {self._some()} RETURNING {_ALL}) "
            f"INSERT INTO {ASIDE} SELECT {_ALL} FROM moved"
        )

    def _take_back(self) -> str:
        return (
            f"WITH moved AS (DELETE FROM {ASIDE} WHERE {self._some(of=ASIDE)} RETURNING {_ALL}) "
            f"{_KEYED} SELECT {_ALL} FROM moved"
        )

    def _three_at_once(self) -> str:
        """Change, delete and insert other lines in one statement."""
        return (
            f"WITH changed AS (UPDATE log_entries SET {self._change()} WHERE {self._some()} AND id % 2 = 0), "
            f"gone AS (DELETE FROM log_entries WHERE {self._some()} AND id % 2 = 1) {self._insert()}"
        )

    def _second_of_a_key(self) -> str:
        """Insert a line under the key of another, at another time."""
        columns = _at(f"timestamptz {quoted(self._values.time())}")
        return f"{_KEYED} SELECT {columns} FROM log_entries WHERE {self._some(2)} ON CONFLICT DO NOTHING"

    def _truncate(self) -> str:
        return self._random.choice(("TRUNCATE log_entries", "TRUNCATE log_entries RESTART IDENTITY"))

    def _truncate_partition(self) -> str:
        return f"TRUNCATE {self._random.choice((self._values.partition(self._a_day()), 'log_entries_default'))}"
