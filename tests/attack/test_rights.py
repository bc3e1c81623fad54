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


PLANNED = {
    "index expression": "CREATE INDEX ON public.own (public.spied('x'), id)",
    "index predicate": "CREATE INDEX ON public.own (id) WHERE public.spied('x')",
    "statistics": "CREATE STATISTICS public.spied ON (public.spied('x')), id FROM public.own",
}
UPKEEP = (
    "CALL logintel.maintain('45 s')",
    "SELECT * FROM logintel.reconcile()",
    "SELECT logintel.backfill()",
    "SELECT logintel.backfill(since => '2020-01-01')",
    "SELECT * FROM logintel.ml_status",
    "SELECT * FROM logintel.doctor()",
    "SELECT logintel.give_feedback(1, 'ERROR')",
    "SELECT logintel.withdraw_feedback(1)",
    "UPDATE logintel.settings SET value = '30' WHERE name = 'retention_days'",
    "CALL logintel.maintain('45 s')",
)


def hijacked_when_planned(db: Database, attack: str, by: str) -> None:
    """Have the planner run a statement wherever it computes a constant for the table `own`."""
    owner = owner_of(db)
    owner.execute("CREATE TABLE public.own (id bigint PRIMARY KEY, timestamp timestamptz, level text, message text)")
    owner.execute("SELECT logintel.attach('public.own')")
    owner.execute("CREATE FUNCTION public.attack() RETURNS void LANGUAGE plpgsql AS 'BEGIN RETURN; END'")
    trap(owner, "note()", "boolean", "true")
    owner.execute(
        "CREATE FUNCTION public.spied(text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS "
        "'BEGIN PERFORM public.attack(); RETURN public.note(); END'"
    )
    owner.execute(PLANNED[by])
    owner.execute(
        "CREATE OR REPLACE FUNCTION public.attack() RETURNS void LANGUAGE plpgsql AS $$ "
        f"BEGIN {attack}; EXCEPTION WHEN OTHERS THEN RETURN; END $$"
    )
    owner.execute("INSERT INTO public.own VALUES (1, now(), 'INFO', 'failed')")
    db.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    owner.execute("INSERT INTO public.own VALUES (2, now(), 'INFO', 'panicked')")
    db.execute("UPDATE logintel.settings SET value = 'inline' WHERE name = 'mode'")


@pytest.mark.parametrize("by", PLANNED)
@pytest.mark.parametrize(
    "attack",
    [
        "PERFORM 1",
        "ALTER FUNCTION logintel._fetch_1 SECURITY INVOKER SET search_path = public",
        "ALTER FUNCTION logintel._fetch_1 SET SCHEMA public",
        "DROP FUNCTION logintel._fetch_1 CASCADE",
        "CREATE OR REPLACE FUNCTION logintel._fetch_1(query text, ids bigint[], from_time timestamptz, to_time timestamptz) "
        "RETURNS SETOF record LANGUAGE sql AS ''SELECT 1''",
        "ALTER EXTENSION logintel DROP FUNCTION logintel._fetch_1",
        "CREATE OR REPLACE FUNCTION logintel._lines_type() RETURNS text LANGUAGE sql AS ''SELECT 1''",
        "GRANT logintel_fetcher TO PUBLIC",
    ],
)
def test_what_the_planner_computes_runs_with_the_rights_of_the_tables_owner(attacked: Database, attack: str, by: str) -> None:
    hijacked_when_planned(attacked, attack.replace("''", "'"), by)
    noticed: set[str] = set()  # what it inserts is rolled back
    for statement in UPKEEP:
        session = attacked.connect()  # what was planned before is kept by a session
        session.add_notice_handler(lambda notice: noticed.add(str(notice.message_primary)))
        try:
            session.execute(statement)
        except psycopg.Error as error:
            assert "_fetch_" in str(error) or "other rights" in str(error), error
    assert_nobody_was_caught_but(attacked)
    who = {notice for notice in noticed if notice.startswith("run by")}
    assert who == {f"run by {attacked.name}_owner"} or (not who and "_fetch_1" in attack)  # what reads his table he may break
    assert attacked.value("SELECT count(*) FROM pg_extension WHERE extname = 'logintel'") == 1
    owner_of(attacked).execute("SELECT logintel.detach()")


