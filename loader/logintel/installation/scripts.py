"""The scripts that bring logintel into a database, in each form that one can have. Needs the standard library alone."""

import re
from pathlib import Path

from logintel.installation.sources import Sources, python_functions

# Nobody else can put anything into these schemas, so every name in a script means what it says.
_PINNED = "SET LOCAL search_path = pg_catalog, pg_temp;\n"
_SCHEMA = "CREATE SCHEMA logintel;\n"
# CREATE EXTENSION takes a schema that is there, whose owner, and all that is in it, would be trusted with everything.
_OWN_SCHEMA = """\
DO $block$
DECLARE
    grantee oid;
BEGIN
    IF EXISTS (SELECT FROM pg_depend d
               WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = 'logintel'::regnamespace
                 AND d.classid <> 'pg_extension'::regclass) THEN
        RAISE EXCEPTION 'there is a schema logintel already, with something in it'
            USING ERRCODE = 'duplicate_schema', HINT = 'Rename it, or drop it.';
    END IF;
    ALTER SCHEMA logintel OWNER TO CURRENT_USER;
    FOR grantee IN SELECT DISTINCT a.grantee FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) AS a
                   WHERE n.nspname = 'logintel' AND a.grantee <> n.nspowner LOOP
        EXECUTE format('REVOKE ALL ON SCHEMA logintel FROM %s CASCADE',
                       CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END);
    END LOOP;
END
$block$;
"""
# CREATE EXTENSION looks at no body before it runs: functions may call others that the script makes later.
_UNCHECKED = "SET LOCAL check_function_bodies = off;\n"
_DUMPED = re.compile(r"^SELECT pg_catalog\.pg_extension_config_dump\(.*\);\n", re.MULTILINE)
TAG = "$logintel_script$"


def extension(sources: Sources) -> str:
    """Return the script of CREATE EXTENSION logintel."""
    return _guarded("CREATE EXTENSION logintel", _PINNED, _OWN_SCHEMA, _creation(sources))


def extension_update(sources: Sources, release: str) -> str:
    """Return the script of ALTER EXTENSION logintel UPDATE, from an earlier release to this one."""
    return _guarded("ALTER EXTENSION logintel UPDATE", _PINNED, *sources.update(release))


def python_extension(plpython: Path) -> str:
    """Return the script of CREATE EXTENSION logintel_python. `make install` puts the server's folder into it."""
    return _guarded("CREATE EXTENSION logintel_python CASCADE", _PINNED, *python_functions(plpython))


def plain(sources: Sources) -> str:
    """Return the script for a database where logintel is to be no extension; it belongs into one transaction."""
    return _SCHEMA + _without_extension(_creation(sources))


def plain_update(sources: Sources, release: str) -> str:
    """Return the script that updates what plain() made; it belongs into one transaction."""
    return _without_extension("".join([_PINNED, *sources.update(release)]))


def tle(sources: Sources, comment: str) -> str:
    """Return the script that makes logintel known to pg_tle, in place of a release that it knows already."""
    # pg_tle makes no schema for an extension, so the script does, and the schema belongs to the extension.
    creation = _quoted(_SCHEMA + _creation(sources))
    described = comment.replace("'", "''")
    calls = [
        "SELECT pgtle.uninstall_extension_if_exists('logintel');",
        f"SELECT pgtle.install_extension('logintel', '{sources.release}', '{described}', {creation});",
    ]
    for release in sources.earlier_releases():
        update = _quoted(_PINNED + "".join(sources.update(release)))
        calls.append(f"SELECT pgtle.install_update_path('logintel', '{release}', '{sources.release}', {update});")
    return "\n".join(["BEGIN;", *calls, "COMMIT;", ""])


def _creation(sources: Sources) -> str:
    return "".join([_PINNED, *sources.tables(), *sources.replaceable()])


def _without_extension(script: str) -> str:
    return _UNCHECKED + _DUMPED.sub("", script)


def _guarded(command: str, *parts: str) -> str:
    return "".join([f'\\echo Use "{command}" to load this file. \\quit\n', *parts])


def _quoted(script: str) -> str:
    return f"{TAG}\n{script}{TAG}"


def write(sources: Sources, plpython: Path, folder: Path) -> None:
    """Write the scripts of both extensions into a folder, and remove those of other releases from it."""
    texts = {
        f"logintel--{sources.release}.sql": extension(sources),
        f"logintel_python--{sources.release}.sql": python_extension(plpython),
    }
    for release in sources.earlier_releases():
        texts[f"logintel--{release}--{sources.release}.sql"] = extension_update(sources, release)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        unfinished = folder / f"{name}.new"  # somebody may be reading the one that is there
        unfinished.write_text(text, "utf-8")
        unfinished.rename(folder / name)
    for path in folder.glob("*.sql"):
        if path.name not in texts:
            path.unlink()
