"""Committed figures: what a run compares with, and what it may replace."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import figures

BENCH = Path(__file__).parent.parent / "bench"


@dataclass
class Result:
    name: str
    value: float | None
    unit: str = "ms"
    baselines: dict[str, float] = field(default_factory=dict)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict:
    """What the machine says of itself; a test changes it to be on another one."""
    said = {"cpu": "this one", "cores": 2}
    monkeypatch.setattr(figures, "machine", lambda: dict(said))
    return said


@pytest.fixture
def file(tmp_path: Path, machine: dict) -> Path:
    path = tmp_path / "figures.json"
    committed(path).save([Result("a_ms", 100), Result("b_ratio", 0.5)], whole=True)
    return path


def committed(path: Path) -> figures.Committed:
    return figures.Committed(path, lambda result: result.name.endswith("ratio"))


def values(path: Path) -> dict[str, float]:
    return {figure["name"]: figure["value"] for figure in json.loads(path.read_text())["figures"]}


def test_a_part_of_a_run_replaces_its_own_figures_alone(file: Path) -> None:
    committed(file).save([Result("b_ratio", 0.6), Result("c_ms", 3)], whole=False)
    assert values(file) == {"a_ms": 100, "b_ratio": 0.6, "c_ms": 3}


def test_a_whole_run_replaces_all_figures(file: Path) -> None:
    committed(file).save([Result("c_ms", 3)], whole=True)
    assert values(file) == {"c_ms": 3}


def test_figures_stand_beside_the_machine_and_the_date(file: Path, machine: dict) -> None:
    content = json.loads(file.read_text())
    assert content["machine"] == machine
    assert content["date"]
    assert content["figures"][0] == {"name": "a_ms", "value": 100, "unit": "ms", "baselines": {}}


def test_a_part_is_not_put_beside_the_figures_of_another_machine(file: Path, machine: dict) -> None:
    assert committed(file).refusal(whole=False) is None
    machine["cores"] = 64
    assert "another machine" in committed(file).refusal(whole=False)
    assert committed(file).refusal(whole=True) is None


@pytest.mark.parametrize(
    ("result", "verdict"),
    [(Result("a_ms", 109), ""), (Result("a_ms", 111), "worse"), (Result("a_ms", 89), "better"),
     (Result("b_ratio", 0.44), "worse"), (Result("b_ratio", 0.56), "better"), (Result("d_ms", 1), "new")],
)  # fmt: skip
def test_what_changed_by_more_than_a_tenth_is_called_better_or_worse(
    file: Path, capsys: pytest.CaptureFixture, result: Result, verdict: str
) -> None:
    committed(file).print_comparison([result])
    printed = capsys.readouterr().out
    assert [word for word in ("better", "worse", "new") if word in printed] == ([verdict] if verdict else [])


def test_every_figure_with_a_target_belongs_to_one_benchmark() -> None:
    program = "import run; print([sum(run._is_chosen(name, figure) for name in run.BENCHMARKS) for figure in run.TARGETS])"
    done = subprocess.run([sys.executable, "-c", program], cwd=BENCH, capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) == {1}
