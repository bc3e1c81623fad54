"""`logintel load`: files into the attached log table."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from logintel.errors import UserError
from logintel.loading import load
from logintel.writing import load_rows
from support.processes import start
from support.servers import ROOT, Database

pytestmark = pytest.mark.any_server

LOGHUB = ROOT.parent / "shared" / "data" / "loghub"
COMMAND = "import sys; from logintel.loading import load; load(sys.argv[2:], dsn=sys.argv[1], "


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, content: str | bytes) -> str:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def numbered(first: int, last: int) -> str:
    return "".join(f"line {number}\n" for number in range(first, last + 1))


def rows(db: Database, columns: str) -> list[tuple]:
    return db.execute(f"SELECT {columns} FROM log_entries ORDER BY id")


def start_load(db: Database, options: str, *files: str) -> subprocess.Popen:
    """Start a load in a process of its own, with standard input to write to."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return start(
        "-c", f"{COMMAND}{options})", db.dsn, *files,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip


def wait_for(db: Database, query: str, count: int) -> None:
    deadline = time.monotonic() + 30
    while db.value(query) < count:
        assert time.monotonic() < deadline, f"{query} never gave {count}"
        time.sleep(0.02)


def wait_for_lines(db: Database, count: int) -> None:
    wait_for(db, "SELECT count(*) FROM log_entries", count)


def test_text_is_read_by_the_pattern_that_fits(db: Database, capsys: pytest.CaptureFixture):
    entry = "2024-05-01 10:00:00,250 ERROR [main] shop.Pay: card refused\n"
    load([write("app.log", entry + "  at shop.Pay.run\n" + entry)], constants=["source_type=shop"], dsn=db.dsn)
    moment = datetime(2024, 5, 1, 10, 0, 0, 250_000, UTC)
    assert rows(db, '"timestamp", level, service, message, source_type') == [
        (moment, "ERROR", "shop.Pay", "card refused\n  at shop.Pay.run", "shop"),
        (moment, "ERROR", "shop.Pay", "card refused", "shop"),
    ]
    assert db.value("SELECT raw_log FROM log_entries ORDER BY id LIMIT 1") == entry + "  at shop.Pay.run"
    output = capsys.readouterr()
    assert "--pattern log4j" in output.err
    assert output.out.startswith("app.log: loaded 2 lines into public.log_entries, rejected 0, ")


def test_every_field_can_come_from_csv(db: Database):
    header = "log_id,timestamp,level,message,source_type,host,service,category,tags,raw_log,is_anomaly,anomaly_type,"
    values = 'a1,2024-05-01T12:00:00+02:00,warn,"a, b",nginx,web1,shop,Network,"x,y",raw,true,network_anomaly,503,12.5'
    load([write("all.csv", f"{header}http_status,response_time_ms\n{values}\n")], dsn=db.dsn)
    assert rows(db, header + "http_status,response_time_ms") == [
        ("a1", datetime(2024, 5, 1, 10, tzinfo=UTC), "warn", "a, b", "nginx", "web1", "shop", "Network", ["x", "y"],
         "raw", True, "network_anomaly", 503, 12.5)
    ]  # fmt: skip


def test_columns_and_nested_keys_are_mapped(db: Database):
    load([write("a.csv", "Text,Sev\nfrom csv,W\n")], mapping=["message=Text", "level=Sev"], dsn=db.dsn)
    entry = json.dumps({"event": {"text": "from json"}, "log": {"level": "E"}})
    load([write("a.jsonl", entry)], mapping=["message=event.text", "level=log.level"], dsn=db.dsn)
    assert rows(db, "message, level") == [("from csv", "W"), ("from json", "E")]


