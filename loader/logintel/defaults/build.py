"""`make models`: builds the default models from lexicon and corpora, measures them, and writes them to models/."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline

from logintel import output
from logintel.defaults import corpora, lexicon, linear
from logintel.defaults.corpora import Entry
from logintel.model_files import model_json
from logintel.simulation.templates import ANOMALY_TYPES, CATEGORIES, LEVELS
from logintel.training import default_models, evaluation, export, golden, metadata
from logintel.training.dataset import NORMAL, anomaly_of, category_of, group, level_of

VERSION = 2
FOLDS = 5
SEED = 0


@dataclass(frozen=True)
class Recipe:
    """How one default model is made. What is not given is not done, and a temperature is fitted on unseen systems."""

    classes: tuple[str, ...]
    prior: tuple[float, ...] | None = None  # shares of the classes that the model assumes; None: those of the corpora
    c: float | None = None  # inverse strength of the regularisation; None: the corpora teach this model nothing
    counted_only: bool = True  # whether the n-grams are the lexicon's, or those of two templates of the corpora
    problem_weight: float = 0.0  # what the lexicon's log odds of a problem count for every type of anomaly
    module_weight: float = 0.0  # what the log lifts of kinds of modules count for their category
    temperature: float | None = None


RECIPES = {
    # Levels are what the lexicon says. Its statements have twice the share of DEBUG and of problems that running
    # systems write templates of; and its regression, held back by much regularisation, is too unsure of itself.
    "level": Recipe(LEVELS, (0.26, 0.33, 0.15, 0.22, 0.04), temperature=0.6),
    "category": Recipe(CATEGORIES, c=1.0, counted_only=False, module_weight=0.5),
    # The corpora have trouble in harmless words and harmless lines in alarming ones on purpose: what they teach is
    # held back, and words keep a part of what they mean elsewhere.
    "anomaly": Recipe((NORMAL, *ANOMALY_TYPES), (0.5,) + 6 * (0.5 / 6,), c=0.05, problem_weight=0.2, temperature=1.0),
}
PROBLEM = (-0.5, -0.5, 0.45, 0.5, 0.05)
"""From the lexicon's scores, DEBUG to FATAL, to the log odds of a problem, nearly: those of its likelier levels."""
MODULES = {"auth": "Authentication", "security": "Security", "network": "Network", "metrics": "Performance",
           "database": "Database"}
"""Kinds of modules whose words tell a category."""

_LABEL_OF = {"level": level_of, "category": category_of, "anomaly": anomaly_of}


def truth(name: str) -> np.ndarray:
    """Return the number of each entry's class: [N]."""
    number = {label: i for i, label in enumerate(RECIPES[name].classes)}
    return np.array([number[_LABEL_OF[name](entry.line)] for entry in corpora.entries()])


