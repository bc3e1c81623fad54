"""Default models are trained on templates as the loader masks them, and used on those that the server masks."""

import random
from collections.abc import Iterator

from logintel.defaults import corpora, masks
from support.servers import Database


def corpus_messages() -> Iterator[str]:
    for file in sorted(corpora.FOLDER.glob("*.txt")):
        for row in file.read_text("utf-8").splitlines():
            if not row.startswith("#") and " | " in row:
                yield row.split(" | ", 1)[1].replace("\\n", "\n").replace("\\t", "\t")


def generated_messages(count: int) -> Iterator[str]:
    """Digits of all kinds, spaces of all kinds, and characters from anywhere, some of them longer than what counts."""
    chance = random.Random(0)
    pieces = [*"0123456789", *" \t\n\r\f\v", *"\u00a0\u2003\u3000\u0085\u2028\u200b\ufeff", *"²½Ⅷ٣７۴\U0001d7d8", *"aZ._-<*>[]\\"]
    for _ in range(count):
        length = chance.choice((0, 1, 5, 40, 40, 40, chance.randrange(4080, 4110)))
        anywhere = [chr(p) for p in (chance.randrange(1, 0x110000) for _ in range(20)) if not 0xD800 <= p < 0xE000]
        yield "".join(chance.choices([*pieces, *anywhere], k=length))


def messages_with_codes(count: int) -> Iterator[str]:
    """What codes, colours and runs are made of, in any order."""
    chance = random.Random(1)
    pieces = ["exit", "Exited", " with", " code", "_status", "errno", "rc", "return code", "sig", "signal", "STATUS", "http", "HTTP/1.1",
              "response-code", "GET", "POST /", "/v2/", *"=:\"'( ,/.-<>#%\\", "0", "0x0", "-1", "00", "137", "500", "5xx", "<5xx>", "<0>",
              "<nonzero>", "11", "9", "x", "xx", "7", ",7", "1/Nov/2026", "\x1b[31m", "\x1b", "#033[0m", "\\u001b[1m", "第", "次", "é", "ms", "A"]
    for _ in range(count):
        yield "".join(chance.choices(pieces, k=chance.randrange(1, 12)))


def test_the_corpora_are_masked_as_the_server_masks_lines(fresh_db: Database) -> None:
    messages = list(dict.fromkeys([*corpus_messages(), *generated_messages(5000), *messages_with_codes(20_000), "", "x" * 4095 + "1", "é" * 4095 + "12"]))
    assert len(messages) > 30_000
    masked = fresh_db.value(
        "SELECT array_agg(logintel.mask(m) ORDER BY n) FROM unnest(%s::text[]) WITH ORDINALITY AS u (m, n)", (messages,)
    )
    different = [(m, masks.mask(m), said) for m, said in zip(messages, masked, strict=True) if masks.mask(m) != said]
    assert different == []
    assert fresh_db.value("SELECT logintel._shape_version()") == masks.SHAPE_VERSION


def test_the_planner_takes_the_mask_into_the_write_path(fresh_db: Database) -> None:
    """A call of it for each line would cost more than all that it does."""
    plan = fresh_db.execute("EXPLAIN (VERBOSE) SELECT logintel._shape_hash(message, service, source_type, level, http_status, "
                            "response_time_ms, 7) FROM log_entries")
    assert "logintel.mask" not in str(plan) and "_code_classes" not in str(plan) and "_shape_hash" not in str(plan)


def test_anybody_may_mask(fresh_db: Database) -> None:
    role = fresh_db.connect(user=fresh_db.create_role("anybody"))
    fresh_db.execute(f"SELECT logintel.grant_read('{fresh_db.name}_anybody')")
    for message in ("GET /a 500", "status 500", "exit 1", "\x1b[1mx"):
        assert role.execute("SELECT logintel.mask(%s)", (message,)).fetchone() == (masks.mask(message),)
