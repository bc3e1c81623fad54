"""pgbench, for many clients that insert little each: a Python client would measure itself."""

import re
import subprocess
import tempfile

import psycopg
from lines import COLUMNS, LINES
from results import Failed

from support import cluster

CLIENTS = 4


def one_row_script(table: str) -> str:
    """Script that inserts one line of the sample."""
    return f"\\set n random(1, {LINES})\nINSERT INTO {table} ({COLUMNS}) SELECT {COLUMNS} FROM sample WHERE n = :n;\n"


def run(
    connection: psycopg.Connection, script: str, *, clients: int = CLIENTS, seconds: int = 0, transactions: int = 0,
    settings: str = "",
) -> float:
    """Run a script for some seconds, or some transactions a client; return transactions a second. Raises Failed.

    `settings` are those of its sessions: -c name=value.
    """
    info = connection.info
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [
            str(cluster.bindir() / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2",
            *(("-T", str(seconds)) if seconds else ("-t", str(transactions))),
            "-f", file.name, "-h", info.host, "-p", str(info.port), "-U", info.user, info.dbname,
        ]  # fmt: skip
        done = subprocess.run(command, env={"PGPASSWORD": info.password, "PGOPTIONS": settings}, capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    if done.returncode or errors:
        raise Failed(f"pgbench: {(errors or done.stderr.splitlines() or ['failed'])[0]}")
    return float(re.search(r"tps = ([0-9.]+) \(without", done.stdout).group(1))