def crossvalidated(name: str, groups: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return what models that have not seen an entry's group say of it: probabilities [N, C], and the classes.

    `groups` [N] numbers the groups of the entries: their templates, or their systems.
    """
    entries, labels = corpora.entries(), truth(name)
    probabilities = np.zeros((len(entries), len(RECIPES[name].classes)))
    for kept, held_out in GroupKFold(FOLDS, shuffle=True, random_state=SEED).split(labels, groups=groups):
        pipeline = fitted(name, [entries[i] for i in kept], labels[kept])
        probabilities[held_out] = pipeline.predict_proba(_words([entries[i] for i in held_out]))
    return probabilities, RECIPES[name].classes


def fitted(name: str, entries: Sequence[Entry], labels: np.ndarray) -> Pipeline:
    """Make a default model of what the lexicon says and what `entries` [N] of the classes `labels` [N] teach.

    Its scores are to be divided by the model's temperature.
    """
    recipe = RECIPES[name]
    if recipe.c is None:
        return _counted(recipe)
    weights = np.eye(len(recipe.classes))[labels]
    if recipe.prior:
        weights *= np.array(recipe.prior) * len(labels) / weights.sum(0)
    words = [entry.words for entry in entries]
    known = lexicon.lexicon()
    vocabulary = sorted(known.weights) if recipe.counted_only else linear.ngrams(words, 2)
    evidence = known.matrix(vocabulary) if recipe.problem_weight else None
    made = linear.fit(words, weights, recipe.classes, vocabulary=vocabulary, c=recipe.c, evidence=evidence)
    made["model"].coef_ = made["model"].coef_ + _given(recipe, vocabulary)
    return made


def _counted(recipe: Recipe) -> Pipeline:
    """Return the lexicon's regression of levels, with another prior than that of its statements."""
    known = lexicon.lexicon()
    vocabulary = sorted(known.weights)
    intercept = known.intercept + np.log(recipe.prior) - np.log(lexicon.LEVEL_SHARES)
    return linear.pipeline(vocabulary, known.matrix(vocabulary).T, intercept, recipe.classes)


def _given(recipe: Recipe, vocabulary: Sequence[str]) -> np.ndarray:
    """Return what n-grams [V] count for each class [C, V], whatever the corpora teach."""
    given = np.zeros((len(recipe.classes), len(vocabulary)))
    if recipe.problem_weight:
        given[1:] += recipe.problem_weight * lexicon.lexicon().matrix(vocabulary) @ PROBLEM
    if recipe.module_weight:
        rows = [recipe.classes.index(category) for category in MODULES.values()]
        given[rows] += recipe.module_weight * lexicon.modules().matrix(vocabulary, tuple(MODULES)).T
    return given


def by_template() -> np.ndarray:
    """Group the entries by template, which each of them has its own of: [N]."""
    return np.arange(len(corpora.entries()))


def by_system() -> np.ndarray:
    """Group the entries by the system they are from: [N]."""
    return np.unique([entry.system for entry in corpora.entries()], return_inverse=True)[1]


def sources_sha256() -> str:
    """Return the SHA-256 of all that the default models are built from: what they learn, and how."""
    labelled = [(entry.system, tuple(entry.line.shape), entry.line.level, entry.line.anomaly_type, entry.categories)
                for entry in corpora.entries()]
    constants = RECIPES, PROBLEM, MODULES, lexicon.LEVEL_SHARES, lexicon.DAMPING, linear.TRUSTED_STATEMENTS
    recipes = repr((*constants, labelled))
    digest = sha256(recipes.encode("utf-8", "surrogatepass"))
    for file in sorted(lexicon.FOLDER.glob("*.gz")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def build(name: str) -> tuple[bytes, dict, list]:
    """Build a default model: its graph, metadata and golden cases."""
    entries, labels, classes = corpora.entries(), truth(name), RECIPES[name].classes
    splits = {"unseen_systems": crossvalidated(name, by_system())[0],
              "unseen_templates": crossvalidated(name, by_template())[0]}
    # Where it will be used, the system is unseen.
    temperature = RECIPES[name].temperature or evaluation.temperature(splits["unseen_systems"], labels)
    softened = {split: evaluation.softened(probabilities, temperature) for split, probabilities in splits.items()}
    pipeline = linear.soften(fitted(name, entries, labels), temperature)
    onnx = export.convert(pipeline, ["words"])
    lines = [entry.line for entry in entries]
    odd = np.array([[line.features()["words"]] for line in golden.ODD_LINES], object)
    export.check_classifier(name, onnx, ["words"], pipeline, np.concatenate([_words(entries), odd]))
    examples = group(name, lines, _LABEL_OF[name], ("words",), classes)
    chosen = golden.choose(examples, pipeline.predict_proba(examples.inputs), SEED)
    words = np.array([[line.features()["words"]] for line in chosen], object)
    cases = golden.classifier_cases(chosen, classes, pipeline.predict_proba(words))
    figures = {split: evaluation.figures(classes, labels, probabilities, np.ones(len(labels)))
               for split, probabilities in softened.items()}
    described = {
        "target": name, "kind": "classifier", "classes": list(classes), "candidate": "logistic_regression",
        "origin": "default", "temperature": temperature, **figures["unseen_templates"],
        "evaluation": {"logistic_regression": figures},
        "confusion_matrix": {"classes": list(classes), "rows": confusion_matrix(
            labels, softened["unseen_templates"].argmax(1), labels=range(len(classes))).tolist()},
        **metadata.of_training(examples, SEED, corpora.SHAPE_VERSION, ()),
        "sources_sha256": sources_sha256(),
    }
    if RECIPES[name].prior:
        described["prior"] = list(RECIPES[name].prior)
    if RECIPES[name].c is None:
        described["samples"] = {"lines": lexicon.modules().statements}
    del described["trained_at"]  # same sources, same files
    return onnx, described, cases


def write(name: str, onnx: bytes, described: dict, cases: list) -> None:
    """Write a model's two files."""
    folder = default_models.FOLDER / name / str(VERSION)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(onnx)
    (folder / "model.json").write_text(model_json(described, cases), "utf-8")


def main() -> None:
    """Build all default models and print how right they are on templates and systems that they were not built from."""
    rows = []
    for name in default_models.NAMES:
        onnx, described, cases = build(name)
        write(name, onnx, described, cases)
        rows += [(name, split.replace("_", " "), figures["accuracy"], figures["macro_f1"], figures["calibration_error"],
                  figures.get("problem_auc"), figures.get("pr_auc"), f"{len(onnx) / 1e6:.2f} MB")
                 for split, figures in described["evaluation"]["logistic_regression"].items()]
    columns = ("model", "split", "accuracy", "macro-F1", "calibration error", "WARN+ AUC", "anomaly PR AUC", "size")
    output.show_rows(columns, rows)


def _words(entries: Sequence[Entry]) -> np.ndarray:
    return np.array([[entry.words] for entry in entries], object)


if __name__ == "__main__":
    main()
