"""Golden cases: shapes with scikit-learn's outputs, which a server has to reproduce before it takes a model."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from logintel.training.dataset import Examples, Line, Shape

CASES = 64
MARGIN = 1e-4
"""Cases whose two likeliest classes are closer than this prove nothing."""

ODD_LINES = tuple(Line(Shape(*fields)) for fields in (
    ("",),
    (" \t ",),
    ("<*>", "", "", "", "5xx", ">=30s"),
    ("nothing anyone has logged before: qwrtp zxcvb",),
    ("connection to 数据库 failed, 连接失败", "支付服务", "中文"),
    ("Ошибка подключения: ΤΈΛΟΣ Straße İstanbul", "служба", "ЖУРНАЛ"),
    ("خطأ في الاتصال שגיאה ข้อผิดพลาด एरर", "api", "web"),
    ("no\u00a0break\u2003em\u200bzero\u3000wide\ufeffmark\u0085next", "a\u00a0b c", "x\u2003y"),
    ("❌ 🔥 e\u0301le\u0300ve naïve \ufb01le \uff25\uff32\uff32 ½ ² \U0010fffd", "👍", "é"),
    ("# ## ### #", "#", "#"),
    ("HTTPServerError inDBConnectionPool can't_parse.some/path-with+signs == <*> <*>", "node-17.example", "k8s"),
    ("word " * 800, "s" * 200, "t" * 200),
))
"""Lines that software trips over: every model is checked on them, and they are golden cases of every model."""


def choose(examples: Examples, probabilities: np.ndarray | None, seed: int) -> list[Line]:
    """Choose up to CASES lines: the odd ones and, taking turns over the likeliest classes, inputs of the training data.

    `probabilities` [M, C] belong to the inputs of `examples`; None for models that have no classes.
    """
    order = np.random.default_rng(seed).permutation(len(examples.inputs))
    queues = {0: list(order)}
    if probabilities is not None:
        best = np.sort(probabilities, axis=1)
        clear = best[:, -1] - best[:, -2] > MARGIN
        labels = probabilities.argmax(1)
        queues = {label: [i for i in order if labels[i] == label and clear[i]] for label in np.unique(labels)}
    turns = [queue[turn] for turn in range(CASES) for queue in queues.values() if turn < len(queue)]
    return [*ODD_LINES, *(examples.lines[i] for i in turns[: CASES - len(ODD_LINES)])]


def classifier_cases(lines: Sequence[Line], classes: Sequence[str], probabilities: np.ndarray) -> list[dict[str, Any]]:
    """Make the golden cases of a classifier from the probabilities [K, C] it gives `lines`."""
    best = np.sort(probabilities, axis=1)
    return [{"shape": line.shape._asdict(), "label": str(classes[row.argmax()]), "probabilities": row.tolist()}
            for line, row, top in zip(lines, probabilities, best, strict=True) if top[-1] - top[-2] > MARGIN]


def outlier_cases(lines: Sequence[Line], scores: Sequence[float]) -> list[dict[str, Any]]:
    """Make the golden cases of an outlier model from its decision scores [K] of `lines`."""
    return [{"shape": line.shape._asdict(), "score": float(score)} for line, score in zip(lines, scores, strict=True)]
