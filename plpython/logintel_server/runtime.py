"""onnxruntime inside a PostgreSQL backend: imported when it is first needed, one thread, sessions cached."""

import json
import os
import platform
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import logintel_server
from logintel_server import baselines, ensembles, graphs, watching
from logintel_server import tokenizer as tokenization
from logintel_server.watching import signals_blocked

# numpy and onnxruntime bring thread pools along; a backend is one of many processes and computes on one core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

CACHED_SETS = 8
"""Model sets, those used last, whose models a process keeps. Sets have most of their models in common."""
SECONDS_BEFORE_RETRY = 60
ROWS = 32
"""Shapes that a graph is run on at once: every n-gram that it knows is a number for each of them."""
MAX_SHAPES = 256
"""Shapes a call: memory grows with the batch, and what is ended early was for nothing."""
ROUNDING = 1e-5
"""What probabilities may be below 0 or above 1, as golden cases may be off."""


class ModelError(Exception):
    """A model that cannot be used: names the model and says what is wrong with it."""


class RanOutOfTime(ModelError):
    """A model that was ended because its time was over, which says nothing of the next time."""


@dataclass(frozen=True)
class Model:
    """A model ready to run."""

    title: str  # name and version, for messages
    name: str
    metadata: Mapping[str, Any]
    vocabulary: frozenset[str]
    session: Any  # onnxruntime.InferenceSession
    inputs: tuple[str, ...]  # features that it reads
    tokenizer: Any = None  # tokenizers.Tokenizer of a transformer
    known: baselines.Known | None = None

    def run(self, features: Mapping[str, Sequence[str]]) -> tuple[Any, Any]:
        """Run the graph on feature columns of N strings each.

        Returns (labels [N], probabilities [N, classes]) for a classifier, (None, scores [N]) for an outlier model:
        labels are among the classes, probabilities from 0 to 1, scores finite. Raises ModelError where the graph says
        anything else, and watching.Interrupted.
        """
        import numpy
        import onnxruntime

        outputs = ["score"] if self.metadata["kind"] == "outlier" else ["label", "probabilities"]
        options = onnxruntime.RunOptions()
        try:
            parts = watching.watched(
                lambda: [self.session.run(outputs, feed, options) for feed in self._feeds(features)],
                lambda: setattr(options, "terminate", True),
            )
            joined = [numpy.concatenate(part) for part in zip(*parts, strict=True)]
        except watching.Interrupted:
            raise
        except watching.OutOfTime:
            raise RanOutOfTime(f"model {self.title} ran out of time and was ended") from None
        except Exception as error:  # onnxruntime's own exceptions share no public base class
            raise ModelError(f"model {self.title} cannot be run: {first_line(error)}") from None
        rows = len(features[self.inputs[0]])
        if len(joined) == 1:
            return None, self._scores(joined[0], rows)
        probabilities = self._probabilities(joined[1], rows)
        return self._labels(joined[0], rows), probabilities

    def _scores(self, scores: Any, rows: int) -> Any:
        import numpy

        if scores.dtype.kind != "f" or scores.size != rows or not numpy.isfinite(scores).all():
            raise ModelError(f"model {self.title} gives scores that are not one finite number a line")
        return scores.reshape(-1)

    def _labels(self, labels: Any, rows: int) -> Any:
        if labels.shape != (rows,):
            raise ModelError(f"model {self.title} gives {labels.size} labels for {rows} lines")
        for label in dict.fromkeys(labels.tolist()):
            if label not in self.metadata["classes"]:
                said = repr(str(label)[:100])
                raise ModelError(f"model {self.title} gives the label {said}, which is none of its classes")
        return labels

    def _probabilities(self, probabilities: Any, rows: int) -> Any:
        import numpy

        classes = self.metadata["classes"]
        if probabilities.dtype.kind != "f" or probabilities.shape != (rows, len(classes)):
            each = probabilities.size / rows
            raise ModelError(f"model {self.title} gives {each:g} probabilities for {json.dumps(classes)[:300]}")
        # What is no number is in no range.
        if not ((probabilities >= -ROUNDING) & (probabilities <= 1 + ROUNDING)).all():
            raise ModelError(f"model {self.title} gives probabilities that are not from 0 to 1")
        return numpy.clip(probabilities, 0, 1)

    def _feeds(self, features: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
        """Yield what the graph is run on: up to ROWS rows at once, of a transformer one.

        Texts of one length need no padding, and what is said of a shape cannot depend on its neighbours.
        """
        import numpy

        wanted = {value.name for value in self.session.get_inputs()}
        columns = {n: numpy.array(features[n], dtype=object).reshape(-1, 1) for n in self.inputs if n in wanted}
        rows = 1 if self.tokenizer else ROWS
        for start in range(0, len(features[self.inputs[0]]), rows):
            feed = {name: column[start : start + rows] for name, column in columns.items()}
            if self.tokenizer:
                feed |= tokenization.token_inputs(self.tokenizer, features[tokenization.FEATURE][start])
            yield feed


def open_model(name: str, title: str, onnx: bytes, metadata: Mapping[str, Any]) -> Model:
    """Make a model of an ONNX graph that graphs.check() lets pass.

    Raises ModelError when the graph, or its tokenizer, is refused, and watching.Interrupted.
    """
    try:
        graphs.check(onnx)
    except graphs.Refused as error:
        raise ModelError(f"model {title} cannot be used: {error}") from None
    session = _session(title, onnx)
    inputs = tuple(value.name for value in session.get_inputs())
    tokenizer = None
    if "tokenizer" in metadata:
        tokenizer = _tokenizer(title, metadata["tokenizer"])
        read = (name for name in inputs if name not in tokenization.INPUTS)
        inputs = tuple(dict.fromkeys((*read, tokenization.FEATURE)))
    vocabulary = frozenset(metadata.get("vocabulary") or ())
    # A baseline is large: what scoring needs of it is kept as sets.
    read = {key: value for key, value in metadata.items() if key != "baseline"}
    return Model(title, name, read, vocabulary, session, inputs, tokenizer, baselines.known(metadata))


def _session(title: str, onnx: bytes) -> Any:
    with signals_blocked():
        import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # would keep the memory of the largest batch ever run
    options.log_severity_level = 4
    # Bytes that are taken for onnxruntime's own format would be another graph than the one that was read.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return watching.watched(
            lambda: onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"]),
            lambda: options.set_load_cancellation_flag(True),
        )
    except watching.Interrupted:
        raise
    except watching.OutOfTime:
        raise RanOutOfTime(f"model {title} ran out of time while it was loaded") from None
    except Exception as error:  # onnxruntime's own exceptions share no public base class
        raise ModelError(f"model {title} cannot be loaded: {first_line(error)}") from None


