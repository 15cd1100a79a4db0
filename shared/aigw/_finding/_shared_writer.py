"""What is written to a shared store, away from the calls it is written of.

One thread in the background takes the ids whose calls changed and writes each as it stands by then: many changes of one
run are one write.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from aigw._background import Background

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aigw._finding._shared_logs import SharedLogs
    from aigw._rating._feedback import LoggedCall

_LOGGER: Final = logging.getLogger("aigw")
_MAX_WAITING: Final = 10_000


class SharedWriter(Background["dict[str, Callable[[], Sequence[LoggedCall]]]"]):
    """Writes to a shared store in a thread of its own.

    Args:
        shared: The store.

    Attributes:
        dropped: Ids that were not written, because ten thousand others waited.
    """

    def __init__(self, shared: SharedLogs) -> None:
        self._shared = shared
        self.dropped = 0
        super().__init__("aigw-shared-logs")

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
            self._wake()

    def _nothing(self) -> dict[str, Callable[[], Sequence[LoggedCall]]]:
        return {}

    def _take(self) -> dict[str, Callable[[], Sequence[LoggedCall]]]:
        taken, self._waiting = self._waiting, {}
        return taken

    def _drop(self) -> None:
        if not self.dropped:
            _LOGGER.warning("the shared store is too slow: more than %d ids wait to be written", _MAX_WAITING)
        self.dropped += 1

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            self._shared.remember({name: calls() for name, calls in taken.items()})
