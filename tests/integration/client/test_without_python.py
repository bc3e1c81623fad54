"""Servers without PL/Python, and a role that is no superuser: what a managed database offers. Once on each version."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from logintel.errors import UserError
from logintel.installation import scripts
from logintel.installation.command import bring_in
from logintel.installation.sources import Sources, of_package
from support import embedded
from support.embedded import Embedded
from support.servers import ROOT, make
from support.tiny_models import ANOMALIES, tiny_forest

pytestmark = pytest.mark.embedded

OWNER, PASSWORD, READER = "owner", "secret", "reader"
LINES = "INSERT INTO log_entries (level, message) VALUES ('DEBUG', 'Unrecoverable error: out of memory, shutting down'), ('INFO', 'served 7')"
INSTALLATION = "SELECT status, detail FROM logintel.doctor() WHERE \"check\" = 'installation'"
# pg_tle as far as the script calls it, in a schema that the server's superuser makes.
PG_TLE = """
    CREATE SCHEMA pgtle;
    CREATE TABLE pgtle.calls (function text, arguments text[]);
    CREATE FUNCTION pgtle.uninstall_extension_if_exists(extname text) RETURNS boolean LANGUAGE sql
    AS $$INSERT INTO pgtle.calls VALUES ('uninstall', ARRAY[$1]); SELECT false$$;
    CREATE FUNCTION pgtle.install_extension(name text, version text, description text, ext text, requires text[] DEFAULT NULL)
    RETURNS boolean LANGUAGE sql AS $$INSERT INTO pgtle.calls VALUES ('install', ARRAY[$1, $2, $3, $4]); SELECT true$$;
    CREATE FUNCTION pgtle.install_update_path(name text, fromvers text, tovers text, ext text)
    RETURNS boolean LANGUAGE sql AS $$INSERT INTO pgtle.calls VALUES ('update', ARRAY[$1, $2, $3, $4]); SELECT true$$;
    GRANT USAGE ON SCHEMA pgtle TO PUBLIC;
    GRANT ALL ON pgtle.calls TO PUBLIC"""


@pytest.fixture(scope="module", params=embedded.VERSIONS)
def running(request: pytest.FixtureRequest) -> Iterator[Embedded]:
    """A server of this major version, with a role that may create databases and nothing else, and one that may nothing."""
    try:
        with embedded.running(request.param) as started:
            started.server.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB PASSWORD '{PASSWORD}'")
            started.server.execute(f"CREATE ROLE {READER}")
            yield started
    except embedded.Missing as error:
        pytest.skip(f"NOT TESTED without PL/Python: {error}")


@dataclass(frozen=True)
class Owned:
    """A database of a role that is no superuser."""

    dsn: str
    connection: psycopg.Connection

    def rows(self, query: str) -> list[tuple]:
        """Run a statement as the owner and return its rows."""
        cursor = self.connection.execute(query)
        return cursor.fetchall() if cursor.description else []

    def logintel(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess:
        """Run the command line on this database as its owner."""
        command = [sys.executable, "-m", "logintel", *arguments, "--dsn", self.dsn]
        environment = {**os.environ, "COLUMNS": "200"}
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, env=environment)

    def fails(self, *arguments: str) -> str:
        """Run a command that fails, and return its one line."""
        done = self.logintel(*arguments)
        assert done.returncode == 1, done.stdout
        assert re.fullmatch(r"logintel: [^\n]+\n", done.stderr), done.stderr
        return done.stderr


@pytest.fixture
def db(running: Embedded) -> Iterator[Owned]:
    """A fresh database of the role."""
    address = make_conninfo(running.server.address, user=OWNER, password=PASSWORD)
    name = "owned"
    with psycopg.connect(make_conninfo(address, dbname="postgres"), autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    with psycopg.connect(make_conninfo(address, dbname=name), autocommit=True) as connection:
        assert connection.execute("SELECT current_setting('is_superuser')").fetchone() == ("off",)
        yield Owned(make_conninfo(address, dbname=name), connection)
    running.server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def installed(db: Owned) -> Owned:
    """The same with logintel, as the command installs it."""
    done = db.logintel("install")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return db


@pytest.fixture
def extension(running: Embedded) -> Iterator[None]:
    """The files that `make install-sql` puts into a server, in this one's folder."""
    make("-s", "scripts")
    for path in (ROOT / "logintel.control", *(ROOT / "build" / "scripts").glob("logintel--*.sql")):
        shutil.copy(path, running.extensions)
    yield
    for path in running.extensions.glob("logintel*"):
        path.unlink()


