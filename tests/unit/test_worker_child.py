"""The protocol between the supervisor and its child processes, without a server."""

from pathlib import Path
from queue import SimpleQueue

import pytest

from logintel.worker.child import Child
from logintel.worker.events import Ended, Failed, Scored

HEAD = "from logintel.worker.events import Scored\n"


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Start a child that runs the given source."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    children = []

    def started(source: str, **configuration: object) -> tuple[Child, SimpleQueue]:
        (tmp_path / "task_of_a_test.py").write_text(HEAD + source)
        events: SimpleQueue = SimpleQueue()
        children.append(Child("task_of_a_test", configuration, events))
        return children[-1], events

    yield started
    for child in children:
        child.kill()


def test_a_child_gets_its_configuration_and_tells_what_it_did(start):
    child, events = start("def run(report, stop, lines):\n    report(Scored(lines))\n    report(Scored(1))\n", lines=7)
    assert [events.get(timeout=30) for _ in range(3)] == [Scored(7), Scored(1), Ended(child)]
    assert child.end() is None


def test_what_a_child_prints_does_not_come_between_its_events(start):
    source = "import os\ndef run(report, stop):\n    print('{', flush=True)\n    os.write(1, b'?')\n    report(Scored(1))\n"
    child, events = start(source)
    assert [events.get(timeout=30) for _ in range(2)] == [Scored(1), Ended(child)]


def test_a_child_that_cannot_go_on_says_why(start):
    child, events = start("import nothing_of_this_name\n")
    assert events.get(timeout=30) == Failed(
        "task_of_a_test", "ModuleNotFoundError: No module named 'nothing_of_this_name'"
    )
    assert events.get(timeout=30) == Ended(child)
    assert child.end() == "ended with code 1"


def test_a_child_is_told_to_end_and_ends_when_it_has_done_what_it_has_in_hand(start):
    child, events = start("def run(report, stop):\n    report(Scored(1))\n    stop.wait()\n    report(Scored(2))\n")
    assert events.get(timeout=30) == Scored(1)
    child.stop()
    assert [events.get(timeout=30) for _ in range(2)] == [Scored(2), Ended(child)]
    assert child.end() is None


def test_a_child_that_is_killed_is_told_of(start):
    child, events = start("def run(report, stop):\n    report(Scored(1))\n    stop.wait()\n")
    assert events.get(timeout=30) == Scored(1)
    child.kill()
    assert events.get(timeout=30) == Ended(child)
    assert child.end() == "killed by signal 9"
