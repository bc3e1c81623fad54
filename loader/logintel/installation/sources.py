"""What the scripts are made of, in its order. Needs the standard library alone, as Make calls it first of all."""

import base64
import json
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import logintel_server
from logintel.errors import UserError
from logintel_server import shipped

_CAPABILITIES = "[0-9][0-9]_*"  # the folders of sql/, beside updates/
_INCLUDED = re.compile(r"^-- include (\S+)\n", re.MULTILINE)
"""Stands in an update for a file of tables that the release before did not have."""


@dataclass(frozen=True)
class Sources:
    """The folders `sql` and `models`, and the release that they are of."""

    sql: Path
    models: Path
    release: str = logintel_server.__version__

    def tables(self) -> list[str]:
        """Return the files of tables and types. A folder is a capability, in the order of dependency."""
        return _texts(self.sql, f"{_CAPABILITIES}/1*.sql")

    def replaceable(self) -> list[str]:
        """Return what every update brings anew: functions, then triggers, then views, each over all folders."""
        files = [text for kind in ("[2-7]", "8", "9") for text in _texts(self.sql, f"{_CAPABILITIES}/{kind}*.sql")]
        return [self._release_function(), self._models_function(), *files]

    def earlier_releases(self) -> list[str]:
        """Return the releases that can be updated to this one."""
        return sorted(path.stem.split("--")[0] for path in (self.sql / "updates").glob("*--*.sql"))

    def update(self, release: str) -> list[str]:
        """Return what updates an earlier release, all steps in one. Raises UserError for one that cannot be updated."""
        steps = dict(path.stem.split("--") for path in (self.sql / "updates").glob("*--*.sql"))
        changes = []
        at = release
        while at != self.release:
            if at not in steps:
                raise UserError(f"logintel {self.release} cannot update logintel {release}: install the newest client")
            changes.append(self._update_file(f"{at}--{steps[at]}"))
            at = steps[at]
        return [self._update_file("before"), *changes, *self.replaceable(), self._update_file("after")]

    def _update_file(self, name: str) -> str:
        text = (self.sql / "updates" / f"{name}.sql").read_text("utf-8")
        return _INCLUDED.sub(lambda found: (self.sql / found[1]).read_text("utf-8"), text)

    def _release_function(self) -> str:
        return _RELEASE.format(release=self.release)

    def _models_function(self) -> str:
        return _MODELS.format(rows=",\n".join(map(self._model_row, shipped.NAMES)))

    def _model_row(self, name: str) -> str:
        model = shipped.read(name, self.models)
        graph = base64.b64encode(model.onnx).decode("ascii")
        return f"('{name}', decode('{graph}', 'base64'), {_jsonb(model.metadata)}, {_cases(model.golden)})"


def of_package() -> Sources:
    """Return the sources that come with the client."""
    return Sources(*(Path(str(resources.files(package))) for package in ("logintel_sql", "logintel_models")))


def python_functions(folder: Path) -> list[str]:
    """Return the files of the functions in PL/Python, each with the lines that find the server's package."""
    find_package = (folder / "import.py.in").read_text("utf-8")
    return [text.replace("@IMPORT@\n", find_package) for text in _texts(folder, "*.sql")]


def _texts(folder: Path, pattern: str) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(folder.glob(pattern))]


def _jsonb(value: object) -> str:
    return _json(value) + "::jsonb"


def _cases(golden: list[dict]) -> str:
    return f"logintel._cases_here(ARRAY[{', '.join(map(_json, golden))}])"


def _json(value: object) -> str:
    return "'" + json.dumps(value).replace("'", "''") + "'"


_RELEASE = """\
CREATE OR REPLACE FUNCTION logintel._release() RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN '{release}';

COMMENT ON FUNCTION logintel._release() IS 'The release, also where logintel is no extension.';
"""
_MODELS = """\
CREATE OR REPLACE FUNCTION logintel._shipped_models()
RETURNS TABLE (name text, onnx bytea, metadata jsonb, golden jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $function$
VALUES
{rows}
$function$;

COMMENT ON FUNCTION logintel._shipped_models() IS 'The default models of this release.';
"""
