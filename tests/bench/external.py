"""Against what one would do without the product: a job outside the database, and a trigger that loads a pickle.

All run the same trained pipelines as the product, on every line, and write the same columns.
"""

import importlib.metadata
import itertools
import os
import pickle
import re
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import baselines
import external_job
import lines
import psycopg
from external_job import Job
from lines import COLUMNS, LINES
from results import Failed, Result
from suite import Suite

from logintel.training.default_scores import LinearScores

ROUNDS = 3
ROWS = 300
NULL = "\\N"
_PREDICTED = (
    "log_entry_id, predicted_level, level_confidence, is_anomaly, anomaly_score, anomaly_type, severity, model_version"
)

_PICKLE_TRIGGER = """
CREATE TABLE pickled (source text, models bytea, levels bytea);
CREATE FUNCTION predict_by_pickle() RETURNS trigger LANGUAGE plpython3u AS $python$
if "job" not in GD:
    import os, pickle, sys, types
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    sys.path[:0] = ['{packages}']
    sys.path.append('{library}')
    [stored] = plpy.execute("SELECT * FROM pickled")
    module = sys.modules["external_job"] = types.ModuleType("external_job")
    exec(stored["source"], module.__dict__)
    GD["job"] = module.Job(pickle.loads(stored["models"]), pickle.loads(stored["levels"]))
    GD["insert"] = plpy.prepare("INSERT INTO external_predictions ({predicted}) VALUES ($1, $2, $3, $4, $5, $6, $7, 'pickle 1')",
                                ["bigint", "text", "real", "boolean", "real", "text", "text"])
new = TD["new"]
[score] = GD["job"].score([(new["message"], new["service"], new["source_type"], new["level"])])
plpy.execute(GD["insert"], [new["id"], *score])
$python$;
CREATE TRIGGER predict_by_pickle AFTER INSERT ON log_entries_pickle FOR EACH ROW EXECUTE FUNCTION predict_by_pickle();
"""


def external(suite: Suite) -> Iterator[Result]:
    """Throughput of scored bulk inserts against an external job in one batch, one by one, and a trigger."""
    models = {
        model.name: {"pipeline": model.pipeline, "features": model.features, "metadata": model.metadata}
        for model in suite.models
    }
    with suite.database() as connection:
        levels = dict(connection.execute("SELECT name, level FROM logintel.level_names").fetchall())
        baselines.create_predictions(connection, "external_predictions")
        job = Job(models, levels)
        scored, batch, parts = _batch_rates(connection, job)
        yield Result("vs_external_batch", scored / batch, "ratio of throughput",
                     {"scored lines/s": scored, "external lines/s": batch, **parts})  # fmt: skip
        by_statement = _rate(connection, lambda: _scored_rows(connection))
        known = {"scored in bulk lines/s": scored, "scored one by one lines/s": by_statement}
        by_row = _rate(connection, lambda: _external_rows(connection, job))
        yield Result("vs_external_row", scored / by_row, "ratio of throughput", {**known, "external lines/s": by_row})
        packages = _packages(suite.server.home)
        _create_pickle_trigger(connection, packages, external_job.pickled(models, LinearScores), pickle.dumps(levels))
        by_trigger = _rate(connection, lambda: _pickle_rows(connection))
        yield Result("vs_pickle_trigger", scored / by_trigger, "ratio of throughput",
                     {"scored in bulk lines/s": scored, "trigger lines/s": by_trigger})  # fmt: skip


def _batch_rates(connection: psycopg.Connection, job: Job) -> tuple[float, float, dict[str, float]]:
    """Lines a second, scored and by the job, and the seconds of the job's parts: medians of rounds."""
    scored, batch = [], []
    for _ in range(ROUNDS):
        _empty(connection)
        started = time.perf_counter()
        lines.insert_select(connection, "log_entries")
        scored.append(time.perf_counter() - started)
        batch.append(_external_batch(connection, job))
    baselines.check_scored(connection, LINES)
    parts = {f"external {part} s": statistics.median(seconds[part] for seconds in batch) for part in batch[0]}
    total = statistics.median(sum(seconds.values()) for seconds in batch)
    return LINES / statistics.median(scored), LINES / total, parts


