"""An update of the extension leaves a database as a fresh installation would have it, with all that people put into it."""

import difflib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from support import catalog, old_release
from support.dumps import restore
from support.old_release import TO_NEWEST, UPDATE, VERSION, answers, use_old_package, worker_batch
from support.pending_lines import blocked_sessions, wait_until
from support.servers import Database, Server

pytestmark = pytest.mark.local_only  # a release is put into the server's folder, and its package into a session
PENDING = "SELECT count(*) FROM pending"


@pytest.fixture(scope="module")
def package(server: Server) -> Iterator[Path]:
    """The folder with the release's Python package, while CREATE EXTENSION finds its script."""
    if server.kind != "local":
        pytest.skip("needs the file system of the server")
    with old_release.installed(server) as folder:
        yield folder


@pytest.fixture(scope="module")
def roles(server: Server) -> Iterator[dict[str, str]]:
    """A reader and a manager, for all databases of this file."""
    names = {"logintel_upgrade_reader": "reader", "logintel_upgrade_manager": "manager"}
    for name in names:
        server.execute(f"CREATE ROLE {name} LOGIN")
    yield names
    for name in names:
        server.execute(f"DROP ROLE {name}")


@pytest.fixture(scope="module")
def filled(server: Server, package: Path, roles: dict[str, str]) -> Iterator[Database]:
    """The database that `old_db` is copied from."""
    database = server.create_database()
    old_release.fill(database, package, tuple(roles))
    database.close()
    yield database
    database.drop()


@pytest.fixture
def old_db(server: Server, filled: Database) -> Iterator[Database]:
    """A database of the release, in use."""
    database = server.create_database(filled)
    yield database
    database.drop()


@pytest.fixture
def updated(old_db: Database) -> Database:
    """The same after the update."""
    with psycopg.connect(old_db.dsn, autocommit=True) as session:
        session.execute(TO_NEWEST)
    return old_db


def assert_same(what: str, fresh: str, updated: str) -> None:
    differences = list(
        difflib.unified_diff(fresh.splitlines(), updated.splitlines(), "fresh", "updated", lineterm="", n=1)
    )
    assert not differences, f"the {what} of an updated database differs:\n" + "\n".join(differences)


def test_an_updated_database_has_the_schema_of_a_fresh_one(updated: Database, fresh_db: Database) -> None:
    assert_same("schema", catalog.schema(fresh_db.connection), catalog.schema(updated.connection))
    definitions = catalog.definitions(updated.connection)
    assert_same("definitions", catalog.definitions(fresh_db.connection), definitions)
    for query in old_release.SHIPPED_ROWS:
        assert updated.execute(query) == fresh_db.execute(query), query
    version = "SELECT extversion FROM pg_extension WHERE extname = 'logintel'"
    assert updated.value(version) == fresh_db.value(version) != VERSION


def test_the_trigger_functions_are_those_of_the_new_version(updated: Database) -> None:
    bodies = "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'logintel'::regnamespace AND prorettype = 'trigger'::regtype ORDER BY 1"
    before = updated.execute(bodies)
    updated.execute("SELECT logintel._write_trigger_functions()")
    assert updated.execute(bodies) == before


def test_answers_are_the_same_after_an_update(old_db: Database) -> None:
    before = answers(old_db)
    assert all(before.values())
    old_db.execute(TO_NEWEST)
    assert answers(old_db) == before


def test_lines_are_scored_and_counted_on_after_an_update(updated: Database) -> None:
    updated.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', 'good 7'), ('INFO', 'a new one is bad')")
    updated.execute("UPDATE log_entries SET message = 'changed to bad' WHERE id = 20")
    updated.execute("DELETE FROM log_entries WHERE id = 21")
    assert updated.value("SELECT logintel.backfill()") == 2
    assert updated.execute("SELECT lines, predictions, pending FROM logintel.ml_status") == [(351, 351, 0)]
    updated.execute("SELECT * FROM logintel.maintain()")
    assert updated.execute("SELECT lines, predictions, pending FROM logintel.ml_status") == [(351, 351, 0)]
    assert updated.value("SELECT sum(predictions) FROM logintel.ml_stats_by_hour") == 351
    # It was trained by the release, and stays until somebody trains another one.
    assert updated.execute("SELECT \"check\", detail, next_step FROM logintel.doctor() WHERE status = 'problem'") == [
        ("models", "level 2 was trained with another version of the shape function", "train it again: logintel train --deploy")]


