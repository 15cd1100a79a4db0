"""Trouble on demand: `aigw-local-fail` and `aigw-local-delay` let one call meet what a test wants it to meet.

`aigw-local-fail: 503x2` makes the upstream's next two answers to this call a 503; `503` makes all of them so; a comma
puts several one after another (`503x2,429`). `drop` is a connection that fails, `hang` one that says nothing for ten
minutes, `cut` a stream that breaks off after its first piece. Attempts are counted over the gateway's own and the
client's: the same body with the same header is the same call; once the list is used up the call is answered, and the
count begins again.
`aigw-local-delay: 500` waits so many milliseconds before each answer, counted into the time to the first byte.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

import anyio

from aigw.local._dialects._openai import openai_error
from aigw.local._reply import Reply, json_reply
from aigw.local._upstreams._attempts import close_body
from aigw.local._upstreams._upstream import UpstreamUnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aigw.local._arrival import Arrival

FAIL: Final = "aigw-local-fail"
DELAY: Final = "aigw-local-delay"

MAX_DELAY_MS: Final = 600_000
_MAX_COUNTS: Final = 10_000
_FAULT: Final = re.compile(r"(?P<fault>[45]\d\d|drop|cut|hang)(?:x(?P<times>\d{1,4}))?")

_log: Final = logging.getLogger("aigw.local")


class Faults:
    """What has gone wrong on demand so far; safe in threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: OrderedDict[str, int] = OrderedDict()

    async def send(self, arrival: Arrival, send: Callable[[], Awaitable[Reply]]) -> Reply:
        """Ask the upstream, or bring the trouble the call wants instead.

        Raises:
            UpstreamUnreachableError: The connection was to fail.
        """
        if (delay := _delay(arrival)) > 0:
            await anyio.sleep(delay)
        fault = self._next(arrival)
        if fault == "drop":
            raise UpstreamUnreachableError(f"dropped, as {FAIL} asked")
        if fault == "hang":
            await anyio.sleep(MAX_DELAY_MS / 1000)
            raise UpstreamUnreachableError(f"hung for {MAX_DELAY_MS} ms, as {FAIL} asked")
        if fault == "cut":
            return _cut(await send())
        if fault:
            return json_reply(int(fault), openai_error(int(fault), f"failed, as {FAIL} asked"))
        return await send()

    def _next(self, arrival: Arrival) -> str:
        text = arrival.headers.get(FAIL, "").strip().lower()
        if not text:
            return ""
        faults = _read(text)
        if len(faults) == 1 and "x" not in text:
            return faults[0]
        digest = hashlib.sha256(arrival.content)
        digest.update(repr((arrival.entrance.account_id, arrival.entrance.gateway_id, text, arrival.step)).encode())
        return self._count(digest.hexdigest(), faults)

    def _count(self, key: str, faults: list[str]) -> str:
        with self._lock:
            count = self._counts.pop(key, 0)
            if count >= len(faults):
                return ""
            self._counts[key] = count + 1
            if len(self._counts) > _MAX_COUNTS:
                self._counts.popitem(last=False)
            return faults[count]


def _read(text: str) -> list[str]:
    faults: list[str] = []
    for part in text.split(","):
        match = _FAULT.fullmatch(part.strip())
        if match is None:
            _log.warning("%s: expected 400 to 599, drop, cut or hang, with x and a number; got %r", FAIL, part[:40])
            return []
        faults += [match["fault"]] * int(match["times"] or 1)
    return faults


def _delay(arrival: Arrival) -> float:
    text = arrival.headers.get(DELAY, "").strip()
    if not text:
        return 0.0
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(int(text), MAX_DELAY_MS) / 1000
    _log.warning("%s: expected milliseconds; got %r", DELAY, text[:40])
    return 0.0


def _cut(reply: Reply) -> Reply:
    if isinstance(reply.body, bytes):
        raise UpstreamUnreachableError(f"cut, as {FAIL} asked")
    return Reply(reply.status, reply.headers, CutBody(reply.body, 1))


class CutBody:
    """A body that breaks off after some pieces.

    Args:
        source: The whole body.
        pieces: How many pieces come through.
    """

    def __init__(self, source: AsyncIterator[bytes], pieces: int) -> None:
        self._source = source
        self._left = pieces

    def __aiter__(self) -> CutBody:
        return self

    async def __anext__(self) -> bytes:
        if self._left <= 0:
            await self.aclose()
            raise UpstreamUnreachableError("the stream was cut")
        self._left -= 1
        return await anext(self._source)

    async def aclose(self) -> None:
        """Let go of the rest."""
        await close_body(self._source)