def use(db: Owned, tmp_path: Path) -> None:
    """Do what people do: lines by INSERT and by load, upkeep, all views, doctor()."""
    db.rows("SELECT logintel.create_log_entries()")
    db.rows(LINES)
    (tmp_path / "more.csv").write_text("level,message\nINFO,served 8\nINFO,served 9\n")
    done = db.logintel("load", str(tmp_path / "more.csv"))
    assert done.returncode == 0, done.stderr
    db.rows("CALL logintel.maintain('45 s')")
    assert db.rows("SELECT task, failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []
    views = db.rows(
        "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = ANY ('{logintel,logintel_internal}'::regnamespace[]) AND relkind = 'v'"
    )
    assert len(views) > 15
    for (view,) in views:
        db.rows(f"SELECT * FROM {view}")
    assert db.rows("SELECT lines FROM logintel.ml_status") == [(4,)]
    problems = db.rows("SELECT \"check\" FROM logintel.doctor() WHERE status = 'problem'")
    assert problems == []
    assert db.rows("SELECT predictions, pending FROM logintel.ml_status") == [(4, 0)]
    assert db.rows("SELECT declared_level FROM logintel.ml_corrections") == [("DEBUG",)]


def test_an_ordinary_role_installs_it_uses_it_and_removes_it(installed: Owned, tmp_path: Path) -> None:
    use(installed, tmp_path)
    release = of_package().release
    detail = f"plain installation of logintel {release}, no PL/Python: models that are not linear are scored by logintel worker"
    assert installed.rows(INSTALLATION) == [("ok", detail)]
    assert installed.rows("SELECT DISTINCT proowner::regrole::text FROM pg_proc WHERE pronamespace = 'logintel'::regnamespace") == [(OWNER,)]
    done = installed.logintel("uninstall", "--yes")
    assert done.returncode == 0, done.stderr
    assert all(word in done.stdout for word in ("predictions", "models", "verdicts", "log lines stay"))
    assert installed.rows("SELECT to_regnamespace('logintel') IS NULL, count(*) FROM log_entries") == [(True, 4)]
    installed.rows(LINES)
    assert "there is no logintel in database owned" in installed.fails("uninstall", "--yes")


@pytest.mark.parametrize("running", [max(embedded.VERSIONS)], indirect=True)
def test_models_are_trained_deployed_tested_and_served_from_the_client(installed: Owned) -> None:
    installed.rows("SELECT logintel.create_log_entries()")
    for command in (["simulate", "--lines", "3000"], ["train"], ["deploy", "category"]):
        done = installed.logintel(*command)
        assert done.returncode == 0, done.stderr
    in_force = "SELECT name, version, scored_by FROM logintel.ml_models WHERE state = 'in force' ORDER BY name"
    assert installed.rows(in_force) == [("anomaly", 1, "SQL"), ("category", 2, "SQL"), ("level", 1, "SQL")]
    installed.rows("SELECT logintel.start_ab_test('category', 1)")
    installed.rows("INSERT INTO log_entries (message) VALUES ('wholly new, and scored at once')")
    assert installed.rows("SELECT pending FROM logintel.ml_status") == [(0,)]
    # A forest is not linear: its new shapes wait for the worker, and whoever asks is told so.
    forest = tiny_forest("anomaly", ANOMALIES)
    installed.connection.execute("SELECT logintel.import_model(%s, %s, %s, %s)",
                                 (forest.name, forest.onnx, json.dumps(forest.metadata), json.dumps(forest.golden)))  # fmt: skip
    assert installed.logintel("deploy", "anomaly").returncode == 0
    installed.rows("INSERT INTO log_entries (message) VALUES ('just as new, and for the worker')")
    assert installed.rows("SELECT pending FROM logintel.ml_status") == [(1,)]
    assert installed.rows("SELECT scored_by FROM logintel.ml_models WHERE name = 'anomaly' AND state = 'in force'") == [("logintel worker",)]
    [(status, detail)] = installed.rows("SELECT status, detail FROM logintel.doctor() WHERE \"check\" = 'scorers'")
    assert (status, detail.split(";")[0]) == ("note", "logintel worker scores new shapes")
    assert installed.logintel("worker", "--once").returncode == 0
    assert installed.rows("SELECT pending FROM logintel.ml_status") == [(0,)]


def test_installing_again_changes_nothing(installed: Owned) -> None:
    assert installed.logintel("install").stdout == f"already installed: logintel {of_package().release}\n"


def test_removing_asks_first_and_takes_no_view_of_somebody_else_along(installed: Owned) -> None:
    done = installed.logintel("uninstall", stdin="n\n")
    assert (done.returncode, "logintel: nothing was removed\n" in done.stderr) == (1, True)
    installed.rows("CREATE VIEW public.mine AS SELECT * FROM logintel.ml_stats")
    assert "these views read logintel's: mine; drop them first" in installed.fails("uninstall", "--yes")
    installed.rows("DROP VIEW public.mine")
    assert installed.logintel("uninstall", stdin="y\n").returncode == 0
    assert installed.rows("SELECT to_regnamespace('logintel')") == [(None,)]


def newer_release(folder: Path, changes: str) -> Sources:
    """The sources of a release 9.0.0, which differs from this one by these changes of tables."""
    sql = shutil.copytree(of_package().sql, folder / "sql", dirs_exist_ok=True)
    (sql / "updates" / f"{of_package().release}--9.0.0.sql").write_text(changes)
    return Sources(sql, of_package().models, "9.0.0")


def test_a_newer_client_updates_it_in_one_transaction(installed: Owned, tmp_path: Path) -> None:
    installed.rows("SELECT logintel.create_log_entries()")
    installed.rows(LINES)
    broken = newer_release(tmp_path, "ALTER TABLE logintel_internal.locks ADD COLUMN newer text;\nSELECT no_such_function();\n")
    with pytest.raises(psycopg.errors.UndefinedFunction), installed.connection.transaction():
        bring_in(installed.connection, broken)
    assert installed.rows("SELECT logintel._release()") == [(of_package().release,)]
    newer = newer_release(tmp_path, "ALTER TABLE logintel_internal.locks ADD COLUMN newer text;\n")
    with installed.connection.transaction():
        assert bring_in(installed.connection, newer).startswith(f"updated logintel {of_package().release} to 9.0.0")
    assert installed.rows("SELECT logintel._release()") == [("9.0.0",)]
    assert installed.rows("SELECT count(newer) FROM logintel_internal.locks") == [(0,)]
    installed.rows(LINES)
    assert installed.rows("SELECT lines FROM logintel.ml_status") == [(4,)]
    with pytest.raises(UserError, match=r"cannot update logintel 9.0.0: install the newest client"):
        bring_in(installed.connection, of_package())


def test_a_schema_of_somebody_else_is_left_alone(running: Embedded, db: Owned) -> None:
    db.rows("CREATE SCHEMA logintel")
    assert "the schema logintel of this database is not logintel's: rename it" in db.fails("install")
    db.rows("CREATE FUNCTION logintel._release() RETURNS text LANGUAGE sql RETURN 1 / 0")
    with psycopg.connect(running.server.dsn("owned"), autocommit=True) as superuser:
        superuser.execute(f"ALTER SCHEMA logintel OWNER TO {READER}")
    for command in (["install"], ["uninstall", "--yes"]):
        assert f"the schema logintel of this database belongs to {READER}: connect as that role" in db.fails(*command)


def test_an_ordinary_role_creates_the_extension_and_drops_it(db: Owned, extension: None, tmp_path: Path) -> None:
    db.rows("CREATE EXTENSION logintel")
    use(db, tmp_path)
    [(status, detail)] = db.rows(INSTALLATION)
    assert (status, detail.split(",")[0]) == ("ok", f"extension logintel {of_package().release}")
    assert "ALTER EXTENSION logintel UPDATE" in db.fails("install")
    assert "DROP EXTENSION logintel" in db.fails("uninstall", "--yes")
    db.rows("DROP EXTENSION logintel")
    assert db.rows("SELECT count(*) FROM log_entries") == [(4,)]
    db.rows(LINES)


def test_an_ordinary_role_updates_its_extension(running: Embedded, db: Owned, extension: None, tmp_path: Path) -> None:
    db.rows("CREATE EXTENSION logintel")
    db.rows(f"SELECT logintel.create_log_entries(), logintel.grant_read('{READER}')")
    newer = newer_release(tmp_path, "ALTER TABLE logintel_internal.locks ADD COLUMN newer text;\n")
    scripts.write(newer, ROOT / "plpython", tmp_path / "scripts")
    for path in (tmp_path / "scripts").glob("logintel--*.sql"):
        shutil.copy(path, running.extensions)
    db.rows("ALTER EXTENSION logintel UPDATE TO '9.0.0'")
    assert db.rows("SELECT logintel._release(), count(newer) FROM logintel_internal.locks") == [("9.0.0", 0)]
    db.rows(LINES)
    assert db.rows("SELECT lines FROM logintel.ml_status") == [(2,)]
    assert db.rows(f"SELECT has_table_privilege('{READER}', 'logintel.ml_status', 'SELECT')") == [(True,)]


def test_the_script_for_pg_tle_registers_what_makes_the_extension(running: Embedded, db: Owned, tmp_path: Path) -> None:
    script = tmp_path / "logintel.sql"
    done = subprocess.run([sys.executable, "-m", "logintel", "tle", "--output", str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(running.server.dsn("owned"), autocommit=True) as superuser:
        superuser.execute(PG_TLE)
    db.rows(script.read_text())
    release = of_package().release
    calls = db.rows("SELECT function, arguments[1:3] FROM pgtle.calls")
    assert calls[0] == ("uninstall", ["logintel"])
    assert calls[1][1][:2] == ["logintel", release]
    assert [call for call in calls if call[0] == "update"] == [("update", ["logintel", "0.1.0", release])]
    # What pg_tle does with the script, save that it makes the objects those of an extension.
    [(creation,)] = db.rows("SELECT arguments[4] FROM pgtle.calls WHERE function = 'install'")
    control = f"default_version = '{release}'\nsuperuser = false\nrelocatable = false\n"
    (running.extensions / "logintel.control").write_text(control)
    (running.extensions / f"logintel--{release}.sql").write_text(creation)
    try:
        db.rows("CREATE EXTENSION logintel")
    finally:
        for path in running.extensions.glob("logintel*"):
            path.unlink()
    use(db, tmp_path)
    db.rows("DROP EXTENSION logintel")
    assert db.rows("SELECT to_regnamespace('logintel')") == [(None,)]
