"""What the command line shows of the log: tables for people, JSON for programs, and lines as they come."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from support.lines import insert
from support.processes import start
from support.servers import Database
from support.tiny_models import deploy

pytestmark = pytest.mark.any_server

FIELDS = 12


def run(db: Database, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "logintel", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "DATABASE_URL": db.dsn, **variables},
    )


def fails(done: subprocess.CompletedProcess, code: int = 1) -> str:
    assert done.returncode == code, f"{done.stdout}{done.stderr}"
    assert re.fullmatch(r"logintel: [^\n]+\n", done.stderr), done.stderr
    return done.stderr


def documents(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def cells(table: str) -> list[list[str]]:
    """The cells of a table, without its header."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")][2:]


@contextmanager
def following(db: Database, *arguments: str) -> Iterator[subprocess.Popen]:
    """A tail that follows, and has shown a line that was there before."""
    environment = {**os.environ, "DATABASE_URL": db.dsn}
    with start("-m", "logintel", "tail", *arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def own_table(db: Database) -> Database:
    deploy(db)
    db.execute("SELECT logintel.detach()")
    db.execute("CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz, data jsonb, sev integer, host text, txt text)")
    db.execute("INSERT INTO events (at, data, sev, host, txt) VALUES (now(), '{\"lvl\": \"warn\"}', 3, 'web-1', 'failed to connect')")
    return db


def sources(db: Database) -> dict[str, str]:
    return db.value("SELECT columns || coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each(paths)), '{}') FROM logintel_internal.attachments")


def test_a_dry_run_shows_every_field_and_attaches_nothing(own_table: Database) -> None:
    done = run(own_table, "attach", "events", "--map", "message=txt", "--dry-run")
    assert done.returncode == 0, done.stderr
    shown = {row[0]: row[1:] for row in cells(done.stdout) if row[0]}  # a long note has several lines
    assert len(shown) == FIELDS
    assert shown["message"][:3] == ["txt", "given", "failed to connect"]
    assert shown["category"][:2] == ["", "missing"]
    assert done.stdout.endswith("\nnothing was attached: this was a dry run\n")
    assert own_table.value("SELECT count(*) FROM logintel_internal.attachments") == 0


def test_attaching_says_what_was_found_what_was_guessed_and_what_comes_next(own_table: Database) -> None:
    done = run(own_table, "attach", "public.events", "--map", "message=txt", "--map", "level=sev", "--map", "host=")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r'note: numbers in the column "sev" of public.events are read as [^\n]+; If they are others: [^\n]+\n', done.stderr)
    assert re.search(r"^attached public.events: .* logintel backfill$", done.stdout, re.MULTILINE)
    columns = own_table.value("SELECT columns FROM logintel_internal.attachments")
    assert columns | {"message": "txt", "level": "sev", "timestamp": "at"} == columns
    assert "host" not in columns
    assert own_table.logintel("backfill") == "processed 1 pending lines\n"
    assert own_table.execute("SELECT message, declared_level, predicted_level FROM logintel.ml_recent_predictions") == [
        ("failed to connect", "ERROR", "ERROR")
    ]


def test_a_place_in_a_document_a_scale_a_zone_and_a_key_reach_the_server(own_table: Database) -> None:
    own_table.execute("CREATE TABLE plain (at timestamp, sev integer, data jsonb)")
    arguments = ("--map", "message=data->>txt", "--map", "level=sev", "--level-scale", "python", "--time-zone", "Europe/Berlin", "--add-key")
    done = run(own_table, "attach", "plain", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    own_table.execute("INSERT INTO plain (at, sev, data) VALUES ('2026-11-01 10:00', 40, '{\"txt\": \"failed\"}')")
    assert own_table.execute('SELECT message, declared_level, "timestamp" = \'2026-11-01 09:00+00\' FROM logintel.ml_recent_predictions') == [
        ("failed", "ERROR", True)
    ]


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("nosuch", 'relation "nosuch" does not exist; name the table as SQL does'),
        ("App Logs", "invalid name syntax; name the table as SQL does"),
        ("nosuch.events", 'schema "nosuch" does not exist; name the table as SQL does'),
        ("events'; DROP TABLE events; --", "invalid name syntax; name the table as SQL does"),
        ("other.public.events", "cross-database references are not implemented"),
    ],
)
def test_a_table_that_is_not_there_is_one_line(own_table: Database, table: str, complaint: str) -> None:
    assert complaint in fails(run(own_table, "attach", table))
    assert own_table.value("SELECT count(*) FROM logintel_internal.attachments") == 0
    assert own_table.value("SELECT count(*) FROM events") == 1