def test_default_models_give_way_to_those_for_the_new_templates(old_db: Database) -> None:
    assert old_db.value("SELECT models FROM logintel.ml_status") == "anomaly 1, category 1, level 2"
    old_db.execute(TO_NEWEST)
    assert old_db.value("SELECT models FROM logintel.ml_status") == "anomaly 2, category 2, level 2"
    assert old_db.execute("SELECT name, version, state FROM logintel.ml_models WHERE name = 'level' ORDER BY version") == [
        ("level", 1, "registered"), ("level", 2, "in force"), ("level", 3, "shadow"), ("level", 4, "registered")]
    assert old_db.value("SELECT logintel.register_default_models()") == []
    # What the earlier set knew, this one knows.
    waiting = old_db.value(PENDING)
    before = old_db.value("SELECT count(*) FROM logintel_internal.scores")
    old_db.execute("INSERT INTO log_entries (level, message, service) VALUES ('INFO', 'good 7', 'service 0')")
    assert (old_db.value(PENDING), old_db.value("SELECT count(*) FROM logintel_internal.scores")) == (waiting, before)


def test_new_lines_have_the_new_templates_and_older_ones_keep_theirs(old_db: Database, package: Path) -> None:
    lines = [("result=ok;total=9",), ("result=bad;total=9",)]
    templates = ("SELECT s.template FROM predictions p JOIN {} s ON s.id = p.score_id "
                 "JOIN log_entries l ON l.id = p.log_entry_id WHERE l.message LIKE 'result%' ORDER BY l.id")
    session = old_db.connect()
    use_old_package(session, package)
    with session.cursor() as cursor:
        cursor.executemany("INSERT INTO log_entries (level, message) VALUES ('INFO', %s)", lines)
    [(older,)] = session.execute("SELECT min(id) FROM log_entries WHERE message LIKE 'result%'")
    assert old_db.execute(templates.format("shape_scores")) == [("<*>",), ("<*>",)]
    before = answers(old_db)
    old_db.execute(TO_NEWEST)
    assert answers(old_db) == before
    with old_db.connect().cursor() as cursor:
        cursor.executemany("INSERT INTO log_entries (level, message) VALUES ('INFO', %s)", lines)
    assert old_db.execute(templates.format("scores")) == [
        ("<*>",), ("<*>",), ("result=ok;total=<*>",), ("result=bad;total=<*>",)]
    # A verdict on a line is of what its prediction was made from, whenever that was.
    old_db.execute("SELECT logintel.give_feedback(%s, 'FATAL'), logintel.give_feedback(%s, 'WARN')", (older, older + 2))
    assert old_db.execute("SELECT log_entry_id, true_level FROM logintel_internal._line_truth WHERE log_entry_id >= %s ORDER BY 1", (older,)) == [
        (older, "FATAL"), (older + 2, "WARN")]


def test_an_updated_database_can_be_dumped_and_restored(
    updated: Database, empty_db: Database, roles: dict[str, str]
) -> None:
    restore(updated, empty_db)
    assert answers(empty_db) == answers(updated)
    assert catalog.rights(empty_db.connection, roles) == catalog.rights(updated.connection, roles)
    empty_db.execute("INSERT INTO public.log_entries (level, message) VALUES ('INFO', 'a new one is bad')")
    assert empty_db.value(PENDING) == 2


def test_roles_keep_what_they_were_given_and_get_what_is_new(
    old_db: Database, fresh_db: Database, roles: dict[str, str]
) -> None:
    def rights(database: Database, role: str) -> set[str]:
        return set(catalog.rights(database.connection, {role: roles[role]}).splitlines())

    def names(rights: set[str]) -> set[str]:
        """The same in one schema, as the release had it."""
        return {right.replace("logintel_internal", "logintel") for right in rights}

    before = {role: rights(old_db, role) for role in roles}
    old_db.execute(TO_NEWEST)
    fresh_db.execute("SELECT logintel.grant_read(%s), logintel.grant_manage(%s)", tuple(roles))
    for role in roles:
        assert rights(fresh_db, role) - rights(old_db, role) == set()
        for right in before[role] - names(rights(old_db, role)):
            name = right[right.index("logintel.") :].split(" (")[0]
            there = f"to_reg{'procedure' if name.endswith(')') else 'class'}(%s)"
            assert old_db.value(f"SELECT {there}", [name]) is None, right


