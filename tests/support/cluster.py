"""The private cluster of a checkout: a PostgreSQL server for the demo and the tests, run by an unprivileged user.

    PYTHONPATH=loader python3 tests/support/cluster.py up | dsn | psql | down | remove

Needs the standard library and the checkout alone, so that the cluster can be stopped and removed when the Python
environment is gone.
"""

import argparse
import contextlib
import fcntl
import functools
import os
import pwd
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from logintel.errors import UserError

_UNSAFE = {"fsync": "off", "full_page_writes": "off"}
NAME = "logintel"  # of the role and of the database

_CREATE_DATABASE = """
SELECT 'CREATE DATABASE logintel' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'logintel') \\gexec
ALTER ROLE logintel SET search_path = public, logintel;
"""


@dataclass(frozen=True)
class Cluster:
    """A cluster that lives in the folder `home`: data, log, password and port.

    `settings` are server settings that win over its configuration file. `programs` is the folder of the server's
    programs where it is another than $PG_CONFIG's.
    """

    home: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    programs: Path | None = None

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.home / "data"

    def up(self) -> None:
        """Make the cluster where there is none, start it, and wait until it answers. Raises UserError."""
        with self._locked():
            if not self.data.exists():
                self._create()
            self._check_version()
            if not self.is_running():
                self._start()
            self._psql("postgres", _CREATE_DATABASE)

    def down(self) -> None:
        """Stop the cluster if it runs; open connections are ended. Raises UserError when it does not stop."""
        if self.is_running():
            with self._locked():
                self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-s")

    def remove(self) -> None:
        """Stop the cluster and remove it with its data."""
        self.down()
        if self.home.exists():
            shutil.rmtree(self.home)

    def dsn(self, database: str = NAME) -> str:
        """Return the connection string of one database. Raises UserError when the cluster does not run."""
        self._require_running()
        return f"postgresql://{NAME}:{self._read('password')}@127.0.0.1:{self._read('port')}/{database}"

    def psql(self) -> NoReturn:
        """Become psql on the cluster's database. Raises UserError when the cluster does not run."""
        self._require_running()
        command = ["psql", "-h", "127.0.0.1", "-p", self._read("port"), "-U", NAME, "-d", NAME]
        os.execve(bindir() / "psql", command, {**os.environ, "PGPASSWORD": self._read("password")})

    def is_running(self) -> bool:
        """Tell whether this cluster's own server runs: after a reboot its old process id may be another program's."""
        return os.fsencode(self.data) in (self._recorded_command() or b"").split(b"\0")

    def _recorded_command(self) -> bytes | None:
        """Return the command line of the process that the server's lock file names, None where there is no such one."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            return Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
            return None

    def _create(self) -> None:
        unfinished = self.home / "data.unfinished"  # what an interrupted run left is no cluster: start over
        shutil.rmtree(unfinished, ignore_errors=True)
        self._write("password", secrets.token_urlsafe(18))
        self._write("port", str(_free_port()))
        self._run(
            "initdb", "-D", str(unfinished), "--username", NAME, "--pwfile", str(self.home / "password"),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-instructions",
            *(["--no-sync"] if self.settings.get("fsync") == "off" else []),
        )  # fmt: skip
        unfinished.rename(self.data)

    def _start(self) -> None:
        if self._recorded_command() is not None:  # another program's, but PostgreSQL sees no more than the id
            (self.data / "postmaster.pid").unlink()
        if not _is_free(int(self._read("port"))):
            self._write("port", str(_free_port()))
        settings = {
            "listen_addresses": "127.0.0.1", "port": self._read("port"), "unix_socket_directories": "", **self.settings,
        }  # fmt: skip
        options = shlex.join(f"--{name}={value}" for name, value in settings.items())
        log = self.home / "log"
        said_before = log.stat().st_size if log.exists() else 0
        try:
            self._run("pg_ctl", "start", "-D", str(self.data), "-l", str(log), "-o", options, "-w", "-t", "300", "-s")
        except UserError:
            said = log.read_bytes()[said_before:].decode(errors="replace") if log.exists() else ""
            reasons = re.findall(r"(?:FATAL|PANIC): +(.*)", said) or ["no reason given"]
            raise UserError(f"the cluster does not start: {reasons[-1]}; see {log}") from None

    def _require_running(self) -> None:
        if not self.is_running():
            raise UserError("the cluster is not running: start it with make up")

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        program = self._run("postgres", "--version").removeprefix("postgres (PostgreSQL) ").strip()
        if not program.startswith(made_by):
            raise UserError(
                f"the cluster in {self.home} was made by PostgreSQL {made_by}, and the program is {program}: "
                f"set PG_CONFIG to the pg_config of {made_by}, or remove the cluster with make clean"
            )

    def _psql(self, database: str, sql: str) -> str:
        # The server may be on its way up or down on behalf of another process: give it half a minute.
        for attempt in range(60):
            address = ("-h", "127.0.0.1", "-p", self._read("port"))
            try:
                self._run("pg_isready", *address)
                break
            except UserError:
                if attempt == 59:
                    raise UserError(f"the cluster runs but does not answer; see {self.home / 'log'}") from None
                time.sleep(0.5)
        return self._run(
            "psql", *address, "-U", NAME, "-d", database, "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-",
            stdin=sql, environment={"PGPASSWORD": self._read("password")},
        )  # fmt: skip

    def _run(self, program: str, *args: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> str:
        """Run one of the server's programs as the cluster's owner and return what it printed."""
        # A clean environment: the caller's PG* and PYTHON* variables must reach neither psql nor PL/Python.
        clean = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        owner = _owner()
        own = self.programs and self.programs / program
        done = subprocess.run(
            [str(own if own and own.exists() else bindir() / program), *args], cwd=self.home, env={**clean, **(environment or {})}, umask=0o077,
            input=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            user=owner, group=owner, extra_groups=None if owner is None else [],
        )  # fmt: skip
        if done.returncode:
            errors = [line for line in done.stdout.splitlines() if re.search("error|fatal", line, re.IGNORECASE)]
            raise UserError(f"{program} failed: {errors[0] if errors else f'exit code {done.returncode}'}")
        return done.stdout

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep two commands from making or starting the same cluster at once."""
        self.home.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.home.chmod(0o700)
        if owner := _owner():
            shutil.chown(self.home, owner, owner)
        with open(self.home / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self, name: str) -> str:
        return (self.home / name).read_text().strip()

    def _write(self, name: str, value: str) -> None:
        path = self.home / name
        path.touch(mode=0o600)
        path.write_text(value + "\n")
        if owner := _owner():
            shutil.chown(path, owner, owner)


