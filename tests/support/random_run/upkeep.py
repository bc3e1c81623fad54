"""Random statements of workers, of the upkeep, and of persons who operate."""

import random

from support.random_run.values import OLD_DAYS, Values

TAKEN = "random_run.taken"
"""A setting of the transaction that holds the lines it has taken, from one statement to the next."""
_MODELS = ("level", "anomaly")


class Work:
    """What a worker does, in one transaction or more: it takes lines, scores them, and is done or gives up."""

    def __init__(self, chance: random.Random, taken_type: str, attachments: tuple[int, ...]) -> None:
        self._random = chance
        self._attachments = attachments
        self._taken_type = taken_type

    def turn(self) -> list[str]:
        """Return the statements of one turn, between which others may do theirs."""
        most = self._random.choice((1, 3, 3, 1000))
        if self._random.random() < 0.4:
            return [f"SELECT logintel.backfill(max_lines => {most})"]
        if self._random.random() < 0.3:
            return ["BEGIN", f"SELECT logintel.backfill(max_lines => {most})", self._end()]
        taken = f"current_setting('{TAKEN}')::{self._taken_type}"
        attachment = self._random.choice(self._attachments)
        score = self._random.choice(("_score_taken", "_score_lines", "_score_lines"))
        return [
            "BEGIN",
            # Within the transaction alone: what is taken and not scored by its end would be lost.
            f"SELECT set_config('{TAKEN}', logintel._take_pending({attachment}, {most})::text, true) "
            "WHERE now() < statement_timestamp()",
            f"SELECT logintel.{score}({attachment}, {taken})",
            self._end(),
        ]

    def _end(self) -> str:
        return self._random.choice(("COMMIT", "COMMIT", "COMMIT", "ROLLBACK"))


class Operations:
    """What the upkeep and operators do, each statement by itself or a few in a transaction."""

    def __init__(self, chance: random.Random, values: Values, partitions: bool, modes: bool) -> None:
        self._random = chance
        self._values = values
        self._partitions = partitions
        self._modes = modes

    def turn(self) -> list[str]:
        """Return the statements of one turn."""
        kind = self._random.random()
        if self._partitions and kind < 0.10:
            return self._moved_partition()
        statement = self._upkeep() if kind < 0.55 else self._operation()
        if self._random.random() < 0.25 and not statement.startswith("CALL"):
            return ["BEGIN", statement, self._random.choice(("COMMIT", "COMMIT", "ROLLBACK"))]
        return [statement]

    def _upkeep(self) -> str:
        day = self._values.day(self._random.choice((*OLD_DAYS, 0, 9, 10)))
        return self._random.choice((
            "SELECT * FROM logintel.maintain()", "CALL logintel.maintain('45 s')", "CALL logintel.maintain('45 s')",
            "SELECT logintel._task_061_count_predictions()", "SELECT logintel._task_062_evict_shapes()",
            "SELECT logintel._task_051_publish_scores()", "SELECT * FROM logintel.reconcile()",
            f"SELECT logintel.create_partitions('{day}', '{day}')",
        ))  # fmt: skip

    def _operation(self) -> str:
        choose = self._random.choice
        modes = ("inline", "inline", "deferred", "off") if self._modes else ("inline",)
        name, value = choose((
            *[("mode", mode) for mode in modes], ("retention_days", choose(("0", "30"))),
            ("known_shapes", choose(("100", "100000"))), ("anomaly_threshold", choose(("0.5", "0.7", "1"))),
            ("classification_min_confidence", choose(("0.4", "0.6", "1"))),
        ))  # fmt: skip
        line = f"(SELECT id FROM log_entries ORDER BY md5(id || 's{self._random.randrange(100)}') LIMIT 1)"
        table = "log_table => 'log_entries'"  # another one may have lines of the same keys
        template = "(SELECT template FROM logintel_internal._scores_now WHERE is_correction ORDER BY md5(template), 1 LIMIT 1)"
        return choose((
            *[f"UPDATE logintel.settings SET value = '{value}' WHERE name = '{name}'"] * 5,
            *[f"SELECT logintel.deploy('{choose(_MODELS)}', {choose((1, 2))})"] * 2,
            f"SELECT logintel.rollback('{choose(_MODELS)}')", f"SELECT logintel.rescore({choose((5, 10000))})",
            *["SELECT logintel.pause('random')", "SELECT logintel.resume()", "SELECT logintel.resume()"] * self._modes,
            f"SELECT logintel.give_feedback({line}, true_level => '{choose(('INFO', 'ERROR'))}', {table})",
            f"SELECT logintel.give_feedback({line}, true_level => 'WARN', whole_template => true, {table})",
            f"SELECT logintel.{choose(('accept', 'reject'))}_corrections({template})",
            f"SELECT logintel.withdraw_feedback({line}, {choose(('true', 'false'))}, {table})",
            f"SELECT * FROM logintel.predict_log({line}, {table})",
            "SELECT logintel.start_ab_test(name, 3 - max(version), 0.5) FROM logintel_internal._in_force GROUP BY name LIMIT 1",
            "SELECT logintel.stop_ab_test('level')",
        ))  # fmt: skip

    def _moved_partition(self) -> list[str]:
        """Detach a day or attach it; no trigger tells of its lines, so the upkeep has to come."""
        offset = self._random.choice((0, 1, 2))
        name = self._values.partition(offset)
        bounds = f"FOR VALUES FROM ('{self._values.day(offset)} 00:00Z') TO ('{self._values.day(offset + 1)} 00:00Z')"
        change = self._random.choice((
            f"ALTER TABLE log_entries DETACH PARTITION {name}", f"DROP TABLE {name}",
            *[f"ALTER TABLE log_entries ATTACH PARTITION {name} {bounds}"] * 2,
        ))  # fmt: skip
        return [change, "SELECT * FROM logintel.maintain()"]
