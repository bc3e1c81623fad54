"""No cast and no view of the owner of a log table is run or read by logintel, whatever becomes of its columns and names."""

import psycopg
import pytest

from support.servers import Database
from support.traps import everything, owner_of, trap


@pytest.mark.parametrize("is_followed", [True, False])
def test_a_column_that_gets_another_type_after_attach_has_no_cast_run(attacked: Database, is_followed: bool) -> None:
    if not is_followed:
        attacked.execute("ALTER EVENT TRIGGER logintel_follow_changes DISABLE")
    owner = owner_of(attacked)
    owner.execute("CREATE TABLE public.own (id bigint PRIMARY KEY, level text, message text, host text)")
    owner.execute("SELECT logintel.attach('public.own')")
    owner.execute("INSERT INTO public.own VALUES (1, 'INFO', 'started')")
    owner.execute("CREATE TYPE public.lvl AS ENUM ('INFO')")
    trap(owner, "lvl_text(public.lvl)", "text", "'ERROR'")
    owner.execute("CREATE CAST (public.lvl AS text) WITH FUNCTION public.lvl_text(public.lvl) AS IMPLICIT")
    owner.execute("ALTER TABLE public.own DROP COLUMN host CASCADE")
    owner.execute("ALTER TABLE public.own ALTER level TYPE public.lvl USING NULL")
    attacked.connect().execute("INSERT INTO public.own VALUES (2, 'INFO', 'failed')")
    attacked.execute("UPDATE public.own SET message = 'panicked' WHERE id = 2")
    everything(attacked)
    attacked.connect().execute("INSERT INTO public.own VALUES (3, 'INFO', 'started')")
    assert attacked.execute("SELECT * FROM public.caught") == []
    assert attacked.value("SELECT declared_level FROM logintel.ml_predictions WHERE id = 3") == "INFO"


def test_a_view_in_the_place_of_a_renamed_table_is_never_read(attacked: Database) -> None:
    owner = owner_of(attacked)
    owner.execute("CREATE TABLE public.own (id bigint PRIMARY KEY, timestamp timestamptz, level text, message text)")
    owner.execute("SELECT logintel.attach('public.own')")
    owner.execute("INSERT INTO public.own VALUES (1, now(), 'INFO', 'failed')")
    trap(owner, "spy()", "bigint", "1")
    owner.execute("ALTER TABLE public.own RENAME TO own_old")
    owner.execute("CREATE VIEW public.own AS SELECT public.spy() AS id, now() AS timestamp, 'INFO'::text AS level, 'x'::text AS message")
    owner.execute("GRANT SELECT ON public.own TO PUBLIC")
    assert attacked.execute("SELECT message FROM logintel.ml_recent_predictions") == [("failed",)]
    everything(attacked)
    owner.execute("TRUNCATE public.own_old")
    assert attacked.execute("SELECT * FROM public.caught") == []


@pytest.mark.parametrize("rename", ["ALTER INDEX public.own RENAME TO own_old", "ALTER TABLE public.own RENAME TO own_old"])
@pytest.mark.parametrize("is_followed", [True, False])
def test_a_view_in_its_place_is_never_read_however_a_table_was_renamed(attacked: Database, rename: str, is_followed: bool) -> None:
    owner = owner_of(attacked)
    owner.execute("CREATE TABLE public.own (id bigint PRIMARY KEY, timestamp timestamptz, level text, message text)")
    owner.execute("SELECT logintel.attach('public.own')")
    owner.execute("INSERT INTO public.own VALUES (1, now(), 'INFO', 'failed')")
    trap(owner, "spy()", "bigint", "1")
    if not is_followed:
        attacked.execute("ALTER EVENT TRIGGER logintel_follow_changes DISABLE")
    owner.execute(rename)
    owner.execute("CREATE VIEW public.own AS SELECT public.spy() AS id, now() AS timestamp, 'INFO'::text AS level, 'x'::text AS message")
    owner.execute("GRANT SELECT ON public.own TO PUBLIC")
    if is_followed:
        assert attacked.execute("SELECT message FROM logintel.ml_recent_predictions") == [("failed",)]
    else:
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="TABLESAMPLE"):
            attacked.execute("SELECT message FROM logintel.ml_recent_predictions")
        attacked.execute("SELECT * FROM logintel.maintain()")
    everything(attacked)
    assert attacked.execute("SELECT * FROM public.caught") == []


