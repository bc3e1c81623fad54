"""A database as installation leaves it, and what tests ask of one."""

from support.tables import MODELS

DEFAULTS = "anomaly 1, category 1, level 1"
IN_FORCE = "SELECT models FROM logintel.ml_status"
REGISTER = "SELECT logintel.register_default_models()"
REGISTERED = f"SELECT name, version, metadata ->> 'origin' FROM {MODELS} ORDER BY name, version"
TROUBLE = "Unrecoverable error: out of memory, shutting down"