def test_a_mapping_that_is_none_is_one_line(own_table: Database) -> None:
    assert "--map txt: write it as FIELD=PLACE" in fails(run(own_table, "attach", "events", "--map", "txt"))
    assert "message has a place already" in fails(run(own_table, "attach", "events", "--map", "message=txt", "--map", "message=host"))
    assert 'no column "nosuch"' in fails(run(own_table, "attach", "events", "--map", "message=nosuch"))


def test_attach_without_logintel_says_how_to_get_it(empty_db: Database) -> None:
    empty_db.execute("CREATE TABLE events (message text)")
    assert "CREATE EXTENSION logintel" in fails(run(empty_db, "attach", "events"))


@pytest.fixture
def found(db: Database) -> Database:
    """Three corrections, an hour between them, and an anomaly; the newest in another service."""
    deploy(db)
    for hours, service in ((3, "billing"), (2, "billing"), (1, "shop")):
        db.execute(
            "INSERT INTO log_entries (timestamp, service, level, message) VALUES (now() - %s * interval '1 hour', %s, 'INFO', %s)",
            (hours, service, f"failed \x1b[31m{hours}"),
        )
    insert(db, "panicked", service="shop", level="FATAL")
    db.execute("SELECT logintel.maintain()")
    return db


def messages_of(done: subprocess.CompletedProcess) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [row["message"] for row in documents(done.stdout)]


def test_corrections_are_newest_first_and_say_what_is_wrong(found: Database) -> None:
    rows = cells(run(found, "corrections").stdout)
    assert [(row[1], row[2], row[4]) for row in rows] == [
        ("shop", "INFO -> ERROR", "failed  [31m1"),
        ("billing", "INFO -> ERROR", "failed  [31m2"),
        ("billing", "INFO -> ERROR", "failed  [31m3"),
    ]
    assert all(0.9 < float(row[3]) <= 1 and datetime.fromisoformat(row[0]) for row in rows)


@pytest.mark.parametrize(
    ("arguments", "hours"),
    [
        ((), "123"),
        (("--limit", "2"), "12"),
        (("--service", "billing"), "23"),
        (("--service", "billing", "--limit", "1"), "2"),
        (("--since", "150m"), "12"),
        (("--since", "1w"), "123"),
        (("--since", "90m", "--service", "billing"), ""),
    ],
)
def test_corrections_are_those_that_were_asked_for(found: Database, arguments: tuple[str, ...], hours: str) -> None:
    assert messages_of(run(found, "corrections", "--json", *arguments)) == [f"failed \x1b[31m{hour}" for hour in hours]


def test_since_takes_times_and_says_how_they_are_written(found: Database) -> None:
    began = found.value("SELECT now() - interval '90 minutes'")
    assert messages_of(run(found, "corrections", "--json", "--since", began.isoformat())) == ["failed \x1b[31m1"]
    for wrong in ("yesterday", "7", "2 hours ago", "99999999d"):
        assert f"--since {wrong}: give a duration such as 30m" in fails(run(found, "corrections", "--since", wrong))