def evil_cast(owner: psycopg.Connection, target: str, value: str) -> None:
    """Make a type whose cast to another one notes who runs it, even where the planner alone does."""
    owner.execute("CREATE TYPE public.evil AS ENUM ('x')")
    trap(owner, "note()", "integer", "1")
    owner.execute(f"CREATE FUNCTION public.at_planning(integer) RETURNS {target} LANGUAGE plpgsql IMMUTABLE AS "
                  f"$$ BEGIN PERFORM public.note(); RETURN {value}; END $$")
    owner.execute(f"CREATE FUNCTION public.evil_cast(public.evil) RETURNS {target} LANGUAGE sql IMMUTABLE AS "
                  "$$ SELECT public.at_planning(1) $$")
    owner.execute(f"CREATE CAST (public.evil AS {target}) WITH FUNCTION public.evil_cast(public.evil) AS IMPLICIT")


VARIABLES = ("_logintel_began", "_left_out", "_nested_loops", "_many", "_scored", "_waiting", "_ids", "_times", "_kept", "_reason")


@pytest.mark.parametrize("target", ["timestamptz", "bigint", "text", "boolean"])
def test_a_column_that_is_called_what_a_variable_is_has_no_cast_run(attacked: Database, target: str) -> None:
    owner = owner_of(attacked)
    owner.execute("CREATE TABLE public.own (id bigint PRIMARY KEY, level text, message text)")
    owner.execute("SELECT logintel.attach('public.own')")
    evil_cast(owner, target, {"timestamptz": "'-infinity'", "bigint": "1", "text": "'x'", "boolean": "true"}[target])
    for name in (*VARIABLES, "t", "l", "c", "d", "q", "s", "p"):
        owner.execute(f"ALTER TABLE public.own ADD COLUMN {name} public.evil DEFAULT 'x'")
    attacked.connect().execute("INSERT INTO public.own (id, level, message) VALUES (1, 'INFO', 'a new shape'), (2, 'INFO', 'failed')")
    attacked.execute("UPDATE public.own SET message = 'another new shape' WHERE id = 2")
    everything(attacked)
    attacked.execute("DELETE FROM public.own WHERE id = 1")
    assert attacked.execute("SELECT * FROM public.caught") == []
    assert attacked.execute("SELECT log_entry_id FROM logintel.ml_predictions") == [(2,)]


@pytest.mark.parametrize("domain", ["text", "varchar(20)"])
def test_a_column_of_a_domain_that_gets_another_type_has_no_cast_run(attacked: Database, domain: str) -> None:
    owner = owner_of(attacked)
    owner.execute(f"CREATE DOMAIN public.lvl AS {domain}")
    owner.execute("CREATE TABLE public.own (id bigint PRIMARY KEY, level public.lvl, message text)")
    owner.execute("SELECT logintel.attach('public.own')")
    owner.execute("INSERT INTO public.own VALUES (1, 'INFO', 'started')")
    evil_cast(owner, "text", "'ERROR'")
    owner.execute("ALTER TABLE public.own DROP COLUMN level CASCADE")
    owner.execute("ALTER TABLE public.own ADD COLUMN level public.evil DEFAULT 'x'")
    attacked.connect().execute("INSERT INTO public.own (id, message) VALUES (2, 'started'), (3, 'a new shape')")
    attacked.execute("UPDATE public.own SET message = 'failed' WHERE id = 3")
    everything(attacked)
    assert attacked.execute("SELECT * FROM public.caught") == []


def test_a_time_of_a_domain_is_the_same_whatever_style_the_session_prints_it_in(attacked: Database) -> None:
    owner = owner_of(attacked)
    owner.execute("CREATE DOMAIN public.moment AS timestamptz; CREATE DOMAIN public.key AS bigint")
    owner.execute("CREATE TABLE public.own (id public.key PRIMARY KEY, timestamp public.moment, level text, message text)")
    owner.execute("SELECT logintel.attach('public.own')")
    writer = attacked.connect()
    writer.execute("SET datestyle = 'SQL, DMY'; SET timezone = 'Asia/Kolkata'")
    writer.execute("INSERT INTO public.own VALUES (7, '2026-02-03 04:05:06.789Z'::timestamptz, 'INFO', 'started')")
    assert attacked.execute("SELECT log_entry_id, timestamp = '2026-02-03 04:05:06.789Z' FROM logintel_internal.predictions") == [(7, True)]
