"""Fixtures of the integration tests. `db` is what most tests need: a fresh database with the extension and a log table.

Each test runs on a fresh local cluster; with --container also in a container, where a Docker engine answers; with
--test-dsn on that server alone. All processes of a run share the servers.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from support import servers
from support.servers import Database, Server
from support.shared import Controller, Shared
from support.tiny_models import WITHOUT_DEFAULTS

# A busy machine is slow, and no test is about that.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")

KIND = re.compile(r"\[(local|container|given)\b")
SHARED = pytest.StashKey[Shared]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("logintel")
    group.addoption("--test-dsn", help="run the integration tests on this server, as superuser, and start none")
    group.addoption("--container", action="store_true", help="run the integration tests in a container as well")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "local_only: needs the file system of the server, which a container hides")
    config.addinivalue_line("markers", "any_server: is about the client, to which all servers are alike: runs on one")
    config.addinivalue_line("markers", "lint: reads the code and runs none of it, or has a server read it")
    config.addinivalue_line("markers", "embedded: on servers of its own without PL/Python, which npm downloads; runs once")
    config.addinivalue_line("markers", "demo: the newcomer's run in a clean container, minutes long")
    for name, value in servers.TESTCONTAINERS.items():
        os.environ.setdefault(name, value)
    # Connections must be what the tests ask for, not what the caller's environment adds to them.
    for name in [name for name in os.environ if name == "DATABASE_URL" or (name.startswith("PG") and name != "PG_CONFIG")]:
        del os.environ[name]
    servers.choose_pg_config()
    started_by_xdist = getattr(config, "workerinput", None)
    config.stash[SHARED] = (
        Shared(Path(started_by_xdist["shared"])) if started_by_xdist else Controller(config.getoption("--test-dsn"))
    )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    node.workerinput["shared"] = str(node.config.stash[SHARED].folder)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: WorkerController, ids: list[str]) -> None:
    _start_servers(node.config, ids)  # before any process is given a test


def pytest_collection_finish(session: pytest.Session) -> None:
    if not session.config.option.collectonly:
        _start_servers(session.config, (item.nodeid for item in session.items))


def pytest_unconfigure(config: pytest.Config) -> None:
    if isinstance(shared := config.stash.get(SHARED, None), Controller):
        shared.stop()


def _start_servers(config: pytest.Config, ids: Iterable[str]) -> None:
    """Start the servers that tests of these names need, in the controller; the others find them running."""
    if isinstance(shared := config.stash[SHARED], Controller):
        shared.start(sorted({found[1] for found in map(KIND.search, ids) if found}, reverse=True))


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
            on_one = any(metafunc.definition.get_closest_marker(name) for name in ("any_server", "local_only"))
            kinds = ["local"] if on_one else ["local", "container"]
        metafunc.parametrize("server", kinds, indirect=True, scope="session")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Let `-n auto` be a process for each core, and at least three; one in all where tests are to print (-s)."""
    return 0 if config.getoption("capture") == "no" else max(3, len(os.sched_getaffinity(0)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> "ByFile":
    return ByFile(config, log)


class ByFile(LoadFileScheduling):
    """Keeps the tests of one file on one server in one process: they share what is costly."""

    def _split_scope(self, nodeid: str) -> str:
        server = KIND.search(nodeid)
        return super()._split_scope(nodeid) + (server[0] if server else "")


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Server:
    """The server under test; tests that use it, or a fixture made from it, run once on each kind."""
    return request.config.stash[SHARED].server(request.param)


@pytest.fixture(autouse=True)
def _right_server(request: pytest.FixtureRequest) -> None:
    if "server" not in request.fixturenames:
        return
    if request.node.get_closest_marker("local_only") and request.getfixturevalue("server").kind != "local":
        pytest.skip("needs the file system of the server")


@pytest.fixture(scope="session")
def template(server: Server, pytestconfig: pytest.Config) -> Database:
    """The database that `db` is copied from."""

    def fill(database: Database) -> None:
        database.execute("CREATE EXTENSION logintel_python CASCADE")
        database.execute(WITHOUT_DEFAULTS)
        database.execute("SELECT logintel.create_log_entries()")

    return pytestconfig.stash[SHARED].template(server, "plain", fill)


@pytest.fixture(scope="session")
def trained_template(server: Server, template: Database, pytestconfig: pytest.Config) -> Database:
    """The database that `trained_db` is copied from."""

    def fill(database: Database) -> None:
        database.logintel("simulate", "--lines", "5000", "--corrupt", "0.1")
        database.logintel("train", "--deploy")
        database.logintel("backfill")

    return pytestconfig.stash[SHARED].template(server, "trained", fill, template)


@pytest.fixture(scope="session")
def fresh_template(server: Server, pytestconfig: pytest.Config) -> Database:
    """The database that `fresh_db` is copied from."""

    def fill(database: Database) -> None:
        database.execute("CREATE EXTENSION logintel_python CASCADE")
        database.execute("SELECT logintel.create_log_entries()")

    return pytestconfig.stash[SHARED].template(server, "fresh", fill)


@pytest.fixture
def db(server: Server, template: Database) -> Iterator[Database]:
    """A fresh database with the extension and the standard log table, attached, and no model."""
    yield from _dropped(server.create_database(template))


@pytest.fixture
def trained_db(server: Server, trained_template: Database) -> Iterator[Database]:
    """A fresh database with 5,000 simulated lines, the truth about them, and models trained on them, all scored."""
    yield from _dropped(server.create_database(trained_template))


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
