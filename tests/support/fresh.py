"""A database as installation leaves it, and what tests ask of one."""

from support.servers import Database

DEFAULTS = "anomaly 1, category 1, level 1"
IN_FORCE = "SELECT models FROM logintel.ml_status"
REGISTER = "SELECT logintel.register_default_models()"
REGISTERED = "SELECT name, version, metadata ->> 'origin' FROM logintel.models ORDER BY name, version"
TROUBLE = "Unrecoverable error: out of memory, shutting down"


def insert(db: Database, *messages: str) -> None:
    db.execute("INSERT INTO log_entries (message) SELECT unnest(%s::text[])", (list(messages),))