def test_new_shapes_wait_between_the_installation_and_the_update(old_db: Database) -> None:
    """New sessions have the new Python package, and the SQL of the release."""
    warnings: list[str] = []
    session = old_db.connect()
    session.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
    waiting = old_db.value(PENDING)
    session.execute("INSERT INTO log_entries (level, message, service) VALUES ('INFO', 'good 7', 'service 0')")
    assert old_db.value(PENDING) == waiting and warnings == []
    session.execute("INSERT INTO log_entries (message) VALUES ('wholly new'), ('also new')")
    session.execute("INSERT INTO log_entries (message) VALUES ('wholly new once more')")
    assert old_db.value(PENDING) == waiting + 3
    [warning] = warnings
    assert UPDATE in warning
    session.execute(TO_NEWEST)
    assert session.execute("SELECT logintel.backfill()").fetchone() == (waiting + 3,)
    assert old_db.value(PENDING) == 0


def test_a_session_with_the_old_package_goes_on_scoring(old_db: Database, package: Path) -> None:
    warnings: list[str] = []
    session = old_db.connect()
    use_old_package(session, package)
    session.execute("INSERT INTO log_entries (message) VALUES ('known before the update')")
    session.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
    waiting = old_db.value(PENDING)
    old_db.execute(TO_NEWEST)
    session.execute("INSERT INTO log_entries (message) VALUES ('known before the update')")
    session.execute("INSERT INTO log_entries (message) VALUES ('wholly new')")
    assert old_db.value(PENDING) == waiting
    assert warnings == []


def test_models_of_the_release_are_scored_in_sql_after_the_update(old_db: Database) -> None:
    old_db.execute(TO_NEWEST)
    scored_by = old_db.execute("SELECT name, scored_by FROM logintel.ml_models WHERE state = 'in force' ORDER BY name")
    assert ("level", "SQL") in scored_by
    assert old_db.value("SELECT count(*) FROM logintel_internal.layouts") > 0


def go_on_or_be_told_why_not(session: psycopg.Connection) -> None:
    """Do what a worker of the release does. Where it cannot, the error has to say what its user is to do."""
    try:
        worker_batch(session)
        session.execute("SELECT * FROM logintel.maintain()")
    except psycopg.errors.UndefinedTable:
        pass  # it waited for the update, in a function of the release; the next call is told
    except psycopg.Error as error:
        assert "logintel worker" in (error.diag.message_hint or ""), error


def test_a_worker_of_the_release_goes_on_or_is_told_why_not(old_db: Database) -> None:
    worker = old_db.connect()
    assert worker_batch(worker) == 2
    update = old_db.connect(autocommit=False)
    update.execute(TO_NEWEST)
    with ThreadPoolExecutor() as pool:
        working = pool.submit(go_on_or_be_told_why_not, worker)
        wait_until(lambda: blocked_sessions(old_db) or working.done())
        update.commit()
        working.result()
    for session in (worker, old_db.connect()):
        session.execute("INSERT INTO pending (attachment_id, log_entry_id) SELECT 0, max(id) FROM log_entries")
        go_on_or_be_told_why_not(session)
    while old_db.value("SELECT logintel.backfill()"):
        pass
    assert old_db.value(PENDING) == 0


def test_an_update_waits_for_who_is_in_the_middle_of_something(old_db: Database) -> None:
    """And none of them, however they go on, is the victim of a deadlock."""
    writer, worker = old_db.connect(autocommit=False), old_db.connect(autocommit=False)
    writer.execute("INSERT INTO log_entries (level, message, service) VALUES ('INFO', 'good 7', 'service 0')")
    [(taken,)] = worker.execute("SELECT logintel.take_pending(10)").fetchall()
    with ThreadPoolExecutor() as pool:
        updating = pool.submit(old_db.connect().execute, TO_NEWEST)
        wait_until(lambda: blocked_sessions(old_db) == 1)
        writer.execute("INSERT INTO log_entries (message) VALUES ('new while the update waits')")
        writer.execute("UPDATE log_entries SET message = 'good 8' WHERE id = 5")
        writer.execute("DELETE FROM log_entries WHERE id = 6")
        writer.commit()
        wait_until(lambda: blocked_sessions(old_db) == 1)
        worker.execute("SELECT * FROM logintel.unknown_shapes(%s::bigint[])", [taken])
        worker.execute("SELECT logintel.score_taken(%s::bigint[])", [taken])
        worker.commit()
        updating.result()
