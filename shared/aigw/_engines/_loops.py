"""Event loops that end: where connections may still be touched, and how to let go of them without waiting.

asyncio finishes an async generator that nobody holds in a new task. A loop that ends waits for no task made so late,
and says that it was destroyed; so what can be closed at once is, and only what must wait is left to a task.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

T = TypeVar("T")


class Place:
    """The event loop and the process that connections live in: those in which this is made."""

    __slots__ = ("_process", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._process = os.getpid()

    @property
    def is_here(self) -> bool:
        """Whether connections may be touched here and now.

        Not while another thread runs the loop, and not in a fork, which has one selector with its parent. A loop that
        has ended is everywhere: nothing can disturb it.
        """
        return self.loop.is_closed() or (self._process == os.getpid() and not self._is_elsewhere())

    def reach(self, action: Callable[[], None]) -> None:
        """Do something here, or else in the loop; nothing in a fork."""
        if self.is_here:
            action()
        elif self._process == os.getpid():
            with suppress(RuntimeError):  # it ended meanwhile
                self.loop.call_soon_threadsafe(action)

    def _is_elsewhere(self) -> bool:
        try:
            return asyncio.get_running_loop() is not self.loop and self.loop.is_running()
        except RuntimeError:
            return self.loop.is_running()


def begin(generator: AsyncGenerator[T, None], free_now: Callable[[], bool] | None) -> Awaitable[T]:
    """Ask an async generator for its first item, and have it closed at once when nobody holds it, where it can be.

    Args:
        generator: It has not begun.
        free_now: Sees to it that the generator has nothing to wait for when it is closed, and tells whether it could;
            `None` if that cannot be. Then the loop finishes it, as any other.
    """
    if free_now is None:
        return generator.__anext__()
    hooks = sys.get_asyncgen_hooks()

    def finish(dropped: Any) -> None:
        if _is_at_yield(dropped) and free_now():
            close_now(dropped)
        elif hooks.finalizer is not None:
            hooks.finalizer(dropped)

    sys.set_asyncgen_hooks(finalizer=finish)
    try:
        return generator.__anext__()  # which asks for the hooks
    finally:
        sys.set_asyncgen_hooks(finalizer=hooks.finalizer)


def close_now(generator: Any) -> None:
    """Close an async generator that waits for nothing when it is closed, before its loop makes a task of that."""
    if _is_at_yield(generator):
        with suppress(StopIteration):
            generator.aclose().__await__().send(None)


def _is_at_yield(generator: Any) -> bool:
    """Tell whether an async generator has begun, has not ended, and is not being asked for its next item."""
    return generator.ag_frame is not None and not generator.ag_running


def forget(transport: Any) -> None:
    """Close the socket of a transport whose loop has ended: asyncio's own way would take another turn of that loop."""
    below = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    if below is not None:
        transport._closed = True  # noqa: SLF001  or it warns, and closes nothing
    for each in (transport, below):
        opened = getattr(each, "_sock", None)
        if opened is not None:
            opened.close()
            each._sock = None  # type: ignore[union-attr]  # noqa: SLF001  there is no public way
