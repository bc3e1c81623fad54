"""Installing the extension into a server, creating it in a database, and taking it away again."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import psycopg
import pytest

from support.servers import ROOT, Database, make

IMPORT_LIBRARIES = """
DO LANGUAGE plpython3u $$
import json, os, sys
sys.path.insert(0, plpy.execute("SELECT setting || '/logintel' AS folder FROM pg_config WHERE name = 'PKGLIBDIR'")[0]["folder"])
import numpy, onnxruntime
plpy.execute(plpy.prepare("SELECT set_config('test.numpy', $1, false), set_config('test.onnxruntime', $2, false), set_config('test.compiled', $3, false)", ["text"] * 3),
             [numpy.__version__, onnxruntime.__version__, str(os.path.exists(numpy.__spec__.cached))])
$$
"""


@pytest.fixture
def fake_pg_config(tmp_path: Path):
    """Make a pg_config that answers for a server of a given version whose folders are empty."""

    def fake(version: str) -> Path:
        program = tmp_path / "pg_config"
        answers = f'--version) echo "PostgreSQL {version}" ;; *) echo {tmp_path} ;;'
        program.write_text(f"#!/bin/sh\ncase $1 in {answers} esac\n")
        program.chmod(0o755)
        return program

    return fake


def installed_files(root: Path) -> dict[Path, tuple[int, int]]:
    """Return what `make install` put below `root`: path to inode and time of the last change."""
    ask = [os.environ["PG_CONFIG"], "--pkglibdir", "--sharedir"]
    libraries, share = subprocess.check_output(ask, text=True).splitlines()
    paths = [*Path(f"{root}{libraries}", "logintel").rglob("*"), *Path(f"{root}{share}", "extension").glob("logintel*")]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths if path.is_file()}


def test_both_extensions_have_the_version_of_the_python_package(empty_db: Database):
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    versions = "SELECT extname, extversion FROM pg_extension WHERE extname LIKE 'logintel%' ORDER BY 1"
    assert empty_db.execute(versions) == [("logintel", version), ("logintel_python", version)]
    assert empty_db.value("SELECT logintel._release()") == version


def test_the_server_runs_the_pinned_libraries_and_finds_them_compiled(empty_db: Database):
    requirements = (ROOT / "plpython/requirements.txt").read_text().splitlines()
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    empty_db.execute("CREATE EXTENSION plpython3u")
    empty_db.execute(IMPORT_LIBRARIES)
    for library in ("numpy", "onnxruntime"):
        pin = f"{library}=={empty_db.value('SELECT current_setting(%s)', [f'test.{library}'])}"
        assert pin in requirements
        assert pin in dependencies
    assert empty_db.value("SELECT current_setting('test.compiled')") == "True"


def test_dropping_the_extension_leaves_the_logs_and_lets_them_be_written(db: Database):
    db.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', 'before')")
    db.execute("DROP EXTENSION logintel CASCADE")
    db.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', 'after')")
    assert db.execute("SELECT message FROM log_entries ORDER BY id") == [("before",), ("after",)]


def test_the_extensions_can_be_dropped_and_created_again(db: Database):
    db.execute("DROP EXTENSION logintel, logintel_python")
    db.execute("CREATE EXTENSION logintel")
    db.execute("CREATE EXTENSION logintel_python")
    assert db.value("SELECT count(*) FROM pg_extension WHERE extname LIKE 'logintel%'") == 2


def test_python_can_be_dropped_alone_and_lines_are_written_on(fresh_db: Database):
    fresh_db.execute("DROP EXTENSION logintel_python")
    fresh_db.execute("INSERT INTO log_entries (message) VALUES ('still written')")
    assert fresh_db.value("SELECT lines FROM logintel.ml_status") == 1


def installation(db: Database) -> list[tuple]:
    """What doctor() says of the installation."""
    return db.execute("SELECT status, detail, next_step FROM logintel.doctor() WHERE \"check\" = 'installation'")


def test_doctor_says_what_is_installed_and_what_it_lacks(empty_db: Database):
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    release = empty_db.value("SELECT logintel._release()")
    assert installation(empty_db) == [("ok", f"extension logintel {release} with logintel_python {release}", None)]
    empty_db.execute("UPDATE pg_extension SET extversion = '0.0.1' WHERE extname = 'logintel_python'")
    [(status, detail, next_step)] = installation(empty_db)
    assert (status, "logintel_python 0.0.1" in detail) == ("problem", True)
    assert next_step == "ALTER EXTENSION logintel UPDATE; ALTER EXTENSION logintel_python UPDATE"
    empty_db.execute("DROP EXTENSION logintel_python")
    [(status, detail, next_step)] = installation(empty_db)
    assert (status, "no PL/Python" in detail, next_step) == ("ok", True, None)


def test_what_is_in_pl_python_is_for_the_owner_of_logintel_alone(empty_db: Database):
    """The owner need not be a superuser; who creates logintel_python is."""
    owner, stranger = empty_db.create_role("owner"), empty_db.create_role("stranger")
    empty_db.execute(f"GRANT CREATE ON DATABASE {empty_db.name} TO {owner}")
    session = empty_db.connect(user=owner)
    session.execute("CREATE EXTENSION logintel")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("CREATE EXTENSION logintel_python CASCADE")
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    empty_db.execute(f"GRANT USAGE ON SCHEMA logintel TO {stranger}")
    assert session.execute("SELECT logintel._python_versions()").fetchone() != (None,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        empty_db.connect(user=stranger).execute("SELECT logintel._python_versions()")
    assert session.execute("SELECT predicted_level FROM logintel.analyze('out of memory')").fetchone() is not None
    empty_db.execute("DROP EXTENSION logintel_python")
    session.execute("DROP EXTENSION logintel")
    empty_db.execute(f"DROP OWNED BY {owner}, {stranger}")


def test_the_script_run_by_hand_says_what_to_run_instead(empty_db: Database):
    make("-s", "scripts")
    for script in (ROOT / "build" / "scripts").glob("*.sql"):
        done = empty_db.psql(script.read_text())
        assert re.match('Use "(CREATE|ALTER) EXTENSION logintel', done.stdout)
    assert empty_db.value("SELECT to_regnamespace('logintel')") is None


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the extension is installed below: the server that other tests use misses nothing meanwhile."""
    root = tmp_path_factory.mktemp("root")
    make("-s", "install", f"DESTDIR={root}")
    return root


