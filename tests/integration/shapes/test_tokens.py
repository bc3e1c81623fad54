"""SQL makes the same tokens of any text as the Python that makes them for training: models know no others."""

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logintel.training.golden import ODD_LINES
from logintel_server import lower_case, tokens
from support.servers import Database, Server

DATA = Path(__file__).parents[4] / "shared" / "data"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80)
CODE_POINTS = [chr(point) for point in (*range(1, 0xD800), *range(0xE000, 0x30000))]


def words(db: Database, texts: Sequence[str]) -> list[list[str]]:
    """The words of texts, by SQL."""
    rows = db.execute("SELECT logintel._tokens(t) FROM unnest(%s::text[]) WITH ORDINALITY AS u (t, n) ORDER BY n", (list(texts),))
    return [found for (found,) in rows]


def contexts(db: Database, values: Sequence[str]) -> list[list[str]]:
    """The tokens of contexts that have each value in all fields, by SQL."""
    query = "SELECT logintel._context_tokens(t, t, t, t) FROM unnest(%s::text[]) WITH ORDINALITY AS u (t, n) ORDER BY n"
    return [found for (found,) in db.execute(query, (list(values),))]


def context(value: str) -> list[str]:
    """The same by Python."""
    return tokens.context(dict.fromkeys(("service", "source_type", "status_class", "latency_bucket"), value)).split()


def real_texts() -> Iterator[str]:
    """Messages, and statements of programs, where the shared folder is beside the checkout; odd lines always."""
    yield from (line.shape.template for line in ODD_LINES)
    for path in sorted(DATA.glob("loghub/*_structured.csv")):
        with path.open(newline="") as file:
            yield from (row["Content"] for row in csv.DictReader(file))
    for path in DATA.glob("statements_open.csv.gz"):
        with gzip.open(path, "rt", newline="", errors="replace") as file:
            yield from (max(row, key=len).replace("\0", "")[:4096] for row in csv.reader(file) if row)


def check(db: Database, texts: Iterable[str]) -> None:
    """Compare words and contexts of texts, some thousands at once."""
    texts = list(dict.fromkeys(texts))
    for part in (texts[start : start + 5000] for start in range(0, len(texts), 5000)):
        for text, by_sql, in_context in zip(part, words(db, part), contexts(db, part), strict=True):
            assert by_sql == tokens.tokenize(text), ascii(text)
            assert in_context == context(text), ascii(text)


def test_every_character_alone_and_between_letters(db: Database) -> None:
    # Some characters at once, each with letters of its own around it: a query a character would take minutes.
    texts = [f"ab{character}Cd {character}E {character}" for character in CODE_POINTS]
    check(db, (" <*> ".join(texts[start : start + 10]) for start in range(0, len(texts), 10)))


def test_real_messages(db: Database) -> None:
    check(db, real_texts())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TEXT | st.from_regex(r"[A-Za-z<*>' n't_0-9\u03a3\u03c3\u0130É數]{0,40}", fullmatch=True), min_size=1, max_size=40))
def test_any_text(db: Database, texts: list[str]) -> None:
    check(db, texts)


def test_a_long_message_has_at_most_256_words(db: Database) -> None:
    check(db, ["word " * 800, "wörter " * 800, "數" * 1000, "<*> " * 300])


def test_lower_case_is_a_fixed_table(db: Database) -> None:
    by_sql = db.execute("SELECT c, logintel._lower_case(c) FROM unnest(%s::text[]) AS c", (CODE_POINTS,))
    assert [pair for pair in by_sql if lower_case.lower_case(pair[0]) != pair[1]] == []
    # A letter that got a lower case in Unicode 16 has none here, whichever Python runs.
    assert lower_case.lower_case("\u1c89") == "\u1c89"
    assert lower_case.lower_case("ΤΈΛΟΣ") == "τέλος"


def test_a_session_may_read_backslashes_as_it_likes(db: Database) -> None:
    text = "HTTPServer.handleRequest Größe 連接失敗"
    session = db.connect()
    session.execute("SET standard_conforming_strings = off")
    assert session.execute("SELECT logintel._tokens(%s)", (text,)).fetchone() == (tokens.tokenize(text),)


@pytest.mark.local_only
@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "EUC_JP"])
def test_a_database_in_another_encoding_has_the_default_models(server: Server, encoding: str) -> None:
    name = f"logintel_{encoding.lower()}"
    server.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    try:
        with psycopg.connect(server.dsn(name), autocommit=True, client_encoding=encoding) as session:
            session.execute("CREATE EXTENSION logintel")
            session.execute("SELECT logintel.create_log_entries()")
            session.execute("INSERT INTO log_entries (message) VALUES ('out of memory, shutting down')")
            assert session.execute("SELECT predicted_level::bytea FROM logintel.ml_predictions").fetchone() == (b"ERROR",)
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
