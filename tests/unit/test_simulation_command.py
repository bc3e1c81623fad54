"""`logintel simulate --output`, which needs no server, and what its options refuse."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from logintel.errors import UserError
from logintel.simulation.command import simulate


def test_a_file_gets_the_lines_with_their_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    output = tmp_path / "lines.jsonl"
    simulate(lines=3000, days=1, end=datetime(2026, 3, 15), corrupt=0.3, output=output)
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert len(rows) == 3000
    problems = sum(row["truth"]["problem"] is not None for row in rows)
    anomalies = sum(row["truth"]["true_is_anomaly"] for row in rows)
    assert rows[-1]["timestamp"].startswith("2026-03-14T23:")
    said = capsys.readouterr().out
    assert f"{output}: wrote 3,000 lines" in said
    assert f"corrupted: {problems:,} lines (" in said
    assert f"anomalies: {anomalies:,} lines" in said


def test_the_same_seed_and_end_write_the_same_file(tmp_path: Path):
    files = [tmp_path / name for name in ("one", "two", "other")]
    for file, seed in zip(files, (3, 3, 4), strict=True):
        simulate(lines=500, end=datetime(2026, 3, 15), seed=seed, output=file)
    one, two, other = (file.read_bytes() for file in files)
    assert one == two
    assert one != other


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"live": True, "lines": 10}, "--lines does not go with --live: use --rate and --seconds"),
        ({"live": True, "output": Path("x")}, "--output does not go with --live: use --rate and --seconds"),
        ({"rate": 5.0}, "--rate needs --live"),
        ({"seconds": 5.0}, "--seconds needs --live"),
        ({"output": Path("/nowhere/lines.jsonl")}, "/nowhere/lines.jsonl cannot be written: No such file or directory"),
    ],
)
def test_options_that_make_no_sense_are_refused_in_one_line(options: dict, complaint: str):
    with pytest.raises(UserError) as raised:
        simulate(**options)
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)