def test_a_second_install_changes_no_library(installed: Path):
    before = installed_files(installed)
    make("-s", "install", f"DESTDIR={installed}")
    after = installed_files(installed)
    assert set(after) == set(before)
    changed = {path for path in after if after[path] != before[path]}
    assert all(path.parent.name == "extension" or "logintel_server" in path.parts for path in changed)


def test_uninstall_leaves_nothing_behind(installed: Path, tmp_path: Path):
    root = shutil.copytree(installed, tmp_path / "root")
    assert {path.suffix for path in installed_files(root)} >= {".control", ".sql", ".py", ".so"}
    make("-s", "uninstall", f"DESTDIR={root}")
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_a_server_without_pl_python_can_have_what_is_in_sql(fake_pg_config, tmp_path: Path):
    make("-s", "install-sql", f"PG_CONFIG={fake_pg_config('17.2')}", f"DESTDIR={tmp_path / 'root'}")
    installed = {path.name for path in (tmp_path / "root").rglob("*") if path.is_file()}
    assert "logintel.control" in installed
    assert all(name.startswith("logintel--") for name in installed - {"logintel.control"})
    assert len(installed) > 2


@pytest.mark.parametrize(
    ("version", "advice"),
    [("17.2 (Debian 17.2-1)", "install the package postgresql-plpython3-17"), ("14.9", "logintel needs 15 or newer")],
)
def test_a_server_that_will_not_do_is_refused_in_one_line(fake_pg_config, version: str, advice: str):
    command = ["make", "-s", "install", f"PG_CONFIG={fake_pg_config(version)}"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    said = [line for line in done.stderr.splitlines() if not re.match(r"make(\[\d+\])?: ", line)]
    assert done.returncode != 0
    assert len(said) == 1
    assert advice in said[0]
