"""The scripts are made of the files of a checkout, or of the client's package, by the standard library alone."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from logintel.errors import UserError
from logintel.installation import scripts
from logintel.installation.sources import Sources, of_package
from support.servers import ROOT

# Without a transaction around it, and where logintel is no extension, each of these is an error.
FOR_EXTENSIONS_ONLY = ("pg_extension_config_dump", "\\echo", "@IMPORT@", "plpython3u")


@pytest.fixture
def small(tmp_path: Path) -> Sources:
    """A release 1.2 with few files, which two steps lead to."""
    texts = {
        "00_a/10_table": "a table", "00_a/20_function": "a function", "00_a/80_trigger": "a trigger", "00_a/90_view": "a view",
        "01_b/10_table": "b table", "01_b/70_function": "b function", "updates/before": "before", "updates/after": "after",
        "updates/1.0--1.1": "first step", "updates/1.1--1.2": "second step",
    }  # fmt: skip
    for name, text in texts.items():
        path = tmp_path / f"{name}.sql"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"-- {text}\n")
    return Sources(tmp_path, ROOT / "models", "1.2")


def parts(script: str) -> list[str]:
    return re.findall(r"^-- (.*)$", script, re.MULTILINE)


def test_tables_come_first_then_functions_triggers_and_views_of_all_folders(small: Sources) -> None:
    assert parts(scripts.extension(small)) == [
        "a table", "b table", "a function", "b function", "a trigger", "a view",
    ]  # fmt: skip
    assert parts(scripts.plain(small)) == parts(scripts.extension(small))


@pytest.mark.parametrize(("release", "steps"), [("1.0", ["first step", "second step"]), ("1.1", ["second step"])])
def test_an_update_is_all_steps_from_that_release_and_everything_replaceable(
    small: Sources, release: str, steps: list[str]
) -> None:
    replaceable = ["a function", "b function", "a trigger", "a view"]
    assert parts(scripts.extension_update(small, release)) == ["before", *steps, *replaceable, "after"]
    assert parts(scripts.plain_update(small, release)) == parts(scripts.extension_update(small, release))


def test_a_release_that_no_step_begins_with_is_refused_with_the_next_step(small: Sources) -> None:
    with pytest.raises(UserError, match=r"logintel 1.2 cannot update logintel 1.3: install the newest client"):
        scripts.plain_update(small, "1.3")


def test_every_script_says_its_release(small: Sources) -> None:
    for script in (scripts.extension(small), scripts.plain(small), scripts.plain_update(small, "1.0")):
        assert "FUNCTION logintel._release()" in script
        assert "RETURN '1.2';" in script


def test_the_plain_scripts_have_nothing_that_only_an_extension_may_do() -> None:
    sources = of_package()
    for script in (scripts.plain(sources), scripts.plain_update(sources, "0.1.0")):
        assert not [word for word in FOR_EXTENSIONS_ONLY if word in script]


def test_the_script_for_pg_tle_quotes_every_script_whole() -> None:
    sources = of_package()
    text = scripts.tle(sources, "it's a comment")
    assert "'it''s a comment'" in text
    tag = scripts.TAG
    assert text.count(tag) == 2 * (1 + len(sources.earlier_releases()))
    _, creation = scripts.extension(sources).split("$block$;\n", 1)  # what looks at a schema that is there comes first
    assert text.split(tag)[1] == f"\nCREATE SCHEMA logintel;\n{creation}"


def test_make_needs_the_standard_library_alone_and_leaves_no_other_releases_script(tmp_path: Path) -> None:
    (tmp_path / "logintel--0.0.9.sql").touch()
    command = [sys.executable, "-S", "-m", "logintel.installation", str(tmp_path)]  # -S: without any package
    environment = os.environ | {"PYTHONPATH": "loader:plpython"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    names = sorted(path.name for path in tmp_path.iterdir())
    release = of_package().release
    assert names == [f"logintel--0.1.0--{release}.sql", f"logintel--{release}.sql", f"logintel_python--{release}.sql"]
    assert (tmp_path / f"logintel--{release}.sql").read_text() == scripts.extension(of_package())


def test_what_is_in_pl_python_finds_its_package() -> None:
    script = scripts.python_extension(ROOT / "plpython")
    assert script.count("sys.path.insert(0, '@PKGLIBDIR@/logintel')") == script.count("LANGUAGE plpython3u") > 0
