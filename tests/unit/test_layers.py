"""No folder of sql/ reads a folder above it: what a capability needs stands in folders with smaller numbers.

The core finds what capabilities bring by a naming rule, so their handlers are named nowhere.
"""

import re
from collections.abc import Iterator
from pathlib import Path

SQL = Path(__file__).parents[2] / "sql"
FOLDERS = sorted(folder for folder in SQL.iterdir() if re.match(r"[0-9]{2}_", folder.name))
CREATED = re.compile(
    r"^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:TABLE|TYPE|DOMAIN|SEQUENCE|VIEW|FUNCTION|PROCEDURE|AGGREGATE)\s+logintel(?:_internal)?\.(\w+)",
    re.MULTILINE,
)
STRING = r"'(?:[^']|'')*'"
COMMENT = re.compile(rf"--[^\n]*|^COMMENT ON [^;']*IS\s+{STRING};", re.MULTILINE)
# What people read names functions that they can call, wherever these stand: comments, errors, and texts that say "run".
RAISE = re.compile(rf"\bRAISE\b(?:[^;']|{STRING})*;")

# What still reads upwards, and why. A name that is no longer read fails the test, so the list can only shrink.
EXCEPTIONS = {
    # a restore takes the place of the default models
    "03_models/80_make_room_for_restored_models.sql": {"scores"},
    # the triggers on the log table call the write path
    "04_log_table/20_installer.sql": {
        "_forget_deleted_lines",
        "_forget_truncated_lines",
        "_score_changed_lines",
        "_score_new_lines",
    },
    # predictions have the same partitions as the standard log table
    "04_log_table/28_partitions.sql": {"predictions", "predictions_default"},
    # an attachment rewrites the trigger functions
    "04_log_table/80_apply_attachment.sql": {"_write_trigger_functions"},
}


def objects() -> dict[str, str]:
    """The folder of each table, type, view and function."""
    return {
        name: folder.name
        for folder in FOLDERS
        for path in folder.glob("*.sql")
        for name in CREATED.findall(path.read_text())
    }


def references(path: Path) -> set[str]:
    """The names that a file's statements, bodies and dynamic SQL have in the schema."""
    code = RAISE.sub(lambda statement: re.sub(STRING, "", statement[0]), COMMENT.sub("", path.read_text()))
    code = re.sub(STRING, lambda text: "" if re.search(r"\b[Rr]un\b", text[0]) else text[0], code)
    return set(re.findall(r"\blogintel(?:_internal)?\.(\w+)", code))


def upward_references() -> Iterator[tuple[str, str, str]]:
    """Each (file, object, folder of the object) where a file names an object of a folder above its own."""
    folder_of = objects()
    for folder in FOLDERS:
        for path in sorted(folder.glob("*.sql")):
            for name in sorted(references(path)):
                if folder_of.get(name, "") > folder.name:
                    yield f"{folder.name}/{path.name}", name, folder_of[name]


def test_no_folder_reads_a_folder_above_it() -> None:
    new = [
        f"sql/{file} reads logintel.{name} of {above}"
        for file, name, above in upward_references()
        if name not in EXCEPTIONS.get(file, ())
    ]
    assert not new, "\n".join(new)


def test_no_exception_outlives_its_reason() -> None:
    found = {(file, name) for file, name, _ in upward_references()}
    excepted = {(file, name) for file, names in EXCEPTIONS.items() for name in names}
    assert sorted(excepted - found) == [], "take these out of EXCEPTIONS"


def test_the_pattern_finds_the_objects_and_the_names_in_dynamic_sql(tmp_path: Path) -> None:
    assert len(objects()) > 200
    path = tmp_path / "20_x.sql"
    path.write_text(
        "-- logintel.comment\nRAISE EXCEPTION 'run logintel.message' USING HINT = (SELECT logintel.hint());\n"
        "EXECUTE format('SELECT %s FROM logintel.dynamic', 'it''s');\n"
        "SELECT 'Run SELECT logintel.advice().';\n"
        "COMMENT ON VIEW logintel.commented IS 'As logintel.told''s.';\n"
    )
    assert references(path) == {"hint", "dynamic"}