def test_anomalies_are_shown_with_their_kind(found: Database) -> None:
    [row] = cells(run(found, "anomalies").stdout)
    assert row[1:3] + row[4:] == ["shop", "system_failure", "FATAL", "panicked"]
    [document] = documents(run(found, "anomalies", "--json", "--since", "1h").stdout)
    assert document["anomaly_type"] == "system_failure"
    assert run(found, "anomalies", "--json", "--service", "billing").stdout == ""


def test_a_time_that_no_calendar_has_stops_no_command(found: Database) -> None:
    found.execute("INSERT INTO log_entries (timestamp, level, message) VALUES ('0044-03-15 BC', 'INFO', 'failed early'), ('infinity', 'INFO', 'failed late')")
    for command in (("corrections",), ("tail", "--no-follow")):
        done = run(found, *command)
        assert done.returncode == 0, done.stderr
        assert "failed early" in done.stdout
        assert "failed late" in done.stdout


@pytest.mark.parametrize("command", ["status", "doctor", "maintain", "corrections", "anomalies", "tail"])
def test_json_is_a_document_a_row_with_times_and_numbers(found: Database, command: str) -> None:
    done = run(found, command, "--json", *(["--no-follow"] if command == "tail" else []))
    assert (done.returncode, done.stderr) == (0, "")
    rows = documents(done.stdout)
    assert rows
    assert all(isinstance(row, dict) and row.keys() == rows[0].keys() for row in rows)
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
    values = {name: value for row in rows for name, value in row.items() if value is not None}
    for name in {"timestamp", "predicted_at", "trained_at", "latest_prediction", "ran_at"} & values.keys():
        assert datetime.fromisoformat(values[name]).tzinfo, name
    for name in {"log_entry_id", "level_confidence", "anomaly_score", "lines", "pending"} & values.keys():
        assert isinstance(values[name], int | float), name


def test_json_of_the_status_has_the_models_in_force(found: Database) -> None:
    [status] = documents(run(found, "status", "--json").stdout)
    assert [(model["name"], model["version"]) for model in status["models_in_force"]] == [("anomaly", 1), ("level", 1)]
    assert status["pending"] == 0


def test_json_of_an_attachment_is_all_that_is_on_standard_output(own_table: Database) -> None:
    done = run(own_table, "attach", "events", "--map", "message=txt", "--map", "level=sev", "--json")
    assert done.returncode == 0
    rows = documents(done.stdout)
    assert [set(row) for row in rows] == [{"field", "source", "how", "example", "note"}] * FIELDS
    assert re.fullmatch(r"note: numbers [^\n]+\nattached events: [^\n]+\n", done.stderr)


def test_doctor_fails_with_problems_in_json_too(db: Database) -> None:
    done = run(db, "doctor", "--json")
    assert "doctor found 1 problem" in fails(done)
    assert [row["detail"] for row in documents(done.stdout) if row["status"] == "problem"] == ["no model is deployed"]


def test_what_the_upkeep_says_is_no_part_of_its_table(found: Database) -> None:
    other = found.connect(autocommit=False)
    assert other.execute("SELECT logintel._try_lock('upkeep')").fetchall() == [(True,)]
    done = run(found, "maintain", "--json")
    assert done.stderr == "note: another maintain() is running\n"
    assert documents(done.stdout)


@pytest.fixture
def lines(db: Database) -> Database:
    deploy(db)
    insert(db, "started", level="INFO", service="shop")
    insert(db, "failed to pay", level="DEBUG", service="billing")
    insert(db, "slow", service="shop")
    return db


