"""The promise that the product is for: real lines, 3% of their levels wrong, trained on as they are, and found."""

import csv
import random

import pytest

from logintel.backfill import backfill_lines
from logintel.training.command import train
from logintel.writing import load_rows
from support.servers import ROOT, Database

LOGHUB = ROOT.parent / "shared" / "data" / "loghub"
SYSTEMS = ("Hadoop", "OpenStack", "Apache", "Android")
LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
CORRUPTED = 0.03


def corrupted_lines(db: Database) -> list[dict[str, object]]:
    """Lines of the four systems; log_id says which of them have a level that is not theirs."""
    chance = random.Random(7)
    rows = []
    for system in SYSTEMS:
        with (LOGHUB / f"{system}_2k.log_structured.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                level, log_id = row["Level"], "right"
                if chance.random() < CORRUPTED:
                    own = db.value("SELECT logintel.normalize_level(%s)", (level,))
                    level, log_id = chance.choice([other for other in LEVELS if other != own]), "wrong"
                rows.append({"log_id": log_id, "level": level, "message": row["Content"], "source_type": system,
                             "service": row.get("Component")})  # fmt: skip
    return rows


@pytest.mark.skipif(not LOGHUB.exists(), reason=f"the real logs of {LOGHUB} are not here")
def test_corrections_find_nine_in_ten_with_nine_in_ten_right(db: Database) -> None:
    connection = db.connect()
    lines = load_rows(connection, corrupted_lines(db))
    train(lines=lines, deploy=True, dsn=db.dsn)
    assert backfill_lines(connection) == lines
    corrections, right = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE e.log_id = 'wrong') "
        "FROM logintel.ml_corrections c JOIN log_entries e ON e.id = c.log_entry_id"
    ).fetchone()
    wrong = db.value("SELECT count(*) FROM log_entries WHERE log_id = 'wrong'")
    print(f"corrections: {corrections}, right: {right}, wrong levels: {wrong}")
    assert right / corrections >= 0.9
    assert right / wrong >= 0.9
