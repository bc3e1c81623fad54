"""pg_restore brings everything back, too, where it loads tables at once and in any order, or leaves owners out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.dumps import restore_archive
from support.fresh import IN_FORCE, TROUBLE
from support.lines import insert
from support.servers import Database
from support.tables import DEPLOYMENTS, MODEL_SETS, MODELS
from support.tiny_models import deploy, tiny_model

KEPT = (
    "SELECT * FROM logintel.ml_predictions ORDER BY id",
    "SELECT * FROM logintel.ml_deployments",
    f"SELECT * FROM {MODEL_SETS} ORDER BY id",
    f"SELECT * FROM {DEPLOYMENTS} ORDER BY id",
    f"SELECT id, name, version, sha256 FROM {MODELS} ORDER BY id",
    "SELECT * FROM logintel_internal.serving ORDER BY id",
    "SELECT lines, predictions, pending FROM logintel.ml_status",
    IN_FORCE,
)
PROBLEMS = "SELECT \"check\", detail FROM logintel.doctor() WHERE status = 'problem'"


@pytest.mark.local_only  # pg_dump must be as new as the server
def test_a_restore_by_several_sessions_brings_everything_back(fresh_db: Database, empty_db: Database, tmp_path: Path) -> None:
    insert(fresh_db, TROUBLE, "request 17 served")
    deploy(fresh_db, tiny_model())
    fresh_db.execute("SELECT logintel.rollback('level')")
    insert(fresh_db, "job 1 failed", "job 2 started", "entering hall 7")
    fresh_db.execute("SELECT logintel.maintain()")
    restore_archive(fresh_db, empty_db, tmp_path / "dump", "--jobs=4")
    for query in KEPT:
        assert empty_db.execute(query) == fresh_db.execute(query), query
    empty_db.execute("SELECT logintel.maintain()")
    assert empty_db.execute(PROBLEMS) == []
    for db in (fresh_db, empty_db):
        db.execute("INSERT INTO public.log_entries (message) VALUES ('a disk that nobody knew has failed')")
    latest = "SELECT id, predicted_level, category, severity, model_version FROM logintel.ml_predictions ORDER BY id"
    assert empty_db.execute(latest) == fresh_db.execute(latest)


@pytest.mark.local_only
@pytest.mark.parametrize("options", [(), ("--no-owner",), ("--no-owner", "--jobs=4")])
def test_upkeep_goes_on_where_a_dump_was_restored_by_somebody_else(
    db: Database, empty_db: Database, tmp_path: Path, options: tuple[str, ...]
) -> None:
    deploy(db)
    db.execute("SELECT logintel.create_partitions(current_date - 9, current_date)")
    insert(db, "job 1 failed", timestamp=datetime.now(UTC) - timedelta(days=6))
    insert(db, "job 2 started")
    restore_archive(db, empty_db, tmp_path / "dump", *options)
    empty_db.execute("SET search_path = public, logintel")
    empty_db.execute("UPDATE logintel.settings SET value = '3' WHERE name = 'retention_days'")
    empty_db.execute("ALTER TABLE log_entries RENAME COLUMN host TO machine")
    empty_db.execute("CALL logintel.maintain('45 s')")
    assert empty_db.execute("SELECT task, failure FROM logintel.ml_upkeep WHERE failure IS NOT NULL") == []
    insert(empty_db, "job 3 failed")
    assert empty_db.execute("SELECT id, predicted_level FROM logintel.ml_predictions ORDER BY id") == [
        (2, "INFO"), (3, "ERROR"),
    ]  # fmt: skip
    others = "SELECT oid::regclass FROM pg_class WHERE relnamespace = ANY ('{logintel,logintel_internal}'::regnamespace[]) AND relowner <> 'logintel_owner'::regrole"
    assert empty_db.execute(others) == []
