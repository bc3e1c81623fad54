"""Writes the golden files and the reference afresh, from a server with this checkout's extension: `make golden`."""

from support import catalog, servers
from support.reference import reference

REFERENCE = servers.ROOT / "sql" / "REFERENCE.md"


def main() -> None:
    servers.choose_pg_config()
    with servers.local() as server:
        database = server.create_database()
        database.execute("CREATE EXTENSION logintel_python CASCADE")
        roles = {kind: database.create_role(kind) for kind in catalog.ROLES}
        for path, text in catalog.golden_texts(database.connection, roles).items():
            path.write_text(text)
            print(path)
        REFERENCE.write_text(reference(database))
        print(REFERENCE)
        database.close()


if __name__ == "__main__":
    main()
