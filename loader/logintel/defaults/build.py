"""`make models`: builds the default models from lexicon and corpora, measures them, and writes them to models/."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import GroupKFold

from logintel import output
from logintel.defaults import corpora, lexicon, linear, masks, recipes
from logintel.defaults.corpora import Entry
from logintel.defaults.recipes import RECIPES, fitted
from logintel.model_files import model_json
from logintel.training import default_models, evaluation, export, golden, metadata
from logintel.training.dataset import anomaly_of, category_of, group, level_of

VERSION = 2
FOLDS = 5
SEED = 0


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
    constants = (RECIPES, recipes.PROBLEM, recipes.MODULES, lexicon.LEVEL_SHARES, lexicon.DAMPING,
                 linear.TRUSTED_STATEMENTS)
    digest = sha256(repr((*constants, labelled)).encode("utf-8", "surrogatepass"))
    for file in sorted([*lexicon.FOLDER.glob("*.gz"), lexicon.FOLDER / "translations.tsv"]):
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
        **metadata.of_training(examples, SEED, masks.SHAPE_VERSION, ()),
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