def test_several_files_are_loaded_gzip_or_not(db: Database):
    files = [write("a.jsonl.gz", gzip.compress(b'{"msg": "one"}')), write("b.csv", "message\ntwo\n")]
    load(files, dsn=db.dsn)
    assert rows(db, "message") == [("one",), ("two",)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_loaded_gzip_or_not(db: Database, pack):
    process = start_load(db, "file_format='text', pattern='plain'", "-")
    out, err = process.communicate(pack(numbered(1, 3).encode()), timeout=60)
    assert process.returncode == 0, err
    assert out.startswith(b"standard input: loaded 3 lines")
    assert rows(db, "message") == [("line 1",), ("line 2",), ("line 3",)]


def test_a_bad_line_is_kept_with_its_reason_and_never_stops_the_load(db: Database, capsys: pytest.CaptureFixture):
    bad = [
        b'{"message": ',
        b'{"message": "\xff"}',
        b'{"message": "x", "timestamp": "soon"}',
        b'{"message": "\\u0000"}',
        b"\0",
    ]
    load([write("a.jsonl", b'{"message": "first"}\n' + b"\n".join(bad) + b'\n{"message": "last"}\n')], dsn=db.dsn)
    assert rows(db, "message") == [("first",), ("last",)]
    assert "loaded 2 lines into public.log_entries, rejected 5 (a.jsonl.rejects)" in capsys.readouterr().out
    kept = Path("a.jsonl.rejects").read_bytes().split(b"\n")
    assert kept[1::2] == bad
    assert kept[4].startswith(b"# logintel reject: a.jsonl line 4, 38 bytes: unreadable timestamp")


def test_what_the_server_refuses_is_rejected_alone(db: Database, capsys: pytest.CaptureFixture):
    db.execute("ALTER TABLE log_entries ADD CONSTRAINT no_secrets CHECK (message !~ 'secret')")
    lines = [json.dumps({"message": f"line {number}", "http_status": 200}) for number in range(1, 1001)]
    lines[6] = '{"message": "a secret"}'
    lines[7] = '{"message": "a secret"}'
    lines[500] = '{"message": "out of range", "http_status": 99999999999}'
    load([write("a.jsonl", "\n".join(lines))], rejects=Path("bad"), dsn=db.dsn)
    assert db.value("SELECT count(*) FROM log_entries WHERE message LIKE 'line %'") == 997
    assert "rejected 3 (bad)" in capsys.readouterr().out
    headers = [line for line in Path("bad").read_text().splitlines() if line.startswith("#")]
    assert ["line 7," in headers[0], "line 8," in headers[1], "line 501," in headers[2]] == [True] * 3
    assert "refused by the server" in headers[0] and "no_secrets" in headers[0] and "99999999999" in headers[2]


def test_a_batch_is_one_transaction(db: Database):
    load([write("a.txt", numbered(1, 25))], pattern="plain", batch=10, dsn=db.dsn)
    assert db.execute("SELECT count(*) FROM log_entries GROUP BY xmin::text ORDER BY min(id)") == [(10,), (10,), (5,)]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "when,what\n1,2\n"), ("a.jsonl", '{"what": 1}\n'), ("a.log", "of no known layout\n")],
)
def test_a_file_without_a_message_is_refused_before_anything_is_loaded(db: Database, name: str, content: str):
    with pytest.raises(UserError, match=f"^{name}: no .*; no line of it was loaded$"):
        load([write(name, content)], dsn=db.dsn)
    assert rows(db, "message") == []


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.log", "a.log.gz"])
def test_an_empty_file_is_no_mistake(db: Database, capsys: pytest.CaptureFixture, name: str):
    load([write(name, gzip.compress(b"") if name.endswith("gz") else b"")], dsn=db.dsn)
    assert "loaded 0 lines into public.log_entries: there are no lines in it, rejected 0" in capsys.readouterr().out


def test_a_message_of_one_megabyte_is_loaded(db: Database):
    load([write("a.log", b"2024-05-01 10:00:00 INFO " + b"x " * 500_000 + b"\n")], dsn=db.dsn)
    assert db.value("SELECT length(message) FROM log_entries") == 1_000_000


def test_memory_is_bounded_and_an_endless_line_is_rejected_byte_for_byte(db: Database):
    endless = 200_000_000
    write("a.txt.gz", gzip.compress(b"before\n" + b"x" * endless + b"\nafter\n", 1))
    process = start_load(db, "pattern='plain', max_rejects=300); print(open('/proc/self/status').read()", "a.txt.gz")
    out, err = process.communicate(timeout=120)
    assert b"loaded 2 lines into public.log_entries, rejected 1" in out, err
    assert int(re.search(rb"VmHWM:\s+(\d+) kB", out)[1]) < 200_000
    assert rows(db, "message") == [("before",), ("after",)]
    kept = Path("a.txt.gz.rejects").read_bytes()
    assert kept.count(b"x") == endless + kept.count(b".txt")


