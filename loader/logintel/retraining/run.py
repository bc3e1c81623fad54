"""One retraining: train, gate, register and promote. What is written is written in one transaction, at the end."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from logintel.retraining import in_force
from logintel.retraining.comparison import compare
from logintel.retraining.gates import Gate, refusals
from logintel.retraining.in_force import InForce
from logintel.training.learning import Learnt, learn, register
from logintel.training.models import TrainedModel
from logintel.training.neighbours import refresh_neighbours

LINES = 10_000
"""Lines to learn from, where the versions in force do not say that they were given more."""
VERDICTS_TO_TEST = 50
"""With so many verdicts since the version in force was trained, a shadow test is decided by feedback."""


@dataclass
class Result:
    """What became of one model."""

    name: str
    outcome: str = ""
    version: int | None = None
    candidate: str | None = None
    gates: list[Gate] = field(default_factory=list)

    def __str__(self) -> str:
        """Say it in a few words."""
        return f"{self.name} {'' if self.version is None else f'{self.version} '}{self.outcome}"

    def described(self) -> dict[str, object]:
        """Return its part of the report."""
        return {"outcome": self.outcome, "version": self.version, "candidate": self.candidate,
                "gates": [gate._asdict() for gate in self.gates]}


def retrain_models(connection: psycopg.Connection, retraining: int, *, lines: int | None, seed: int) -> list[Result]:
    """Do a retraining that was begun, on an autocommit connection, and finish it. Raises UserError, psycopg.Error."""
    [(names,)] = connection.execute("SELECT names FROM logintel.ml_retrainings WHERE id = %s", (retraining,)).fetchall()
    running = "SELECT name, id FROM logintel_internal.ab_tests WHERE ended_at IS NULL"
    tests = dict(connection.execute(running).fetchall())
    skipped = [Result(name, f"skipped: A/B test {tests[name]} is running") for name in names if name in tests]
    wanted = [name for name in names if name not in tests]
    current = {name: in_force.find(connection, name) for name in wanted}
    anomaly = current.get("anomaly")
    outliers = anomaly is not None and anomaly.metadata.get("kind") == "outlier"
    learnt = Learnt([], [], [])
    if wanted:
        given = (model.metadata.get("trained_with", {}).get("lines", LINES) for model in current.values() if model)
        learnt = learn(connection, lines=lines or max(given, default=LINES), seed=seed, outliers=outliers, names=wanted)
        refresh_neighbours(connection)
    compared = [(model, compare(model, current[model.name])) for model in learnt.models]
    trained = {model.name for model in learnt.models}
    skipped += [Result(name, f"not trained: {_why_not(name, learnt.notes)}") for name in wanted if name not in trained]
    with connection.transaction():
        results = [_admit(connection, retraining, model, gates, current[model.name]) for model, gates in compared]
        results += skipped
        report = {"lines": len(learnt.lines), "notes": learnt.notes,
                  "models": {result.name: result.described() for result in results}}
        connection.execute("SELECT logintel._finish_retraining(%s, %s, %s)",
                           (retraining, "; ".join(map(str, results)), json.dumps(report)))
    return results


def _why_not(name: str, notes: Sequence[str]) -> str:
    start = f"no {name} model: "
    return next((note.removeprefix(start) for note in notes if note.startswith(start)), "nothing to learn from")


def _admit(connection: psycopg.Connection, retraining: int, model: TrainedModel, gates: list[Gate],
           current: InForce | None) -> Result:
    """Register and promote a model that passes its gates."""
    result = Result(model.name, "refused", candidate=model.metadata["candidate"], gates=gates)
    if refusals(gates):
        return result
    try:
        with connection.transaction():
            result.version = register(connection, model)
    except psycopg.Error as error:
        if connection.closed:
            raise
        gates.insert(0, Gate("fidelity", False, error.diag.message_primary or str(error)))
        return result
    gates.insert(0, Gate("fidelity", True, f"the server reproduces {len(model.golden)} golden cases"))
    result.outcome = _after_retraining(connection, retraining, result, current)
    return result


def _after_retraining(connection: psycopg.Connection, retraining: int, result: Result, current: InForce | None) -> str:
    """Do what the setting after_retraining says with a registered version; return what was done."""
    [(then,)] = connection.execute("SELECT value FROM logintel.settings WHERE name = 'after_retraining'").fetchall()
    why = f"retraining {retraining}"
    if then == "manual":
        return "registered"
    metric = _metric(connection, result.name) if current else None
    if then == "test" and metric:
        try:
            with connection.transaction():
                [(test,)] = connection.execute(
                    "SELECT logintel.start_ab_test(%s, %s, share => 0, metric => %s, auto => true, why => %s)",
                    (result.name, result.version, metric, why)).fetchall()
        except psycopg.Error as error:
            if connection.closed:
                raise
            return f"registered: no test could be started: {error.diag.message_primary}"
        return f"in A/B test {test}, decided by {'declared levels' if metric == 'declared' else 'feedback'}"
    # No test would ever decide. A default model does not know these lines, and the gate has just measured both on them.
    measured = any(gate.gate == "unseen templates" and gate.passed for gate in result.gates)
    if then == "now" or current is None or (current.is_default and measured):
        connection.execute("SELECT logintel.deploy(%s, %s, %s)", (result.name, result.version, why))
        return "deployed"
    return f"registered: fewer than {VERDICTS_TO_TEST} new verdicts, so no test could decide: deploy it by hand"


def _metric(connection: psycopg.Connection, name: str) -> str | None:
    """What a shadow test of this model can be decided by; None where it can't."""
    [(verdicts,)] = connection.execute(
        "SELECT new_verdicts FROM logintel.ml_retrain_advice WHERE name = %s", (name,)).fetchall()
    return "feedback" if verdicts >= VERDICTS_TO_TEST else "declared" if name == "level" else None
