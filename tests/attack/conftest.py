"""A database that the owner of its log table attacks."""

import pytest

from support.servers import Database
from support.tiny_models import deploy


@pytest.fixture
def attacked(db: Database) -> Database:
    """A database whose log table belongs to an ordinary role, with a table in which traps note who runs them."""
    deploy(db)
    db.execute("SELECT logintel.detach()")
    db.execute("DROP TABLE public.log_entries")
    owner = db.create_role("owner")
    db.execute(f"GRANT CREATE ON SCHEMA public TO {owner}")
    db.execute("CREATE TABLE public.caught (who text)")
    db.execute("GRANT INSERT ON public.caught TO PUBLIC")
    db.execute(f"SELECT logintel.grant_manage('{owner}')")
    return db
