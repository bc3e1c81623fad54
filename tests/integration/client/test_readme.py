"""The commands of the READMEs work, in the order in which they give them, and what they name is there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from support.reference import reference
from support.servers import ROOT, Database

pytestmark = pytest.mark.any_server

README = (ROOT / "README.md").read_text()
MODELS = (ROOT / "models" / "README.md").read_text()
LIFE_OF_A_MODEL = MODELS.split("## The life of a model")[1].split("\n## ")[0]
# Run by other tests: demo and install on a clean machine, test by whoever runs this one.
MAKE = {"demo", "test", "install"}


def blocks() -> Iterator[tuple[str, str]]:
    yield from re.findall(r"^```(sh|sql)\n(.*?)^```", README + LIFE_OF_A_MODEL, re.MULTILINE | re.DOTALL)


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
        for role in ("readme_bi", "readme_operator", "readme_worker"):
            empty_db.psql(f"DROP OWNED BY {role}; DROP ROLE {role};")
    assert ran >= 10
    # The example rejects the corrections of one template, not of all that it passes over.
    assert empty_db.value("SELECT count(DISTINCT template) FROM logintel.ml_feedback WHERE note = 'meant to be loud'") == 1


def test_what_the_readmes_name_is_there(db: Database) -> None:
    relations = {name for (name,) in db.execute("SELECT relname FROM pg_class WHERE relnamespace = ANY ('{logintel,logintel_internal}'::regnamespace[])")}
    functions = {name for (name,) in db.execute("SELECT proname FROM pg_proc WHERE pronamespace = 'logintel'::regnamespace")}
    for text in (README, MODELS):
        assert set(re.findall(r"`(ml_\w+)`", text)) <= relations
        assert set(re.findall(r"logintel\.(\w+)\(", text)) <= functions
        assert set(re.findall(r"`(?:logintel\.)?(\w+)\(", text)) <= functions


def test_named_arguments_in_the_readmes_are_those_of_the_functions(db: Database) -> None:
    arguments = dict(
        db.execute(
            "SELECT proname, array_agg(a) FROM pg_proc, unnest(proargnames) AS a "
            "WHERE pronamespace = 'logintel'::regnamespace GROUP BY 1"
        )
    )
    calls = re.findall(r"logintel\.(\w+)\(([^;]*?=>[^;]*?)\)", README + MODELS)
    assert calls
    for function, given in calls:
        assert set(re.findall(r"(\w+) =>", given)) <= set(arguments[function]), function


def test_the_reference_is_what_the_database_says(db: Database) -> None:
    assert (ROOT / "sql" / "REFERENCE.md").read_text() == reference(db), "run: make golden"
