"""A process may fork at any moment: what another thread held then is free in the child, which begins anew."""

from __future__ import annotations

import os
import signal
import threading
import weakref
from contextlib import contextmanager
from uuid import uuid4

import pytest

from aigw import LogResolver, ResponseInfo, SharedLogs
from aigw._finding._shared_writer import SharedWriter
from aigw._forks import Forking
from aigw._handlers._rater import Rater
from aigw.feedback._rows import Target
from aigw.feedback._spool import Spool
from aigw.integration import ForkSafeLock, LoggedCall
from langchain_aigw._run_tree import RunTree
from llamaindex_aigw._spans import Place, SpanWatcher

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork, which only POSIX has"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]

CALL = LoggedCall(ResponseInfo(log_id="L1", event_id="E1"))


class Store:
    """A shared store that writes down its keys in a folder, so that both processes can be seen."""

    def __init__(self, folder):
        self.folder = folder

    def mget(self, keys):
        return [None] * len(keys)

    async def amget(self, keys):
        return [None] * len(keys)

    def mset(self, pairs):
        for key, value in pairs:
            (self.folder / key).write_bytes(value)


class Queue:
    """A queue that writes down what it is given, by which process."""

    def __init__(self, folder):
        self.folder = folder

    def feedback(self, handle, feedback=1, **_):
        (self.folder / f"{handle.log_id}-{feedback}-{os.getpid()}").touch()


@contextmanager
def held(lock):
    """Have another thread hold a lock."""
    is_held, may_go = threading.Event(), threading.Event()

    def hold():
        with lock:
            is_held.set()
            may_go.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(10)
    yield
    may_go.set()
    holder.join()


def in_child(work):
    """Do something in a child of a fork, which is ended when it takes ten seconds; tell whether it said yes."""
    child = os.fork()
    if not child:
        signal.alarm(10)
        is_done = False
        try:
            is_done = work()
        finally:
            os._exit(0 if is_done else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_writer_whose_lock_was_held_writes_in_the_child(tmp_path):
    writer = SharedWriter(SharedLogs(Store(tmp_path)))

    def write():
        writer.submit({"child": lambda: [CALL]})
        return writer.flush(5)

    with held(writer._changed):
        assert in_child(write)
    assert [path.name for path in tmp_path.iterdir()] == ["aigw-logs-child"]


def test_a_rater_whose_lock_was_held_rates_in_the_child(tmp_path):
    rater = Rater(LogResolver(queue=Queue(tmp_path)))

    def rate():
        rater.send(CALL, {"feedback": -1})
        return rater.flush(5) and [path.name for path in tmp_path.iterdir()] == [f"L1--1-{os.getpid()}"]

    with held(rater._changed):
        assert in_child(rate)


def test_what_waits_to_be_rated_at_a_fork_is_rated_once_by_the_parent(tmp_path):
    is_asked, may_say = threading.Event(), threading.Event()

    def judge(_message, _call):
        is_asked.set()
        may_say.wait(10)

    rater = Rater(LogResolver(queue=Queue(tmp_path)), judge=judge)
    rater.answered("an answer", CALL)
    assert is_asked.wait(10)
    rater.send(CALL, {"feedback": -1})
    assert in_child(lambda: rater.flush(5))
    assert [*tmp_path.iterdir()] == []
    may_say.set()
    assert rater.flush(10)
    assert [path.name for path in tmp_path.iterdir()] == [f"L1--1-{os.getpid()}"]


def test_a_fork_waits_for_the_transaction_of_another_thread(tmp_path):
    spool = Spool(tmp_path / "spool", "a" * 32)
    stop = threading.Event()

    def accept():
        number = 0
        while not stop.is_set():
            spool.accept([Target("gw", "log", f"l{number}")], {"feedback": 1}, 0.0)
            number += 1

    busy = threading.Thread(target=accept)
    busy.start()
    try:
        assert all(in_child(lambda: spool.waiting() >= 0) for _ in range(10))
    finally:
        stop.set()
        busy.join()
    spool.close()


def test_what_is_told_of_forks_is_not_kept_alive():
    gone = weakref.ref(Forking())
    assert gone() is None


def test_a_lock_that_was_held_is_free_in_the_child():
    lock = ForkSafeLock()

    def enter():
        with lock:
            return True

    with held(lock):
        assert in_child(enter)
    with lock:
        pass


def test_runs_and_spans_are_noted_in_the_child_whoever_noted_one_at_the_fork():
    tree, watcher = RunTree(10, 10.0), SpanWatcher()

    def note():
        tree.start(uuid4(), None)
        return tree.open_runs == 1 and watcher.place("s") == Place(("s",))

    with held(tree._lock), held(watcher._guard):
        assert in_child(note)
