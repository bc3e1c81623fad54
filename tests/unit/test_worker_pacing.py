"""Back-off, and how many workers a backlog wants."""

import pytest

from logintel.worker.pacing import (
    BATCHES_A_WORKER,
    SECONDS_BEFORE_SHRINKING,
    Backoff,
    Sizing,
    workers_for,
)


def test_backoff_doubles_up_to_the_longest_and_begins_anew():
    backoff = Backoff(first=0.5, longest=30)
    assert [backoff.next() for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    backoff.reset()
    assert backoff.next() == 0.5


@pytest.mark.parametrize(
    ("backlog", "most", "expected"),
    [(0, 4, 1), (1, 4, 1), (10_000, 4, 1), (10_001, 4, 2), (40_000, 4, 4), (10**9, 4, 4), (10**9, 1, 1)],
)
def test_workers_for_a_backlog(backlog: int, most: int, expected: int):
    assert BATCHES_A_WORKER == 10
    assert workers_for(backlog, batch=1000, most=most) == expected


def test_the_number_of_workers_grows_at_once_and_shrinks_after_a_while():
    sizing = Sizing(batch=100, most=4)
    assert sizing.workers == 0
    sizing.update(3500, now=0)
    assert sizing.workers == 4
    sizing.update(900, now=1)
    sizing.update(900, now=SECONDS_BEFORE_SHRINKING)
    assert sizing.workers == 4
    sizing.update(1500, now=1 + SECONDS_BEFORE_SHRINKING)
    assert sizing.workers == 2


def test_a_backlog_that_comes_back_keeps_the_workers():
    sizing = Sizing(batch=100, most=4)
    sizing.update(4000, now=0)
    sizing.update(0, now=5)
    sizing.update(4000, now=9)
    sizing.update(0, now=14)
    sizing.update(0, now=14 + SECONDS_BEFORE_SHRINKING - 0.1)
    assert sizing.workers == 4


def test_there_is_a_worker_where_the_backlog_cannot_be_seen():
    sizing = Sizing(batch=100, most=4)
    sizing.update_blindly()
    assert sizing.workers == 1
    sizing.update(4000, now=0)
    sizing.update_blindly()
    assert sizing.workers == 4


def test_counting_ends_where_more_lines_make_no_difference():
    sizing = Sizing(batch=100, most=4)
    sizing.update(sizing.countable, now=0)
    assert sizing.workers == 4
