"""Several awaitable calls at once, a limited number at a time; the only place of this package that knows asyncio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

T = TypeVar("T")


async def gather_limited(calls: Iterable[Callable[[], Awaitable[T]]], limit: int) -> list[T]:
    """Run calls and give their results in the calls' order.

    The first error ends all of them: those that run are cancelled, those that wait are never begun.

    Args:
        calls: The calls.
        limit: How many run at a time at most.
    """
    waiting = enumerate(calls)
    results: dict[int, T] = {}

    async def work() -> None:
        for place, call in waiting:
            results[place] = await call()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(limit):
                group.create_task(work())
    except BaseExceptionGroup as failed:
        error = failed.exceptions[0]
    else:
        return [results[place] for place in sorted(results)]
    raise error
