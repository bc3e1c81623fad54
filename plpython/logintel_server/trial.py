"""A graph's first run, in a process that may die: what crashes onnxruntime, or eats memory, ends no session.

The process is the Python that the server embeds, started afresh: a fork would have the server's sockets and handlers.
It gets a graph and shapes on standard input and answers on standard output, in an empty folder, with no file open.
"""

import importlib.util
import json
import os
import resource
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from logintel_server import fidelity, runtime, scoring, watching

MAX_SECONDS = 60
"""Time of the processor that a graph gets for its golden cases; the clock may show twice as much."""
_POLL_SECONDS = 0.05
_CODE = "import sys; sys.path[:0] = sys.argv[1:]; from logintel_server import trial; trial.main()"


def outputs(plpy: Any, name: str, onnx: bytes, metadata: str, golden: str) -> tuple[list[str] | None, str]:
    """Run a graph on the shapes of its golden cases; metadata and golden cases are JSON that the gate has checked.

    Returns a label for each case, None for outlier models, and as JSON a list of numbers for each: the probabilities
    of the classes, or one score. Raises runtime.ModelError where the graph does not fit its metadata, or did not live.
    """
    shapes = [case["shape"] for case in json.loads(golden)]
    levels = scoring.normalized_levels(plpy, shapes)
    asked = {"name": name, "metadata": json.loads(metadata), "shapes": shapes, "levels": levels}
    try:
        answer = _run(name, json.dumps(asked).encode() + b"\n" + onnx)
    except watching.Interrupted:
        runtime.let_server_end(plpy)
        raise runtime.ModelError(f"model {name} was interrupted") from None
    if "fault" in answer:
        raise runtime.ModelError(answer["fault"])
    return answer["labels"], json.dumps(answer["numbers"])


def _run(name: str, asked: bytes) -> dict[str, Any]:
    python = _python(name)
    # What is asked is in a file without a name: a process that reads a pipe would have to be fed while it is watched.
    with tempfile.TemporaryDirectory(prefix="logintel-") as folder, tempfile.TemporaryFile(dir=folder) as question:
        question.write(asked)
        question.seek(0)
        process = subprocess.Popen(  # noqa: S603
            [python, "-I", "-S", "-B", "-c", _CODE, *_paths()],
            stdin=question, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, env=_ENVIRONMENT,
        )  # fmt: skip
        try:
            said, complaint = _listen(process, name)
        finally:
            process.kill()
            process.wait()
    if process.returncode < 0:
        how = signal.Signals(-process.returncode).name
        raise runtime.ModelError(f"model {name} ended the process that tried it, by {how}: it cannot be used")
    try:
        return json.loads(said)
    except ValueError:
        last = (complaint.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise runtime.ModelError(
            f"model {name} cannot be tried: {python} ended with code {process.returncode}: {last}"
        ) from None


_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"} | {
    name: os.environ[name] for name in ("LD_LIBRARY_PATH", "TMPDIR") if name in os.environ
}


def _listen(process: subprocess.Popen, name: str) -> tuple[bytes, bytes]:
    """Wait for the answer, as long as the server wants to wait."""
    until = time.monotonic() + 2 * MAX_SECONDS
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=_POLL_SECONDS)
        if watching.interrupted():
            raise watching.Interrupted
        if time.monotonic() > until:
            raise runtime.ModelError(f"model {name} had no answer after {2 * MAX_SECONDS} s: it cannot be used")


def _python(name: str) -> str:
    """The program of the Python that runs here: packages with code in C fit no other version."""
    program = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folders = (sysconfig.get_config_var("BINDIR"), f"{sys.base_exec_prefix}/bin", "/usr/bin", "/usr/local/bin")
    for folder in folders:
        if folder and os.access(path := f"{folder}/{program}", os.X_OK):
            return path
    raise runtime.ModelError(
        f"model {name} cannot be tried: this server has no {program}, in which a model runs before it may run in a "
        f"session; install it (Debian: apt-get install {program}-minimal)"
    )


def _paths() -> list[str]:
    """Where the packages are; the process looks for them nowhere else."""
    paths = [Path(__file__).parents[1]]
    for package in ("numpy", "onnxruntime", "tokenizers"):
        if found := importlib.util.find_spec(package):
            paths.append(Path(found.origin).parents[1])
    return [str(path) for path in dict.fromkeys(paths)]


def main() -> None:
    """Run as the process."""
    for what, most in ((resource.RLIMIT_CPU, MAX_SECONDS), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        resource.setrlimit(what, (most, most))
    asked = json.loads(sys.stdin.buffer.readline())
    onnx = sys.stdin.buffer.read()
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing else may come between
    try:
        with watching.time_limit(MAX_SECONDS):
            labels, numbers = fidelity.outputs(
                asked["name"], onnx, asked["metadata"], asked["shapes"], asked["levels"]
            )
        json.dump({"labels": labels, "numbers": numbers}, answer)
    except runtime.ModelError as error:
        json.dump({"fault": str(error)}, answer)
    answer.flush()
    os._exit(0)  # what a graph has done to the process is not to show at its end
