"""Back-off, the limit of lines a second, and how many workers a backlog wants."""

import threading

import pytest

from logintel.working.pacing import (
    BATCHES_A_WORKER,
    SECONDS_BEFORE_SHRINKING,
    Backoff,
    Sizing,
    Throttle,
    batch_within,
    workers_for,
)


def test_backoff_doubles_up_to_the_longest_and_begins_anew():
    backoff = Backoff(first=0.5, longest=30)
    assert [backoff.next() for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    backoff.reset()
    assert backoff.next() == 0.5


def test_a_throttle_lets_batches_begin_at_the_rate():
    throttle = Throttle(100)
    assert throttle.reserve(50, now=10.0) == 0
    assert throttle.reserve(50, now=10.0) == pytest.approx(0.5)
    assert throttle.reserve(50, now=10.4) == pytest.approx(0.6)


def test_a_throttle_does_not_save_up_what_was_not_used():
    throttle = Throttle(100)
    throttle.reserve(100, now=0.0)
    assert throttle.reserve(100, now=60.0) == 0
    assert throttle.reserve(100, now=60.0) == pytest.approx(1)


def test_threads_share_a_throttle():
    throttle, waits = Throttle(1000), []

    def reserve() -> None:
        for _ in range(100):
            waits.append(throttle.reserve(10, now=0.0))

    threads = [threading.Thread(target=reserve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == pytest.approx([n * 0.01 for n in range(400)])


@pytest.mark.parametrize(
    ("rate", "jobs", "batch", "expected"),
    [(None, 4, 10_000, 10_000), (1000, 1, 10_000, 1000), (1000, 4, 10_000, 250), (1000, 4, 100, 100), (2, 4, 100, 1)],
)
def test_with_a_rate_all_jobs_together_take_a_second_s_worth_at_once(rate, jobs, batch, expected):
    assert batch_within(rate, jobs, batch) == expected


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
