"""Nobody's upkeep runs later what code of a table's owner left behind: at the commit, by a name, or with a right.

The owner's code is run where the planner computes an index, or by a trigger. What it leaves behind would run with the rights
of who runs the upkeep, a superuser here.
"""

import contextlib

import psycopg
import pytest

from support.servers import Database
from support.tiny_models import deploy

BECOME_SUPERUSER = """
    CREATE FUNCTION public.evil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            EXECUTE format('ALTER ROLE %%I SUPERUSER', '{owner}');
        END IF;
        RETURN NULL;
    END $$;
    CREATE FUNCTION public.evil_now() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            EXECUTE format('ALTER ROLE %%I SUPERUSER', '{owner}');
        END IF;
        RETURN 1;
    END $$;
    CREATE TABLE public.sink (n int);
    GRANT INSERT ON public.sink TO PUBLIC;
    CREATE CONSTRAINT TRIGGER evil AFTER INSERT ON public.sink DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION public.evil();
    CREATE SCHEMA AUTHORIZATION {owner};
    GRANT USAGE ON SCHEMA {owner} TO PUBLIC;
    CREATE FUNCTION {owner}.version() RETURNS text LANGUAGE sql AS $$ SELECT public.evil_now()::text $$;
"""
LEFT_BEHIND = {
    "a deferred trigger": "INSERT INTO public.sink VALUES (1)",
    "a deferred trigger of a temporary table": "CREATE TEMP TABLE tt (n int); CREATE CONSTRAINT TRIGGER t AFTER INSERT ON "
    "tt DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.evil(); INSERT INTO tt VALUES (1)",
    "a held cursor": "DECLARE held CURSOR WITH HOLD FOR SELECT public.evil_now()",
    "a search path": "SET search_path = {owner}, pg_catalog",
    "a prepared statement": "DEALLOCATE asked; PREPARE asked AS SELECT public.evil_now()",
    "a right": "GRANT EXECUTE ON FUNCTION {fetch} TO PUBLIC",
}
UPKEEP = (
    "CALL logintel.maintain('45 s')",
    "SELECT * FROM logintel.maintain()",
    "SELECT * FROM logintel.reconcile()",
    "SELECT logintel.backfill()",
    "SELECT logintel.give_feedback(1, 'ERROR')",
    "SELECT logintel.create_partitions(current_date - 30, current_date + 20)",
)


@pytest.fixture
def owner(db: Database) -> str:
    """An ordinary role that may manage, and has functions that make it superuser once a superuser runs them."""
    deploy(db)
    db.execute("SELECT logintel.detach()")
    db.execute("DROP TABLE public.log_entries")
    owner = db.create_role("owner")
    db.execute(f"GRANT CREATE ON SCHEMA public TO {owner}")
    db.execute(f"GRANT CREATE ON DATABASE {db.name} TO {owner}")
    db.execute(f"SELECT logintel.grant_manage('{owner}')")
    db.connect(user=owner).execute(BECOME_SUPERUSER.format(owner=owner).replace("%%", "%"))
    return owner


def assert_nobody_gained(db: Database, owner: str) -> None:
    assert db.value("SELECT rolsuper FROM pg_roles WHERE rolname = %s", (owner,)) is False
    for (function,) in db.execute("SELECT oid FROM pg_proc WHERE proname LIKE E'\\\\_fetch\\\\_%'"):
        assert db.value("SELECT has_function_privilege('pg_monitor', %s::oid, 'EXECUTE')", (function,)) is False


def do_everything(db: Database) -> None:
    """What a superuser does in a session that goes on afterwards."""
    for statement in UPKEEP:
        session = db.connect()
        session.execute("PREPARE asked AS SELECT 'mine'")
        try:
            session.execute(statement)
        except psycopg.Error as error:
            assert "evil" not in str(error), error
        session.execute("SELECT version()")
        with contextlib.suppress(psycopg.errors.InvalidSqlStatementName):  # removed it may be
            assert session.execute("EXECUTE asked").fetchall() == [("mine",)]
        session.close()


