"""What the owner of a log table defines to gain rights, and a table in which his traps note who runs them."""

import psycopg

from support.servers import Database

KEEPER = "logintel_owner"
FETCHER = "logintel_fetcher"


def owner_of(db: Database) -> psycopg.Connection:
    return db.connect(user=f"{db.name}_owner")


def trap(owner: psycopg.Connection, signature: str, returns: str, value: str) -> None:
    """Make a function that notes who runs it."""
    owner.execute(
        f"CREATE FUNCTION public.{signature} RETURNS {returns} LANGUAGE plpgsql AS $$ "
        f"BEGIN INSERT INTO public.caught VALUES (current_user); RAISE NOTICE 'run by %', current_user; RETURN {value}; END $$"
    )


def own_standard_table(db: Database) -> psycopg.Connection:
    owner = owner_of(db)
    owner.execute("SELECT logintel.create_log_entries()")
    return owner


def everything(db: Database) -> None:
    """What a superuser, who trusts logintel, lets it do."""
    db.execute("SELECT logintel.create_partitions(current_date - 3, current_date + 9)")
    db.execute("CALL logintel.maintain('45 s')")
    db.execute("SELECT logintel.backfill(), logintel.rescore()")
    db.execute("SELECT * FROM logintel.reconcile()")
    db.execute("SELECT * FROM logintel.maintain()")
    for view in ("ml_status", "ml_predictions", "ml_recent_predictions", "ml_corrections", "ml_anomalies", "doctor()"):
        db.execute(f"SELECT * FROM logintel.{view}")


def assert_nobody_was_caught_but(db: Database, *allowed: str) -> None:
    caught = {who for (who,) in db.execute("SELECT DISTINCT who FROM public.caught")}
    assert caught <= {f"{db.name}_owner", FETCHER, *allowed}
    [(can_do,)] = db.execute(
        "SELECT bool_or(rolsuper OR rolcreaterole OR rolcreatedb OR rolcanlogin OR rolreplication) "
        "FROM pg_roles WHERE rolname IN (%s, %s)",
        (KEEPER, FETCHER),
    )
    assert not can_do
