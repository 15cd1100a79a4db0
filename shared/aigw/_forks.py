"""Who is told when the process forks: the child has its state, but none of its threads.

A lock that another thread held at that moment would stay locked for ever in the child, and a file must not be shared.
What is told is held weakly, in one set for the process, as `logging` does for its locks: Python forgets no hook.
"""

from __future__ import annotations

import os
from threading import Lock, RLock
from typing import Final
from weakref import WeakSet


class Forking:
    """Something that is told of forks from its making on."""

    def __init__(self) -> None:
        with _ADDING:
            _TOLD.add(self)

    def before_fork(self) -> None:
        """Get ready, in the thread that forks."""

    def after_fork(self, *, in_child: bool) -> None:
        """Go on: in the parent with all threads, in the child without any but this one."""


class ForkSafeLock(Forking):
    """A lock that is free in the child, whoever held it; for work of a moment, in which nobody forks."""

    def __init__(self) -> None:
        self._lock = Lock()
        super().__init__()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def after_fork(self, *, in_child: bool) -> None:
        """Make the lock anew in the child."""
        if in_child:
            self._lock = Lock()


class Making(Forking):
    """Something that makes what it needs under a lock; a fork waits until that is made.

    What is half made would stay so in the child, and a module that a thread was importing could be imported no more.
    """

    def __init__(self) -> None:
        self._lock = RLock()  # what is made may fork
        super().__init__()

    def before_fork(self) -> None:
        """Wait for another thread."""
        self._lock.acquire()

    def after_fork(self, *, in_child: bool) -> None:
        """Go on."""
        del in_child
        self._lock.release()


_FORKING: Final = Lock()
_ADDING: Final = Lock()
_TOLD: Final[WeakSet[Forking]] = WeakSet()
_READY: Final[dict[int, Forking]] = {}


def _before() -> None:
    """Get everything ready; while it is waited for, more may be added, by whoever is waited for too."""
    _FORKING.acquire()
    while True:
        _ADDING.acquire()
        new = [one for one in _TOLD if id(one) not in _READY]
        if not new:
            return
        _ADDING.release()
        for one in new:
            _READY[id(one)] = one
            one.before_fork()


def _after(*, in_child: bool) -> None:
    _ADDING.release()
    for one in _READY.values():
        one.after_fork(in_child=in_child)
    _READY.clear()
    _FORKING.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before,
        after_in_parent=lambda: _after(in_child=False),
        after_in_child=lambda: _after(in_child=True),
    )
