"""Work on many things at once, but not on all; those under way are finished before a failure is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

T = TypeVar("T")


async def for_each(items: AsyncIterator[T], work: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Work on each item as soon as there is room.

    Raises:
        Exception: What the work or the items raised first; no item was begun after it.
    """
    slots = asyncio.Semaphore(at_once)
    tasks: set[asyncio.Future[None]] = set()
    errors: list[BaseException] = []

    def ended(task: asyncio.Future[None]) -> None:
        tasks.discard(task)
        slots.release()
        if not task.cancelled() and (error := task.exception()):
            errors.append(error)

    async def begin_all() -> None:
        async for item in items:
            await slots.acquire()
            if errors:
                return
            task = asyncio.ensure_future(work(item))
            tasks.add(task)
            task.add_done_callback(ended)

    try:
        try:
            await begin_all()
        except Exception as error:  # noqa: BLE001 -- told below, when what is under way has ended
            errors.append(error)
        while tasks:
            await asyncio.wait(tasks)
    finally:
        for task in tasks:
            task.cancel()
    if errors:
        raise errors[0]
