"""Sessions side by side, without a server: what they sum up to, how fast they may go, and how they end."""

import threading
import time

import pytest

from logintel.backfill import Throttle, backfill, batch_within, run_jobs
from logintel.errors import UserError


class Session:
    """Stands in for a connection whose running statement can be cancelled."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def cancel_safe(self, timeout: float) -> None:
        self.cancelled.set()


def test_all_sessions_work_until_nothing_is_left():
    left, lock, seen = [1050], threading.Lock(), []

    def take(session: Session) -> int:
        with lock:
            count = min(100, left[0])
            left[0] -= count
            return count

    assert run_jobs([Session() for _ in range(3)], take, limit=100, done=seen.append) == 1050
    assert sum(seen) == 1050


def test_the_first_error_cancels_the_others_and_is_raised():
    failing, waiting = Session(), Session()

    def take(session: Session) -> int:
        if session is failing:
            raise UserError("broken")
        assert session.cancelled.wait(10)
        raise TimeoutError("cancelled")

    with pytest.raises(UserError, match="broken"):
        run_jobs([waiting, failing], take, limit=100)


def test_a_rate_spreads_the_batches_over_time():
    begun: list[float] = []

    def take(session: Session) -> int:
        begun.append(time.monotonic())
        return 10 if len(begun) < 5 else 0

    run_jobs([Session()], take, limit=10, rate=100)
    assert begun[-1] - begun[0] >= 0.39


def test_since_does_not_go_with_rescore():
    with pytest.raises(UserError, match="--since does not go with --rescore"):
        backfill(since="2026-03-15", rescore=True)


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
