"""The promise that the product is for: real lines, 3% of their levels wrong, trained on as they are, and found."""

import csv
import random

import pytest

from logintel.backfill import backfill_lines
from logintel.training.command import train
from logintel.writing import load_rows
from support.servers import ROOT, Database

pytestmark = pytest.mark.any_server

LOGHUB = ROOT.parent / "shared" / "data" / "loghub"
SYSTEMS = ("Hadoop", "OpenStack", "Apache", "Android")
KINDS = {"DEBUG": "usual", "INFO": "usual", "WARN": "warning", "ERROR": "error", "FATAL": "error"}
"""Within a kind a level is a habit of who writes, and no correction."""
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
                    level, log_id = chance.choice([other for other in KINDS if KINDS[other] != KINDS[own]]), "wrong"
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


@pytest.mark.parametrize(
    ("declared", "predicted", "probabilities", "corrected"),
    [
        ("INFO", "ERROR", [0.1, 0.2, 0.2, 0.3, 0.2], True),  # a problem by .7, however it is shared out
        ("INFO", "ERROR", [0.2, 0.3, 0.1, 0.4, 0.0], False),
        ("DEBUG", "INFO", [0.01, 0.96, 0.01, 0.01, 0.01], False),
        ("FATAL", "ERROR", [0.0, 0.0, 0.0, 1.0, 0.0], False),
        ("WARN", "ERROR", [0.1, 0.1, 0.1, 0.4, 0.3], True),
        ("WARN", "INFO", [0.1, 0.6, 0.1, 0.1, 0.1], False),  # to lower takes .8
        ("WARN", "INFO", [0.1, 0.8, 0.1, 0.0, 0.0], True),
        ("ERROR", "INFO", [0.1, 0.6, 0.2, 0.1, 0.0], True),
        ("ERROR", "INFO", None, False),  # evicted: what is left is the confidence, .7
        ("INFO", "WARN", None, True),
        (None, "ERROR", [0.0, 0.0, 0.0, 1.0, 0.0], None),
    ],
)
def test_problem_or_not_decides_and_lowering_takes_more_than_raising(
    db: Database, declared: str | None, predicted: str, probabilities: list[float] | None, corrected: bool | None
) -> None:
    query = "SELECT logintel._corrects(%s::text, %s::text, 0.7::real, %s::real[], 0.6::real)"
    assert db.value(query, (declared, predicted, probabilities)) is corrected
