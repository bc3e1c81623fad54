"""Nothing goes unencrypted to a host that is not this machine, however it was named: seen on the wire."""

import itertools
import os
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logintel.database import connect, open_connection
from logintel.errors import UserError

pytestmark = pytest.mark.any_server

AWAY = "127.0.0.2"  # to the client a machine like any other, though this one answers for it
LOCAL = "127.0.0.1"
ENCRYPTION_REQUESTS = {80877103, 80877104}  # of SSL, of GSSAPI
# Where a user's sslmode does without TLS when the server refuses it.
LENIENT = {"prefer", "allow", "disable"}


class Wire:
    """A server that refuses encryption, and notes who goes on without."""

    def __init__(self) -> None:
        self._sockets = [socket.create_server((AWAY, 0))]
        self.port = self._sockets[0].getsockname()[1]
        self._sockets.append(socket.create_server((LOCAL, self.port)))
        self.in_clear: list[str] = []
        for listening, address in zip(self._sockets, (AWAY, LOCAL), strict=True):
            threading.Thread(target=self._serve, args=(listening, address), daemon=True).start()

    def _serve(self, listening: socket.socket, address: str) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client:
                while len(head := client.recv(8, socket.MSG_WAITALL)) == 8:
                    if struct.unpack("!II", head)[1] not in ENCRYPTION_REQUESTS:
                        self.in_clear.append(address)
                        break
                    client.sendall(b"N")

    def close(self) -> None:
        for listening in self._sockets:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def in_clear(wire: Wire, folder: Path, dsn: str, service: str = "", **variables: str) -> list[str]:
    """Connect, with PGPORT and a service file of these lines; return which hosts got an unencrypted beginning."""
    wire.in_clear.clear()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PG")]:
            patch.delenv(name)
        for name, value in {"PGPORT": str(wire.port), "HOME": str(folder), **variables}.items():
            patch.setenv(name, value)
        (folder / "pg_service.conf").write_text(f"[other]\nhost=nowhere\n[prod]\n{service}\n")
        for open_one in (connect, open_connection):
            with pytest.raises(Exception, match="connect"):
                open_one(dsn)
    return sorted(set(wire.in_clear))


WAYS = {
    "the string": (f"host={AWAY}", "", {}),
    "a URI": (f"postgresql://{AWAY}/logs", "", {}),
    "a URI's parameter": (f"postgresql:///logs?host={AWAY}", "", {}),
    "an address beside a name": (f"host=localhost hostaddr={AWAY}", "", {}),
    "an address beside a socket": (f"host=/tmp hostaddr={AWAY}", "", {}),
    "a second host": (f"host={LOCAL},{AWAY}", "", {}),
    "a second address": (f"host=localhost,localhost hostaddr={LOCAL},{AWAY}", "", {}),
    "PGHOST": ("", "", {"PGHOST": AWAY}),
    "PGHOSTADDR": ("host=localhost", "", {"PGHOSTADDR": AWAY}),
    "PGHOSTADDR beside PGHOST": ("dbname=logs", "", {"PGHOST": "localhost", "PGHOSTADDR": AWAY}),
    "a service": ("service=prod", f"host={AWAY}", {}),
    "a URI's service": ("postgresql:///?service=prod", f"host={AWAY}", {}),
    "PGSERVICE": ("", f"host={AWAY}", {"PGSERVICE": "prod"}),
    "a service's address": ("service=prod host=localhost", f"hostaddr={AWAY}", {}),
    "a service, while PGHOST is local": ("service=prod", f"host={AWAY}", {"PGHOST": "localhost"}),
}
FILES = ("PGSERVICEFILE", "PGSYSCONFDIR", "HOME")
CASES = [(way, file) for way, (_, service, _) in WAYS.items() for file in (FILES if service else FILES[:1])]


@pytest.mark.parametrize(("way", "file"), CASES)
def test_a_host_that_is_not_this_machine_gets_nothing_unencrypted(wire: Wire, tmp_path: Path, way: str, file: str):
    dsn, service, variables = WAYS[way]
    assert AWAY not in in_clear(wire, tmp_path, dsn, service, **variables, **service_file(tmp_path, file))


