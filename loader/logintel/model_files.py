"""Model versions as files: the commands `logintel export` and `logintel import`."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from logintel.commands import Model
from logintel.database import connect
from logintel.errors import UserError
from logintel.options import Dsn
from logintel_server.shipped import Files, read_files

FILES = ("model.onnx", "model.json")


def export(
    name: Model,
    folder: Annotated[Path, typer.Argument(help="Folder for the two files; it is made where it is missing.")],
    version: Annotated[
        int | None, typer.Argument(help="Version; the one in force without it.", show_default=False)
    ] = None,
    dsn: Dsn = None,
) -> None:
    """Write a model version to files: model.onnx, the graph, and model.json, the rest."""
    for file in FILES:
        if os.path.exists(folder / file):
            raise UserError(f"{folder / file} is there already; name another folder, or remove it")
    with closing(connect(dsn)) as connection:
        [(onnx, metadata, golden)] = connection.execute(
            "SELECT onnx, metadata, golden FROM logintel.export_model(%s, %s)", (name, version)
        ).fetchall()
    write_files(folder, onnx, metadata, golden)
    print(f"wrote {' and '.join(str(folder / file) for file in FILES)}")


def import_(
    name: Model,
    folder: Annotated[Path, typer.Argument(help="Folder with model.onnx and model.json.")],
    deploy: Annotated[bool, typer.Option("--deploy", help="Put the new version into force.")] = False,
    dsn: Dsn = None,
) -> None:
    """Register a model version from files, if it reproduces its golden cases in this server."""
    files = _read(folder)
    with closing(connect(dsn)) as connection, connection:
        [(version,)] = connection.execute(
            "SELECT logintel.import_model(%s, %s, %s, %s)",
            (name, files.onnx, json.dumps(files.metadata), json.dumps(files.golden)),
        ).fetchall()
        if deploy:
            [(models,)] = connection.execute("SELECT logintel.deploy(%s, %s)", (name, version)).fetchall()
    print(f"registered {name} {version}")
    print(f"in force: {models}" if deploy else f"to put it into force: logintel deploy {name} {version}")


def write_files(folder: Path, onnx: bytes, metadata: Mapping[str, Any], golden: Sequence[Any]) -> None:
    """Write the two files of a model, both or none. Raises UserError where they cannot be written or are there."""
    # The graph first: files without model.json are no model to anybody.
    contents = dict(zip(FILES, (onnx, model_json(metadata, golden).encode("utf-8")), strict=True))
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in contents.items():
            with (folder / file).open("xb") as opened:
                written.append(folder / file)
                opened.write(content)
    except BaseException as error:
        for path in written:
            path.unlink()
        if isinstance(error, OSError):
            raise UserError(f"{folder} cannot be written: {error.strerror or error}; name another folder") from None
        raise


def model_json(metadata: Mapping[str, Any], golden: Sequence[Any]) -> str:
    """Return what model.json holds."""
    return json.dumps({"metadata": metadata, "golden": golden}, indent=1, sort_keys=True) + "\n"


def _read(folder: Path) -> Files:
    try:
        return read_files(folder)
    except OSError as error:
        raise UserError(
            f"{error.filename or folder} cannot be read: {error.strerror}; "
            f"name the folder that holds {' and '.join(FILES)}"
        ) from None
    except ValueError as error:
        raise UserError(f"{folder / 'model.json'} describes no model: {error}; export the model again") from None
