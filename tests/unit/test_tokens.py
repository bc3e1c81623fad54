import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logintel_server import scoring, tokens

ANY_TEXT = st.text(st.characters(), max_size=300)
SHAPES = st.fixed_dictionaries(dict.fromkeys(tokens.SHAPE_FIELDS, ANY_TEXT))
UNFIT = re.compile(r"[^\S ]|[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@given(SHAPES, st.none() | ANY_TEXT)
@example(dict.fromkeys(tokens.SHAPE_FIELDS, "\u00a0\u2003\u3000\ufeff\u200b\x00\x1c\x85\ud800\u2028"), "\u00a0")
@example(dict.fromkeys(tokens.SHAPE_FIELDS, ""), None)
@example(dict.fromkeys(tokens.SHAPE_FIELDS, "# ## #"), "#")
def test_every_feature_splits_on_single_spaces_and_nothing_else(shape: dict[str, str], level: str | None) -> None:
    made = tokens.features(shape, level)
    assert set(made) == set(tokens.FEATURES)
    for name in ("words", "context"):
        found = re.findall("[^ ]+", made[name])
        assert found == made[name].split() == made[name].split(" ")[: len(found)]
        assert " ".join(found) == made[name]
        assert not UNFIT.search(made[name])
        assert not any(token.strip("#") == "" for token in found)
    assert len(made["words"].split()) <= tokens.MAX_TOKENS
    assert " " not in made["level"] and not UNFIT.search(made["level"])


@given(SHAPES, st.none() | ANY_TEXT)
def test_onnxruntime_can_take_every_feature(shape: dict[str, str], level: str | None) -> None:
    for value in tokens.features(shape, level).values():
        assert "\0" not in value
        value.encode()


@given(SHAPES, st.none() | ANY_TEXT, ANY_TEXT)
def test_the_declared_level_is_in_no_feature_but_level(shape: dict[str, str], level: str | None, declared: str) -> None:
    made, other = tokens.features(shape, level), tokens.features({**shape, "level": declared}, "ERROR")
    for name in ("words", "context", "template"):
        assert made[name] == other[name]


@given(ANY_TEXT)
def test_splitting_words_again_changes_nothing(text: str) -> None:
    once = tokens.words(text)
    # Marks that lower-casing sets free may join their neighbours; everything else stays as it is.
    assert tokens.words(once) == once or not text.isascii()


@pytest.mark.parametrize(("template", "expected"), [
    ("Failed to open <*> after <*> ms", "failed to open <*> after <*> ms"),
    ("HTTPServer.handleRequest: NullPointerException", "http server handle request null pointer exception"),
    ("user_login-failed/auth.denied", "user login failed auth denied"),
    ("can't connect, wasn't ready", "ca not connect was not ready"),
    ("Ошибка ПОДКЛЮЧЕНИЯ к базе", "ошибка подключения к базе"),
    ("连接失败 timeout", "连 接 失 败 timeout"),
    ("❌ Größe überschritten", "❌ größe überschritten"),
    ("“quoted”…\u00a0IOError", "quoted io error"),
    ("خطأ في الاتصال", "خطأ في الاتصال"),
    ("", ""),
    ("<*>", "<*>"),
    ("\ud800 \0 lone", "lone"),
])
def test_words_of_a_template(template: str, expected: str) -> None:
    assert tokens.words(template) == expected


def test_the_context_tells_the_service_its_words_and_the_other_fields() -> None:
    shape = {"template": "x", "service": "payment Gateway-17", "source_type": "nginx", "level": "ERROR",
             "status_class": "5xx", "latency_bucket": "<1s"}
    assert tokens.context(shape) == (
        "service=payment_Gateway-# svc:payment svc:gateway source=nginx status=5xx latency=<1s")


def test_instances_of_a_service_are_one_service() -> None:
    assert tokens.context({"service": "node-1"}) == tokens.context({"service": "node-27"})


def test_unknown_fields_may_be_missing_or_none() -> None:
    assert tokens.features({}, None) == tokens.features(dict.fromkeys(tokens.SHAPE_FIELDS), "")
    assert tokens.features({}, None) == {"words": "", "context": "", "level": "", "template": ""}


def test_novelty_is_the_share_of_words_never_seen() -> None:
    vocabulary = frozenset({"connection", "failed"})
    assert tokens.novelty("connection failed <*>", vocabulary) == 0
    assert tokens.novelty("connection exploded exploded <*>", vocabulary) == 0.5
    assert tokens.novelty("<*>", vocabulary) == tokens.novelty("", vocabulary) == 0


@pytest.mark.timeout(60)  # what takes seconds here takes hours where the time grows with the square of the length
@pytest.mark.parametrize("text", ["aB", "A", "é", "aBé", "_", "é€", "<*>", "n't", "#", " "])
def test_no_template_takes_long(text: str) -> None:
    template = "x" + text * (2_000_000 // len(text))
    assert tokens.features({"template": template, "service": template, "source_type": template}, template)["words"]


def test_a_share_that_is_a_tie_is_rounded_up_as_sql_does() -> None:
    assert scoring._four_places(29 / 32) == 0.9063
    assert scoring._four_places(1 / 3) == 0.3333
