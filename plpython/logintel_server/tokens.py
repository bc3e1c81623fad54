"""Features of a shape: the strings that models read, made by this one module in the trainer and in the server.

A feature (all but `template`) is a string of tokens separated by single spaces, with no other whitespace, control
character, NUL or lone surrogate in it: ONNX's tokenizer with the expression `[^ ]+` finds the tokens that Python's
split() finds. No token is made of `#` alone, which is what skl2onnx pads short rows with.

Which characters are letters, spaces or punctuation is listed here, not asked of the running Python: trainer and server
may run versions with different Unicode tables.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import md5

from logintel_server.lower_case import lower_case

VERSION = 2
"""Goes up whenever the features of a shape change: models trained with another version have to be trained again."""

SHAPE_FIELDS = ("template", "service", "source_type", "level", "status_class", "latency_bucket")
"""The fields of the SQL type logintel.shape: all that a model may see of a line."""

MASK = "<*>"
MAX_TOKENS = 256
MAX_VALUE_CHARACTERS = 128

# A mask, or what masking leaves of a code.
_CLASS = r"<(?:\*|0|nonzero|fatal|[1-5]xx)>"
# Acronym (the HTTP of HTTPServer), word, class. Linear in the length of the text.
_ASCII_TOKEN = re.compile(rf"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|{_CLASS}")

# Letters with case beyond ASCII.
_CASED = "\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u058f\u1e00-\u1fff"
# Scripts written without spaces, and pictographs: each character is a token, so pairs of them are 2-grams.
_SINGLE = "\u2600-\u27bf\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U0001f300-\U0001faff\U00020000-\U0003ffff"
# ASCII, spaces, controls, punctuation, arrows and box drawing, surrogates, private use, presentation forms, specials.
_BREAK = (
    "\x00-\x7f\u0080-\u00b4\u00b6-\u00bf\u00d7\u00f7\u1680\u180e\u2000-\u206f\u2190-\u25ff\u27c0-\u2bff\u3000-\u303f"
    "\ud800-\uf8ff\ufe00-\ufe1f\ufe30-\ufe6f\ufeff-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffff"
    "\U000e0000-\U0010ffff"
)
_CHUNK = re.compile(rf"[A-Za-z{_CASED}]+|[{_SINGLE}]|[^{_BREAK}{_CASED}{_SINGLE}]+|{_CLASS}")

_UNFIT = re.compile("[\x00-\x20\x7f-\xa0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ud800-\udfff\ufeff]+")
_DIGITS = re.compile("[0-9]+")
_CONTEXT_FIELDS = (("source", "source_type"), ("status", "status_class"), ("latency", "latency_bucket"))


def features(shape: Mapping[str, str | None], level: str | None) -> dict[str, str]:
    """Return the features of one shape, by name.

    `shape` maps the fields of logintel.shape to their values (missing or None: unknown); `level` is its level after
    normalisation ('' or None: unknown).
    """
    return {name: make(shape, level) for name, make in MAKERS.items()}


def words(template: str) -> str:
    """Return the words of a template: lower case, identifiers taken apart, masks and classes of codes kept."""
    return " ".join(tokenize(template))


def context(shape: Mapping[str, str | None]) -> str:
    """Return tokens for all that a line says of itself beside its message, but never for its level."""
    tokens = list(_service_tokens((shape.get("service") or "")[:MAX_VALUE_CHARACTERS]))
    for name, field in _CONTEXT_FIELDS:
        value = shape.get(field)
        if value:
            tokens.append(f"{name}={_one_token(value[:MAX_VALUE_CHARACTERS])}")
    return " ".join(tokens)


def tokenize(text: str) -> list[str]:
    """Split `text` into words, at most MAX_TOKENS of them."""
    if "n't" in text:
        text = text.replace("n't", " not")
    if text.isascii():
        return [token.lower() for token in _ASCII_TOKEN.findall(text)[:MAX_TOKENS]]
    tokens: list[str] = []
    for chunk in _CHUNK.findall(text):
        if chunk.isascii():
            tokens += map(str.lower, _ASCII_TOKEN.findall(chunk))
        else:
            tokens.append(lower_case(chunk))
    return tokens[:MAX_TOKENS]


def novelty(words: str, vocabulary: frozenset[str]) -> float:
    """Return the share, 0 to 1, of the distinct words that are not in `vocabulary`; masks do not count."""
    distinct = set(words.split())
    distinct.discard(MASK)
    return len(distinct - vocabulary) / len(distinct) if distinct else 0.0


def digest(template: str) -> str:
    """Return what a baseline keeps of a template."""
    return md5(template.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()[:16]


def without_instance(service: str) -> str:
    """Return a service's name; numbers in it count its instances: another instance is no other service."""
    return _DIGITS.sub("#", service)


@lru_cache(maxsize=1024)
def _service_tokens(service: str) -> tuple[str, ...]:
    named = [f"service={without_instance(_one_token(service))}"] if service else []
    return *named, *(f"svc:{word}" for word in tokenize(service))


def _one_token(value: str) -> str:
    return _UNFIT.sub("_", value)


def _encodable(text: str) -> str:
    # onnxruntime takes UTF-8, which has no lone surrogates, and ends a string at NUL.
    return text if text.isascii() and "\0" not in text else text.replace("\0", " ").encode("utf-8", "replace").decode()


MAKERS: dict[str, Callable[[Mapping[str, str | None], str | None], str]] = {
    "words": lambda shape, level: words(shape.get("template") or ""),
    "context": lambda shape, level: context(shape),
    "level": lambda shape, level: _one_token(level or ""),
    "template": lambda shape, level: _encodable(shape.get("template") or ""),
}
"""How each feature is made of a shape and its level, by name; see features()."""

FEATURES = tuple(MAKERS)
"""What a model's inputs may be called."""