def service_file(folder: Path, kind: str) -> dict[str, str]:
    if kind == "PGSERVICEFILE":
        return {kind: str(folder / "pg_service.conf")}
    if kind == "PGSYSCONFDIR":
        return {kind: str(folder)}
    (folder / ".pg_service.conf").symlink_to("pg_service.conf")
    return {}


def test_a_service_that_is_this_machine_needs_no_tls_whatever_pghost_says(wire: Wire, tmp_path: Path):
    given = {"PGSERVICEFILE": str(tmp_path / "pg_service.conf"), "PGHOST": AWAY}
    assert in_clear(wire, tmp_path, "service=prod", f"host={LOCAL}", **given) == [LOCAL]


@pytest.mark.parametrize("mode", ["prefer", "allow", "disable"])
@pytest.mark.parametrize("place", ["string", "service", "environment"])
def test_a_users_own_sslmode_wins_wherever_it_stands(wire: Wire, tmp_path: Path, place: str, mode: str):
    variables = {"PGSERVICEFILE": str(tmp_path / "pg_service.conf")}
    dsn, service = "service=prod", f"host={AWAY}"
    if place == "string":
        dsn += f" sslmode={mode}"
    elif place == "service":
        service += f"\nsslmode={mode}"
    else:
        variables["PGSSLMODE"] = mode
    assert in_clear(wire, tmp_path, dsn, service, **variables) == [AWAY]


MAYBE_HOST = st.sampled_from([None, LOCAL, "localhost", AWAY])
MAYBE_ADDRESS = st.sampled_from([None, None, LOCAL, AWAY])
MAYBE_MODE = st.sampled_from([None, None, None, "disable", "allow", "prefer", "require"])
PLACE = st.tuples(MAYBE_HOST, MAYBE_ADDRESS, MAYBE_MODE)


@given(PLACE, PLACE, PLACE, st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_string_service_and_environment_are_ranked_as_libpq_ranks_them(
    wire: Wire, tmp_path: Path, string: tuple, service: tuple, environment: tuple, named: bool, as_uri: bool
):
    names = ("host", "hostaddr", "sslmode")
    in_string = {name: value for name, value in zip(names, string, strict=True) if value}
    in_service = {name: value for name, value in zip(names, service, strict=True) if value}
    variables = {f"PG{name.upper()}": value for name, value in zip(names, environment, strict=True) if value}
    variables["PGSERVICEFILE"] = str(tmp_path / "pg_service.conf")
    if named:
        in_string["service"] = "prod"
    pairs = [f"{name}={value}" for name, value in in_string.items()]
    dsn = "postgresql:///logs?" + "&".join(pairs) if as_uri else " ".join(pairs)
    service_lines = "\n".join(f"{name}={value}" for name, value in in_service.items())

    ranked = [string, service, environment] if named else [string, environment]
    host, address, mode = ([*filter(None, values), None][0] for values in zip(*ranked, strict=True))
    target = address or host
    local = target in (None, LOCAL, "localhost")
    expected = (mode or "prefer" if local else mode or "require") in LENIENT
    seen = in_clear(wire, tmp_path, dsn, service_lines, **variables)
    assert (AWAY in seen) == (expected and target == AWAY), (dsn, service_lines, variables)
    if target in (LOCAL, "localhost"):
        assert (LOCAL in seen) == expected, (dsn, service_lines, variables)


@pytest.mark.parametrize(
    "hosts", [pair for pair in itertools.product((LOCAL, AWAY, "localhost", "/nowhere"), repeat=2) if AWAY in pair]
)
def test_one_host_of_several_that_is_not_this_machine_is_enough_for_tls(
    wire: Wire, tmp_path: Path, hosts: tuple[str, str]
):
    seen = in_clear(wire, tmp_path, f"host={','.join(hosts)}")
    assert AWAY not in seen


def test_a_stricter_default_of_libpq_is_not_weakened(wire: Wire, tmp_path: Path):
    seen = in_clear(wire, tmp_path, f"host={AWAY} sslrootcert=system")
    assert seen == []
    with pytest.raises(UserError) as raised:
        connect(f"host={AWAY} port={wire.port} sslrootcert=system")
    assert "weak sslmode" not in str(raised.value)
