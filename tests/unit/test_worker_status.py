"""What the supervisor says on standard error, and how seldom."""

from logintel.worker.status import Status


def test_the_same_complaint_comes_once_a_minute():
    said: list[str] = []
    status = Status(0, said.append)
    for now in range(0, 130, 10):
        status.complain("no model is deployed", now)
    status.complain("another", 130)
    assert said == ["no model is deployed"] * 3 + ["another"]


def test_different_words_for_one_reason_are_one_complaint():
    said: list[str] = []
    status = Status(0, said.append)
    status.complain("connection refused", 1, "no connection")
    status.complain("the server is starting", 2, "no connection")
    assert said == ["connection refused"]


def test_workers_are_told_when_their_number_changes():
    said: list[str] = []
    status = Status(0, said.append)
    for workers in (1, 1, 3, 3, 0):
        status.count_workers(workers)
    assert said == ["1 worker running", "3 workers running", "0 workers running"]


def test_lines_are_told_once_a_minute_when_there_were_any():
    said: list[str] = []
    status = Status(0, said.append)
    status.tick(61)
    for now in range(63, 200, 2):
        status.scored += 100
        status.tick(now)
    assert said == ["3,000 lines a minute, 3,000 since the start", "3,000 lines a minute, 6,000 since the start"]
