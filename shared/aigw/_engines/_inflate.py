"""Unpacking gzip within bounds; bring your own I/O.

Apart from the HTTP library, whose decoders give whatever a piece unpacks to at once, keep what follows the end for
ever, and take a body that was cut for a whole one.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

_GZIP: Final = 16 + zlib.MAX_WBITS
_LARGEST_PIECE: Final = 1024 * 1024


class Inflater:
    """Unpacks one body, fed in pieces cut anywhere."""

    __slots__ = ("_unpacker",)

    def __init__(self) -> None:
        self._unpacker: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes; give what they unpack to, in pieces of at most a mebibyte.

        Raises:
            zlib.error: They are no gzip.
        """
        while data:
            if self._unpacker is None:
                self._unpacker = zlib.decompressobj(_GZIP)
            yield self._unpacker.decompress(data, _LARGEST_PIECE)
            data = self._unpacker.unconsumed_tail
            if self._unpacker.eof:
                data = self._unpacker.unused_data
                self._unpacker = None

    def close(self) -> None:
        """Say that no more bytes come.

        Raises:
            zlib.error: The body was cut.
        """
        if self._unpacker is not None:
            raise zlib.error("the gzip is cut")


def unpack(body: Iterable[bytes]) -> Iterator[bytes]:
    """Give what the pieces of a body unpack to."""
    inflater = Inflater()
    for data in body:
        yield from inflater.feed(data)
    inflater.close()


def aunpack(body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Give what the pieces of a body unpack to."""
    return _Unpacked(body)


class _Unpacked:
    """What a body unpacks to; no generator, which an event loop would have to finish."""

    __slots__ = ("_body", "_inflater", "_pieces")

    def __init__(self, body: AsyncIterable[bytes]) -> None:
        self._body = aiter(body)
        self._inflater = Inflater()
        self._pieces: Iterator[bytes] = iter(())

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while True:
            for piece in self._pieces:
                return piece
            try:
                data = await anext(self._body)
            except StopAsyncIteration:
                self._inflater.close()
                raise
            self._pieces = self._inflater.feed(data)
