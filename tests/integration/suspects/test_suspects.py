"""A message that is mislabelled in every one of its lines is found: before any training, and after training on it."""

import pytest

from logintel.training.command import train
from support.servers import Database

SERVICES = {
    "billing": {
        "INFO": ["payment <n> received", "invoice sent to customer", "refund booked", "ledger closed for the day",
                 "currency table refreshed", "worker started"],
        "ERROR": ["could not charge card: connection refused", "ledger write failed with an exception"],
    },
    "search": {
        "INFO": ["index refreshed", "query answered in time", "cache warmed up", "segment merged", "worker started"],
        "WARN": ["query is slow, retrying", "segment merge failed, retrying later"],
    },
}  # fmt: skip
HIDDEN = "failed to connect to database: connection refused"
STAMPED = (
    "failed to read record: checksum mismatch", "fatal error, aborting import", "could not open file, permission denied",
    "connection refused by upstream, giving up", "unhandled exception in worker thread", "import of file finished",
    "retrying after timeout, error from upstream", "disk write failed, no space left on device",
)  # fmt: skip


@pytest.fixture
def mislabelled_db(fresh_db: Database) -> Database:
    """Two services with sound levels, one of which writes a problem as INFO, always; nothing is trained."""
    rows = [(message, service, level)
            for service, levels in SERVICES.items() for level, messages in levels.items() for message in messages]  # fmt: skip
    for message, service, level in [*rows, (HIDDEN, "billing", "INFO")]:
        fresh_db.execute(
            "INSERT INTO log_entries (message, service, level) SELECT %s, %s, %s FROM generate_series(1, 90)",
            (message, service, level),
        )
    return fresh_db


def suspects(db: Database) -> list[tuple[str, str]]:
    return db.execute("SELECT template, suspicion FROM logintel.ml_suspects")


def test_a_problem_that_is_written_as_info_in_every_line_is_suspected_from_the_first_insert(mislabelled_db: Database) -> None:
    assert suspects(mislabelled_db) == [(HIDDEN, "hidden problem")]
    mislabelled_db.execute("CALL logintel.maintain('45 s')")
    [row] = mislabelled_db.execute(
        "SELECT reason, service, lines, declared_level, declared_levels, predicted_level, words_opinion > 0.75, "
        "first_seen <= last_seen FROM logintel.ml_suspects"
    )
    assert row == ("template_mislabelled", "billing", 90, "INFO", {"INFO": 90}, "ERROR", True, True)


def test_training_on_the_mistake_excuses_it_not(mislabelled_db: Database) -> None:
    mislabelled_db.execute("CALL logintel.maintain('45 s')")
    train(lines=5000, deploy=True, dsn=mislabelled_db.dsn)
    mislabelled_db.execute("SELECT logintel.rescore()")
    mislabelled_db.execute("CALL logintel.maintain('45 s')")
    assert suspects(mislabelled_db) == [(HIDDEN, "hidden problem")]
    assert mislabelled_db.value("SELECT neighbours_opinion IS NOT NULL FROM logintel.ml_suspects")
    assert mislabelled_db.execute("SELECT DISTINCT reason, declared_level FROM logintel.ml_corrections") == [
        ("template_mislabelled", "INFO")
    ]


def test_lines_of_suspects_are_corrections_with_the_level_and_the_confidence_of_the_suspicion(mislabelled_db: Database) -> None:
    mislabelled_db.execute("CALL logintel.maintain('45 s')")
    lines = mislabelled_db.execute(
        "SELECT DISTINCT c.template, c.predicted_level, c.level_confidence = s.confidence, c.severity IN ('high', 'critical'), "
        "c.reason, count(*) OVER () FROM logintel.ml_corrections c JOIN logintel.ml_suspects s USING (template)"
    )
    assert lines == [(HIDDEN, "ERROR", True, True, "template_mislabelled", 90)]


def test_a_verdict_ends_a_suspicion(mislabelled_db: Database) -> None:
    assert mislabelled_db.value("SELECT logintel.reject_corrections(%s, 'they retry')", (HIDDEN,)) == 90
    assert suspects(mislabelled_db) == []
    assert mislabelled_db.execute("SELECT * FROM logintel.ml_corrections") == []
    assert mislabelled_db.execute("SELECT declared_level, true_level FROM logintel.ml_feedback") == [("INFO", "INFO")]


def test_an_accepted_suspicion_is_the_truth_of_its_lines(mislabelled_db: Database) -> None:
    assert mislabelled_db.value("SELECT logintel.accept_corrections(%s)", (HIDDEN,)) == 90
    assert suspects(mislabelled_db) == []
    assert mislabelled_db.execute("SELECT declared_level, true_level FROM logintel.ml_feedback") == [("INFO", "ERROR")]


def test_a_service_that_stamps_one_level_on_everything_is_told_once_and_does_not_testify(mislabelled_db: Database) -> None:
    for message in STAMPED:
        mislabelled_db.execute(
            "INSERT INTO log_entries (message, service, level) SELECT %s, 'importer', 'INFO' FROM generate_series(1, 20)", (message,)
        )
    sources = mislabelled_db.execute("SELECT service, finding, problems, declared_levels FROM logintel.ml_sources")
    assert sources[0] == ("importer", "stamps one level", 0, {"INFO": 160})
    assert {finding for _, finding, _, _ in sources[1:]} == {None}
    reasons = dict(mislabelled_db.execute("SELECT template, reason FROM logintel.ml_suspects WHERE service = 'importer'"))
    assert len(set(reasons) & set(STAMPED)) >= 6 and "import of file finished" not in reasons
    assert set(reasons.values()) == {"source_stamps_one_level"}


