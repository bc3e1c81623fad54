"""Standard streams that are closed, full or given up, and files that cannot be read: one line, and no traceback."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = ("logintel tle", "logintel --help", "logintel load --help")


def shell(script: str, folder: Path, **options: object) -> subprocess.CompletedProcess:
    """Run a script in which `logintel` is the command line, and `$?` of the last pipeline's first command is kept."""
    function = f'logintel() {{ "{sys.executable}" -m logintel "$@"; }}\n'
    environment = {**os.environ, "DATABASE_URL": "host=127.0.0.1 port=1"}
    return subprocess.run(
        ["bash", "-c", function + script + "\nexit ${PIPESTATUS[0]}"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=60, **options,
    )  # fmt: skip


def one_line(done: subprocess.CompletedProcess, code: int = 1) -> str:
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("logintel: ")
    assert done.returncode == code, done.stderr
    return done.stderr


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("where", "reason"), [(">/dev/full", "No space left"), (">&-", "Bad file descriptor"), ("| true", "Broken pipe")]
)
def test_output_that_cannot_be_written_is_one_line_and_a_status(tmp_path: Path, command: str, where: str, reason: str):
    # Whoever reads the pipe is gone before anything is written.
    command = f"{{ sleep 0.5; {command}; }}" if where.startswith("|") else command
    said = one_line(shell(f"{command} {where}", tmp_path))
    assert f"standard output cannot be written: {reason}" in said


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
def test_complaints_that_cannot_be_written_keep_their_status(tmp_path: Path, where: str):
    done = shell(f"logintel status {where}", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    done = shell(f"logintel simulate --lines 50 --output made.jsonl {where}", tmp_path)
    assert done.returncode == 0
    assert "wrote 50 lines" in done.stdout


def test_a_mistake_on_the_command_line_is_one_line(tmp_path: Path):
    assert "--nonsense; see logintel load --help" in one_line(shell("logintel load x.log --nonsense", tmp_path), 2)
    assert "'nonsense'; see logintel --help" in one_line(shell("logintel nonsense", tmp_path), 2)
    assert "Missing argument 'FILE...'" in one_line(shell("logintel load", tmp_path), 2)


def test_a_word_that_is_no_text_is_one_line(tmp_path: Path):
    one_line(shell("logintel status --dsn $'host=\\xff'", tmp_path))
    one_line(shell("PGHOST=$'\\xff' logintel status", tmp_path))
    one_line(shell("logintel load $'\\xff.log'", tmp_path))
    assert "cannot connect" in one_line(shell("logintel status --dsn host=a..b", tmp_path))


def test_output_in_another_encoding_than_its_characters_is_written(tmp_path: Path):
    done = shell(
        "PYTHONIOENCODING=ascii logintel --help; PYTHONIOENCODING=ascii logintel tle | iconv -f UTF-8", tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["tle --output", "simulate --lines 3000 --output"])
def test_a_file_that_has_no_room_is_one_line_and_nothing_of_it_stays(tmp_path: Path, command: str):
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = shell(f"logintel {command} made", tmp_path, preexec_fn=little_room)
    assert "made cannot be written: File too large; give another --output" in one_line(done)
    assert os.listdir(tmp_path) == []
    one_line(shell(f"logintel {command} /dev/full", tmp_path))
    assert Path("/dev/full").exists()


def test_a_name_does_not_drive_the_terminal(tmp_path: Path):
    assert r"a\x1b[31m.log: no such file" in one_line(shell("logintel load $'a\\e[31m.log'", tmp_path))
    assert r"\udcff.log: no such file" in one_line(shell("logintel load $'\\xff.log'", tmp_path))


def test_a_path_that_cannot_be_looked_at_is_one_line(tmp_path: Path):
    Path(tmp_path, "loop.log").symlink_to("loop.log")
    for path in ("loop.log", "x" * 300 + ".log", "loop.log/in.log"):
        one_line(shell(f"logintel load {path}", tmp_path))
        one_line(shell(f"logintel export level {path}", tmp_path))
        one_line(shell(f"logintel import level {path}", tmp_path))
