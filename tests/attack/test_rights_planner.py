"""What the planner computes of a log table, an index expression or statistics of its owner, runs with his rights alone while the
upkeep reads the table, and what it raises, moves or leaves is in the way of no other table.
"""

import psycopg
import pytest

from support.servers import Database
from support.traps import FETCHER, assert_nobody_was_caught_but, owner_of, trap

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
