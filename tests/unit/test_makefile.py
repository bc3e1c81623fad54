"""What the Makefile's recipes put where every user of the machine can read it."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DSN = "postgresql://logintel:S3cret@127.0.0.1:5432/logintel"


def executable(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def demo(folder: Path, dsn: str) -> subprocess.CompletedProcess:
    """Run `make demo` where everything that it starts is a stand-in that writes down what it was given."""
    for name in ("Makefile", "logintel.control"):
        (folder / name).write_text((ROOT / name).read_text())
    make = executable(folder / "make", f'[ "$2" != dsn ] || {dsn}')
    seen = "for process in $$ $PPID; do tr '\\0' ' ' </proc/$process/cmdline; done >seen; echo \"$DATABASE_URL\" >url"
    executable(folder / ".venv/bin/logintel", seen)
    command = ["make", "demo", f"MAKE={make}", "PG_CONFIG=true", "-o", "packages", "-o", ".venv/.installed"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True)


def test_the_demo_gets_the_password_by_the_environment_alone(tmp_path: Path):
    done = demo(tmp_path, f"echo {DSN}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "url").read_text() == DSN + "\n"
    seen = (tmp_path / "seen").read_text()
    assert ".venv/bin/logintel" in seen
    assert "S3cret" not in seen + done.stdout + done.stderr


def test_without_a_connection_string_the_demo_writes_nowhere(tmp_path: Path):
    assert demo(tmp_path, "exit 1").returncode != 0
    assert not (tmp_path / "url").exists()


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile", ".github/workflows"])
def test_nothing_of_the_checkout_hands_a_connection_string_to_a_command_line(file: str):
    path = ROOT / file
    for each in sorted(path.rglob("*.y*ml")) if path.is_dir() else [path]:
        assert "--dsn" not in each.read_text()
