"""The surface of the extension changes only where a golden file changes with it, and every object says what it is."""

import difflib

import pytest

from support import catalog
from support.servers import Database

# Functions that everybody may call: they depend on their arguments alone, or views call them for their readers.
PUBLIC = {
    "_context_hash",
    "_duration_of_number",
    "_duration_of_text",
    "_exactly",
    "_exit_code_class",
    "_flag_of_text",
    "_is_time_of",
    "_latency_bucket",
    "_level_name",
    "_level_of_scale",
    "_number_line",
    "_line_time",
    "_mask_with_codes",
    "_printed",
    "_probabilities",
    "_readable",
    "_service_name",
    "_shape",
    "_shape_hash",
    "_shape_version",
    "_status_class",
    "_status_code_class",
    "_status_of_number",
    "_status_of_text",
    "_text_of_json",
    "_time_in_zone",
    "_time_of_date",
    "_time_of_number",
    "_time_of_parts",
    "_time_of_text",
    "_truth",
    "_with_answer",
    "_with_class",
    "_with_exit_codes",
    "mask",
    "normalize_level",
    "severity",
}


@pytest.fixture
def installed(empty_db: Database) -> Database:
    """A database with nothing in it but the extension."""
    empty_db.execute("CREATE EXTENSION logintel_python CASCADE")
    return empty_db


def test_the_surface_the_schema_and_the_rights_are_as_the_golden_files_say(installed: Database) -> None:
    roles = {kind: installed.create_role(kind) for kind in catalog.ROLES}
    differences = [
        line
        for path, text in catalog.golden_texts(installed.connection, roles).items()
        for line in difflib.unified_diff(
            path.read_text().splitlines(), text.splitlines(), f"tests/golden/{path.name}", "this database", lineterm=""
        )
    ]
    installed.execute(f"DROP OWNED BY {', '.join(roles.values())}")
    assert not differences, "\n".join([f"if this is meant, run `{catalog.RENEW}` and commit it:", *differences])


def test_every_object_has_a_comment(installed: Database) -> None:
    bare = installed.execute(f"""
        SELECT pg_describe_object(m.classid, m.objid, coalesce(a.attnum, 0))
        FROM ({catalog.MEMBERS}) AS m
        LEFT JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
        LEFT JOIN LATERAL (SELECT 0 AS attnum UNION ALL SELECT a.attnum FROM pg_attribute a
                           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'c')) AS a ON true
        WHERE m.classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass) AND c.relkind IS DISTINCT FROM 'S'
          AND NOT EXISTS (  -- from PostgreSQL 17 on the types of rows and arrays are members too
              SELECT FROM pg_type y LEFT JOIN pg_class r ON r.oid = y.typrelid
              WHERE m.classid = 'pg_type'::regclass AND y.oid = m.objid AND (y.typcategory = 'A' OR r.relkind <> 'c'))
          AND NOT EXISTS (SELECT FROM pg_description d WHERE (d.classoid, d.objoid, d.objsubid) = (m.classid, m.objid, coalesce(a.attnum, 0)))
        ORDER BY 1""")
    assert bare == []


def test_functions_with_the_owners_rights_look_nowhere_but_in_what_they_pin(installed: Database) -> None:
    """pg_temp is searched first unless it is named, for tables at least: so it is named, and last."""
    functions = installed.execute("""
        SELECT p.oid::regprocedure::text, coalesce((SELECT split_part(c, '=', 2) FROM unnest(p.proconfig) AS c WHERE c LIKE 'search_path=%'), '')
        FROM pg_proc p WHERE p.pronamespace = 'logintel'::regnamespace AND p.prosecdef""")
    assert len(functions) > 30
    allowed = {"pg_catalog, pg_temp", "pg_temp"}  # pg_catalog comes first without being named
    assert [(name, path) for name, path in functions if path not in allowed] == []


def test_what_everybody_may_call_is_listed(installed: Database) -> None:
    callable_by_all = installed.execute("""
        SELECT DISTINCT p.proname FROM pg_proc p CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
        WHERE p.pronamespace = 'logintel'::regnamespace AND a.grantee = 0""")
    assert {name for (name,) in callable_by_all} == PUBLIC


def test_nothing_else_is_open_to_everybody(installed: Database) -> None:
    assert (
        installed.execute("""
        SELECT c.oid::regclass FROM pg_class c CROSS JOIN aclexplode(c.relacl) AS a
        WHERE c.relnamespace = ANY ('{logintel,logintel_internal}'::regnamespace[]) AND a.grantee = 0""")
        == []
    )
