"""Sessions side by side, without a server: what they sum up to, and how they end."""

import threading
import time

import pytest

from logintel.errors import UserError
from logintel.working.backfill import backfill, run_jobs


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