def told(done: subprocess.CompletedProcess) -> list[str]:
    """Lines without their times."""
    assert done.returncode == 0, done.stderr
    return [re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d(?::\d\d)?(.*)", line)[1] for line in done.stdout.splitlines()]


def test_tail_shows_the_newest_last_and_marks_what_differs(lines: Database) -> None:
    assert told(run(lines, "tail", "--no-follow")) == [
        "   INFO           shop started",
        " ! DEBUG -> ERROR billing failed to pay",
        "   WARN           shop slow",
    ]
    assert told(run(lines, "tail", "--no-follow", "--lines", "1")) == ["   WARN           shop slow"]
    assert told(run(lines, "tail", "--no-follow", "--lines", "0")) == []


def test_tail_shows_a_level_and_what_is_above_it_and_one_service(lines: Database) -> None:
    assert messages_of(run(lines, "tail", "--no-follow", "--json", "--level", "warn")) == ["failed to pay", "slow"]
    assert messages_of(run(lines, "tail", "--no-follow", "--json", "--level", "ERROR")) == ["failed to pay"]
    assert messages_of(run(lines, "tail", "--no-follow", "--json", "--service", "shop")) == ["started", "slow"]
    assert "--level" in fails(run(lines, "tail", "--level", "loud"), 2)


def test_no_line_drives_the_terminal(db: Database) -> None:
    deploy(db)
    insert(db, "failed \x1b]0;owned\x07\x1b[2J\x9b2J\nnext\r\u202e [bold]x[/bold] :smile:", level="DEBUG", service="a\x1b[31m")
    [line] = told(run(db, "tail", "--no-follow"))
    assert line == " ! DEBUG -> ERROR a [31m failed  ]0;owned  [2J 2J next   [bold]x[/bold] :smile:"


def on_a_terminal(db: Database, *arguments: str) -> str:
    """What a command prints where its standard output is a terminal."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-m", "logintel", *arguments],
        stdout=theirs, env={**environment, "DATABASE_URL": db.dsn, "TERM": "xterm", "COLUMNS": "60"},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while select.select([ours], [], [], 60)[0] and (part := os.read(ours, 65536)):
            shown += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait(60) == 0
    return shown.decode()


def test_levels_are_coloured_on_a_terminal_and_a_long_line_is_one(lines: Database) -> None:
    insert(lines, "failed " + "very " * 40 + "\x1b[5mbadly", level="ERROR", service="shop")
    shown = on_a_terminal(lines, "tail", "--no-follow")
    assert "\x1b[31mDEBUG -> ERROR\x1b[0m" in shown
    assert "\x1b[5m" not in shown
    assert shown.count("\r\n") == 4
    assert "\x1b" not in run(lines, "tail", "--no-follow").stdout


def test_tail_follows_without_gaps_and_doubles_until_it_is_interrupted(lines: Database) -> None:
    late = lines.connect(autocommit=False)
    insert(late, "failed late", level="ERROR")  # scored before the others, and seen after them
    with following(lines, "--json", "--lines", "1") as process:
        seen = [json.loads(process.stdout.readline())["message"]]
        for number in range(3):
            insert(lines, f"failed {number}", level="ERROR")
            seen.append(json.loads(process.stdout.readline())["message"])
        late.commit()
        seen.append(json.loads(process.stdout.readline())["message"])
        insert(lines, *(f"failed {number}" for number in range(10, 13)), level="ERROR")
        seen += [json.loads(process.stdout.readline())["message"] for _ in range(3)]
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=30)
    assert seen == ["slow", "failed 0", "failed 1", "failed 2", "failed late", "failed 10", "failed 11", "failed 12"]
    assert (process.returncode, rest, said) == (0, "", "")


def test_a_follow_keeps_to_what_was_asked_for(lines: Database) -> None:
    with following(lines, "--json", "--level", "ERROR", "--service", "billing") as process:
        assert json.loads(process.stdout.readline())["message"] == "failed to pay"
        insert(lines, "failed elsewhere", service="shop")
        insert(lines, "started", service="billing")
        insert(lines, "panicked", service="billing")
        assert json.loads(process.stdout.readline())["message"] == "panicked"


def test_a_follow_ends_with_one_line_when_the_server_ends_it(lines: Database) -> None:
    with following(lines) as process:
        for _ in range(3):
            process.stdout.readline()
        lines.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'logintel' AND datname = current_database()")
        _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        assert re.fullmatch(r"logintel: [^\n]+\n", said)
