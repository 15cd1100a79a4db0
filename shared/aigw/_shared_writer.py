"""What is written to a shared store, away from the calls it is written of.

One thread, there only while there is something to write, takes the ids whose calls changed and writes each as it stands
by then: many changes of one run are one write.
"""

from __future__ import annotations

import atexit
import logging
import threading
from contextvars import Context
from typing import TYPE_CHECKING, Final

from aigw._forks import Forking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aigw._feedback import LoggedCall
    from aigw._shared_logs import SharedLogs

_LOGGER: Final = logging.getLogger("aigw")
_MAX_WAITING: Final = 10_000
_IDLE: Final = 1.0
_AT_EXIT: Final = 5.0


class SharedWriter(Forking):
    """Writes to a shared store in a thread of its own.

    What is written at the end of the program is waited for, at most five seconds.

    Args:
        shared: The store.

    Attributes:
        dropped: Ids that were not written, because ten thousand others waited.
    """

    def __init__(self, shared: SharedLogs) -> None:
        self._shared = shared
        self.dropped = 0
        self._begin()
        super().__init__()

    def submit(self, changes: Mapping[str, Callable[[], Sequence[LoggedCall]]]) -> None:
        """Have ids written some time soon; returns at once.

        Args:
            changes: Ids, each with what gives the calls beneath it.
        """
        with self._changed:
            for name, calls in changes.items():
                if name in self._waiting or len(self._waiting) < _MAX_WAITING:
                    self._waiting[name] = calls
                else:
                    self._drop()
            self._have_thread()
            self._changed.notify_all()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything so far is written; tell whether that was so within `timeout` seconds."""
        with self._changed:
            if self._waiting:
                self._have_thread()
            return self._changed.wait_for(self._is_idle, timeout)

    def after_fork(self, *, in_child: bool) -> None:
        """Begin anew in the child, whatever a thread of the parent held; what waited is the parent's to write."""
        if in_child:
            self._begin()

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, Callable[[], Sequence[LoggedCall]]] = {}
        self._is_busy = False
        self._thread: threading.Thread | None = None

    def _is_idle(self) -> bool:
        return not self._waiting and not (self._is_busy and self._is_alive())

    def _is_alive(self) -> bool:
        """Tell whether there is a thread."""
        return self._thread is not None and self._thread.is_alive()

    def _have_thread(self) -> None:
        if self._is_alive():
            return
        self._thread = threading.Thread(target=Context().run, args=(self._work,), name="aigw-shared-logs", daemon=True)
        self._thread.start()
        atexit.register(self.flush, _AT_EXIT)

    def _drop(self) -> None:
        if not self.dropped:
            _LOGGER.warning("the shared store is too slow: more than %d ids wait to be written", _MAX_WAITING)
        self.dropped += 1

    def _work(self) -> None:
        while taken := self._take():
            self._shared.remember({name: calls() for name, calls in taken.items()})

    def _take(self) -> dict[str, Callable[[], Sequence[LoggedCall]]]:
        """Give what is to be written; nothing when nothing came for a while, which ends the thread."""
        with self._changed:
            self._is_busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting, _IDLE)
            taken, self._waiting = self._waiting, {}
            self._is_busy = bool(taken)
            if not taken:
                self._thread = None
                atexit.unregister(self.flush)
            return taken