def _external_batch(connection: psycopg.Connection, job: Job) -> dict[str, float]:
    """Insert the sample, read it back, predict all at once, copy the predictions. Returns seconds by part."""
    times = [time.perf_counter()]
    lines.insert_select(connection, "log_entries_none")
    times.append(time.perf_counter())
    rows = connection.execute("SELECT id, message, service, source_type, level FROM log_entries_none").fetchall()
    times.append(time.perf_counter())
    scores = job.score([row[1:] for row in rows])
    times.append(time.perf_counter())
    text = "".join(
        f"{row[0]}\t{level}\t{confidence:.7g}\t{is_anomaly}\t{score:.7g}\t{kind or NULL}\t{severity}\tbatch 1\n"
        for row, (level, confidence, is_anomaly, score, kind, severity) in zip(rows, scores, strict=True)
    )
    with connection.cursor().copy(f"COPY external_predictions ({_PREDICTED}) FROM STDIN") as copy:
        copy.write(text)
    times.append(time.perf_counter())
    parts = ("insert", "read", "predict", "write")
    return {part: end - start for part, (start, end) in zip(parts, itertools.pairwise(times), strict=True)}


def _external_rows(connection: psycopg.Connection, job: Job) -> None:
    """The same job, one line at a time; its statements are prepared."""
    for message, service, source_type, level in _sample_rows(connection):
        [(id,)] = connection.execute(
            f"INSERT INTO log_entries_none ({COLUMNS}) VALUES (%s, %s, %s, %s) RETURNING id",
            (level, message, service, source_type), prepare=True,
        )  # fmt: skip
        [line] = connection.execute(
            "SELECT message, service, source_type, level FROM log_entries_none WHERE id = %s", (id,), prepare=True
        )
        [score] = job.score([line])
        connection.execute(
            f"INSERT INTO external_predictions ({_PREDICTED}) VALUES (%s, %s, %s, %s, %s, %s, %s, 'row 1')",
            (id, *score), prepare=True,
        )  # fmt: skip


def _scored_rows(connection: psycopg.Connection) -> None:
    for message, service, source_type, level in _sample_rows(connection):
        connection.execute(
            f"INSERT INTO log_entries ({COLUMNS}) VALUES (%s, %s, %s, %s)",
            (level, message, service, source_type), prepare=True,
        )  # fmt: skip


def _sample_rows(connection: psycopg.Connection) -> Sequence[tuple[str, str, str, str]]:
    # From all over the sample, which has its sources one after the other.
    return connection.execute(
        "SELECT message, service, source_type, level FROM sample ORDER BY md5(n::text) LIMIT %s", (ROWS,)
    ).fetchall()


def _packages(home: Path) -> Path:
    """Copy scikit-learn and what it needs to where the server's OS user can read it, whatever the checkout permits."""
    folder = home / "packages"
    names = _needed("scikit-learn")
    for name in names:
        for file in importlib.metadata.files(name) or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.locate(), folder / file)
    owner = home.stat()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700)
        os.chown(path, owner.st_uid, owner.st_gid)
    return folder


def _needed(name: str) -> set[str]:
    """Names of a package and of all that it needs."""
    needed = {name}
    for requirement in importlib.metadata.requires(name) or ():
        if "extra ==" not in requirement:
            needed |= _needed(re.match(r"[\w.-]+", requirement)[0])
    return needed


def _create_pickle_trigger(connection: psycopg.Connection, packages: Path, models: bytes, levels: bytes) -> None:
    """Create the table log_entries_pickle with the trigger, and let its first row load scikit-learn. Raises Failed."""
    baselines.create_log_table(connection, "log_entries_pickle")
    [(library,)] = connection.execute(
        "SELECT setting || '/logintel' FROM pg_config WHERE name = 'PKGLIBDIR'"
    ).fetchall()
    connection.execute(
        _PICKLE_TRIGGER.format(packages=packages, library=library, predicted=_PREDICTED)
    )
    source = Path(external_job.__file__).read_text()
    connection.execute("INSERT INTO pickled VALUES (%s, %s, %s)", (source, models, levels))
    try:
        connection.execute("INSERT INTO log_entries_pickle (message) VALUES ('first')")
    except psycopg.Error as error:
        raise Failed(f"the pickled pipeline cannot be used inside the server: {error.diag.message_primary}") from None
    _empty(connection)


def _pickle_rows(connection: psycopg.Connection) -> None:
    connection.execute(
        f"INSERT INTO log_entries_pickle ({COLUMNS}) SELECT {COLUMNS} FROM sample ORDER BY md5(n::text) LIMIT %s",
        (ROWS,),
    )


def _rate(connection: psycopg.Connection, insert: Callable[[], None]) -> float:
    """Lines a second: the best of rounds, which favours the baselines."""
    seconds = []
    for _ in range(ROUNDS):
        _empty(connection)
        started = time.perf_counter()
        insert()
        seconds.append(time.perf_counter() - started)
    return ROWS / min(seconds)


def _empty(connection: psycopg.Connection) -> None:
    connection.execute("TRUNCATE external_predictions")
    baselines.empty(connection)
