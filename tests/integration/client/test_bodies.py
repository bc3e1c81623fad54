"""plpgsql_check finds nothing in any plpgsql body: names, types, statements that cannot run, dynamic SQL without quotes.

PostgreSQL itself looks at a body only when it runs, and at a statement of it only when that is reached.
"""

import pytest

from support.servers import Database

pytestmark = pytest.mark.lint

# What plpgsql_check is not to report, by function and start of the message, and why. An entry that nothing answers to
# fails, so the list can only shrink. The function None stands for all.
NAMES_ITSELF = "runs SQL that logintel wrote: names in it went through format() with %I, %L or regclass"
FOR_ITS_OWNER = "runs what logintel wrote, for nobody else, with no rights but to read one table"
ONE_HEADER = "the functions behind the triggers are written with one list of variables"
WITHOUT_CRON = "runs where pg_cron is, which the database of this test lacks"
EXPECTED = {
    (None, "target type is different type than source type"): "settings are text, and texts in code stand for arrays",
    ("_installer_create_trigger", "text type variable is not sanitized"): NAMES_ITSELF,
    ("_installer_make_functions", "text type variable is not sanitized"): NAMES_ITSELF,
    ("_fetched", "text type variable is not sanitized"): NAMES_ITSELF,
    ("_fetch_0", "text type variable is not sanitized"): FOR_ITS_OWNER,
    ("_table_owner_create_day_0", "text type variable is not sanitized"): NAMES_ITSELF,
    ("_new_attachment", 'composite OUT variable "attached"'): "it tells how the columns were found as well",
    ("_ab_figures", 'record "seen" is not assigned yet'): "its argument is a record, whose columns only a call knows",
    ("_ab_figures", 'unused parameter "test"'): "follows from the record",
    ("_ab_figures", 'unused parameter "seen"'): "follows from the record",
    ("_forget_deleted_lines", "never read variable"): ONE_HEADER,
    ("_forget_deleted_lines", "unused variable"): ONE_HEADER,
    ("_score_new_lines", "unused variable"): ONE_HEADER,
    ("take_pending", "unused parameter"): "it only says that the worker is too old",
    ("schedule", 'schema "cron" does not exist'): WITHOUT_CRON,
    ("unschedule", 'relation "cron.job" does not exist'): WITHOUT_CRON,
    ("doctor", 'name of parameter "check" is reserved keyword'): "a column of its result, called so in documents",
}

# Trigger functions are checked with a table that has the trigger; those behind the log table with its generated bodies.
FINDINGS = """
    SELECT p.proname, c.lineno, c.level, c.message, c.detail, c.query, c.context
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'plpgsql'
    LEFT JOIN LATERAL (SELECT t.tgrelid, t.tgoldtable, t.tgnewtable FROM pg_trigger t WHERE t.tgfoid = p.oid LIMIT 1) AS t ON true
    CROSS JOIN LATERAL plpgsql_check_function_tb(
        p.oid, coalesce(t.tgrelid, 0), oldtable => t.tgoldtable, newtable => t.tgnewtable, fatal_errors => false,
        other_warnings => true, extra_warnings => true, security_warnings => true, performance_warnings => false) AS c
    WHERE p.pronamespace = 'logintel'::regnamespace
    ORDER BY p.oid::regprocedure::text COLLATE "C", c.lineno"""


@pytest.fixture
def checker(fresh_db: Database) -> Database:
    """A database with the default models in force, and with plpgsql_check, which the server under test may lack."""
    if not fresh_db.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'plpgsql_check'"):
        if fresh_db.server.kind == "local":
            pytest.fail("this server has no plpgsql_check: `make packages` installs it")
        pytest.skip("the server has no plpgsql_check")
    fresh_db.execute("CREATE EXTENSION plpgsql_check SCHEMA public")
    fresh_db.execute("CREATE TABLE keyless (message text)")
    fresh_db.execute("SELECT logintel._installer_add_key('keyless', true)")
    return fresh_db


def test_plpgsql_check_finds_nothing_in_the_bodies(checker: Database) -> None:
    found = checker.execute(FINDINGS)
    expected = {key: [f for f in found if key[0] in (f[0], None) and f[3].startswith(key[1])] for key in EXPECTED}
    explained = [finding for findings in expected.values() for finding in findings]
    assert [finding for finding in found if finding not in explained] == []
    assert [key for key, findings in expected.items() if not findings] == [], "take these out of EXPECTED"


def test_plpgsql_check_reads_the_bodies_of_all_functions(checker: Database) -> None:
    """A function that it cannot check, as a trigger function without a table, would be an error."""
    checker.execute("""
        CREATE FUNCTION logintel._wrong() RETURNS bigint LANGUAGE plpgsql AS
        $$BEGIN IF false THEN RETURN (SELECT no_such_column FROM logintel.settings); END IF; RETURN 1; END$$""")
    assert [finding[0] for finding in checker.execute(FINDINGS) if "no_such_column" in finding[3]] == ["_wrong"]
