"""Passwords that nobody encoded, quoted or put in the right place: whatever is made of them, none is printed."""

import os
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from logintel import cli

pytestmark = pytest.mark.any_server

BEGIN, END = "Zq7Xw", "Kv9Jp"  # in each password: neither half of it may be printed
NASTY = st.text("%@:/?#[]&=+ '\"\\,;!{}~é41", max_size=4)
PASSWORDS = st.tuples(NASTY, st.just(BEGIN), NASTY, st.just(END), NASTY).map("".join)
STRINGS = (
    "postgresql://app:{}@127.0.0.1:1/logs",
    "postgres://app:{}@127.0.0.1,127.0.0.1:1/logs?application_name=x",
    "postgresql://app:{}@/logs",
    "postgresql://127.0.0.1:1/logs?password={}",
    "postgresql://127.0.0.1:1?user=app&password={}",
    "postgresql://app:{}",
    "postgresql+psycopg://app:{}@127.0.0.1/logs",
    "jdbc:postgresql://127.0.0.1/logs?user=app&password={}",
    "app:{}@127.0.0.1/logs",
    "host=127.0.0.1 port=1 password={} user=app",
    "host=127.0.0.1 port=1 password='{}' user=app",
    "host=127.0.0.1 port=1 pasword={} user=app",
)
COMMANDS = [
    (command.name or command.callback.__name__)
    for command in cli.app.registered_commands
    if command.callback.__name__ != "tle"
]
ARGUMENTS = {
    "attach": ["events"],
    "load": ["some.log"],
    "deploy": ["level"],
    "rollback": ["level"],
    "export": ["level", "made"],
    "import": ["level", "."],
}


@pytest.fixture(autouse=True)
def _without_a_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(host: str, *_: object, **__: object) -> None:
        raise OSError(f"there is no host {host}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.chdir(tmp_path)
    Path("some.log").write_text("a line\n")


def run(capfd: pytest.CaptureFixture, *arguments: str, url: str | None = None, **variables: str) -> str:
    """Run the command line in this process, and return all that it printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["logintel", *arguments])
        for name in ("stdin", "stdout", "stderr"):
            patch.setattr(sys, name, getattr(sys, name))  # put back at the end what the command replaces
        for name, value in {"DATABASE_URL": url, **variables}.items():
            patch.setenv(name, value) if value else patch.delenv(name, raising=False)
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code in (1, 2)
    out, err = capfd.readouterr()
    assert err.count("\n") == 1, err
    return out + err


def any_of(strategy: st.SearchStrategy) -> object:
    """Hypothesis with the fixtures of one test for all examples."""
    decorate = given(strategy)
    limit = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    return lambda test: limit(decorate(test))


CASES = st.tuples(st.sampled_from(COMMANDS), st.sampled_from(STRINGS), PASSWORDS)


@any_of(CASES)
@example(("status", STRINGS[0], f"{BEGIN}%{END}"))
@example(("status", STRINGS[0], f"{BEGIN}@{END}"))
@example(("status", STRINGS[0], f"{BEGIN}@[{END}"))
@example(("status", STRINGS[0], f"{BEGIN}/{END}"))
@example(("worker", STRINGS[9], f"{BEGIN} {END}"))
@example(("status", STRINGS[5], f",{BEGIN}{END}"))
@example(("status", STRINGS[5], f"12,{BEGIN}{END}"))
def test_a_password_in_a_connection_string_is_not_printed(capfd: pytest.CaptureFixture, case: tuple[str, str, str]):
    command, string, password = case
    dsn = string.format(password)
    for printed in (
        run(capfd, command, *ARGUMENTS.get(command, []), "--dsn", dsn),
        run(capfd, command, *ARGUMENTS.get(command, []), f"--dsn={dsn}"),
        run(capfd, command, *ARGUMENTS.get(command, []), url=dsn),
    ):
        assert BEGIN not in printed
        assert END not in printed


@any_of(CASES)
def test_a_password_beside_a_mistake_on_the_command_line_is_not_printed(
    capfd: pytest.CaptureFixture, case: tuple[str, str, str]
):
    command, string, password = case
    dsn = string.format(password)
    arguments = [*ARGUMENTS.get(command, []), "--dsn", dsn]
    for more in (["superfluous"] * 4, ["--nonsense"], ["--seed", "x"], [END]):
        if command not in ("load", "retrain") or more[0].startswith("--"):
            printed = run(capfd, command, *arguments, *more)
            assert BEGIN not in printed
            assert END not in printed


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "words",
    [
        [f"postgresql://app:{BEGIN}{END}@127.0.0.1/logs"],
        [f"postgresql+psycopg://app:{BEGIN}{END}@127.0.0.1/logs"],
        [f"--dsnpostgresql://app:{BEGIN}{END}@127.0.0.1/logs?sslmode=require"],
        [f"host=127.0.0.1 password={BEGIN}{END}"],
        ["--dsn", "host=127.0.0.1", f"password={BEGIN}{END}"],
        ["--why", f"postgresql://app:{BEGIN}{END}@127.0.0.1/logs"],
        ["--seed", f"postgresql://app:{BEGIN}{END}@127.0.0.1/logs"],
    ],
)
def test_a_connection_string_in_the_wrong_place_is_not_printed(
    capfd: pytest.CaptureFixture, command: str, words: list[str]
):
    printed = run(capfd, command, *words)
    assert "connection string" in printed
    assert BEGIN not in printed
    assert os.listdir() == ["some.log"]  # nor does it name a file


@pytest.mark.parametrize("variable", ["PGHOST", "PGDATABASE", "PGUSER", "PGPORT", "PGSERVICE"])
def test_a_url_in_a_variable_that_is_not_for_it_is_not_printed(capfd: pytest.CaptureFixture, variable: str):
    url = f"postgresql://app:{BEGIN}{END}@127.0.0.1/logs"
    printed = run(capfd, "status", **{"PGHOST": "127.0.0.1", variable: url})
    assert BEGIN not in printed
    assert "cannot connect" in printed


def test_what_a_server_says_is_told_where_no_password_can_be_in_it(capfd: pytest.CaptureFixture):
    assert "Connection refused" in run(capfd, "status", "--dsn", f"postgresql://app:{BEGIN}@127.0.0.1:1/logs")
    assert "there is no host db.example" in run(capfd, "status", "--dsn", "host=db.example user=me@there")