def test_code_in_an_index_of_one_owner_reads_no_line_of_another_owner(attacked: Database) -> None:
    neighbour = attacked.create_role("neighbour")
    attacked.execute("CREATE TABLE public.theirs (id bigint PRIMARY KEY, timestamp timestamptz, message text)")
    attacked.execute(f"ALTER TABLE public.theirs OWNER TO {neighbour}")
    hijacked_when_planned(attacked, "RAISE NOTICE 'read: %', (SELECT count(*) FROM public.theirs)", "index predicate")
    attacked.execute("SELECT logintel.attach('public.theirs')")
    attacked.execute("INSERT INTO public.theirs VALUES (7, now(), 'their secret')")
    attacked.execute(f"REVOKE SELECT (id, timestamp, message) ON public.theirs FROM {attacked.name}_owner")  # had as manager
    noticed: list[str] = []
    for statement in UPKEEP:
        session = attacked.connect()
        session.add_notice_handler(lambda notice: noticed.append(str(notice.message_primary)))
        session.execute(statement)
    assert [notice for notice in noticed if notice.startswith("read:")] == []
    assert {who for who in noticed if who.startswith("run by")} == {f"run by {attacked.name}_owner"}
    assert attacked.execute("SELECT log_table::text, lines FROM logintel.ml_status ORDER BY 1") == [("own", 2), ("theirs", 1)]


def test_code_in_an_index_attaches_no_table_of_who_does_the_upkeep(attacked: Database) -> None:
    attacked.execute("CREATE TABLE public.secrets (id bigint PRIMARY KEY, message text)")
    attacked.execute("INSERT INTO public.secrets VALUES (1, 'a secret')")
    hijacked_when_planned(
        attacked,
        "IF session_user <> current_user THEN PERFORM logintel.attach('public.secrets'); "
        "RAISE NOTICE 'read: %', (SELECT message FROM public.secrets); END IF",
        "index predicate",
    )
    noticed: list[str] = []
    session = attacked.connect()
    session.add_notice_handler(lambda notice: noticed.append(str(notice.message_primary)))
    for statement in UPKEEP:
        session.execute(statement)
    assert "read: a secret" not in noticed and f"run by {attacked.name}_owner" in noticed
    assert attacked.value("SELECT count(*) FROM logintel_internal.attachments") == 1


@pytest.mark.parametrize("state", ["57014", "P0004", "40001"])
def test_what_code_in_an_index_raises_keeps_no_other_table_waiting(attacked: Database, state: str) -> None:
    attacked.execute("CREATE TABLE public.theirs (id bigint PRIMARY KEY, timestamp timestamptz, message text)")
    hijacked_when_planned(attacked, "PERFORM 1", "index predicate")
    attacked.execute("SELECT logintel.attach('public.theirs')")
    owner_of(attacked).execute(
        "CREATE OR REPLACE FUNCTION public.note() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN "
        f"IF session_user <> current_user THEN RAISE EXCEPTION 'poison' USING ERRCODE = '{state}'; END IF; RETURN true; END $$"
    )
    attacked.execute("UPDATE logintel.settings SET value = 'off' WHERE name = 'mode'")
    attacked.execute("INSERT INTO public.theirs VALUES (7, now(), 'failed')")
    attacked.execute("UPDATE logintel.settings SET value = 'inline' WHERE name = 'mode'")
    attacked.execute("SELECT logintel.backfill()")
    assert attacked.value("SELECT pending FROM logintel.ml_status WHERE log_table = 'public.theirs'::regclass") == 0
    attacked.execute("SELECT * FROM logintel.reconcile()")
    attacked.execute("CALL logintel.maintain('45 s')")
    assert attacked.value("SELECT count(*) FROM logintel.doctor() WHERE status = 'ok'") > 5