def _tokenizer(title: str, described: str) -> Any:
    try:
        with signals_blocked():
            return tokenization.open_tokenizer(described)
    except ImportError:
        raise ModelError(
            f"model {title} is a transformer and this server lacks the package tokenizers; "
            "run make install EXTRAS=transformer for it, and start a new session"
        ) from None
    except (TypeError, ValueError) as error:
        raise ModelError(f"model {title} cannot be loaded: {first_line(error)}") from None


_plans: dict[str, Any] = {}


def prepared(plpy: Any, query: str, types: list[str]) -> Any:
    """Prepare a query once in this process."""
    if query not in _plans:
        _plans[query] = plpy.prepare(query, types)
    return _plans[query]


_Scorer = Model | ensembles.Ensemble
_models: dict[tuple, _Scorer] = {}
_keys_of_set: OrderedDict[int, set[tuple]] = OrderedDict()
_failures: dict[tuple, tuple[float, ModelError]] = {}


def models_of_set(plpy: Any, model_set_id: int) -> list[_Scorer]:
    """Models of a set, from this backend's cache where it has them. Raises ModelError."""
    check_version(plpy)
    rows = plpy.execute(
        prepared(
            plpy,
            "SELECT m.id, m.name, m.version, m.sha256, m.created_at::text FROM logintel_internal.models m "
            "JOIN logintel_internal.model_sets s ON m.id = ANY (s.model_ids) WHERE s.id = $1 ORDER BY m.name",
            ["integer"],
        ),
        [model_set_id],
    )
    models = [_cached(plpy, row) for row in rows]
    _keys_of_set[model_set_id] = {_key(row) for row in rows}.union(
        *(model.member_keys for model in models if isinstance(model, ensembles.Ensemble))
    )
    _keys_of_set.move_to_end(model_set_id)
    if len(_keys_of_set) > CACHED_SETS:
        _keys_of_set.popitem(last=False)
        for key in _models.keys() - set().union(*_keys_of_set.values()):
            del _models[key]
    return models


