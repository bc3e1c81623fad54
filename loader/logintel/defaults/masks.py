"""The template of a message, as the SQL function logintel.mask() makes it: sql/01_shapes/20_mask.sql says why so."""

import re
import string

SHAPE_VERSION = 2
"""The version of the SQL function logintel._shape() that mask() agrees with."""

_BEFORE = "[A-Za-z_.@#%+*$!~^-]"  # what a run is made of before its first digit, and from there on
_BEHIND = "[A-Za-z0-9_.@#%+*$!~^:-]"
# Only where a run begins is there anything to look for: the time stays linear.
_RUN = re.compile(rf"(?<!{_BEFORE}){_BEFORE}*+[0-9](?:[,/]{_BEFORE}*+[0-9]|{_BEHIND})*")
_RUN_BUT_CLASSES = re.compile(rf"(?<!\x02){_RUN.pattern}")
_RUN_CHARACTERS = string.ascii_letters + string.digits + "_.@#%+*$!~^:-"
_COLOURS = re.compile(r"\x1b\[[0-9;:]*[A-Za-z]|\x1b")
_SEPARATORS = " \"'=:(\\>"
_BETWEEN = {"xit": _SEPARATORS + "_-edwithcosaulvCS", "rrno": _SEPARATORS, "gnal": _SEPARATORS,
            "tatus": _SEPARATORS + "_-codeC", "T /": _SEPARATORS + "-", "HTTP": _SEPARATORS + "_-erostaucd"}
"""The words that codes stand behind, and what may stand between."""
_TELLING = ("xit", "tatus", "T /", "rrno", "gnal", "\x1b")
"""A message without any of these has no code and no colour."""
_STATUS_WORDS = ("tatus", "T /", "HTTP")
_STATUS = re.compile(r"<([1-5])xx>|([1-5])[0-9]{2}(?![A-Za-z0-9_%/-])")
_NUMBER = re.compile(r"<0>|([0-9][0-9a-fA-Fx]*)(?![A-Za-z0-9_%/-])")
_FATAL_SIGNALS = ("3", "4", "5", "6", "7", "8", "9", "11", "24", "25", "31")


def mask(message: str) -> str:
    """Return the template of a message."""
    text = message[:4096]
    if not any(word in text for word in _TELLING):
        return _RUN.sub("<*>", text)
    text = _COLOURS.sub("", text.replace("\x02", ""))
    for word, between in _BETWEEN.items():
        text = _mark_codes(text, word, between)
    return _RUN_BUT_CLASSES.sub("<*>", text).replace("\x02", "")


def _mark_codes(text: str, word: str, between: str) -> str:
    """Put classes, behind \x02, in the place of the codes that follow a word."""
    parts = text.split(word)
    for i in range(1, len(parts)):
        glued = parts[i - 1][len(parts[i - 1].rstrip(_RUN_CHARACTERS)) :]
        start = parts[i].find(" ") if word == "T /" or (word == "HTTP" and parts[i].startswith("/")) else 0
        if start < 0 or any("0" <= letter <= "9" for letter in glued) or (word == "T /" and glued not in ("GE", "POS", "PU")):
            continue
        behind = parts[i][start:].lstrip(between)
        found = (_STATUS if word in _STATUS_WORDS else _NUMBER).match(behind)
        if found and (kept := _class(word, found[0])):
            parts[i] = parts[i][: len(parts[i]) - len(behind)] + kept.replace("<", "<\x02") + behind[found.end() :]
    return word.join(parts)


def _class(word: str, code: str) -> str | None:
    """Return the class of a code, or of what is one already; None where it has none."""
    if code.startswith("<"):
        return code
    if word in _STATUS_WORDS:
        return f"<{code[0]}xx>"
    if word == "gnal":
        return "<fatal>" if code in _FATAL_SIGNALS else None
    return "<nonzero>" if code.strip("0xX") else "<0>"
