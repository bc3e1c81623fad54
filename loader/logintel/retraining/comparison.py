"""A retrained model and the version in force on the same templates: both know a template, or neither does."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from logintel.retraining.gates import Figure, Gate, paired, paired_anomalies, recorded
from logintel.retraining.in_force import InForce, binary
from logintel.training.dataset import NORMAL, UNTYPED, Line, Shape
from logintel.training.evaluation import PROBLEMS, one_row_a_template
from logintel.training.models import TrainedModel
from logintel_server.tokens import digest

MINIMUM_TEMPLATES = 20
"""With fewer templates that the version in force does not know, the recorded figures are compared."""

_VERDICTS = """
    SELECT (f.shape).template, (f.shape).service, (f.shape).source_type, (f.shape).level, (f.shape).status_class,
           (f.shape).latency_bucket, d.declared_level, t.true_level, t.true_category, t.is_anomaly
    FROM logintel_internal.feedback f
    CROSS JOIN LATERAL (
        SELECT coalesce(f.declared_level, logintel.normalize_level((f.shape).level)) AS declared_level) AS d
    CROSS JOIN LATERAL logintel._truth(
        CASE f.scope WHEN 'line' THEN f END, (f.shape).template, d.declared_level) AS t
    WHERE f.is_current ORDER BY f.scope = 'line', f.id"""


class Judged(NamedTuple):
    """A line that people judged, and its true class; of anomalies NORMAL or UNTYPED."""

    line: Line
    truth: str


def compare(model: TrainedModel, in_force: InForce | None) -> list[Gate]:
    """Return the gates of a model that compare it with the version in force."""
    if in_force is None:
        return [Gate("unseen templates", None, "no version is in force")]
    return [*_unseen_templates(model, in_force), *_feedback(model, in_force)]


def _unseen_templates(model: TrainedModel, in_force: InForce) -> Iterator[Gate]:
    name = "unseen templates"
    if model.unseen is None:
        yield Gate(name, None, "without labels nobody can say who is right")
        return
    examples, probabilities = model.unseen
    inputs, true_class = one_row_a_template(examples)
    if in_force.knows is not None:
        known = np.zeros(len(inputs), bool)
        np.logical_or.at(known, examples.templates,
                         [digest(line.shape.template) in in_force.knows for line in examples.lines])
        inputs, true_class = inputs[~known], true_class[~known]
        if len(inputs) >= MINIMUM_TEMPLATES:
            truth = np.array(examples.classes, object)[true_class]
            ours = _classes(model.name, examples.classes, probabilities[inputs], in_force.threshold)
            theirs = in_force.classes([examples.lines[i] for i in inputs])
            yield _compared(name, f"templates unknown to version {in_force.version}", model.name, truth, ours, theirs)
            return
    figures = [_recorded_figure(metadata) for metadata in (model.metadata, in_force.metadata)]
    if None in figures:
        yield Gate(name, None, f"version {in_force.version} has no figures to compare with")
    else:
        yield recorded(name, *figures)


def _feedback(model: TrainedModel, in_force: InForce) -> Iterator[Gate]:
    verdicts = _verdicts(in_force, model.name)
    lines = [verdict.line for verdict in verdicts]
    if not lines:
        yield Gate("feedback", None, "there are no verdicts")
        return
    # A template that the version in force was trained on, both may know; of others, the new model must not.
    unseen = [in_force.knows is not None and digest(line.shape.template) not in in_force.knows for line in lines]
    ours = np.where(unseen, _says_unseen(model, lines, in_force.threshold), _says(model, lines, in_force.threshold))
    truth = np.array([verdict.truth for verdict in verdicts], object)
    yield _compared("feedback", "templates with a verdict", model.name, truth, ours, in_force.classes(lines))


def _compared(gate: str, what: str, name: str, truth: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> Gate:
    """Compare classes [K]. Of a level it counts whether it is a problem: the rest is habit of who wrote the line."""
    if name == "anomaly":
        return paired_anomalies(gate, what, *(classes != NORMAL for classes in (truth, ours, theirs)))
    if name == "level":
        truth, ours, theirs = (np.isin(classes.astype(str), PROBLEMS) for classes in (truth, ours, theirs))
    return paired(gate, what, ours == truth, theirs == truth)


def _classes(name: str, classes: Sequence[str], probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """Return the classes [K] that probabilities [K, C] mean."""
    if name == "anomaly":
        return binary(1 - probabilities[:, classes.index(NORMAL)], threshold)
    return np.array(classes, object)[probabilities.argmax(1)]


def _says(model: TrainedModel, lines: Sequence[Line], threshold: float) -> np.ndarray:
    """What the model as it will be registered says of K lines: [K]."""
    if model.name == "anomaly":
        return binary(model.anomaly_scores(lines), threshold)
    return model.predict(lines)[0].astype(object)


def _says_unseen(model: TrainedModel, lines: Sequence[Line], threshold: float) -> np.ndarray:
    """What the model says of K lines when it has not seen their templates: [K]."""
    said = _says(model, lines, threshold)  # right for templates that it has not seen at all
    if model.unseen is None:
        return said
    examples, probabilities = model.unseen
    made = [line.features() for line in lines]
    words = {line.features()["words"]: i for i, line in enumerate(examples.lines)}
    inputs = {tuple(row): i for i, row in enumerate(examples.inputs)}
    for k, features in enumerate(made):
        i = inputs.get(tuple(features[name] for name in examples.features), words.get(features["words"]))
        if i is not None:
            said[k] = _classes(model.name, examples.classes, probabilities[i : i + 1], threshold)[0]
    return said


def _verdicts(in_force: InForce, name: str) -> list[Judged]:
    """Read the current verdicts, one of each kind of line; what is said of a line outranks what is of its template."""
    found: dict[tuple[str, ...], Judged] = {}
    for row in in_force.connection.execute(_VERDICTS).fetchall():
        line = Line(Shape(*(value or "" for value in row[:6])), row[6])
        truth = dict(zip(("level", "category", "anomaly"), row[7:], strict=True))[name]
        if truth is not None:
            truth = truth if name != "anomaly" else UNTYPED if truth else NORMAL
            found[tuple(line.features().values())] = Judged(line, truth)
    return list(found.values())


def _recorded_figure(metadata: dict[str, Any]) -> Figure | None:
    accuracy, templates = metadata.get("accuracy"), metadata.get("samples", {}).get("templates")
    return Figure(accuracy, templates) if accuracy is not None and templates else None