def test_a_lost_connection_says_what_is_in_and_the_load_goes_on_from_there(db: Database):
    os.mkfifo("a.txt")
    watcher = db.connect()

    def feed() -> None:
        with open("a.txt", "w") as pipe:
            pipe.write(numbered(1, 25))
            pipe.flush()
            wait_for_lines(db, 20)
            watcher.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'logintel' AND datname = current_database()"
            )
            pipe.write(numbered(26, 100))

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    with pytest.raises(UserError, match=r"20 lines are in: go on with the same options and --skip 20$"):
        load(["a.txt"], pattern="plain", batch=10, dsn=db.dsn)
    feeder.join()
    load([write("whole.txt", numbered(1, 100))], pattern="plain", skip=20, dsn=db.dsn)
    assert rows(db, "message") == [(f"line {number}",) for number in range(1, 101)]


@pytest.mark.parametrize("interruption", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_load_says_what_is_in(db: Database, interruption: signal.Signals):
    process = start_load(db, "file_format='text', pattern='plain', batch=10", "-")
    process.stdin.write(numbered(1, 35).encode())
    process.stdin.flush()
    wait_for_lines(db, 30)
    process.send_signal(interruption)
    _, err = process.communicate(timeout=60)
    # The interruption may come before the answer to the last commit; then the command can't know, and says so.
    answers = rb"interrupted; (30 lines are in: .* --skip 30|see whether lines 21 to 30 are in: .* --skip 20)"
    assert re.search(answers, err)
    assert db.value("SELECT count(*) FROM log_entries") == 30


def test_a_load_that_waits_for_a_lock_can_be_interrupted(db: Database):
    blocker = db.connect(autocommit=False)
    blocker.execute("LOCK TABLE log_entries IN ACCESS EXCLUSIVE MODE")
    process = start_load(db, "pattern='plain'", write("a.txt", "line\n"))
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    wait_for(db, waiting, 1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert b"a.txt: interrupted; no line of it was loaded" in err


def test_a_commit_whose_outcome_is_unknown_is_not_called_done_or_undone(db: Database):
    db.execute(
        """CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
           $$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END$$;
           CREATE CONSTRAINT TRIGGER die AFTER INSERT ON log_entries DEFERRABLE INITIALLY DEFERRED
           FOR EACH ROW WHEN (NEW.message = 'line 15') EXECUTE FUNCTION die()"""
    )
    with pytest.raises(
        UserError, match=r"see whether lines 11 to 20 are in: go on with --skip 20, if not with --skip 10"
    ):
        load([write("a.txt", numbered(1, 25))], pattern="plain", batch=10, dsn=db.dsn)


def test_a_damaged_file_is_loaded_as_far_as_it_goes(db: Database):
    write("a.txt.gz", gzip.compress(os.urandom(20_000).hex(" ").replace(" ", "\n").encode())[:-2000])
    with pytest.raises(
        UserError, match=r"cannot be read beyond line \d+: .*; [\d,]+ lines are in: go on .* --skip \d+$"
    ):
        load(["a.txt.gz"], pattern="plain", dsn=db.dsn)
    assert db.value("SELECT count(*) FROM log_entries") > 10_000


DAMAGES = {
    "a wrong checksum": lambda packed: packed[:-8] + b"\0\0\0\0" + packed[-4:],
    "a wrong length": lambda packed: packed[:-1] + b"\7",
    "something behind it": lambda packed: packed + b"no gzip",
    "its end cut off": lambda packed: packed[:-3],
    "its last lines cut off": lambda packed: packed[:-2000],
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_damaged_gzip_says_where_to_go_on_and_then_every_line_is_in_once(db: Database, damage: str, end: str):
    lines = [f"line {number} {os.urandom(8).hex()}" for number in range(1, 1001)]
    packed = gzip.compress(("\n".join(lines) + end).encode())
    write("a.txt.gz", DAMAGES[damage](packed))
    with pytest.raises(UserError, match=r"cannot be read beyond line \d+: .* --skip \d+$") as stopped:
        load(["a.txt.gz"], pattern="plain", dsn=db.dsn)
    write("a.txt.gz", packed)
    load(["a.txt.gz"], pattern="plain", skip=int(str(stopped.value).rsplit(maxsplit=1)[1]), dsn=db.dsn)
    assert rows(db, "message") == [(line,) for line in lines]


def test_a_damaged_gzip_that_is_loaded_again_says_that_another_file_is_needed(db: Database):
    lines = [f"line {number} {os.urandom(8).hex()}" for number in range(1, 1001)]
    packed = gzip.compress("\n".join(lines).encode())
    write("a.txt.gz", packed[:-2000])
    said, skip = [], 0
    for _ in range(2):
        with pytest.raises(UserError, match=r"go on with a file that is whole, .* --skip \d+$") as stopped:
            load(["a.txt.gz"], pattern="plain", skip=skip, dsn=db.dsn)
        skip = int(str(stopped.value).rsplit(maxsplit=1)[1])
        said.append(skip)
    assert said[0] == said[1] == db.value("SELECT count(*) FROM log_entries") > 500
    write("a.txt.gz", packed)
    load(["a.txt.gz"], pattern="plain", skip=skip, dsn=db.dsn)
    assert rows(db, "message") == [(line,) for line in lines]


@pytest.mark.parametrize("name", ["a.log.gz", "a.csv.gz"])
def test_a_message_of_many_lines_is_not_cut_where_its_file_is(db: Database, name: str):
    messages = [f"failed {n}\n" + "\n".join(f"\tat {os.urandom(4).hex()}" for _ in range(50)) for n in range(40)]
    if name == "a.csv.gz":
        text = "message\n" + "".join(f'"{message}"\n' for message in messages)
    else:
        text = "".join(f"2024-05-01 10:00:00 INFO {message}\n" for message in messages)
    packed = gzip.compress(text.encode())
    write(name, packed[: len(packed) // 2])
    with pytest.raises(UserError, match=r"--skip \d+$") as stopped:
        load([name], dsn=db.dsn)
    write(name, packed)
    load([name], skip=int(str(stopped.value).rsplit(maxsplit=1)[1]), dsn=db.dsn)
    assert rows(db, "message") == [(message,) for message in messages]
    assert not Path(f"{name}.rejects").exists()


def test_a_device_that_fails_in_the_middle_says_where_to_go_on(db: Database):
    """Reading a terminal from its other side fails with EIO once nobody has it open."""
    ours, theirs = os.openpty()
    os.write(theirs, b"line 1\nline 2\nhalf a li")
    os.close(theirs)
    command = ["-m", "logintel", "load", "-", "--format", "text", "--pattern", "plain"]
    with start(*command, stdin=ours, stderr=subprocess.PIPE, text=True, env=os.environ | {"DATABASE_URL": db.dsn}) as done:
        said = done.stderr.read()
    os.close(ours)
    assert said == (
        "logintel: standard input: the file cannot be read beyond line 2: [Errno 5] Input/output error; "
        "1 lines are in: go on with a file that is whole, the same options and --skip 1\n"
    )
    assert done.returncode == 1


def test_standard_input_that_is_closed_is_named(db: Database):
    done = subprocess.run(
        ["bash", "-c", '"$0" -m logintel load - --format text <&-', sys.executable],
        env=os.environ | {"DATABASE_URL": db.dsn}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stderr == "logintel: standard input cannot be read: Bad file descriptor\n"
    assert done.returncode == 1


@pytest.mark.parametrize("path", ["/proc/self/mem", "folder.log"])
def test_a_file_that_cannot_be_read_is_named(db: Database, path: str):
    Path("folder.log").mkdir()
    with pytest.raises(UserError, match=rf"^{path} cannot be (read|opened): "):
        load([path], file_format="text", dsn=db.dsn)


def test_rejects_that_find_no_room_stop_the_load_and_say_where_to_go_on(db: Database):
    write("a.jsonl", b'{"message": "a"}\n' * 10 + b"bad\n" + b'{"message": "b"}\n' * 10)
    with pytest.raises(
        UserError, match=r"^a.jsonl: /dev/full cannot be written: No space left on device.*10 lines are in: .*--skip 10$"
    ):
        load(["a.jsonl"], rejects=Path("/dev/full"), batch=5, dsn=db.dsn)
    load(["a.jsonl"], skip=10, dsn=db.dsn)
    assert db.value("SELECT count(*) FROM log_entries") == 20
    assert Path("a.jsonl.rejects").read_bytes().count(b"# logintel reject") == 1


def test_a_file_that_unpacks_to_a_thousand_times_its_size_does_not_fill_the_disk(
    db: Database, capsys: pytest.CaptureFixture
):
    write("bomb.jsonl.gz", gzip.compress(b'{"message": "a"}\n' + b"0" * 40_000_000 + b'\nbad\n{"message": "b"}\n', 1))
    load(["bomb.jsonl.gz"], max_rejects=20, dsn=db.dsn)
    assert (
        "loaded 2 lines into public.log_entries, rejected 2 (bomb.jsonl.gz.rejects; 1 line was not kept, "
        "see --max-rejects), " in capsys.readouterr().out
    )
    assert Path("bomb.jsonl.gz.rejects").stat().st_size < 20 * 1024**2
    assert b"\nbad\n" in Path("bomb.jsonl.gz.rejects").read_bytes()


def test_an_own_table_is_loaded_through_its_attachment(empty_db: Database, capsys: pytest.CaptureFixture):
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    empty_db.execute(
        """CREATE TABLE "My Logs" (nr serial PRIMARY KEY, "what's up" text, logged timestamp, status smallint,
               size int GENERATED ALWAYS AS (length("what's up")) STORED, origin text NOT NULL DEFAULT 'unknown')"""
    )
    empty_db.execute(
        """SELECT logintel.attach('"My Logs"',
               '{"id": "nr", "message": "what''s up", "timestamp": "logged", "http_status": "status"}')"""
    )
    load([write("a.csv", "message,ts,status_code,host\nhi,2024-05-01T12:00:00+02:00,200,web1\n")], dsn=empty_db.dsn)
    assert empty_db.execute('SELECT * FROM "My Logs"') == [(1, "hi", datetime(2024, 5, 1, 10), 200, 2, "unknown")]
    assert "note: public.My Logs has no column for host; it was left out" in capsys.readouterr().err


def test_without_the_extension_or_a_log_table_the_next_step_is_named(empty_db: Database):
    write("a.csv", "message\nx\n")
    with pytest.raises(UserError, match="run CREATE EXTENSION logintel_python CASCADE"):
        load(["a.csv"], dsn=empty_db.dsn)
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    with pytest.raises(UserError, match=r"SELECT logintel.create_log_entries\(\).*SELECT logintel.attach\(...\)"):
        load(["a.csv"], dsn=empty_db.dsn)


def test_what_stops_the_whole_load_is_said_in_one_line(db: Database):
    db.execute("ALTER TABLE log_entries RENAME TO kept; CREATE VIEW log_entries AS SELECT * FROM kept")
    db.execute("ALTER TABLE kept ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    role = db.create_role("loader")
    db.execute(f"GRANT USAGE ON SCHEMA logintel, logintel_internal TO {role}; GRANT SELECT ON logintel_internal.attachments TO {role}")
    with pytest.raises(
        UserError, match=r"a.csv: the server stopped the load: permission denied .*no line of it was loaded"
    ):
        load([write("a.csv", "message\nx\n")], dsn=f"{db.dsn} options='-c role={role}'")


def test_rows_can_be_loaded_by_other_code(db: Database):
    connection = db.connect(autocommit=False)
    made = ({"message": f"line {number}", "level": "INFO", "tags": ["a"]} for number in range(12_000))
    assert load_rows(connection, made) == 12_000
    assert db.value("SELECT count(DISTINCT message) FROM log_entries WHERE tags = '{a}'") == 12_000
    assert db.value("SELECT count(DISTINCT xmin::text) FROM log_entries") == 3
    with pytest.raises(ValueError, match="no such field: msg"):
        load_rows(connection, [{"msg": "x"}])
    with pytest.raises(psycopg.Error):
        load_rows(connection, [{"message": "x", "http_status": 10**12}])


@pytest.mark.skipif(not LOGHUB.exists(), reason="the real logs are not here")
@pytest.mark.parametrize("name", ["Android", "Apache", "HDFS", "Hadoop", "Linux", "OpenSSH", "OpenStack", "Spark"])
def test_real_logs_fit_a_named_pattern(db: Database, name: str):
    load([str(LOGHUB / f"{name}_2k.log")], dsn=db.dsn)
    assert db.value("SELECT count(*) FROM log_entries") >= 0.99 * 2000


def test_what_the_lines_lack_is_said_at_the_end(db: Database, capsys: pytest.CaptureFixture):
    lines = ['{"msg": "a", "time": 1793527201, "level": "fail"}'] * 2 + ['{"msg": "b", "level": 30}', '{"msg": "c"}']
    db.execute("DELETE FROM logintel.level_names WHERE name = 'fail'")
    load([write("app.log", "\n".join(lines))], dsn=db.dsn)
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "app.log: reading it with --format jsonl",
        "note: app.log: no level in 1 of 4 lines",
        "note: app.log: no time of their own in 2 of 4 lines, which have the time of the load",
        "note: app.log: unknown levels: 'fail' (2); add rows for them to logintel.level_names",
        "note: app.log: levels that are numbers: '30' (1); read as pino's (10 to 60) or syslog's (0 to 7); "
        "--level-scale says that they are others",
    ]
    load([write("b.log", lines[2])], level_scale="python", dsn=db.dsn)
    assert rows(db, "level")[-1] == ("warning",)


def test_a_file_of_which_nothing_is_loaded_names_the_option_that_helps(db: Database):
    entry = "2026-11-01 10:00:00.123 CET [7101] LOG:  checkpoint starting: time\n"
    with pytest.raises(UserError, match=r"^a\.log \(unreadable timestamp: .* say which zone CET is with --time-zone"):
        load([write("a.log", entry * 6)], dsn=db.dsn)
    load(["a.log"], time_zone="Europe/Berlin", dsn=db.dsn)
    assert rows(db, "timestamp, level, message")[0] == (
        datetime(2026, 11, 1, 9, 0, 0, 123_000, UTC), "LOG", "checkpoint starting: time",
    )  # fmt: skip


def test_parts_that_are_interleaved_are_loaded_once_wherever_a_batch_ends(db: Database):
    at = "2026-11-01T10:00:01.123456789Z"
    lines = [f"{at} std{stream} {text}\n" for _ in range(20) for stream, text in
             (("out", "P one "), ("err", "P two "), ("err", "F three"), ("out", "F four"), ("out", "F five"))]  # fmt: skip
    load([write("0.log", "".join(lines))], batch=2, dsn=db.dsn)
    assert rows(db, "message") == [("one four",), ("two three",), ("five",)] * 20


def test_standard_input_is_read_by_what_it_holds(db: Database):
    process = start_load(db, "", "-")
    _, err = process.communicate(b'{"msg": "one", "level": "warn", "time": 1793527201}\n', timeout=60)
    assert process.returncode == 0, err
    assert rows(db, "message, level") == [("one", "warn")]


def test_days_of_history_get_their_partitions_before_their_lines(db: Database) -> None:
    lines = [f"2024-02-{day:02} 10:00:00,{n:03} INFO request {n} served\n" for day in (3, 4, 5) for n in range(40)]
    load([write("app.log", "".join(lines))], dsn=db.dsn)
    assert db.value("SELECT count(*) FROM log_entries") == 120
    assert db.value("SELECT count(*) FROM log_entries_default") == 0
    assert db.value("SELECT count(*) FROM log_entries_2024_02_04") == 40
    assert db.value("SELECT to_regclass('logintel_internal.predictions_2024_02_04') IS NOT NULL")


def test_a_sparse_history_makes_no_partition_a_line(db: Database) -> None:
    before = db.value("SELECT count(*) FROM pg_inherits")
    lines = [f"{year}-{month:02}-01 10:00:00,000 INFO served\n" for year in range(2010, 2020) for month in range(1, 13)]
    load([write("app.log", "".join(lines))], dsn=db.dsn)
    assert db.value("SELECT count(*) FROM log_entries_default") == 120
    assert db.value("SELECT count(*) FROM pg_inherits") == before


def test_who_may_make_no_partitions_loads_into_the_default_one(db: Database) -> None:
    role = db.create_role("loader")
    db.execute(f"SELECT logintel.grant_read('{role}'); GRANT INSERT ON log_entries TO {role}")
    load([write("app.log", "2024-02-03 10:00:00,000 INFO served\n")], dsn=f"{db.dsn} options='-c role={role}'")
    assert db.value("SELECT count(*) FROM log_entries_default") == 1