def of_checkout(root: Path) -> Cluster:
    """Return the cluster that belongs to the checkout in `root`, made or not yet made."""
    root = root.resolve()
    home = root / ".cluster"
    if os.geteuid() == 0:  # its owner can't reach a checkout in root's home folder
        home = Path("/var/lib/logintel") / f"{root.name}-{zlib.crc32(os.fsencode(root)):08x}"
    return Cluster(home)


@contextlib.contextmanager
def temporary(settings: Mapping[str, str] = _UNSAFE, programs: Path | None = None) -> Iterator[Cluster]:
    """Start a cluster in a temporary folder and remove it at the end.

    With the usual settings it is quick and may lose its data in a crash, which is good enough for tests.
    """
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="logintel-")), settings, programs)
    try:
        cluster.up()
        yield cluster
    finally:
        cluster.remove()


@functools.cache
def bindir() -> Path:
    """Return the folder of the server's programs, asked of $PG_CONFIG. Raises UserError."""
    pg_config = os.environ.get("PG_CONFIG") or "pg_config"
    try:
        done = subprocess.run([pg_config, "--bindir"], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        raise UserError(f"{pg_config} cannot be run: set PG_CONFIG to the pg_config of the server to use") from None
    return Path(done.stdout.strip())


def _owner() -> str | None:
    """Name the OS user that runs the cluster: PostgreSQL refuses root. None: the caller."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise UserError("there is no OS user postgres to run the cluster as: call make as an ordinary user") from None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def main() -> None:
    """Run one command on the cluster of the checkout in the current folder."""
    parser = argparse.ArgumentParser(prog="cluster.py", description="The private cluster of this checkout.")
    parser.add_argument("command", choices=["up", "dsn", "psql", "down", "remove"])
    command = parser.parse_args().command
    try:
        cluster = of_checkout(Path.cwd())
        if answer := getattr(cluster, command)():
            print(answer)
    except (UserError, OSError) as error:
        sys.exit(f"logintel: {error}")


if __name__ == "__main__":
    main()
