"""A secret taken out of a body: whole, or streamed in pieces that may cut it anywhere.

Of a stream no more is held back than may be the beginning of the secret, so that nothing waits that need not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw._http import HIDDEN
from aigw.local._upstreams._attempts import close_body

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_MASK: Final = HIDDEN.encode()


def masked(body: bytes | AsyncIterator[bytes], secret: bytes) -> bytes | AsyncIterator[bytes]:
    """Give a body without the secret."""
    return body.replace(secret, _MASK) if isinstance(body, bytes) else MaskedBody(body, secret)


class Mask:
    """Takes a secret out of the pieces of one stream.

    Args:
        secret: The secret; not empty.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; give what is sure not to be the secret."""
        data = (self._held + data).replace(self._secret, _MASK)
        longest = min(len(self._secret) - 1, len(data))
        kept = next((size for size in range(longest, 0, -1) if data.endswith(self._secret[:size])), 0)
        self._held = data[len(data) - kept :]
        return data[: len(data) - kept]

    def close(self) -> bytes:
        """Say that the stream ended; give what was held back."""
        held, self._held = self._held, b""
        return held


class MaskedBody:
    """A streamed body without the secret."""

    def __init__(self, source: AsyncIterator[bytes], secret: bytes) -> None:
        self._source = source
        self._mask = Mask(secret)

    def __aiter__(self) -> MaskedBody:
        return self

    async def __anext__(self) -> bytes:
        async for piece in self._source:
            if written := self._mask.feed(piece):
                return written
        if held := self._mask.close():
            return held
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Let go of the rest."""
        await close_body(self._source)
