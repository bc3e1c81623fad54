"""doctor() knows what can go wrong with rights, and says what to do about it."""

from support.servers import Database
from support.tiny_models import deploy


def problems(db: Database, check: str) -> list[tuple[str, str]]:
    return db.execute(
        'SELECT detail, next_step FROM logintel.doctor() WHERE "check" = %s AND status <> \'ok\'', (check,)
    )


def test_rights_that_were_taken_away_are_told_and_nothing_is_refused(db: Database) -> None:
    deploy(db)
    db.execute("DROP TABLE IF EXISTS own")
    owner = db.create_role("owner")
    db.execute("SELECT logintel.detach()")
    db.execute("CREATE TABLE own (id int PRIMARY KEY, message text)")
    db.execute(f"ALTER TABLE own OWNER TO {owner}")
    db.execute("SELECT logintel.attach('own')")
    assert problems(db, "rights") == []
    db.execute(f"REVOKE ALL ON own FROM {owner}")
    db.execute("INSERT INTO own VALUES (1, 'failed'), (2, 'never seen before')")
    db.execute("UPDATE own SET message = 'panicked' WHERE id = 1")
    assert db.value("SELECT count(*) FROM logintel.ml_predictions") == 2
    [(detail, step)] = problems(db, "rights")
    assert "may not read id, message" in detail and step.startswith("as its owner: GRANT SELECT (id, message)")
    db.execute(step.removeprefix("as its owner: "))
    assert problems(db, "rights") == []


def test_shapes_without_a_secret_are_told(db: Database) -> None:
    assert problems(db, "shape seed") == []
    db.execute("UPDATE logintel_internal.shape_seed SET seed = 0")
    [(detail, step)] = problems(db, "shape seed")
    assert "forge" in detail
    db.execute(step)
    assert problems(db, "shape seed") == []


def test_a_large_default_partition_is_told(db: Database) -> None:
    db.execute(
        "INSERT INTO log_entries (message, timestamp) "
        "SELECT (SELECT string_agg(md5((n * 100 + k)::text), '') FROM generate_series(1, 58) k), now() - interval '99 days' "
        "FROM generate_series(1, 9500) n"
    )
    [(detail, step)] = problems(db, "partitions")
    assert "default partition of public.log_entries has" in detail and "create_partitions" in step
