"""Who is told when the process forks: the child has its state, but none of its threads.

A lock that another thread held at that moment would stay locked for ever in the child, and a file must not be shared.
What is told is held weakly, in one set for the process, as `logging` does for its locks: Python forgets no hook.
"""

from __future__ import annotations

import os
from threading import Lock
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


_ADDING: Final = Lock()
_TOLD: Final[WeakSet[Forking]] = WeakSet()


def _before() -> None:
    _ADDING.acquire()
    for one in list(_TOLD):
        one.before_fork()


def _after(*, in_child: bool) -> None:
    for one in list(_TOLD):
        one.after_fork(in_child=in_child)
    _ADDING.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before,
        after_in_parent=lambda: _after(in_child=False),
        after_in_child=lambda: _after(in_child=True),
    )
