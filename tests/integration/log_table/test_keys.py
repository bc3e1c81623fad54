"""A line is known by its key: a table without a usable one is refused, and attach(add_key) is the cure."""

import subprocess
import sys

import psycopg
import pytest

from support.servers import Database
from support.tiny_models import deploy

pytestmark = pytest.mark.any_server

PREDICTED = "SELECT predicted_level FROM logintel.ml_predictions ORDER BY log_entry_id"


@pytest.fixture
def free(db: Database) -> Database:
    deploy(db)
    db.execute("SELECT logintel.detach()")
    return db


KEYLESS = {
    "none": ("CREATE TABLE app (message text)", "has no integer key"),
    "uuid": ("CREATE TABLE app (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), message text)", "has no integer key"),
    "text": ("CREATE TABLE app (id text PRIMARY KEY DEFAULT md5(random()::text), message text)", "has no integer key"),
    "composite": ("CREATE TABLE app (host text DEFAULT 'a', n int DEFAULT random() * 2e9, message text, PRIMARY KEY (host, n))",
                  "has no integer key"),
    "nullable": ("CREATE TABLE app (id bigint, message text)", 'the key column "id" of public.app may be null'),
    "not unique": ("CREATE TABLE app (id bigint NOT NULL DEFAULT 7, message text)",
                   'the key column "id" of public.app is not unique: several lines have 7'),
}  # fmt: skip


@pytest.mark.parametrize(("table", "complaint"), KEYLESS.values(), ids=KEYLESS.keys())
def test_a_table_without_a_key_is_refused_with_the_cure_which_cures_it(free: Database, table: str, complaint: str) -> None:
    free.execute(table)
    free.execute("INSERT INTO app (message) VALUES ('started'), ('failed')")
    with pytest.raises(psycopg.Error, match=complaint) as caught:
        free.execute("SELECT logintel.attach('app')")
    assert "SELECT logintel.attach('public.app', add_key => true)" in str(caught.value.diag.message_hint)
    assert free.execute("SELECT * FROM logintel_internal.attachments") == []
    free.execute("SELECT logintel.attach('app', add_key => true)")
    free.execute("INSERT INTO app (message) VALUES ('panicked'), ('slow')")
    assert free.execute(PREDICTED) == [("FATAL",), ("WARN",)]
    assert free.value("SELECT logintel.number_lines('app')") == 2
    assert free.execute(PREDICTED) == [("FATAL",), ("WARN",), ("INFO",), ("ERROR",)]
    assert free.value("SELECT logintel.number_lines('app')") == 0
    free.execute("DELETE FROM app WHERE message = 'failed'")
    assert free.execute(PREDICTED) == [("FATAL",), ("WARN",), ("INFO",)]


@pytest.mark.parametrize(
    "table",
    [
        "CREATE TABLE app (seq int GENERATED ALWAYS AS IDENTITY, message text)",
        "CREATE TABLE app (number bigserial, message text)",
        "CREATE TABLE app (n smallint UNIQUE NOT NULL DEFAULT 1, message text)",
        "CREATE TABLE app (id bigint NOT NULL DEFAULT 1, message text)",
    ],
)
def test_a_key_is_found_by_what_makes_it_one(free: Database, table: str) -> None:
    free.execute(table)
    free.execute("INSERT INTO app (message) VALUES ('started')")
    free.execute("SELECT logintel.attach('app')")
    free.execute("SELECT logintel.reconcile(), logintel.backfill()")
    assert free.execute(PREDICTED) == [("INFO",)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO app (message) VALUES ('failed')",
        "INSERT INTO app VALUES ('failed')",
        "INSERT INTO app VALUES ('failed', NULL)",
        "INSERT INTO app SELECT * FROM jsonb_populate_recordset(NULL::app, '[{\"message\": \"failed\"}]')",
        "COPY app (message) FROM PROGRAM 'echo failed'",
    ],
)
@pytest.mark.parametrize("partitioned", ["", " PARTITION BY HASH (message)"])
def test_a_line_is_numbered_however_it_is_written(free: Database, statement: str, partitioned: str) -> None:
    free.execute(f"CREATE TABLE app (message text){partitioned}")
    if partitioned:
        free.execute("CREATE TABLE app_0 PARTITION OF app FOR VALUES WITH (MODULUS 1, REMAINDER 0)")
    free.execute("SELECT logintel.attach('app', add_key => true)")
    writer = free.create_role("writer")
    free.execute(f"GRANT INSERT, SELECT ON app TO {writer}")
    free.execute(f"GRANT pg_execute_server_program TO {writer}")
    with free.connect(user=writer) as session:
        for _ in range(2):
            session.execute(statement)
    assert free.execute("SELECT logintel_id FROM app ORDER BY 1") == [(1,), (2,)]
    assert free.execute(PREDICTED) == [("ERROR",)] * 2


def test_a_line_that_may_take_no_number_is_stored(free: Database) -> None:
    free.execute("CREATE TABLE app (message text)")
    free.execute("SELECT logintel.attach('app', add_key => true)")
    free.execute("ALTER TABLE app ALTER logintel_id DROP DEFAULT")
    free.execute("INSERT INTO app VALUES ('failed')")
    assert free.execute("SELECT * FROM app") == [("failed", None)]


