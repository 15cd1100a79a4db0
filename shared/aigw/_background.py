"""What is done away from the calls it is of: by one thread, there only while there is something to do."""

from __future__ import annotations

import atexit
import threading
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from aigw._forks import Forking

if TYPE_CHECKING:
    from collections.abc import Sized

_IDLE: Final = 1.0
_AT_EXIT: Final = 5.0

W = TypeVar("W", bound="Sized")


class Background(Forking, Generic[W]):
    """Something with a thread of its own; what waits at the end of the program is waited for, at most five seconds.

    Who is this puts what is to be done into `_waiting` and calls `_wake`, both with `_changed` held; `_work` does what
    `_next` gives until that is nothing.

    Args:
        name: The thread's.
    """

    _waiting: W

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_closed = False
        self._begin()
        super().__init__()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything so far is done; tell whether that was so within `timeout` seconds."""
        with self._changed:
            if self._waiting:
                self._have_thread()
            return self._changed.wait_for(self._is_idle, timeout)

    def after_fork(self, *, in_child: bool) -> None:
        """Begin anew in the child, whatever a thread of the parent held; what waited is the parent's to do."""
        if in_child:
            self._begin()

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._waiting = self._nothing()
        self._is_busy = False
        self._thread: threading.Thread | None = None

    def _nothing(self) -> W:
        """Give what waits when nothing does."""
        raise NotImplementedError

    def _take(self) -> Any:
        """Take out of what waits what is done next."""
        raise NotImplementedError

    def _work(self) -> None:
        raise NotImplementedError

    def _wake(self) -> None:
        self._have_thread()
        self._changed.notify_all()

    def _next(self) -> Any:
        """Give what is to be done; `None` when nothing came for a while, which ends the thread."""
        with self._changed:
            self._is_busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._is_closed, _IDLE)
            self._is_busy = bool(self._waiting)
            if self._is_busy:
                return self._take()
            self._thread = None
            atexit.unregister(self.flush)
            return None

    def _have_thread(self) -> None:
        if self._is_alive():
            return
        self._thread = threading.Thread(target=Context().run, args=(self._work,), name=self._name, daemon=True)
        self._thread.start()
        atexit.unregister(self.flush)  # of a thread before this one
        atexit.register(self.flush, _AT_EXIT)

    def _is_idle(self) -> bool:
        return not self._waiting and not (self._is_busy and self._is_alive())

    def _is_alive(self) -> bool:
        """Tell whether there is a thread."""
        return self._thread is not None and self._thread.is_alive()
