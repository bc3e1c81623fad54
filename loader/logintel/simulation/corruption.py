"""The data-quality problems that sources have: levels that play down, anomalies without their flag."""

from random import Random

# What a level is written as instead, and what the problem is called.
PLAYED_DOWN = {
    "WARN": ("DEBUG", "warn_as_debug"),
    "ERROR": ("INFO", "error_as_info"),
    "FATAL": ("DEBUG", "fatal_as_debug"),
}
FLAG_MISSING = "anomaly_flag_missing"
PROBLEMS = (*(problem for _, problem in PLAYED_DOWN.values()), FLAG_MISSING)


def corrupted(level: str, anomaly_type: str | None, rate: float, rng: Random) -> tuple[str, str | None, str | None]:
    """Return (level, anomaly type, problem) as the source writes them.

    Each problem strikes the lines that can have it at `rate`, at most 0.5: a line has one problem at most. A line whose
    flag is missing looks like a normal one: it says that it is no anomaly.
    """
    chance = rng.random()
    if chance < rate and level in PLAYED_DOWN:
        lower, problem = PLAYED_DOWN[level]
        return lower, anomaly_type, problem
    if rate <= chance < 2 * rate and anomaly_type:
        return level, None, FLAG_MISSING
    return level, anomaly_type, None
