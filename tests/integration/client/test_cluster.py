"""The private cluster of a checkout: made, started again, and repaired after what happens to machines."""

import os
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from logintel.errors import UserError
from support.servers import Cluster


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster that is not made yet."""
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="logintel-test-")))
    yield cluster
    cluster.remove()


def execute(cluster: Cluster, statement: str) -> None:
    with psycopg.connect(cluster.dsn()) as connection:
        connection.execute(statement)


def answer(cluster: Cluster, query: str) -> object:
    with psycopg.connect(cluster.dsn()) as connection:
        return connection.execute(query).fetchone()[0]


def postmaster(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().splitlines()[0])


def cut_power(cluster: Cluster) -> None:
    """Kill all processes of the server at once."""
    pid = postmaster(cluster)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for process in [pid, *map(int, children)]:
        os.kill(process, signal.SIGKILL)
    while cluster.is_running():
        time.sleep(0.05)


def test_a_new_cluster_answers_on_its_connection_string_and_to_nobody_without_the_password(cluster: Cluster):
    cluster.up()
    assert answer(cluster, "SHOW search_path") == "public, logintel"  # a newcomer's tables are not the extension's
    assert answer(cluster, "SHOW server_encoding") == "UTF8"
    assert answer(cluster, "SHOW listen_addresses") == "127.0.0.1"
    assert answer(cluster, "SHOW unix_socket_directories") == ""
    assert stat.S_IMODE((cluster.home / "password").stat().st_mode) == 0o600
    password = (cluster.home / "password").read_text().strip()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(cluster.dsn().replace(password, "wrong"))


def test_its_password_is_on_no_command_line(cluster: Cluster, monkeypatch: pytest.MonkeyPatch):
    commands: list[list[str]] = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **options: commands.append(command) or run(command, **options))
    monkeypatch.setattr(os, "execve", lambda program, command, environment: commands.append(command))
    cluster.up()
    cluster.psql()
    cluster.down()
    assert {Path(command[0]).name for command in commands} >= {"initdb", "pg_ctl", "psql"}
    assert (cluster.home / "password").read_text().strip() not in repr(commands)


def test_the_caller_is_not_who_runs_it_when_that_is_root(cluster: Cluster):
    cluster.up()
    assert Path(f"/proc/{postmaster(cluster)}").stat().st_uid != 0


def test_up_again_keeps_data_and_connection_string(cluster: Cluster):
    cluster.up()
    before = cluster.dsn()
    execute(cluster, "CREATE TABLE kept AS SELECT 1 AS one")
    cluster.up()
    cluster.down()
    with pytest.raises(UserError, match="make up"):
        cluster.dsn()
    cluster.up()
    assert cluster.dsn() == before
    assert answer(cluster, "SELECT count(*) FROM kept") == 1


def test_two_at_once_make_one_cluster(cluster: Cluster):
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: cluster.up(), range(3)))
    assert answer(cluster, "SELECT count(*) FROM pg_database WHERE datname = 'logintel'") == 1


def test_a_crash_is_recovered_from(cluster: Cluster):
    cluster.up()
    execute(cluster, "CREATE TABLE kept AS SELECT 1 AS one")
    cut_power(cluster)
    cluster.up()
    assert answer(cluster, "SELECT count(*) FROM kept") == 1


def test_a_process_id_that_another_program_has_after_a_reboot_does_not_keep_it_down(cluster: Cluster):
    cluster.up()
    owner = (cluster.data / "postmaster.pid").stat().st_uid
    cut_power(cluster)
    with subprocess.Popen(["sleep", "60"], user=owner) as other:
        pid_file = cluster.data / "postmaster.pid"
        pid_file.write_text(f"{other.pid}\n" + pid_file.read_text().split("\n", 1)[1])
        cluster.up()
        other.kill()
    assert answer(cluster, "SELECT 1") == 1


def test_a_port_that_was_taken_meanwhile_is_changed(cluster: Cluster):
    cluster.up()
    cluster.down()
    port = int((cluster.home / "port").read_text())
    with socket.create_server(("127.0.0.1", port)):
        cluster.up()
        assert answer(cluster, "SHOW port") != str(port)


def test_a_half_made_cluster_is_started_over(cluster: Cluster):
    cluster.up()
    cluster.down()
    cluster.data.rename(cluster.home / "data.unfinished")
    (cluster.home / "data.unfinished" / "PG_VERSION").unlink()
    cluster.up()
    assert answer(cluster, "SELECT 1") == 1


def test_a_cluster_of_another_version_is_named_and_left_alone(cluster: Cluster):
    cluster.up()
    cluster.down()
    version = (cluster.data / "PG_VERSION").read_text()
    (cluster.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(UserError, match=r"made by PostgreSQL 9.*make clean"):
        cluster.up()
    (cluster.data / "PG_VERSION").write_text(version)


def test_a_broken_configuration_is_reported_with_the_servers_own_words(cluster: Cluster):
    cluster.up()
    cluster.down()
    with open(cluster.data / "postgresql.conf", "a") as configuration:
        configuration.write("shared_buffers = 'much'\n")
    with pytest.raises(UserError, match=r"does not start: configuration file .* contains errors"):
        cluster.up()


def test_removing_stops_it_and_leaves_nothing(cluster: Cluster):
    cluster.up()
    address = cluster.dsn()
    cluster.remove()
    assert not cluster.home.exists()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(address)
    cluster.remove()
