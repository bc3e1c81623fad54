"""Default models are trained on templates as the loader masks them, and used on those that the server masks."""

import random
from collections.abc import Iterator

from logintel.defaults import corpora
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


def test_the_corpora_are_masked_as_the_server_masks_lines(fresh_db: Database) -> None:
    messages = list(dict.fromkeys([*corpus_messages(), *generated_messages(5000), "", "x" * 4095 + "1", "é" * 4095 + "12"]))
    assert len(messages) > 15_000
    masked = fresh_db.value(
        "SELECT array_agg(logintel.mask(m) ORDER BY n) FROM unnest(%s::text[]) WITH ORDINALITY AS u (m, n)", (messages,)
    )
    different = [(m, corpora.mask(m), said) for m, said in zip(messages, masked, strict=True) if corpora.mask(m) != said]
    assert different == []
    assert fresh_db.value("SELECT logintel._shape_version()") == corpora.SHAPE_VERSION
