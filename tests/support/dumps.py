"""A database that is dumped and restored into another one."""

import subprocess

from support.servers import Database, cluster


def restore(db: Database, target: Database, *options: str) -> None:
    """Restore a dump of `db`, made with these options of pg_dump, into `target`."""
    dump = subprocess.run([str(cluster.bindir() / "pg_dump"), *options, db.dsn], capture_output=True, text=True, check=True)
    restored = target.psql(dump.stdout, "-v", "ON_ERROR_STOP=1", "-q")
    assert restored.returncode == 0, restored.stderr
