"""The reference of the public surface, made from the comments in the database: sql/REFERENCE.md."""

from support.servers import Database

_HEAD = """# Reference

Made from the comments in the database by `make golden`; do not edit it.
"""
_VIEWS = r"""
SELECT c.relname, obj_description(c.oid),
       (SELECT array_agg(ARRAY[a.attname::text, format_type(a.atttypid, a.atttypmod), coalesce(col_description(c.oid, a.attnum), '')]
                         ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_class c
WHERE c.relnamespace = 'logintel'::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'ml\_%'
ORDER BY c.relname COLLATE "C"
"""
_FUNCTIONS = r"""
SELECT p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), obj_description(p.oid)
FROM pg_proc p
WHERE p.pronamespace = 'logintel'::regnamespace AND p.proname NOT LIKE '\_%'
ORDER BY p.proname COLLATE "C", p.prokind, pg_get_function_arguments(p.oid) COLLATE "C"
"""
_SETTINGS = "SELECT name, value, description FROM logintel.settings ORDER BY name COLLATE \"C\""


def _function(name: str, arguments: str, result: str | None, comment: str) -> str:
    returns = f"returns `{result}`" if result else "procedure"
    return f"`{name}({arguments})`, {returns}: {comment}\n"


def reference(db: Database) -> str:
    """Return the whole text: views with their columns, functions, settings with their defaults."""
    parts = [_HEAD, "## Views\n"]
    for name, comment, columns in db.execute(_VIEWS):
        parts += [f"### `{name}`\n\n{comment}\n", "| column | type | |", "|---|---|---|"]
        parts += [f"| `{column}` | {type_} | {text.replace('|', '&#124;')} |" for column, type_, text in columns] + [""]
    parts.append("## Functions\n")
    parts += [_function(*row) for row in db.execute(_FUNCTIONS)]
    parts += ["## Settings\n", "| setting | default | |", "|---|---|---|"]
    parts += [f"| `{name}` | `{value}` | {text} |" for name, value, text in db.execute(_SETTINGS)]
    return "\n".join(parts) + "\n"
