"""What is left of a body whose stream has ended: read if it comes at once, so that the connection can be used again.

The end of the body mostly comes with the end of the stream, or right after it. A server that keeps the connection busy
instead, or silent, loses it; nobody waits for longer than `SECONDS`, and nothing of what comes is looked at.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from aigw._engines._answer import Answer

SECONDS: Final = 0.1
"""For which the rest of a body is waited for."""


def read_rest(answer: Answer, body: Iterator[bytes]) -> None:
    """Read on to the end of a body, if it comes in time; else it is left for `answer.close`."""
    end = time.monotonic() + SECONDS
    with answer.hurry(SECONDS) as can_hurry, suppress(*answer.library.errors):
        while can_hurry and time.monotonic() < end and next(body, None) is not None:
            pass


async def aread_rest(answer: Answer, body: AsyncIterator[bytes]) -> None:
    """As `read_rest`, of an answer that is read with `async for`; outside asyncio nothing is waited for."""
    if not _is_in_asyncio():
        return
    with suppress(TimeoutError, *answer.library.errors):
        async with asyncio.timeout(SECONDS):
            async for _ in body:
                pass


def _is_in_asyncio() -> bool:
    try:
        return asyncio.get_running_loop() is not None
    except RuntimeError:
        return False


@contextmanager
def hurry(response: Any, seconds: float) -> Iterator[bool]:
    """Shorten the waits for a response of httpx's, or of a library that has its names, which fixes them at the start.

    Gives whether that could be done: not with HTTP/2, where responses share a connection, which needs no reading on.
    What comes from no network, as a response of the caller's own transport, is not waited for.
    """
    stream = response.extensions.get("network_stream")
    is_shared = response.extensions.get("http_version") == b"HTTP/2"
    if is_shared or not hasattr(stream, "__dict__"):
        yield stream is None
        return
    read = stream.read
    stream.read = lambda size, timeout=None: read(size, seconds if timeout is None else min(seconds, timeout))
    try:
        yield True
    finally:
        del stream.read