@pytest.mark.parametrize("left", LEFT_BEHIND)
@pytest.mark.parametrize("table", ["own", "log_entries"])
def test_what_an_index_leaves_behind_is_run_by_nobody(db: Database, owner: str, left: str, table: str) -> None:
    session = db.connect(user=owner)
    if table == "own":
        session.execute("CREATE TABLE public.own (id bigint PRIMARY KEY, timestamp timestamptz, level text, message text)")
        session.execute("SELECT logintel.attach('public.own')")
    else:
        session.execute("SELECT logintel.create_log_entries()")
    fetch = db.value("SELECT oid::regprocedure FROM pg_proc WHERE proname LIKE E'\\\\_fetch\\\\_%'")
    attack = LEFT_BEHIND[left].format(owner=owner, fetch=fetch)
    session.execute(
        "CREATE FUNCTION public.attack() RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
        + " ".join(f"EXECUTE $q${part}$q$;" for part in attack.split("; "))
        + " EXCEPTION WHEN OTHERS THEN RETURN; END $$"
    )
    session.execute(
        "CREATE FUNCTION public.spied(text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN "
        f"IF session_user <> '{owner}' AND current_user <> session_user THEN PERFORM public.attack(); END IF; "
        "RETURN true; END $$"
    )
    where = "own" if table == "own" else "log_entries_default"
    session.execute(f"CREATE INDEX ON public.{where} (id) WHERE public.spied('x')")
    session.execute(
        f"INSERT INTO public.{table} (id, timestamp, level, message) OVERRIDING SYSTEM VALUE VALUES "
        "(1, now(), 'INFO', 'failed'), (2, now() - interval '90 days', 'INFO', 'panicked')"
    )
    session.execute("UPDATE logintel.settings SET value = '30' WHERE name = 'retention_days'")
    do_everything(db)
    assert_nobody_gained(db, owner)


@pytest.mark.parametrize("kind", ["deferred", "cascading"])
def test_what_a_trigger_leaves_behind_is_run_by_nobody(db: Database, owner: str, kind: str) -> None:
    session = db.connect(user=owner)
    session.execute("SELECT logintel.create_log_entries()")
    if kind == "deferred":
        session.execute("CREATE CONSTRAINT TRIGGER evil AFTER DELETE ON public.log_entries_default DEFERRABLE "
                        "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.evil()")  # fmt: skip
    else:
        session.execute("CREATE FUNCTION public.fill() RETURNS trigger LANGUAGE plpgsql AS "
                        "$$ BEGIN INSERT INTO public.sink VALUES (1); RETURN NULL; END $$")  # fmt: skip
        session.execute("CREATE TRIGGER fill AFTER DELETE ON public.log_entries FOR EACH ROW EXECUTE FUNCTION public.fill()")
    session.execute("INSERT INTO public.log_entries (message, timestamp) VALUES ('failed', now() - interval '90 days')")
    session.execute("UPDATE logintel.settings SET value = '30' WHERE name = 'retention_days'")
    do_everything(db)
    assert_nobody_gained(db, owner)
    [(failure, next_step)] = db.execute("SELECT failure, next_step FROM logintel.ml_upkeep WHERE task = 'drop days'")
    assert "of an ordinary role would run with the upkeep" in failure and next_step
    assert db.value("SELECT count(*) FROM public.log_entries") == 1


def test_what_the_owner_keeps_himself_is_kept_with_his_triggers(db: Database, owner: str) -> None:
    session = db.connect(user=owner)
    session.execute("SELECT logintel.create_log_entries()")
    session.execute("CREATE TRIGGER evil AFTER DELETE ON public.log_entries FOR EACH ROW EXECUTE FUNCTION public.evil()")
    session.execute("INSERT INTO public.log_entries (message, timestamp) VALUES ('failed', now() - interval '90 days')")
    session.execute("UPDATE logintel.settings SET value = '30' WHERE name = 'retention_days'")
    session.execute("CALL logintel.maintain('45 s')")
    assert db.value("SELECT count(*) FROM public.log_entries") == 0
    assert db.execute("SELECT task FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []


def test_no_reader_sees_the_hash_of_a_shape(db: Database) -> None:
    reader = db.create_role("reader")
    db.execute(f"SELECT logintel.grant_read('{reader}')")
    assert db.execute(
        "SELECT a.attrelid::regclass::text, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relnamespace = ANY ('{logintel,logintel_internal}'::regnamespace[]) AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 "
        "AND a.attname ~ 'hash|seed' AND has_column_privilege(%s, c.oid, a.attnum, 'SELECT')", (reader,)
    ) == []  # fmt: skip
