"""A database that is dumped and restored into another one."""

import subprocess
from pathlib import Path

from support.servers import Database, cluster


def restore(db: Database, target: Database, *options: str) -> None:
    """Restore a dump of `db`, made with these options of pg_dump, into `target`."""
    dump = subprocess.run([str(cluster.bindir() / "pg_dump"), *options, db.dsn], capture_output=True, text=True, check=True)
    restored = target.psql(dump.stdout, "-v", "ON_ERROR_STOP=1", "-q")
    assert restored.returncode == 0, restored.stderr


def restore_archive(db: Database, target: Database, archive: Path, *options: str) -> None:
    """Restore a dump of `db` into `target` by pg_restore with these options."""
    for command in (["pg_dump", "--format=directory", f"--file={archive}", db.dsn],
                    ["pg_restore", f"--dbname={target.dsn}", *options, str(archive)]):
        done = subprocess.run([str(cluster.bindir() / command[0]), *command[1:]], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
