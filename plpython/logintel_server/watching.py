"""A graph at work, watched: it ends when the server wants the statement to end, when its time is over, or its memory.

onnxruntime does its work in one call, and asks between two operators whether it is to end. So a thread makes that call,
and the main thread, which has the server's signals, looks every few milliseconds at what they have left behind.
"""

import _thread
import ctypes
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

MAX_SECONDS = 60.0
"""No call of a graph takes longer: 256 shapes by the slowest model that logintel trains take 3 s."""
MAX_MEMORY = 1024**3
"""Bytes that loading or running a graph may add to what the process has; the transformer takes 250 MB."""
_POLL_SECONDS = 0.02

_PENDING = ("QueryCancelPending", "ProcDiePending", "ClientConnectionLost", "TransactionTimeoutPending")
"""What PostgreSQL's signal handlers leave for the next time that the backend looks; the last one from 17 on."""


class Ended(Exception):
    """The work was ended before its end."""


class Interrupted(Ended):
    """The server wants the statement, or the session, to end."""


class OutOfTime(Ended):
    """The time for it is over."""


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Block all signals, so that threads started inside leave the server's signals to its main thread."""
    before = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_deadlines: list[float] = []


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Let everything that is watched inside end after so many seconds in all; None: each after MAX_SECONDS."""
    _deadlines.append(time.monotonic() + (MAX_SECONDS if seconds is None else seconds))
    try:
        yield
    finally:
        _deadlines.pop()


def check_time() -> None:
    """Raise Interrupted or OutOfTime where whatever comes next is not to begin."""
    if interrupted():
        raise Interrupted
    if _deadlines and time.monotonic() >= _deadlines[-1]:
        raise OutOfTime


def watched(work: Callable[[], Any], end: Callable[[], None]) -> Any:
    """Do the work, which `end` makes end early. Raises what it raises, or Interrupted or OutOfTime."""
    check_time()
    deadline = _deadlines[-1] if _deadlines else time.monotonic() + MAX_SECONDS
    with _one_at_a_time, memory_limit():
        return _worker().do(work, end, deadline)


class _Worker:
    """A thread that does one thing after the other: to start one for each would take five times as long.

    While it has nothing to do it waits for a lock, without an end in sight: it must not wake up to ask for the
    interpreter's lock, which the main thread keeps while the server does other things.
    """

    def __init__(self) -> None:
        self._todo, self._done = _thread.allocate_lock(), _thread.allocate_lock()
        self._todo.acquire()
        self._done.acquire()
        self._work: Callable[[], Any] | None = None
        self._result: Any = None
        self._error: BaseException | None = None
        with signals_blocked():
            _thread.start_new_thread(self._serve, ())

    def _serve(self) -> None:
        while True:
            self._todo.acquire()
            try:
                self._result, self._error = self._work(), None
            except BaseException as error:
                self._result, self._error = None, error
            self._done.release()

    def do(self, work: Callable[[], Any], end: Callable[[], None], deadline: float) -> Any:
        """Have the thread do the work and wait for its end, whatever happens: what it works on is not to go away."""
        self._work = work
        self._todo.release()
        why: type[Ended] | None = None
        try:
            while not self._done.acquire(timeout=_POLL_SECONDS):
                why = why or (Interrupted if interrupted() else OutOfTime if time.monotonic() >= deadline else None)
                if why:
                    end()
        except BaseException:  # Ctrl-C, outside the server
            end()
            self._done.acquire()
            raise
        finally:
            result, error = self._result, self._error
            self._work = self._result = self._error = None
        if error is None:
            return result
        if why:
            raise why from None
        raise error


_workers: list[_Worker] = []
_one_at_a_time = threading.Lock()
os.register_at_fork(after_in_child=_workers.clear)


def _worker() -> _Worker:
    if not _workers:
        _workers.append(_Worker())
    return _workers[0]


_flags: list[ctypes.c_int] | None = None


def interrupted() -> bool:
    """Whether the server's signal handlers ask for an end: cancel, a timeout, terminate. Never, outside a server."""
    global _flags
    if _flags is None:
        _flags = list(_exported())
    return any(flag.value for flag in _flags)


def _exported() -> Iterator[ctypes.c_int]:
    program = ctypes.CDLL(None)
    for name in _PENDING:
        with suppress(ValueError):
            yield ctypes.c_int.in_dll(program, name)


@contextmanager
def memory_limit() -> Iterator[None]:
    """Let the process grow by MAX_MEMORY and no further: an allocation beyond fails, which onnxruntime reports."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        with open("/proc/self/statm", "rb") as file:
            most = int(file.read().split()[0]) * resource.getpagesize() + MAX_MEMORY
    except OSError:  # no Linux
        yield
        return
    most = min(most, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY), most)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
