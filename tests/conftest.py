"""Fixtures of the integration tests. `db` is what most tests need: a fresh database with the extension and a log table.

Each test runs on a fresh local cluster; with --container also in a container, where a Docker engine answers; with
--test-dsn on that server alone.
"""

import os
import re
from collections.abc import Iterator

import pytest
from xdist.scheduler import LoadFileScheduling

import servers
from servers import Database, Server
from tiny_models import WITHOUT_DEFAULTS


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("logintel")
    group.addoption("--test-dsn", help="run the integration tests on this server, as superuser, and start none")
    group.addoption("--container", action="store_true", help="run the integration tests in a container as well")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "local_only: needs the file system of the server, which a container hides")
    config.addinivalue_line("markers", "any_server: is about the client, to which all servers are alike: runs on one")
    config.addinivalue_line("markers", "lint: reads the code and runs none of it, or has a server read it")
    config.addinivalue_line("markers", "demo: the newcomer's run in a clean container, minutes long")
    for name, value in servers.TESTCONTAINERS.items():
        os.environ.setdefault(name, value)
    # Connections must be what the tests ask for, not what the caller's environment adds to them.
    for name in [name for name in os.environ if name == "DATABASE_URL" or (name.startswith("PG") and name != "PG_CONFIG")]:
        del os.environ[name]


def pytest_report_header(config: pytest.Config) -> str | None:
    if config.getoption("--container") and not servers.docker_engine():
        return "no Docker engine answers: the integration tests run on the local server only"
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames:
        kinds = ["local"]
        if metafunc.config.getoption("--test-dsn"):
            kinds = ["given"]
        elif metafunc.config.getoption("--container") and servers.docker_engine():
            kinds = ["local", "container"]
        metafunc.parametrize("server", kinds, indirect=True, scope="session")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Let `-n auto` be a process for each server and one for the rest; one in all where tests are to print (-s)."""
    return 0 if config.getoption("capture") == "no" else 3


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> "ByServer":
    return ByServer(config, log)


class ByServer(LoadFileScheduling):
    """Keeps the tests of one server in one process, and those of one file that need none: they share what is costly."""

    def _split_scope(self, nodeid: str) -> str:
        server = re.search(r"\[(local|container|given)\b", nodeid)
        return server[1] if server else super()._split_scope(nodeid)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The server under test; tests that use it, or a fixture made from it, run once on each kind."""
    servers.choose_pg_config()
    start = {"local": servers.local, "container": servers.container}.get(request.param)
    with start() if start else servers.given(request.config.getoption("--test-dsn")) as running:
        yield running


@pytest.fixture(autouse=True)
def _right_server(request: pytest.FixtureRequest) -> None:
    if "server" not in request.fixturenames:
        return
    if request.node.get_closest_marker("local_only") and request.getfixturevalue("server").kind != "local":
        pytest.skip("needs the file system of the server")
    if request.node.get_closest_marker("any_server") and request.getfixturevalue("server").kind == "container":
        pytest.skip("is about the client, and runs on the local server")


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[Database]:
    """The database that `db` is copied from."""
    database = server.create_database()
    database.execute("CREATE EXTENSION logintel CASCADE")
    database.execute(WITHOUT_DEFAULTS)
    database.execute("SELECT logintel.create_log_entries()")
    database.close()  # a database can be copied only while nobody is connected
    yield database
    database.drop()


@pytest.fixture(scope="session")
def trained_template(server: Server, template: Database) -> Iterator[Database]:
    """The database that `trained_db` is copied from."""
    database = server.create_database(template)
    database.logintel("simulate", "--lines", "5000", "--corrupt", "0.1")
    database.logintel("train", "--deploy")
    database.logintel("backfill")
    yield database
    database.drop()


@pytest.fixture
def db(server: Server, template: Database) -> Iterator[Database]:
    """A fresh database with the extension and the standard log table, attached, and no model."""
    yield from _dropped(server.create_database(template))


@pytest.fixture
def trained_db(server: Server, trained_template: Database) -> Iterator[Database]:
    """A fresh database with 5,000 simulated lines, the truth about them, and models trained on them, all scored."""
    yield from _dropped(server.create_database(trained_template))


@pytest.fixture(scope="session")
def fresh_template(server: Server) -> Iterator[Database]:
    """The database that `fresh_db` is copied from."""
    database = server.create_database()
    database.execute("CREATE EXTENSION logintel CASCADE")
    database.execute("SELECT logintel.create_log_entries()")
    database.close()  # a database can be copied only while nobody is connected
    yield database
    database.drop()


@pytest.fixture
def fresh_db(server: Server, fresh_template: Database) -> Iterator[Database]:
    """A database as installation leaves it, the default models in force, with the standard log table."""
    yield from _dropped(server.create_database(fresh_template))


@pytest.fixture
def empty_db(server: Server) -> Iterator[Database]:
    """A fresh database without the extension."""
    yield from _dropped(server.create_database())


def _dropped(database: Database) -> Iterator[Database]:
    yield database
    database.drop()
