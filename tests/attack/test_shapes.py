"""Nobody can write a message that has the score of another one."""

import pytest

from support.lines import insert
from support.servers import Database
from support.tables import SCORES
from support.tiny_models import deploy


def test_every_database_has_a_secret_of_its_own_and_a_dump_carries_it(db: Database, empty_db: Database) -> None:
    empty_db.execute("CREATE EXTENSION logintel")
    seeds = {database.value("SELECT seed FROM logintel_internal.shape_seed") for database in (db, empty_db)}
    assert len(seeds) == 2 and 0 not in seeds
    [(dumped,)] = db.execute(
        "SELECT 'logintel_internal.shape_seed'::regclass::oid = ANY (extconfig) FROM pg_extension WHERE extname = 'logintel'"
    )
    assert dumped
    empty_db.execute("INSERT INTO logintel_internal.shape_seed (seed) VALUES (42)")  # what a restore does
    assert empty_db.execute("SELECT seed FROM logintel_internal.shape_seed") == [(42,)]


def test_the_secret_is_nobodys_to_read(db: Database) -> None:
    db.execute("SELECT logintel.create_partitions(current_date, current_date)")
    seed = str(db.value("SELECT seed FROM logintel_internal.shape_seed"))
    assert db.value("SELECT count(*) FROM pg_proc WHERE strpos(prosrc, %s) > 0", (seed,)) == 0
    rights = db.execute("SELECT relacl FROM pg_class WHERE oid = 'logintel_internal.shape_seed'::regclass")
    assert "=r" not in str(rights) or "logintel_owner" in str(rights)
    for kind in ("read", "manage", "work"):
        role = db.create_role(kind)
        db.execute(f"SELECT logintel.grant_{kind}('{role}')")
        assert not db.value("SELECT has_table_privilege(%s, 'logintel_internal.shape_seed', 'SELECT')", (role,))
        assert not db.value("SELECT has_function_privilege(%s, 'logintel._shape_seed(integer)', 'EXECUTE')", (role,))


def test_a_new_secret_lets_every_shape_be_scored_anew_and_loses_nothing(db: Database) -> None:
    deploy(db)
    insert(db, "failed", "started", "failed")
    db.execute("SELECT logintel.give_feedback(1, 'FATAL')")
    db.execute("CALL logintel.maintain('45 s')")
    before = db.execute("SELECT * FROM logintel.ml_predictions ORDER BY id")
    hashes = {h for (h,) in db.execute(f"SELECT shape_hash FROM {SCORES}")}
    assert db.value("SELECT logintel.change_shape_seed()") == 2
    assert db.execute("SELECT * FROM logintel.ml_predictions ORDER BY id") == before
    insert(db, "failed")
    assert db.value(f"SELECT count(*) FROM {SCORES} WHERE evicted_txid IS NULL") == 1
    assert not hashes & {h for (h,) in db.execute(f"SELECT shape_hash FROM {SCORES} WHERE evicted_txid IS NULL")}
    db.execute("CALL logintel.maintain('45 s')")
    assert db.execute("SELECT predictions FROM logintel.ml_stats") == [(4,)]
    assert db.value("SELECT true_level FROM logintel.ml_feedback WHERE log_entry_id = 1") == "FATAL"
    db.execute("UPDATE log_entries SET host = 'x', message = 'failed' WHERE id = 1")
    assert db.value("SELECT count(*) FROM logintel_internal._line_truth WHERE true_level = 'FATAL'") == 1
    assert db.execute("SELECT * FROM logintel.doctor() WHERE status = 'problem'") == []


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "SERIALIZABLE"])
def test_a_writer_who_has_plans_printed_learns_no_hash_and_no_seed(db: Database, isolation: str) -> None:
    deploy(db)
    writer = db.connect(user=db.create_role("writer"), autocommit=False)
    db.execute(f"GRANT INSERT ON log_entries TO {db.name}_writer")
    told: list[str] = []
    writer.add_notice_handler(lambda notice: told.append(f"{notice.message_primary} {notice.message_detail}"))
    for setting in ("debug_print_plan", "debug_print_rewritten", "debug_print_parse", "plpgsql.print_strict_params"):
        writer.execute(f"SET {setting} = on")
    writer.execute("SET client_min_messages = debug5")
    writer.execute("SET log_parameter_max_length_on_error = -1")
    writer.commit()
    for message in ("nobody has ever seen this", "nor that", "nobody has ever seen this"):
        writer.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        writer.execute("INSERT INTO log_entries (level, message) VALUES ('INFO', %s)", (message,))
        writer.commit()
    secrets = [*db.execute("SELECT shape_hash FROM logintel_internal.scores"), *db.execute("SELECT seed FROM logintel_internal.shape_seed")]
    printed = "\n".join(told)
    assert "PLANNEDSTMT" in printed
    for (secret,) in secrets:
        as_bytes = " ".join(str(byte - 256 if byte > 127 else byte) for byte in secret.to_bytes(8, "little", signed=True))
        assert as_bytes not in printed and str(secret) not in printed
