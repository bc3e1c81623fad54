"""The README's commands work, in the order in which it gives them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from support.servers import ROOT, Database

README = (ROOT / "README.md").read_text()
# Run by other tests: demo and install on a clean machine, test by whoever runs this one.
MAKE = {"demo", "test", "install"}


def blocks() -> Iterator[tuple[str, str]]:
    yield from re.findall(r"^```(sh|sql)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(1800)  # it trains and retrains
def test_every_command_works_in_order(empty_db: Database, tmp_path: Path) -> None:
    variables = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    given = conninfo_to_dict(empty_db.dsn)
    environment = {**os.environ, **{variables[key]: str(value) for key, value in given.items() if key in variables}}
    ran = 0
    try:
        for kind, text in blocks():
            if kind == "sql":
                done = empty_db.psql(text, "-v", "ON_ERROR_STOP=1")
                assert done.returncode == 0, f"{text}\n{done.stderr}"
                ran += 1
                continue
            for command in text.strip().splitlines():
                words = command.split()
                if words[0] == "make":
                    assert words[1] in MAKE, command
                    continue
                assert words[0] == "logintel", command
                done = subprocess.run(
                    [sys.executable, "-m", "logintel", *words[1:]],
                    env=environment,
                    cwd=tmp_path,
                    capture_output=True,
                    text=True,
                    timeout=300,
                )
                assert done.returncode == 0, f"{command}\n{done.stderr}"
                ran += 1
    finally:
        for role in ("readme_bi", "readme_operator"):
            empty_db.psql(f"DROP OWNED BY {role}; DROP ROLE {role};")
    assert ran >= 10


def test_the_reference_names_what_there_is(db: Database) -> None:
    documented = set(re.findall(r"`(ml_\w+)`", README)) | {
        f"ml_stats{suffix}" for suffix in re.findall(r"`(_by_\w+)`", README)
    }
    views = {
        name
        for (name,) in db.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'logintel'::regnamespace AND relkind = 'v' AND relname LIKE 'ml\\_%%'"
        )
    }
    assert documented == views
    named = set(re.findall(r"`(\w+)\(", README))
    functions = {
        name
        for (name,) in db.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'logintel'::regnamespace AND prorettype <> 'trigger'::regtype"
        )
    }
    public = {name for name in functions if not name.startswith("_")}
    assert public - named <= {"shape_version", "status_class", "latency_bucket"}
    assert named <= public


def test_functions_in_the_readme_have_the_arguments_that_there_are(db: Database) -> None:
    section = README.split("### Functions")[1].split("###")[0]
    documented = {
        (name, tuple(re.findall(r"\w+", arguments)))
        for functions in re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
        for name, arguments in re.findall(r"`(\w+)\(([^`]*)\)`", functions)
        if arguments != "..."  # those of the function before it
    }
    there = db.execute(
        "SELECT proname, coalesce(proargnames[:pronargs], '{}') FROM pg_proc WHERE pronamespace = 'logintel'::regnamespace"
    )
    assert documented - {(name, tuple(arguments)) for name, arguments in there} == set()
    assert len(documented) > 30


def test_settings_in_the_readme_are_the_defaults(db: Database) -> None:
    section = README.split("### Settings")[1].split("###")[0]
    table = dict(re.findall(r"^\| `(\w+)` \| `?([\w.]+)`? \|", section, re.MULTILINE))
    assert table == dict(db.execute("SELECT name, value FROM logintel.settings"))
