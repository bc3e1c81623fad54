"""Sessions that do what operators and cron jobs do: deploy, roll back, change settings, maintain, backfill, look."""

import contextlib

import psycopg
from mixtures import KEPT_DAYS
from sessions import Session, Soak

MODELS = ("level", "anomaly")
VERSIONS = 2
"""Versions of each model that are registered before the soak begins."""


_CHANGES = (
    (5, "mode", ("deferred", "off")),
    (2, "retention_days", ("0", str(KEPT_DAYS))),
    (2, "known_shapes", ("150", "1000", "100000", "100000")),
    (1, "anomaly_threshold", ("0.5", "0.7", "0.9")),
    (1, "classification_min_confidence", ("0.4", "0.6")),
)
"""How often a setting is changed, its name, and the values it is changed to."""


class Operator(Session):
    """A session of the superuser. Killed and cancelled statements are what happens; other errors are not."""

    def refused(self, error: psycopg.Error) -> None:
        if isinstance(error, psycopg.errors.QueryCanceled):
            self.count("cancelled")
        else:
            super().refused(error)


class Deployer(Operator):
    """Puts versions into force and takes them back, some in transactions that come to nothing."""

    kind = "deployer"
    pause = 4.0

    def step(self, connection: psycopg.Connection) -> None:
        name = self.random.choice(MODELS)
        if self.random.random() < 0.3:
            try:
                self._act(connection, "SELECT logintel.rollback(%s)", (name,))
            except psycopg.errors.ObjectNotInPrerequisiteState:
                self.count("rollbacks with nothing to return to")
        else:
            version = self.random.randint(1, VERSIONS)
            self._act(connection, "SELECT logintel.deploy(%s, %s)", (name, version))

    def _act(self, connection: psycopg.Connection, statement: str, values: tuple) -> None:
        with _maybe_in_vain(connection, self.random.random() < 0.2) as outcome:
            connection.execute(statement, values)
            self.soak.stop.wait(self.random.choice((0, 0, 0.5)))
        self.count(f"{statement.split('.')[1].split('(')[0]}s {outcome}")


class Rescorer(Operator):
    """Lets history be read as the models in force score it."""

    kind = "rescorer"
    pause = 5.0

    def step(self, connection: psycopg.Connection) -> None:
        [(shapes,)] = connection.execute("SELECT logintel.rescore(%s)", (self.random.choice((50, 1000)),)).fetchall()
        self.count("shapes", shapes)
        self.count("runs")


class Settings(Operator):
    """Changes settings: most of the time the mode is inline, now and then deferred or off for a short while."""

    kind = "settings"
    pause = 2.0

    def prepare(self, connection: psycopg.Connection) -> None:
        super().prepare(connection)
        self._set(connection, "mode", "inline")  # a session that was killed may have left another one

    def step(self, connection: psycopg.Connection) -> None:
        name, values = self.random.choices(_CHANGES, [weight for weight, *_ in _CHANGES])[0][1:]
        self._set(connection, name, self.random.choice(values))
        if name == "mode":
            self.soak.stop.wait(self.random.uniform(0.5, 3))
            self._set(connection, "mode", "inline")

    def _set(self, connection: psycopg.Connection, name: str, value: str) -> None:
        with _maybe_in_vain(connection, value != "inline" and self.random.random() < 0.2) as outcome:
            connection.execute("UPDATE logintel.settings SET value = %s WHERE name = %s", (value, name))
        self.count(f"{name} {value if name == 'mode' else 'changed'} {outcome}")


class Maintainer(Operator):
    """Runs maintain(), far more often than it needs, and creates partitions for days of long ago."""

    kind = "maintainer"
    pause = 3.0
    function = "maintain"

    def step(self, connection: psycopg.Connection) -> None:
        with _maybe_in_vain(connection, self.random.random() < 0.1):
            for task, done in connection.execute(f"SELECT * FROM logintel.{self.function}()").fetchall():
                self.count(task, done)
        self.count("runs")
        if self.random.random() < 0.1:  # as before a load of history; retention drops them again
            days = -self.random.randint(38, 45)
            query = "SELECT logintel.create_partitions(current_date + %s, current_date + %s)"
            self.count("old partitions made", connection.execute(query, (days, days + 1)).fetchone()[0])


class Reconciler(Maintainer):
    """Compares all lines with all predictions, which usually nobody has to do."""

    kind = "reconciler"
    pause = 15.0
    function = "reconcile"


class Backfiller(Operator):
    """Scores what waits, side by side with others."""

    kind = "backfiller"
    pause = 1.0

    def step(self, connection: psycopg.Connection) -> None:
        limit = self.random.choice((1, 50, 10_000))
        with _maybe_in_vain(connection, self.random.random() < 0.1) as outcome:
            [(lines,)] = connection.execute('SELECT logintel.backfill(max_lines => %s)', (limit,)).fetchall()
            self.soak.stop.wait(self.random.choice((0, 0, 0, 0.3, 1)))
        self.count(f"lines {outcome}", lines)
        self.count("runs")


class Asker(Operator):
    """Asks for the prediction of single lines, the latest ones, which may wait or be changed right now."""

    kind = "asker"
    pause = 0.5

    def step(self, connection: psycopg.Connection) -> None:
        ids = connection.execute("SELECT log_entry_id FROM logintel_internal.pending ORDER BY random() LIMIT 3").fetchall()
        ids += connection.execute("SELECT id FROM log_entries ORDER BY id DESC LIMIT 1").fetchall()
        for (id_,) in ids:
            try:
                connection.execute("SELECT * FROM logintel.predict_log(%s)", (id_,))
                self.count("predictions")
            except psycopg.errors.NoDataFound:
                self.count("lines that were gone")


@contextlib.contextmanager
def _maybe_in_vain(connection: psycopg.Connection, in_vain: bool):
    """Run a transaction, rolled back at the end if `in_vain`; gives the word for its outcome."""
    with connection.transaction(force_rollback=in_vain):
        yield "in vain" if in_vain else "done"


def all_sessions(soak: Soak) -> list[Session]:
    """Make the sessions of this module, not yet started."""
    kinds = ((Deployer, 1), (Rescorer, 1), (Settings, 1), (Maintainer, 2), (Reconciler, 1), (Backfiller, 2), (Asker, 1))
    return [kind(soak, number) for kind, many in kinds for number in range(1, many + 1)]
