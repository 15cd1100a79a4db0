"""Connections of the sync engine: urllib3's, whose answers are read as strictly as httpx reads them.

Apart from what is asked over them. urllib3 opens, keeps and lends connections, and `http.client` cuts bodies out of
what comes; the head is read by `_http_head`, since `http.client` takes half of one for a whole.
"""

from __future__ import annotations

import functools
import http
import http.client
import io
import os
import queue
import re
import socket
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import httpx
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_match_hostname import CertificateError

from aigw._engines._http_head import MAX_FIELDS, MAX_HEAD_BYTES, MAX_INTERIM, NOT_FINAL, Head, WireError, parse_head

if TYPE_CHECKING:
    import ssl

    from aigw._http import Headers

_PIECE: Final = 256 * 1024
_NO_CONNECTION: Final = (OSError, HTTPError, CertificateError)
_EMPTY: Final = (b"\r\n", b"\n")
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[^\r\n]*|[ \t]*)\r\n")
_MAX_CHUNK_LINE: Final = 64 * 1024


@functools.lru_cache(maxsize=1)
def ssl_context() -> ssl.SSLContext:
    """Load the certificates once; a context of its own, since urllib3 changes it where pyOpenSSL was put under it."""
    return httpx.create_ssl_context()


if TYPE_CHECKING:
    _Base = HTTPConnection
else:
    _Base = object


class NotConnectedError(Exception):
    """There was no connection to send anything over; the cause says why."""


class StrictAnswer(http.client.HTTPResponse):
    """An answer whose head was read here; what `http.client` makes of it is where the body ends.

    Attributes:
        fields: The header fields.
        is_clean: Whether nothing came after it.
    """

    fields: Headers
    is_clean = False

    def begin(self) -> None:
        """Read the head."""
        file = self.fp
        head = _read_final_head(file)
        self.fields = head.headers
        self.fp = io.BytesIO(head.framing())  # type: ignore[assignment]  # a file all the same
        try:
            super().begin()
        finally:
            self.fp = file

    def _close_conn(self) -> None:
        self.is_clean = not self._has_more()
        super()._close_conn()  # type: ignore[misc]  # closes the file, not the connection

    def _has_more(self) -> bool:
        """Look at what was read already; what is still to be read, the pool looks at."""
        file: Any = self.fp
        if file is None or file.closed:
            return True
        file.raw.readinto = _nothing
        return bool(file.peek(1))

    def _get_chunk_left(self) -> int | None:
        """Give how much of a chunk is still to be read, of the next one at the end of one; `None` after the last."""
        left: int | None = self.chunk_left
        if left:
            return left
        if left is not None and self.fp.read(2) != b"\r\n":
            raise WireError("a chunk of the answer has no end")
        left = self._read_next_chunk_size() or None
        if left is None:
            self._read_and_discard_trailer()
            self._close_conn()
        self.chunk_left = left
        return left

    def _read_next_chunk_size(self) -> int:
        size = _CHUNK_SIZE.fullmatch(self.fp.readline(_MAX_CHUNK_LINE))
        if size is None:
            raise WireError("a chunk of the answer has no size")
        return int(size[1], 16)

    def _read_and_discard_trailer(self) -> None:
        for _ in range(MAX_FIELDS):
            line = self.fp.readline(MAX_HEAD_BYTES)
            if not line or line in _EMPTY:
                return
        raise WireError("the answer has trailers without end")


def _nothing(buffer: memoryview) -> None:
    """Read as a file does that has nothing yet."""
    del buffer


def _read_final_head(file: io.BufferedIOBase) -> Head:
    for _ in range(MAX_INTERIM):
        head = parse_head(_read_head(file))
        if head.status >= http.HTTPStatus.OK:
            return head
        if head.status == http.HTTPStatus.SWITCHING_PROTOCOLS:
            break
    raise WireError(NOT_FINAL)


def _read_head(file: io.BufferedIOBase) -> bytes:
    lines: list[bytes] = []
    left = MAX_HEAD_BYTES
    while left > 0:
        line = file.readline(left)
        lines.append(line)
        left -= len(line)
        if line in _EMPTY:
            return b"".join(lines)
        if not line:
            raise WireError("the connection closed before the head of the answer was whole")
    raise WireError(f"the head of the answer is longer than {MAX_HEAD_BYTES} bytes")


class _Sending(_Base):
    """A connection that sends a short request in one piece, and has its time for each piece of a long one.

    Attributes:
        lent: The socket while an answer is read from it. `http.client` parts with one that ends with its answer.
    """

    response_class = StrictAnswer
    kept_at = 0.0
    lent: socket.socket | None = None
    write_timeout: float | None = None
    _held: list[bytes] | None = None

    def request(self, *args: Any, **more: Any) -> None:
        """Send a request over the open connection."""
        self.timeout = self.write_timeout
        held: list[bytes] = []
        self._held = held
        try:
            super().request(*args, **more)
        finally:
            self._held = None
        is_short = sum(len(data) for data in held) <= _PIECE
        for data in [b"".join(held)] if is_short else held:
            self.send(data)

    def send(self, data: Any) -> None:
        """Send some bytes, or keep them until the request is whole."""
        if self._held is not None:
            self._held.append(data)
            return
        for at in range(0, len(data), _PIECE):
            super().send(data if len(data) <= _PIECE else memoryview(data)[at : at + _PIECE])


