"""Training: from lines to models that are evaluated, exported, checked, and ready to be registered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline

from logintel.training import baseline, choice, evaluation, export, golden, labels, metadata, outlier
from logintel.training.candidates import CANDIDATES
from logintel.training.dataset import Examples, Line

Step = Callable[[str], None]
NAMES = ("level", "category", "anomaly")


class UnseenTemplates(NamedTuple):
    """What a model says of its M training inputs when it has not seen their templates."""

    examples: Examples
    probabilities: np.ndarray  # [M, C]


@dataclass(frozen=True)
class TrainedModel:
    """A model as it will be registered, and the scikit-learn pipeline it was made from."""

    name: str
    features: tuple[str, ...]
    pipeline: Pipeline
    onnx: bytes
    metadata: dict[str, Any]
    golden: list[dict[str, Any]]
    unseen: UnseenTemplates | None = None  # None where there were no labels

    def inputs(self, lines: Sequence[Line]) -> np.ndarray:
        """Return the model's inputs for N lines: [N, F] of str."""
        return _inputs(self.features, lines)

    def predict(self, lines: Sequence[Line]) -> tuple[np.ndarray, np.ndarray]:
        """Return scikit-learn's labels [N] of N lines and their probabilities [N]. Classifiers only."""
        probabilities = self.pipeline.predict_proba(self.inputs(lines))
        return self.pipeline.classes_[probabilities.argmax(1)], probabilities.max(1)

    def anomaly_scores(self, lines: Sequence[Line]) -> np.ndarray:
        """Return the anomaly score [N] of N lines, 0 to 1, as the server computes it. Anomaly models only."""
        if self.metadata["kind"] == "classifier":
            return 1 - self.pipeline.predict_proba(self.inputs(lines))[:, self.metadata["classes"].index("none")]
        words = [line.features()["words"] for line in lines]
        return outlier.anomaly_scores(self.pipeline.decision_function(self.inputs(lines)), words, self.metadata)


def train_models(lines: Sequence[Line], *, seed: int = 0, outliers: bool = False, shape_version: int | None = None,
                 candidates: Sequence[str] = tuple(CANDIDATES), names: Sequence[str] = NAMES,
                 doubted: labels.Doubted = frozenset(), step: Step = lambda description: None,
                 ) -> tuple[list[TrainedModel], list[str]]:
    """Train a level model, and models of categories and anomalies where there are labels, on lines, oldest first.

    `outliers` makes an anomaly model without labels too, of what is rare. `candidates` compete for each classifier.
    Only models of these `names` are made; the levels of `doubted` templates teach nothing. Returns the models, and
    notes on what is odd or missing. `step` is told what happens next. Raises UserError, before anything is trained,
    when a level model cannot be learnt from the lines.
    """
    levels, notes = labels.level_examples(lines, doubted) if "level" in names else (None, [])
    categories, no_categories = labels.category_examples(lines)
    anomalies, no_anomalies = labels.anomaly_examples(lines)

    def known(examples: Examples, own_notes: Sequence[str] = ()) -> dict[str, Any]:
        return metadata.of_training(examples, seed, shape_version, own_notes)

    models = []
    if levels:
        models.append(_classifier("level", levels, known(levels, notes), candidates, step))
    if "category" not in names:
        pass
    elif no_categories:
        notes = [*notes, f"no category model: {no_categories}; the one in force stays"]
    else:
        models.append(_classifier("category", categories, known(categories), candidates, step))
    if "anomaly" not in names:
        pass
    elif no_anomalies and not outliers:
        notes = [*notes, f"no anomaly model: {no_anomalies}; the one in force stays"]
    elif no_anomalies:
        notes = [*notes, f"the anomaly model was trained without labels: {no_anomalies}"]
        unlabelled = labels.unlabelled_examples(lines)
        models.append(_outlier(unlabelled, known(unlabelled, [no_anomalies]), step))
    else:
        models.append(_classifier("anomaly", anomalies, known(anomalies), candidates, step))
    notes = [*notes, *(model.metadata["choice"] for model in models if model.metadata.get("choice"))]
    step("baselines")
    # Lines that only a verdict stands for have no time, and were not written when the others were.
    history = baseline.History([line for line in lines if line.timestamp] or lines)
    for model in models:
        model.metadata["baseline"] = baseline.of_model(model, history)
    return models, notes


def _classifier(name: str, examples: Examples, known: dict[str, Any], candidates: Sequence[str],
                step: Step) -> TrainedModel:
    """Evaluate the candidates and make a model of the best one."""
    seed = known["seed"]
    results = []
    for candidate in candidates:
        title = f"{name}: {candidate.replace('_', ' ')}"
        results.append(
            evaluation.evaluate(candidate, examples, seed, lambda split, t=title: step(f"{t}, {split}")))
    best, note = choice.choose(results, examples, seed)
    step(f"{name}: {best.candidate.replace('_', ' ')}, all lines")
    fitted = evaluation.fit(best.candidate, examples, examples.counts(), seed)
    if best.temperature:
        fitted.soften(best.temperature)
    step(f"{name}: conversion to ONNX")
    pipeline, features = fitted.pipeline, fitted.features
    onnx = export.convert(pipeline, features)
    everything = np.concatenate([examples.inputs[:, fitted.columns], _inputs(features, golden.ODD_LINES)])
    export.check_classifier(name, onnx, features, pipeline, everything)
    chosen = golden.choose(examples, fitted.probabilities(examples.inputs), seed)
    cases = golden.classifier_cases(chosen, pipeline.classes_, pipeline.predict_proba(_inputs(features, chosen)))
    described = {"target": name, **metadata.of_classifier(best, results, pipeline.classes_.tolist(), examples), **known}
    if note:
        described["choice"] = note
    if export.reads_embedding(pipeline):
        from logintel.training import transformer

        described["tokenizer"] = transformer.tokenizer_json()
    return TrainedModel(name, features, pipeline, onnx, described, cases, UnseenTemplates(examples, best.unseen))


def _outlier(examples: Examples, known: dict[str, Any], step: Step) -> TrainedModel:
    """Make the anomaly model for lines without labels."""
    seed = known["seed"]
    step("anomaly: isolation forest, split by time")
    flagged_later = outlier.flagged_share_later(examples, seed)
    step("anomaly: isolation forest, all lines")
    fitted = outlier.fit(examples, seed)
    step("anomaly: conversion to ONNX")
    onnx = outlier.to_onnx(fitted.pipeline, fitted.features)
    everything = np.concatenate([examples.inputs[:, fitted.columns], _inputs(fitted.features, golden.ODD_LINES)])
    export.check_outlier("anomaly", onnx, fitted.features, fitted.pipeline, everything)
    chosen = golden.choose(examples, None, seed)
    scores = fitted.pipeline.decision_function(_inputs(fitted.features, chosen))
    described = {"target": "anomaly", "kind": "outlier", "candidate": "isolation_forest", **fitted.curve,
                 "flagged_share_time_split": flagged_later, **known}
    cases = golden.outlier_cases(chosen, scores)
    return TrainedModel("anomaly", fitted.features, fitted.pipeline, onnx, described, cases)


def _inputs(features: Sequence[str], lines: Sequence[Line]) -> np.ndarray:
    made = [line.features() for line in lines]
    return np.array([[row[name] for name in features] for row in made], object)