def test_adding_a_key_rewrites_nothing(free: Database) -> None:
    free.execute("CREATE TABLE app (message text)")
    free.execute("INSERT INTO app SELECT 'started' FROM generate_series(1, 1000)")
    file = free.value("SELECT pg_relation_filenode('app')")
    free.execute("SELECT logintel.attach('app', add_key => true)")
    assert free.value("SELECT pg_relation_filenode('app')") == file
    assert free.value("SELECT count(logintel_id) FROM app") == 0


def test_lines_are_numbered_in_batches_by_the_command(free: Database) -> None:
    free.execute("CREATE TABLE app (message text)")
    free.execute("INSERT INTO app SELECT 'started' FROM generate_series(1, 5000)")
    free.execute("SELECT logintel.attach('app', add_key => true)")
    assert "numbered 5,000 lines" in free.logintel("backfill")
    assert free.value("SELECT count(*) FROM logintel.ml_predictions") == 5000
    assert "numbered" not in free.logintel("backfill")


def test_the_key_stays_the_tables_own(free: Database) -> None:
    free.execute("CREATE TABLE app (message text)")
    owner = free.create_role("owner")
    free.execute(f"ALTER TABLE app OWNER TO {owner}")
    free.execute("SELECT logintel.attach('app', add_key => true)")
    assert free.value("SELECT relowner::regrole::text FROM pg_class WHERE relname = 'app_logintel_id_seq'") == owner
    free.execute("INSERT INTO app VALUES ('failed')")
    free.execute("SELECT logintel.detach()")
    assert free.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'app'::regclass") == []
    free.execute("INSERT INTO app VALUES ('failed')")
    free.execute("SELECT logintel.attach('app')")
    free.execute("INSERT INTO app VALUES ('failed')")
    free.execute("DROP EXTENSION logintel CASCADE")
    free.execute("INSERT INTO app VALUES ('failed')")
    assert free.execute("SELECT logintel_id FROM app") == [(1,), (2,), (3,), (4,)]
    free.execute("DROP TABLE app")
    assert free.value("SELECT to_regclass('app_logintel_id_seq')") is None


def test_no_code_of_a_table_runs_with_the_rights_of_who_numbers_its_lines(free: Database) -> None:
    owner = free.create_role("owner")
    free.execute("CREATE TABLE app (message text); INSERT INTO app VALUES ('started')")
    free.execute(f"ALTER TABLE app OWNER TO {owner}")
    free.execute("SELECT logintel.attach('app', add_key => true)")
    command = [sys.executable, "-m", "logintel", "backfill", "--dsn", free.dsn]
    done = subprocess.run(command, text=True, capture_output=True, check=True)
    assert f"the lines of public.app are numbered by its owner, {owner}" in done.stderr
    free.execute(f"GRANT EXECUTE ON FUNCTION logintel.number_lines TO {owner}; GRANT USAGE ON SCHEMA logintel TO {owner}")
    with free.connect(user=owner) as session:
        assert session.execute("SELECT logintel.number_lines('app')").fetchone() == (1,)


def test_who_writes_a_number_of_his_own_keeps_nobody_from_writing(free: Database) -> None:
    free.execute("CREATE TABLE app (message text)")
    free.execute("SELECT logintel.attach('app', add_key => true)")
    free.execute("INSERT INTO app SELECT 'failed', g FROM generate_series(1, 9) g")
    for _ in range(3):
        free.execute("INSERT INTO app (message) VALUES ('failed')")
    assert free.value("SELECT count(*) FROM app") == 12


def test_the_owner_of_a_table_with_an_added_key_makes_partitions(free: Database) -> None:
    owner = free.create_role("owner")
    free.execute("CREATE TABLE app (message text, day date) PARTITION BY RANGE (day)")
    free.execute(f"ALTER TABLE app OWNER TO {owner}; GRANT CREATE ON SCHEMA public TO {owner}")
    free.execute("SELECT logintel.attach('app', add_key => true)")
    with free.connect(user=owner) as session:
        session.execute("CREATE TABLE app_1 PARTITION OF app FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')")
    free.execute("INSERT INTO app VALUES ('failed', '2026-01-05')")
    assert free.execute("SELECT logintel_id FROM app_1") == [(1,)]


def test_only_an_owner_adds_a_key(free: Database) -> None:
    free.execute("CREATE TABLE app (message text)")
    manager = free.create_role("manager")
    free.execute("SELECT logintel.grant_manage(%s)", (manager,))
    with free.connect(user=manager) as session, pytest.raises(psycopg.errors.InsufficientPrivilege, match="must be owner"):
        session.execute("SELECT logintel.attach('app', add_key => true)")
    assert free.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'app'::regclass AND attnum > 0") == [("message",)]


def test_a_key_is_mapped_or_added(free: Database) -> None:
    free.execute("CREATE TABLE app (number int, message text)")
    with pytest.raises(psycopg.Error, match="is mapped, and a key is to be added"):
        free.execute("""SELECT logintel.attach('app', '{"id": "number"}', add_key => true)""")


def test_vector_writes_into_the_standard_table_by_a_view(db: Database) -> None:
    deploy(db)
    db.execute('CREATE VIEW events AS SELECT "timestamp", level, message, source_type, host, service FROM log_entries')
    writer = db.create_role("writer")
    db.execute(f"GRANT INSERT ON events TO {writer}")
    with db.connect(user=writer) as session:
        session.execute(
            "INSERT INTO events SELECT * FROM jsonb_populate_recordset(NULL::events, "
            """'[{"timestamp": "2026-11-01T10:00:00Z", "message": "failed", "level": "info", "offset": 7}]')"""
        )
    assert db.execute(PREDICTED) == [("ERROR",)]
