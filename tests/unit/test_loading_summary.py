"""The end of a load says what its lines lack."""

import psycopg
import pytest

from logintel.loading.summary import Summary
from support.reading import field_map, records_of


class Server:
    """Knows some spellings, or may not be asked."""

    def __init__(self, *known: str, refuses: bool = False):
        self.known, self.refuses = known, refuses

    def execute(self, _: str, parameters: tuple[list[str]]) -> "Server":
        if self.refuses:
            raise psycopg.errors.InsufficientPrivilege
        self.asked = parameters[0]
        return self

    def fetchall(self) -> list[tuple[str]]:
        return [(name,) for name in self.asked if name.lower() not in self.known]


def notes(
    data: str, *known: str, refuses: bool = False, constants: dict[str, str] | None = None, **options
) -> list[str]:
    fields = field_map()
    summary = Summary(fields.maker)
    for _ in summary.watched(iter(records_of(data, fields=fields, **options))):
        pass
    return list(summary.notes(Server(*known, refuses=refuses)))


def test_nothing_is_said_of_lines_that_lack_nothing():
    assert notes("2026-11-01 10:00:00 INFO x\n", "info") == []


def test_lines_without_a_level_or_a_time_are_counted():
    assert notes('{"msg": "x", "level": "info"}\n{"msg": "y", "time": 1793527201}\n{"broken\n', "info") == [
        "no level in 1 of 2 lines",
        "no time of their own in 1 of 2 lines, which have the time of the load",
    ]
    assert notes("x\n" * 1200, pattern="plain")[0] == "no level in 1,200 of 1,200 lines"


def test_unknown_spellings_are_named_with_their_counts_the_commonest_first():
    lines = [f'{{"time": 1793527201, "msg": "x", "level": "{level}"}}\n' for level in "abcdefg"]
    assert notes("".join(lines) + lines[2] * 9, "a") == [
        "unknown levels: 'c' (10), 'b' (1), 'd' (1), 'e' (1), 'f' (1) and 1 more; add rows for them to logintel.level_names"
    ]


def test_a_server_that_may_not_be_asked_is_no_mistake():
    assert notes("2026-11-01 10:00:00 INFO x\n", refuses=True) == []


def test_numbers_whose_scale_is_guessed_are_named():
    data = '{"time": 1793527201, "msg": "x", "level": 30}\n' * 2
    assert notes(data, "30") == [
        "levels that are numbers: '30' (2); read as pino's (10 to 60) or syslog's (0 to 7); "
        "--level-scale says that they are others"
    ]


@pytest.mark.parametrize("size", [10, 5000])
def test_what_is_counted_is_bounded(size: int):
    data = "".join(f'{{"time": 1793527201, "msg": "x", "level": {number}}}\n' for number in range(size))
    [unknown, numbers] = notes(data)
    assert len(unknown) < 300 and len(numbers) < 300
