"""What all processes of one test run share: the servers, and the databases that tests are given copies of.

The controller, which is the process that the user started, starts each server that the run needs, once, and stops it at
the end. It hands the folder of their addresses to the processes that xdist starts. Who needs a template first makes it.
"""

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from support import servers
from support.servers import Database, Server


class Shared:
    """Servers and templates as one process of the run sees them. They are recorded as files of `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def server(self, kind: str) -> Server:
        """Return a server that the controller has started."""
        return Server(kind, (self.folder / kind).read_text())

    def template(self, server: Server, name: str, fill: Callable[[Database], None], source: Database | None = None) -> Database:
        """Return the database of this name, made from `source` and filled by whoever needs it first.

        Nobody stays connected to it: a database can be copied only while nobody is.
        """
        record = self.folder / f"{server.kind}.{name}"
        with open(self.folder / f"lock.{record.name}", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not record.exists():
                database = server.create_database(source)
                try:
                    fill(database)
                except BaseException:
                    database.drop()
                    raise
                database.close()
                record.write_text(database.name)
        return Database(server, record.read_text())


class Controller(Shared):
    """The process that starts and stops what is shared."""

    def __init__(self, given: str | None) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="logintel-tests-")))
        self._starters = {"local": servers.local, "container": servers.container, "given": lambda: servers.given(given)}
        self._running = contextlib.ExitStack()
        self._running.callback(shutil.rmtree, self.folder)

    def start(self, kinds: Iterable[str]) -> None:
        """Start servers of these kinds, unless they run."""
        for kind in kinds:
            if not (self.folder / kind).exists():
                server = self._running.enter_context(self._starters[kind]())
                (self.folder / kind).write_text(server.address)
                self._running.callback(self._drop_templates, server)

    def stop(self) -> None:
        """Stop what was started; a server that is not ours is left as it was."""
        self._running.close()

    def _drop_templates(self, server: Server) -> None:
        for record in self.folder.glob(f"{server.kind}.*"):
            Database(server, record.read_text()).drop()
