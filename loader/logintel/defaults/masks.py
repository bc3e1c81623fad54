"""The template of a message, as the SQL function logintel.mask() makes it: sql/01_shapes says why so."""

import re
from collections.abc import Iterator

SHAPE_VERSION = 2
"""The version of the SQL function logintel._shape() that mask() agrees with."""

_BEFORE = "[A-Za-z_.@#%+*$!~^-]"  # what a run is made of before its first digit, and from there on
_BEHIND = "[A-Za-z0-9_.@#%+*$!~^:-]"
# Only where a run begins is there anything to look for: the time stays linear.
_RUN = re.compile(rf"(?<!{_BEFORE}){_BEFORE}*+[0-9](?:[,/]{_BEFORE}*+[0-9]|{_BEHIND})*")
_COLOURS = re.compile(r"\x1b\[[0-9;:]*[A-Za-z]|\x1b")

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FILLERS = " \"'=:(\\>-"
_EXIT_FILLERS = {"xit": _FILLERS + "_edwithxcosaulvCS", "rrno": _FILLERS, "gnal": _FILLERS}
_EXIT_CODE = re.compile(r"<0>|[0-9][0-9a-fA-Fx]*(?![A-Za-z0-9_%/-])")
_FATAL_SIGNALS = ("3", "4", "5", "6", "7", "8", "9", "11", "24", "25", "31")
_STATUS_FILLERS = _FILLERS + "_codeC"
_STATUS_CODE = re.compile(r"<[1-5]xx>|[1-5][0-9]{2}(?![A-Za-z0-9_%/-])")


def mask(message: str) -> str:
    """Return the template of a message."""
    plain = _COLOURS.sub("", message[:4096])
    template = _RUN.sub("<*>", plain)
    for before, code, label in _exit_codes(plain):
        template = _with_class(template, before, code, label)
    return _with_status(template, plain) if "tatus" in plain else _with_answer(template, plain)


def _with_class(template: str, before: str, code: str, label: str, places: int = 1) -> str:
    return template.replace(before + ("<<*>>" if code.startswith("<") else "<*>"), before + label, places)


def _exit_codes(message: str) -> Iterator[tuple[str, str, str]]:
    """Yield what stands before an exit code, an errno or a signal, the code, and its class."""
    for word, fillers in _EXIT_FILLERS.items():
        for behind in message.split(word)[1:]:
            code = behind.lstrip(fillers)
            found = _EXIT_CODE.match(code[:100])
            label = _exit_class(word, found[0]) if found else None
            if label:
                yield word + behind[: len(behind) - len(code)].rstrip(_LETTERS + "_.@#%+*$!~^-"), code, label


def _exit_class(word: str, code: str) -> str | None:
    if word == "gnal" and code != "<0>":
        return "<fatal>" if code in _FATAL_SIGNALS else None
    return "<nonzero>" if code.lstrip("0x") and code != "<0>" else "<0>"


def _with_status(template: str, message: str) -> str:
    """Return the template with a class for the HTTP status code behind the first "status"."""
    at = message.find("tatus") + 5
    behind = message[at : at + 27]
    code = behind.lstrip(_STATUS_FILLERS)
    label = _status_class(code)
    return _with_class(template, "tatus" + behind[: len(behind) - len(code)], code, label, -1) if label else template


def _with_answer(template: str, message: str) -> str:
    """Return the template with a class for the HTTP status code of a request, behind its path and protocol."""
    request = message.find("T /")
    if request < 2 or message[request - 2 : request + 1] not in ("GET", "OST", "PUT") or "T /" not in template:
        return template
    fields = message[request:].split(" ")
    count = 3 if len(fields) > 2 and fields[2].startswith("HTTP/") else 2
    code = fields[count] if len(fields) > count else ""
    label = _status_class(code)
    before = " ".join(template[template.find("T /") :].split(" ")[:count]) + " "
    return _with_class(template, before, code, label) if label else template


def _status_class(code: str) -> str | None:
    found = _STATUS_CODE.match(code)
    return found and (found[0] if code.startswith("<") else f"<{code[0]}xx>")