def test_many_templates_are_judged_by_the_upkeep(mislabelled_db: Database) -> None:
    mislabelled_db.execute(
        "INSERT INTO log_entries (message, service, level) "
        "SELECT 'part ' || translate(n::text, '0123456789', 'abcdefghij') || ' done', 'billing', 'INFO' FROM generate_series(1, 3100) n"
    )
    assert (HIDDEN, "hidden problem") in suspects(mislabelled_db)  # as long as no upkeep has judged them, who asks does
    assert mislabelled_db.value("SELECT count(*) FROM logintel_internal.suspects") == 0
    mislabelled_db.execute("CALL logintel.maintain('45 s')")
    assert mislabelled_db.value("SELECT count(*) FROM logintel_internal.suspects") > 0
    assert (HIDDEN, "hidden problem") in suspects(mislabelled_db)
    mislabelled_db.execute("SELECT logintel.reject_corrections(%s)", (HIDDEN,))
    assert (HIDDEN, "hidden problem") not in suspects(mislabelled_db)
    mislabelled_db.execute("CALL logintel.maintain('45 s')")
    assert (HIDDEN, "hidden problem") not in suspects(mislabelled_db)


def test_a_template_that_is_never_counted_again_leaves_no_opinion(mislabelled_db: Database) -> None:
    mislabelled_db.execute("CALL logintel.maintain('45 s')")
    assert mislabelled_db.value("SELECT count(*) FROM logintel_internal.template_opinions") > 10
    mislabelled_db.execute("TRUNCATE log_entries")
    assert mislabelled_db.value("SELECT count(*) FROM logintel_internal.template_opinions") == 0
    assert suspects(mislabelled_db) == []


MESSAGES = {
    "INFO": ("request served", "user logged in", "report written", "cache refreshed", "mail sent", "session closed", "job began"),
    "DEBUG": ("entering handler", "query plan chosen", "buffer reused"),
    "WARN": ("response is slow, timeout is near", "call failed, retrying", "certificate has expired"),
    "ERROR": ("payment was declined by the bank", "database error: no answer"),
}  # fmt: skip


@pytest.mark.parametrize("stamp", ["INFO", "ERROR"])
def test_a_service_that_stamps_what_others_write_with_their_levels_is_read_as_they_are(fresh_db: Database, stamp: str) -> None:
    for service in ("billing", "search", "mail", "auth", "report"):
        for level, messages in MESSAGES.items():
            for message in messages:
                fresh_db.execute(
                    "INSERT INTO log_entries (message, service, level) SELECT %s, %s, %s FROM generate_series(1, 20)",
                    (message, service, stamp if service == "report" else level),
                )
    fresh_db.execute("CALL logintel.maintain('45 s')")
    train(lines=5000, deploy=True, dsn=fresh_db.dsn)
    wrong = {m for level in MESSAGES for m in MESSAGES[level] if (level in ("WARN", "ERROR")) != (stamp == "ERROR")}
    assert {
        message for (message,) in fresh_db.execute("SELECT template FROM logintel.ml_suspects WHERE service = 'report'")
    } == wrong
    assert fresh_db.execute("SELECT service FROM logintel.ml_sources WHERE finding IS NOT NULL") == [("report",)]
    assert fresh_db.execute("SELECT template FROM logintel.ml_suspects WHERE service <> 'report'") == []


def test_a_suspect_shows_the_words_that_tell_and_the_templates_nearest_to_it(mislabelled_db: Database) -> None:
    words, nearest = mislabelled_db.execute("SELECT telling_words, nearest_templates FROM logintel.ml_suspects")[0]
    assert {"failed", "refused"} & {word for word, weight in words.items() if weight > 0}
    assert len(words) <= 5
    assert nearest[0]["template"] == "could not charge card: connection refused"
    assert nearest[0]["level"] == "ERROR" and 0 < nearest[0]["likeness"] < 1


def test_the_levels_of_near_templates_are_those_of_most_lines_and_of_lines_that_are_there(mislabelled_db: Database) -> None:
    db = mislabelled_db
    db.execute("UPDATE log_entries SET level = 'INFO' WHERE message LIKE 'could not charge card%'")
    db.execute("DELETE FROM log_entries WHERE message LIKE 'ledger write failed%'")
    db.execute("CALL logintel.maintain('45 s')")
    near = {row["template"]: row["level"] for row in db.value(
        "SELECT nearest_templates FROM logintel.ml_suspects WHERE template = %s", (HIDDEN,))}
    assert near["could not charge card: connection refused"] == "INFO"
    assert not any("ledger write" in template for template in near)


def test_thousands_of_suspects_with_the_same_words_are_shown_in_time(mislabelled_db: Database) -> None:
    words = " ".join(f"word{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(200))
    mislabelled_db.execute(
        "INSERT INTO log_entries (message, service, level) SELECT 'fatal error failed to ' || translate(n::text, '0123456789', 'abcdefghij') "
        "|| ' crash ' || CASE WHEN n %% 3 = 0 THEN %s ELSE '' END, 'svc' || n %% 7, 'INFO' FROM generate_series(1, 900) n", (words,))
    mislabelled_db.execute("SET statement_timeout = '60s'")
    assert len(suspects(mislabelled_db)) > 900
    [(shown,)] = mislabelled_db.execute("SELECT count(telling_words) FROM logintel.ml_suspects")
    assert 0 < shown <= 60


def test_what_the_words_alone_say_no_neighbour_excuses(mislabelled_db: Database) -> None:
    mislabelled_db.execute("CALL logintel.maintain('45 s')")
    mislabelled_db.execute("SELECT logintel._remember_neighbours(%s, '{-9}')", ([HIDDEN],))
    assert suspects(mislabelled_db) == [(HIDDEN, "hidden problem")]