def _key(row: Mapping[str, Any]) -> tuple:
    # The hash alone would do for the graph, but what its outputs mean is in the metadata of the row.
    return row["sha256"], row["id"], row["created_at"]


def _cached(plpy: Any, row: Mapping[str, Any]) -> _Scorer:
    key = _key(row)
    if key in _models:
        return _models[key]
    failed_at, failure = _failures.get(key, (0.0, None))
    if failure and time.monotonic() - failed_at < SECONDS_BEFORE_RETRY:
        raise failure
    try:
        model = _models[key] = _load(plpy, row)
    except RanOutOfTime:
        raise
    except ModelError as error:
        _failures[key] = (time.monotonic(), error)
        raise
    return model


def _load(plpy: Any, row: Mapping[str, Any]) -> _Scorer:
    title = f"{row['name']} {row['version']}"
    stored = plpy.execute(
        prepared(plpy, "SELECT onnx, metadata::text FROM logintel_internal.models WHERE id = $1", ["integer"]),
        [row["id"]],
    )[0]
    metadata = json.loads(stored["metadata"])
    if metadata["kind"] == "ensemble":
        return _load_ensemble(plpy, row, title, metadata)
    if stored["onnx"] is None:
        raise ModelError(f"model {title} was dropped: its graph is gone")
    if sha256(stored["onnx"]).hexdigest() != row["sha256"]:
        raise ModelError(f"model {title} is corrupt: its bytes do not match its SHA-256")
    return open_model(row["name"], title, stored["onnx"], metadata)


def _load_ensemble(plpy: Any, row: Mapping[str, Any], title: str, metadata: Mapping[str, Any]) -> ensembles.Ensemble:
    rows = plpy.execute(
        prepared(
            plpy,
            "SELECT m.id, m.name, m.version, m.sha256, m.created_at::text FROM logintel_internal.models m "
            "WHERE m.name = $1 AND m.version = ANY ($2) ORDER BY m.version",
            ["text", "integer[]"],
        ),
        [row["name"], metadata["members"]],
    )
    if ensembles.digest(metadata["combine"], [member["sha256"] for member in rows]) != row["sha256"]:
        raise ModelError(f"model {title} is corrupt: its members do not match its SHA-256")
    try:
        members = tuple(_cached(plpy, member) for member in rows)
    except ModelError as error:
        raise ModelError(f"model {title} cannot be used: {error}") from None
    return ensembles.Ensemble(title, row["name"], metadata, members, frozenset(map(_key, rows)))


def until_deadline(plpy: Any) -> Any:
    """A context in which models end at what the setting logintel.deadline says: seconds since 1970, for who waits.

    SQL sets it for a transaction. Anything else in it means nothing: anybody can set it, for his own session.
    """
    [row] = plpy.execute(
        prepared(plpy, "SELECT pg_catalog.current_setting('logintel.deadline', true) AS deadline", [])
    )
    left = watching.MAX_SECONDS
    with suppress(TypeError, ValueError):
        left = min(left, float(row["deadline"]) - time.time())  # what is no number is not less
    return watching.time_limit(left)


def let_server_end(plpy: Any) -> None:
    """Have the server do what its signal handlers left to be done: end the statement, or the session."""
    plpy.execute("SELECT 1")


def check_version(plpy: Any) -> None:
    """Raise ModelError when the extension was updated after this backend imported the package, or without it."""
    installed = plpy.execute(
        prepared(plpy, "SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'logintel'", [])
    )
    if installed and installed[0]["extversion"] != logintel_server.__version__:
        raise ModelError(
            f"the extension is version {installed[0]['extversion']}, the Python package in this session is "
            f"{logintel_server.__version__}: run make install for this server, ALTER EXTENSION logintel UPDATE in this "
            "database, and start a new session"
        )


def versions(plpy: Any) -> str:
    """One line with the versions of all that scores. Raises ModelError where they don't fit together."""
    with signals_blocked():
        import numpy
        import onnxruntime
    check_version(plpy)
    return (
        f"Python {platform.python_version()}, logintel_server {logintel_server.__version__}, "
        f"numpy {numpy.__version__}, onnxruntime {onnxruntime.__version__}"
    )


def first_line(error: Exception) -> str:
    """The first line of an error's text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
