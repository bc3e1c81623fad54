"""What `logintel load` refuses before it connects to anything."""

from pathlib import Path

import pytest

from logintel.errors import UserError
from logintel.loading import load
from logintel.reading.formats import Format


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("missing.log", {}, "missing.log: no such file"),
        ("a.log", {"mapping": ["message=x"], "pattern": "iso"}, "--map is for CSV and JSON"),
        ("a.log", {"mapping": ["message=x"], "file_format": Format.TEXT}, "--map is for CSV and JSON"),
        ("a.csv", {"pattern": "syslog"}, "--pattern is for text"),
        ("a.log", {"pattern": "unheard_of"}, "no pattern has that name"),
        ("a.log", {"time_zone": "Europe/Nowhere"}, "no such zone; name one such as Europe/Berlin"),
    ],
)
def test_a_mistake_is_refused_before_anything_is_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, object], words: str
):
    monkeypatch.chdir(tmp_path)
    for present in ("a.log", "a.csv"):
        Path(present).touch()
    with pytest.raises(UserError, match=words):
        load([name], dsn="host=/nowhere", **options)


def test_skipping_is_for_one_file(tmp_path: Path):
    (tmp_path / "a.log").touch()
    with pytest.raises(UserError, match="--skip is for a single file"):
        load([str(tmp_path / "a.log")] * 2, skip=1, dsn="host=/nowhere")
