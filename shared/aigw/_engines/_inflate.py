"""Unpacking gzip within bounds, and refusing what is packed otherwise; bring your own I/O.

Apart from the HTTP library, whose decoders give whatever a piece unpacks to at once, keep what follows the end for
ever, and take a body that was cut for a whole one.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator

B = TypeVar("B")

_GZIP: Final = 16 + zlib.MAX_WBITS
_GZIP_NAMES: Final = frozenset({"gzip", "x-gzip"})
_PLAIN_NAMES: Final = frozenset({"", "identity"})
_LARGEST_PIECE: Final = 1024 * 1024


class Inflater:
    """Unpacks one body, fed in pieces cut anywhere; zeros may follow it, as `gzip` allows."""

    __slots__ = ("_has_begun", "_unpacker")

    def __init__(self) -> None:
        self._unpacker: zlib._Decompress | None = None
        self._has_begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes; give what they unpack to, in pieces of at most a mebibyte.

        Raises:
            zlib.error: They are no gzip.
        """
        while data:
            if self._unpacker is None:
                if self._has_begun and not (data := data.lstrip(b"\0")):
                    return
                self._has_begun = True
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


def unpacked(body: Iterable[bytes], encoding: str) -> Iterable[bytes]:
    """Give what the pieces of a body unpack to.

    Args:
        body: It, as it came.
        encoding: The value of its `content-encoding`. Only gzip was asked for: with anything else, and with a list, the
            first piece is a `zlib.error`, since what unpacks it would do so without bounds.
    """
    return _chosen(body, encoding, unpack)


def aunpacked(body: AsyncIterable[bytes], encoding: str) -> AsyncIterable[bytes]:
    """As `unpacked`, for a body that is iterated over with `async for`."""
    return _chosen(body, encoding, aunpack)


def _chosen(body: B, encoding: str, gzip: Callable[[B], B]) -> B | _Unreadable:
    name = encoding.strip().lower()
    if name in _PLAIN_NAMES:
        return body
    return gzip(body) if name in _GZIP_NAMES else _Unreadable()


class _Unreadable:
    """A body that cannot be read, in either way."""

    __slots__ = ()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        raise zlib.error("the answer's encoding is not gzip, which alone was asked for")

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return next(self)


def unpack(body: Iterable[bytes]) -> Iterable[bytes]:
    """Give what the pieces of a body unpack to."""
    inflater = Inflater()
    for data in body:
        yield from inflater.feed(data)
    inflater.close()


def aunpack(body: AsyncIterable[bytes]) -> AsyncIterable[bytes]:
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
