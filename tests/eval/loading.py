"""Loads models in a process of its own and prints how much memory it then has to itself, in MB.

python loading.py FILE...: graphs (.onnx, their metadata in .json beside), as the server loads them, or scikit-learn pipelines (.pickle).
"""

import json
import pickle
import sys
from pathlib import Path

from logintel_server import runtime


def main() -> None:
    """Load the files, say something of a batch with each, and print the memory."""
    import onnxruntime  # noqa: F401, a server has it in any case

    kept = [_used(Path(name)) for name in sys.argv[1:]]
    print(json.dumps({"models": len(kept), "mb": _private_mb()}))


def _used(file: Path) -> object:
    batch = ["connection to <*> lost after <*> ms"] * runtime.MAX_SHAPES
    if file.suffix == ".pickle":
        pipeline = pickle.loads(file.read_bytes())
        pipeline.predict_proba(batch)
        return pipeline
    model = runtime.open_model(file.stem, file.stem, file.read_bytes(),
                               json.loads(file.with_suffix(".json").read_text()))
    model.run(dict.fromkeys(model.inputs, batch))
    return model


def _private_mb() -> float:
    fields = (line.split() for line in Path("/proc/self/smaps_rollup").read_text().splitlines())
    return sum(int(field[1]) for field in fields if field[0].startswith("Private_")) / 1024


if __name__ == "__main__":
    main()
