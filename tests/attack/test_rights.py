"""Nobody gets rights that are not his: whatever code the owner of a log table defines runs with his own, or with those of a
role that can do nothing but read that table.

Each trap notes in a table who runs it. The attacks are made by the ordinary owner of a table that a superuser attached or
by a manager who attached his own, and whoever writes, reads or does the upkeep is a superuser.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from support.servers import Database
from support.traps import FETCHER, KEEPER, assert_nobody_was_caught_but, everything, own_standard_table, owner_of, trap


def test_a_cast_of_an_owned_type_is_never_run_by_reading_a_line(attacked: Database) -> None:
    owner = owner_of(attacked)
    owner.execute("CREATE TYPE public.lvl AS ENUM ('INFO')")
    owner.execute("CREATE TABLE public.own (id bigint PRIMARY KEY, level public.lvl, message text)")
    owner.execute("SELECT logintel.attach('public.own')")
    trap(owner, "lvl_text(public.lvl)", "text", "'ERROR'")
    owner.execute("CREATE CAST (public.lvl AS text) WITH FUNCTION public.lvl_text(public.lvl) AS IMPLICIT")
    attacked.connect().execute("INSERT INTO public.own VALUES (1, 'INFO', 'started')")
    everything(attacked)
    assert attacked.execute("SELECT * FROM public.caught") == []
    assert attacked.value("SELECT declared_level FROM logintel.ml_predictions") == "INFO"


@pytest.mark.parametrize("domain", ["text", "varchar(10)"])
def test_operators_and_functions_for_an_owned_type_are_never_run(attacked: Database, domain: str) -> None:
    owner = owner_of(attacked)
    owner.execute(f"CREATE DOMAIN public.msg AS {domain}")
    owner.execute("CREATE TABLE public.own (id bigint PRIMARY KEY, level public.msg, message public.msg, http_status real)")
    owner.execute("SELECT logintel.attach('public.own')")
    trap(owner, "format(text, public.msg)", "text", "'x'")
    trap(owner, "real_ge(real, integer)", "boolean", "true")
    owner.execute("CREATE OPERATOR public.>= (LEFTARG = real, RIGHTARG = integer, FUNCTION = public.real_ge)")
    attacked.connect().execute("INSERT INTO public.own VALUES (1, 'INFO', 'failed', 500)")
    everything(attacked)
    assert attacked.execute("SELECT * FROM public.caught") == []


def test_triggers_of_the_owner_run_for_nobody_elses_upkeep_when_days_are_made_and_dropped(attacked: Database) -> None:
    owner = own_standard_table(attacked)
    trap(owner, "spy()", "trigger", "NULL")
    for table in ("log_entries", "log_entries_default"):
        for event in ("INSERT", "DELETE"):
            owner.execute(
                f"CREATE TRIGGER spy_{event} AFTER {event} ON public.{table} FOR EACH STATEMENT EXECUTE FUNCTION public.spy()"
            )
    owner.execute("INSERT INTO public.log_entries (message, timestamp) VALUES ('failed', now() + interval '9 days')")
    owner.execute("INSERT INTO public.log_entries (message, timestamp) VALUES ('failed', now() - interval '90 days')")
    attacked.execute("UPDATE logintel.settings SET value = '30' WHERE name = 'retention_days'")
    attacked.execute("TRUNCATE public.caught")
    everything(attacked)
    assert attacked.value("SELECT count(*) FROM public.log_entries") == 2
    assert attacked.execute("SELECT * FROM public.caught") == []
    owner.execute("CALL logintel.maintain('45 s')")  # his own upkeep runs them, with his rights
    assert attacked.value("SELECT count(*) FROM public.log_entries") == 1
    assert_nobody_was_caught_but(attacked)


def test_index_expressions_checks_and_defaults_of_the_owner_run_for_nobody_elses_upkeep(attacked: Database) -> None:
    owner = own_standard_table(attacked)
    trap(owner, "note()", "boolean", "true")
    owner.execute(
        "CREATE FUNCTION public.spied(text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN public.note(); END'"
    )
    owner.execute("CREATE INDEX ON public.log_entries_default (public.spied('x'), id)")
    owner.execute("ALTER TABLE public.log_entries ADD CONSTRAINT spied CHECK (public.spied(message))")
    owner.execute("INSERT INTO public.log_entries (message, timestamp) VALUES ('failed', now() + interval '9 days')")
    days = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'public.log_entries'::regclass"
    made = attacked.value(days)
    attacked.execute("TRUNCATE public.caught")
    everything(attacked)
    assert attacked.value(days) == made and attacked.execute("SELECT * FROM public.caught") == []
    assert "function public.spied(text) of an ordinary role" in attacked.value(
        "SELECT reasons FROM logintel._create_days(current_date - 3, current_date + 9, NULL)")  # fmt: skip
    owner.execute("SELECT logintel.create_partitions(current_date - 3, current_date + 9)")
    assert attacked.value(days) > made
    assert_nobody_was_caught_but(attacked)


def test_a_column_that_gets_an_owned_type_while_it_is_attached_is_read_without_its_cast(attacked: Database) -> None:
    owner = owner_of(attacked)
    owner.execute("CREATE TABLE public.own (id bigint PRIMARY KEY, message text)")
    owner.execute("INSERT INTO public.own VALUES (1, 'failed')")
    owner.execute("CREATE TYPE public.word AS ENUM ('failed')")
    trap(owner, "cast_word(public.word)", "text", "'failed'")
    owner.execute("CREATE CAST (public.word AS text) WITH FUNCTION public.cast_word(public.word)")
    owner.execute("BEGIN; ALTER TABLE public.own ALTER message TYPE public.word USING 'failed'::public.word")
    attaching = attacked.connect()
    with ThreadPoolExecutor(1) as pool:
        attached = pool.submit(attaching.execute, "SELECT logintel.attach('public.own')")
        waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
        while not attached.done() and not attacked.value(waits, (attaching.info.backend_pid,)):
            time.sleep(0.01)
        owner.execute("COMMIT")
        attached.result()
    everything(attacked)
    assert attacked.execute("SELECT message FROM logintel.ml_recent_predictions") == [("failed",)]
    assert attacked.execute("SELECT * FROM public.caught") == []


def test_dropping_an_extension_of_the_owners_takes_nothing_of_logintels_along(attacked: Database) -> None:
    owner = own_standard_table(attacked)
    attacked.execute(f"GRANT CREATE ON DATABASE {attacked.name} TO {attacked.name}_owner")
    owner.execute("CREATE EXTENSION pg_trgm SCHEMA public")
    number = attacked.value("SELECT id FROM logintel_internal.attachments")
    owner.execute(f"ALTER FUNCTION logintel._table_owner_create_day_{number} DEPENDS ON EXTENSION pg_trgm")
    owner.execute(f"ALTER FUNCTION logintel._table_owner_drop_day_{number} SET SCHEMA public")
    owner.execute("DROP EXTENSION pg_trgm CASCADE")
    owner.execute(f"DROP FUNCTION logintel._table_owner_delete_lines_{number} CASCADE")
    assert attacked.value("SELECT count(*) FROM logintel.ml_models") > 0
    owner.execute("INSERT INTO public.log_entries (message) VALUES ('failed')")
    owner.execute("SELECT logintel.adopt_partitions()")
    everything(attacked)
    assert attacked.execute("SELECT task, failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []


def test_what_belongs_to_the_owner_can_be_dropped_with_him(attacked: Database) -> None:
    own_standard_table(attacked)
    attacked.execute(f"DROP OWNED BY {attacked.name}_owner CASCADE")
    attacked.execute("CALL logintel.maintain('45 s')")
    assert attacked.execute("SELECT log_table, models IS NOT NULL FROM logintel.ml_status") == [(None, True)]


@pytest.mark.parametrize("ends_by", ["SELECT logintel.detach('public.theirs')", "DROP TABLE public.theirs"])
def test_an_owner_whose_table_is_no_longer_attached_can_be_dropped(attacked: Database, ends_by: str) -> None:
    tenant = f"{attacked.name}_tenant"
    attacked.execute(f"CREATE ROLE {tenant}")
    attacked.execute("CREATE TABLE public.theirs (id bigint PRIMARY KEY, message text)")
    attacked.execute(f"ALTER TABLE public.theirs OWNER TO {tenant}")
    attacked.execute("SELECT logintel.attach('public.theirs')")
    attacked.execute("SELECT * FROM logintel.reconcile()")
    attacked.execute(ends_by)
    attacked.execute("DROP TABLE IF EXISTS public.theirs")
    attacked.execute(f"DROP ROLE {tenant}")


def test_the_owner_cannot_make_logintels_role_run_his_functions(attacked: Database) -> None:
    owner = own_standard_table(attacked)
    number = attacked.value("SELECT id FROM logintel_internal.attachments")
    owner.execute(f"ALTER FUNCTION logintel._table_owner_create_day_{number} SECURITY INVOKER")
    attacked.execute("DROP TABLE public.log_entries_" + attacked.value("SELECT to_char(current_date + 7, 'YYYY_MM_DD')"))
    attacked.execute("CALL logintel.maintain('45 s')")
    [(failure, next_step)] = attacked.execute(
        "SELECT failure, next_step FROM logintel.ml_upkeep WHERE task = 'create partitions'"
    )
    assert "another role than its owner" in failure and next_step


def test_cascades_from_the_log_table_take_nothing_of_logintels_along(attacked: Database) -> None:
    owner = own_standard_table(attacked)
    owner.execute("INSERT INTO public.log_entries (message, host) VALUES ('failed', 'h')")
    owner.execute("ALTER TABLE public.log_entries DROP COLUMN host CASCADE")
    attacked.execute("CALL logintel.maintain('45 s')")
    assert attacked.execute("SELECT message, host FROM logintel.ml_recent_predictions") == [("failed", None)]
    owner.execute("DROP TABLE public.log_entries CASCADE")
    assert attacked.value("SELECT count(*) FROM pg_extension WHERE extname = 'logintel'") == 1
    assert attacked.value("SELECT status FROM logintel.doctor() WHERE \"check\" = 'log table'") == "problem"
    attacked.execute("CALL logintel.maintain('45 s')")
    assert attacked.execute("SELECT log_table, lines, models IS NOT NULL FROM logintel.ml_status") == [(None, 0, True)]
    owner.execute("SELECT logintel.create_log_entries()")
    owner.execute("INSERT INTO public.log_entries (message) VALUES ('failed')")
    assert attacked.value("SELECT count(*) FROM logintel.ml_predictions") == 1


def test_schedule_believes_no_schema_called_cron(attacked: Database) -> None:
    owner = owner_of(attacked)
    attacked.execute(f"GRANT CREATE ON DATABASE {attacked.name} TO {attacked.name}_owner")
    owner.execute("CREATE SCHEMA cron")
    owner.execute(
        "CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE plpgsql AS $$ "
        "BEGIN INSERT INTO public.caught VALUES (current_user); RETURN 1; END $$"
    )
    owner.execute("CREATE FUNCTION cron.unschedule(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true'")
    owner.execute("CREATE TABLE cron.job (jobid bigint, jobname text, username text)")
    attacked.execute("SELECT logintel.schedule()")
    attacked.execute("SELECT logintel.unschedule()")
    assert attacked.execute("SELECT * FROM public.caught") == []


def test_a_schema_made_before_the_extension_is_taken_from_its_maker(empty_db: Database) -> None:
    intruder = empty_db.create_role("intruder")
    empty_db.execute(f"GRANT CREATE ON DATABASE {empty_db.name} TO {intruder}")
    maker = empty_db.connect(user=intruder)
    maker.execute("CREATE SCHEMA logintel")
    maker.execute("GRANT ALL ON SCHEMA logintel TO PUBLIC")
    maker.execute("CREATE FUNCTION logintel.shape(text) RETURNS text LANGUAGE sql AS 'SELECT 1::text'")
    with pytest.raises(psycopg.errors.DuplicateSchema, match="something in it"):
        empty_db.execute("CREATE EXTENSION logintel")
    maker.execute("DROP FUNCTION logintel.shape(text)")
    empty_db.execute("CREATE EXTENSION logintel")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        maker.execute("CREATE FUNCTION logintel.shape(text) RETURNS text LANGUAGE sql AS 'SELECT 1::text'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        maker.execute("DROP SCHEMA logintel CASCADE")


def test_no_function_of_a_superuser_reads_lines_or_runs_for_others(attacked: Database) -> None:
    of_superuser = {
        name
        for (name,) in attacked.execute(
            "SELECT p.proname FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner AND r.rolsuper "
            "JOIN pg_language l ON l.oid = p.prolang AND l.lanname <> 'plpython3u' "
            "WHERE p.pronamespace = 'logintel'::regnamespace"
        )
    }
    assert of_superuser and all(name.startswith("_installer_") for name in of_superuser)
    relations = attacked.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner AND r.rolsuper "
        "WHERE c.relnamespace = ANY ('{logintel,logintel_internal}'::regnamespace[])"
    )
    assert relations == []


@pytest.mark.parametrize("role", [KEEPER, FETCHER])
@pytest.mark.parametrize("rights", ["LOGIN", "CREATEROLE", "SUPERUSER"])
def test_a_role_of_logintels_with_rights_of_its_own_is_refused(db: Database, empty_db: Database, role: str, rights: str) -> None:
    connection = empty_db.connect(autocommit=False)  # roles are the whole server's, so nothing of this is committed
    connection.execute(f"ALTER ROLE {role} {rights}")
    with pytest.raises(psycopg.Error, match="cannot keep logintel"):
        connection.execute("CREATE EXTENSION logintel")
    connection.rollback()


def test_what_was_granted_on_the_owners_functions_ends_with_his_ownership(attacked: Database) -> None:
    owner = own_standard_table(attacked)
    number = attacked.value("SELECT id FROM logintel_internal.attachments")
    drop_day = f"logintel._table_owner_drop_day_{number}(regclass, regclass)"
    owner.execute(f"GRANT EXECUTE ON FUNCTION {drop_day} TO PUBLIC")
    owner.execute(f"ALTER FUNCTION {drop_day} SECURITY INVOKER SET search_path = public")
    owner.execute("SELECT logintel.detach()")
    assert attacked.value("SELECT to_regprocedure(%s)", (drop_day,)) is None


def test_code_that_runs_for_maintenance_attaches_nothing(attacked: Database) -> None:
    attacked.execute("CREATE TABLE public.secrets (id bigint PRIMARY KEY, message text)")
    owner = owner_of(attacked)
    owner.execute(
        "CREATE FUNCTION public.ix(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN "
        "IF session_user <> current_user THEN PERFORM logintel.attach('public.secrets'); END IF; RETURN 1; END $$"
    )
    owner.execute("CREATE TABLE public.bait (a integer)")
    owner.execute("INSERT INTO public.bait VALUES (1)")
    owner.execute("CREATE INDEX ON public.bait (public.ix(a))")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="security-restricted"):
        attacked.execute("ANALYZE public.bait")
    assert attacked.execute("SELECT log_table FROM logintel_internal.attachments") == []
