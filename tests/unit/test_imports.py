"""Who imports whom, read from the source: imports inside functions count too."""

import ast
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "loader" / "logintel"
SERVER = ROOT / "plpython" / "logintel_server"


def imported(file: Path, package: str) -> Iterator[str]:
    """Yield what a file names in its imports as absolute, dotted names."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                module = ".".join([*above, *([module] if module else [])])
            yield from (f"{module}.{name.name}" for name in node.names)


def imports_between(root: Path) -> dict[str, set[str]]:
    """Return what each package, and each module that is in none, imports of the others below `root`."""
    graph: dict[str, set[str]] = {}
    for file in root.rglob("*.py"):
        parts = file.relative_to(root).with_suffix("").parts
        package = ".".join([root.name, *parts[:-1]])
        needs = graph.setdefault(parts[0], set())
        for name in imported(file, package):
            first, *others = name.split(".")
            if first == root.name and others and others[0] != parts[0]:
                needs.add(others[0])
    return graph


def test_packages_of_the_client_do_not_import_each_other_in_a_circle() -> None:
    graph = imports_between(CLIENT)
    assert graph["worker"] >= {"database", "retraining"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports go round: {' <- '.join(error.args[1])}")


def test_a_circle_is_seen_wherever_the_import_stands(tmp_path: Path) -> None:
    root = tmp_path / "house"
    for name, source in {"one/a": "from house.two.b import x", "two/b": "def f():\n    from ..three import y", "three": "import house.one"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / f"{name}.py").write_text(source)
    with pytest.raises(CycleError):
        TopologicalSorter(imports_between(root)).prepare()


def test_what_runs_inside_the_server_does_not_need_the_client() -> None:
    files = sorted(SERVER.rglob("*.py"))
    assert len(files) > 3
    for file in files:
        names = list(imported(file, SERVER.name))
        assert not [name for name in names if name.split(".")[0] == CLIENT.name], file


def test_every_package_of_the_client_is_installed() -> None:
    found = {".".join(file.parent.relative_to(CLIENT.parent).parts) for file in CLIENT.rglob("*.py")}
    assert found <= set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
