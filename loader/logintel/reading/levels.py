"""Levels as sources write them: numbers by their scale, words of other languages."""

import re
from enum import StrEnum


class Scale(StrEnum):
    """What a number means as a level."""

    SYSLOG = "syslog"
    PINO = "pino"
    PYTHON = "python"
    DOTNET = "dotnet"
    OTEL = "otel"
    LOG4J = "log4j"
    MONOLOG = "monolog"
    WINDOWS = "windows"
    RUBY = "ruby"
    LOGRUS = "logrus"
    ZAP = "zap"
    SLOG = "slog"


class SureLevel(str):
    """A level that needs no guess: a word, or a number whose source tells its scale."""

    __slots__ = ()


# For each scale (the least number of a level, its name), from the highest number down.
_NAMES = {
    Scale.SYSLOG: ((7, "debug"), (6, "info"), (5, "notice"), (4, "warning"), (3, "err"), (2, "crit"), (1, "alert"),
                   (0, "emerg")),
    Scale.PINO: ((60, "fatal"), (50, "error"), (40, "warn"), (30, "info"), (20, "debug"), (0, "trace")),
    Scale.PYTHON: ((50, "critical"), (40, "error"), (30, "warning"), (20, "info"), (0, "debug")),
    Scale.DOTNET: ((5, "critical"), (4, "error"), (3, "warning"), (2, "information"), (1, "debug"), (0, "trace")),
    Scale.OTEL: ((21, "fatal"), (17, "error"), (13, "warn"), (9, "info"), (5, "debug"), (1, "trace")),
    # Version 2 counts downwards to 100; version 1 and Logback count upwards in thousands.
    Scale.LOG4J: ((50000, "fatal"), (40000, "error"), (30000, "warn"), (20000, "info"), (10000, "debug"),
                  (1000, "trace"), (600, "trace"), (500, "debug"), (400, "info"), (300, "warn"), (200, "error"),
                  (0, "fatal")),
    Scale.MONOLOG: ((550, "fatal"), (400, "error"), (300, "warn"), (200, "info"), (0, "debug")),
    Scale.WINDOWS: ((5, "verbose"), (4, "information"), (3, "warning"), (2, "error"), (1, "critical"),
                    (0, "information")),
    Scale.RUBY: ((4, "fatal"), (3, "error"), (2, "warn"), (1, "info"), (0, "debug")),
    Scale.LOGRUS: ((6, "trace"), (5, "debug"), (4, "info"), (3, "warn"), (2, "error"), (0, "fatal")),
    Scale.ZAP: ((3, "fatal"), (2, "error"), (1, "warn"), (0, "info"), (-1, "debug")),
    Scale.SLOG: ((12, "fatal"), (8, "error"), (4, "warn"), (0, "info"), (-8, "debug")),
}  # fmt: skip
_HIGHEST = {Scale.SYSLOG: 7, Scale.OTEL: 24, Scale.DOTNET: 5, Scale.WINDOWS: 255, Scale.RUBY: 4, Scale.LOGRUS: 6,
            Scale.ZAP: 5}  # fmt: skip
NUMBER = re.compile(r"-?\d{1,6}(?:\.0*)?", re.ASCII)

# Short words and words of other languages, with the one that is usual: what is loaded is read by people, too.
_OTHER_WORDS = {
    # .NET's console, Serilog, MySQL
    "trce": "trace", "dbug": "debug", "fail": "error", "vrb": "verbose", "note": "notice",
    "system": "notice",
    # java.util.logging in German, French, Spanish, Italian, Portuguese, Swedish, Japanese, Chinese, Korean
    "schwerwiegend": "SEVERE", "warnung": "WARNING", "information": "INFO", "konfiguration": "CONFIG", "fein": "FINE",
    "feiner": "FINER", "am feinsten": "FINEST", "grave": "SEVERE", "attention": "WARNING", "avertissement": "WARNING",
    "infos": "INFO", "advertencia": "WARNING", "información": "INFO", "avvertenza": "WARNING", "avviso": "WARNING",
    "informazioni": "INFO", "advertência": "WARNING", "aviso": "WARNING", "informações": "INFO",
    "allvarlig": "SEVERE", "allvarligt": "SEVERE", "varning": "WARNING", "致命的": "SEVERE", "警告": "WARNING",
    "情報": "INFO", "構成": "CONFIG", "普通": "FINE", "詳細": "FINER", "最も詳細": "FINEST", "严重": "SEVERE",
    "信息": "INFO", "配置": "CONFIG", "详细": "FINE", "较详细": "FINER", "非常详细": "FINEST", "嚴重": "SEVERE",
    "資訊": "INFO", "심각": "SEVERE", "경고": "WARNING", "정보": "INFO", "구성": "CONFIG", "미세": "FINE",
}  # fmt: skip


def name_of(number: object, scale: Scale) -> str | None:
    """Return the name of a level's number; None for what is no number of that scale."""
    text = str(number).strip()
    if not NUMBER.fullmatch(text):
        return None
    value = float(text)
    if value > _HIGHEST.get(scale, value):
        return None
    return next((name for least, name in _NAMES[scale] if value >= least), None)


def english_level(word: str | None) -> str | None:
    """Return the word by which the server knows what loggers write in another language, or shorter; else the word."""
    return word and _OTHER_WORDS.get(word.strip().lower(), word)
