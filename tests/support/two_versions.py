"""Tiny models to test against each other, and lines whose templates they know."""

from collections.abc import Sequence
from string import ascii_lowercase

from support.servers import Database
from support.tiny_models import TinyModel, deploy, register, tiny_model

RESULTS = "SELECT {} FROM logintel.ml_ab_results WHERE id = (SELECT max(id) FROM ab_tests) ORDER BY side DESC"
WEAK = tiny_model("level", (("good", "ERROR"), ("bad", "INFO"), ("job", "INFO")))
STRONG = tiny_model("level", (("good", "ERROR"), ("bad", "ERROR"), ("job", "INFO")))
"""The two differ where the word is `bad`, of lines that are errors."""


def weak_and_strong(db: Database, champion: TinyModel = WEAK, challenger: TinyModel = STRONG) -> None:
    """Deploy a champion and register a challenger, as versions 1 and 2."""
    deploy(db, champion)
    register(db, challenger)


def word(n: int) -> str:
    """A word of letters alone, another for each number: what tells templates apart."""
    return "".join(ascii_lowercase[n // place % 26] for place in (676, 26, 1))


def write(db: Database, known: str, templates: Sequence[int], level: str = "ERROR", lines: int = 1) -> None:
    """Write lines of these templates, which hold a word that the models know."""
    db.execute(
        "INSERT INTO log_entries (level, message) SELECT %s, %s || ' ' || w FROM unnest(%s::text[]) w, generate_series(1, %s)",
        (level, known, [word(n) for n in templates], lines),
    )


def start(db: Database, options: str = "") -> int:
    """Start a test of version 2 of the level model."""
    return db.value(f"SELECT logintel.start_ab_test('level', 2{options})")


def judge(db: Database, true_level: str = "ERROR") -> None:
    """Say of each line what it is in truth."""
    db.execute("SELECT logintel.give_feedback(id, true_level => %s) FROM log_entries", (true_level,))


def results(db: Database, *columns: str) -> list[tuple]:
    """These columns of the latest test, for the champion and for the challenger."""
    return db.execute(RESULTS.format(", ".join(columns)))


def outcome(db: Database) -> tuple:
    """How the latest test ended, and why."""
    [row] = db.execute("SELECT outcome, reason FROM ab_tests ORDER BY id DESC LIMIT 1")
    return row


def maintain(db: Database) -> dict[str, int]:
    """Run maintain() and return what it did."""
    return dict(db.execute("SELECT * FROM logintel.maintain()"))
