"""An event loop without a socket: what answers synchronous calls inside the process where sockets are shut.

asyncio's own loops are woken through a pair of sockets, which pytest-socket's `--disable-socket` refuses like any
other. This one waits on a lock instead. It knows time and other threads, and no input or output: an upstream that
forwards cannot be asked on it, and would not get far where sockets are shut.
"""

from __future__ import annotations

import asyncio
import socket
import warnings
from threading import Event
from typing import Any


def new_loop() -> asyncio.AbstractEventLoop:
    """Give an event loop: asyncio's own, or where sockets are shut one that needs none."""
    return QuietLoop() if _sockets_are_shut() else asyncio.new_event_loop()


class QuietLoop(asyncio.BaseEventLoop):
    """An event loop without input and output; tasks, timers and other threads work as in any."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Doorbell()

    def _process_events(self, event_list: list[Any]) -> None:
        """Do nothing: nothing is ever read or written."""

    def _write_to_self(self) -> None:
        self._selector.ring()


class _Doorbell:
    """Stands where other loops have a selector: waits until time is up or somebody rings."""

    def __init__(self) -> None:
        self._rung = Event()

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None or timeout > 0:
            self._rung.wait(timeout)
        self._rung.clear()
        return []

    def ring(self) -> None:
        self._rung.set()


def _sockets_are_shut() -> bool:
    if socket.socket.__module__ == "socket":
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pytest-socket warns before it refuses
        try:
            socket.socket().close()
        except RuntimeError:
            return True
    return False