def test_a_cancel_ends_the_upkeep_while_it_reads_too(attacked: Database) -> None:
    hijacked_when_planned(attacked, "IF session_user <> current_user THEN PERFORM pg_sleep(60); END IF", "index predicate")
    session = attacked.connect()
    session.execute("SET statement_timeout = '2s'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        session.execute("SELECT * FROM logintel.reconcile()")


def test_code_in_an_index_skips_no_other_table(attacked: Database) -> None:
    hijacked_when_planned(
        attacked,
        "DECLARE c text; BEGIN FOR c IN SELECT name FROM pg_cursors LOOP EXECUTE format('MOVE ALL IN %I', c); END LOOP; END",
        "index predicate",
    )
    for number in range(14):
        attacked.execute(f"CREATE TABLE public.other_{number} (id bigint PRIMARY KEY, message text)")
        attacked.execute(f"INSERT INTO public.other_{number} VALUES (1, 'failed')")
        attacked.execute(f"SELECT logintel.attach('public.other_{number}')")
    attacked.execute("SELECT * FROM logintel.reconcile()")
    assert attacked.value("SELECT count(*) FROM logintel_internal.pending q WHERE q.attachment_id > 1") == 14


@pytest.mark.parametrize("is_followed", [True, False])
def test_a_table_that_gets_another_owner_is_read_with_the_rights_of_the_new_one(attacked: Database, is_followed: bool) -> None:
    if not is_followed:
        attacked.execute("ALTER EVENT TRIGGER logintel_follow_changes DISABLE")
    attacked.execute("CREATE TABLE public.own (id bigint PRIMARY KEY, timestamp timestamptz, level text, message text)")
    attacked.execute("SELECT logintel.attach('public.own')")
    assert attacked.value("SELECT logintel._reads_as(1)::text") == FETCHER
    attacked.execute(f"ALTER TABLE public.own OWNER TO {attacked.name}_owner")
    owner = owner_of(attacked)
    if not is_followed:
        for _ in range(2):
            with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="another role than its owner") as caught:
                attacked.execute("SELECT * FROM logintel.reconcile()")
            assert "adopt_partitions()" in caught.value.diag.message_hint
        owner.execute("SELECT logintel.adopt_partitions()")
    assert attacked.value("SELECT logintel._reads_as(1)::text").strip('"') == f"{attacked.name}_owner"
    owner.execute("INSERT INTO public.own VALUES (1, now(), 'INFO', 'failed')")
    attacked.execute("SELECT * FROM logintel.reconcile()")
    attacked.execute("ALTER TABLE public.own OWNER TO CURRENT_USER")
    if is_followed:
        assert attacked.value("SELECT logintel._reads_as(1)::text") == FETCHER
        attacked.execute("SELECT * FROM logintel.reconcile()")
        assert attacked.execute("SELECT detail FROM logintel.doctor() WHERE \"check\" = 'rights' AND status <> 'ok'") == []


def test_a_fetch_reads_past_no_policy_of_another_owner(attacked: Database) -> None:
    attacked.execute("CREATE TABLE public.tenants (who name, secret bigint)")
    attacked.execute("INSERT INTO public.tenants VALUES ('somebody', 4711)")
    attacked.execute("GRANT SELECT ON public.tenants TO PUBLIC")
    attacked.execute("ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY")
    attacked.execute("CREATE POLICY own ON public.tenants USING (who = current_user)")
    owner_of(attacked).execute("CREATE SEQUENCE public.leak")
    hijacked_when_planned(
        attacked,
        "IF session_user <> current_user THEN PERFORM setval('public.leak', (SELECT max(secret) FROM public.tenants)); END IF",
        "index predicate",
    )
    attacked.execute("CALL logintel.maintain('45 s')")
    attacked.execute("SELECT * FROM logintel.reconcile()")
    assert attacked.value("SELECT last_value FROM public.leak") != 4711


def test_a_table_whose_owner_may_not_see_its_lines_is_refused_with_the_cure(attacked: Database) -> None:
    owner = owner_of(attacked)
    owner.execute("CREATE TABLE public.own (id bigint PRIMARY KEY, message text)")
    owner.execute("ALTER TABLE public.own ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"row-level security hides lines of public\.own") as caught:
        owner.execute("SELECT logintel.attach('public.own')")
    assert "ALTER TABLE public.own NO FORCE ROW LEVEL SECURITY" in caught.value.diag.message_hint
    owner.execute("ALTER TABLE public.own NO FORCE ROW LEVEL SECURITY")
    owner.execute("SELECT logintel.attach('public.own')")
    owner.execute("ALTER TABLE public.own FORCE ROW LEVEL SECURITY")
    owner.execute("INSERT INTO public.own SELECT 1, 'failed' WHERE false")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        attacked.execute("SELECT * FROM logintel.reconcile()")
    [(step,)] = attacked.execute("SELECT next_step FROM logintel.doctor() WHERE \"check\" = 'rights' AND status = 'problem'")
    assert "NO FORCE ROW LEVEL SECURITY" in step


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