class _Connection(_Sending, HTTPConnection):
    pass


class _TlsConnection(_Sending, HTTPSConnection):
    pass


class _Slots:
    """A pool's places, the last one given back first; a place holds a connection, or nothing yet.

    Without a lock, since the garbage collector may give a connection back while its thread is in here.
    """

    def __init__(self, maxsize: int = 0) -> None:
        del maxsize  # urllib3 fills it
        self._places: deque[Any] = deque()
        self._tokens: queue.SimpleQueue[None] = queue.SimpleQueue()

    def put(self, place: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 -- as a queue's
        """Give a place back; there is always room."""
        del block, timeout
        self._places.append(place)
        self._tokens.put(None)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002 -- the same
        """Take a place.

        Raises:
            queue.Empty: There is none, or not in time.
        """
        self._tokens.get(block, timeout)
        return self._places.pop()

    def qsize(self) -> int:
        """Give the number of places that are free."""
        return len(self._places)


class Pool(urllib3.HTTPConnectionPool):
    """Connections to one place.

    One that was kept for long is opened anew: the server soon closes it, and what is sent meanwhile is lost.

    Attributes:
        expiry: How long a connection is kept, in seconds; `None` for ever.
        write_timeout: Seconds that each wait for sending may take; `None` without end.
    """

    ConnectionCls = _Connection
    QueueCls = _Slots  # type: ignore[assignment]  # what urllib3 needs of a queue
    expiry: float | None = None
    write_timeout: float | None = None

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._lent: set[Any] = set()  # held, so that whoever drops an answer closes its connection, and no collector
        self._pid = os.getpid()

    def close(self) -> None:
        """Close all connections, and end the waiting for those that are in use; of a fork, only its copies."""
        super().close()
        if self._pid == os.getpid():
            for connection in list(self._lent):
                wake(connection)

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection: Any = super()._get_conn(timeout)
        connection.write_timeout = self.write_timeout
        oldest = -1.0 if self.expiry is None else time.monotonic() - self.expiry
        if connection.is_closed:
            return connection
        if connection.kept_at < oldest:
            connection.close()
            self._close_those_kept_before(oldest)
        elif getattr(connection.sock, "pending", int)():  # of TLS, unpacked already: nobody asked for it
            connection.close()
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is None:  # in the place of one that failed
            self._lent.difference_update([each for each in list(self._lent) if _is_over(each)])
        else:
            self._lent.discard(conn)
            conn.lent = None
            conn.kept_at = time.monotonic()
        super()._put_conn(conn)

    def _close_those_kept_before(self, oldest: float) -> None:
        taken: list[Any] = []
        with suppress(queue.Empty, AttributeError):  # the pool is closed
            while True:
                taken.append(self.pool.get(block=False))  # type: ignore[union-attr]
        for connection in reversed(taken):
            if connection is not None and connection.kept_at < oldest:
                connection.close()
            super()._put_conn(connection)

    def _validate_conn(self, conn: Any) -> None:
        if conn.is_closed:
            try:
                super()._validate_conn(conn)  # over TLS it connects
                if conn.is_closed:
                    conn.connect()
            except _NO_CONNECTION as error:
                raise NotConnectedError from error
        conn.lent = conn.sock
        self._lent.add(conn)


class _TlsPool(Pool, urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection  # type: ignore[assignment]  # a connection all the same


def _is_over(connection: Any) -> bool:
    return connection.is_closed and (connection.lent is None or connection.lent.fileno() < 0)


def wake(connection: Any) -> None:
    """End the wait of whoever reads from a connection, who else would have to end before it can be closed."""
    opened = getattr(connection, "lent", None)
    if opened is not None:
        with suppress(OSError):
            socket.socket.shutdown(opened, socket.SHUT_RDWR)  # of TLS too, whose own would stop being TLS


def make_pool(scheme: str, host: str, port: int | None, timeout: httpx.Timeout, limits: httpx.Limits) -> Pool:
    """Make the connections to one place; they are opened when they are needed.

    Args:
        scheme: `http` or `https`.
        host: A name or an address.
        port: `None` for the scheme's own.
        timeout: Seconds for each wait.
        limits: How many connections there may be, and how long they are kept.
    """
    given: dict[str, Any] = {
        "timeout": urllib3.Timeout(connect=timeout.connect, read=timeout.read),
        "maxsize": limits.max_connections or 1,
        "block": limits.max_connections is not None,
    }
    is_tls = scheme == "https"
    pool = _TlsPool(host, port, ssl_context=ssl_context(), **given) if is_tls else Pool(host, port, **given)
    pool.expiry, pool.write_timeout = limits.keepalive_expiry, timeout.write
    return pool
