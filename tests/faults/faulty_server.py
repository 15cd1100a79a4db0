"""A server made of bare sockets and threads, that breaks HTTP wherever it is told to.

Each request takes the next reply, the last one repeating; a reply is a list of acts. Every connection says what it is
at: a connection that is neither closed nor between two requests is one that the client has not let go of.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Self

LONGEST: Final = 30.0
"""Seconds after which a connection gives up, should a test have failed to."""


@dataclass(frozen=True)
class Send:
    """Bytes, `times` times over."""

    data: bytes
    times: int = 1


@dataclass(frozen=True)
class Endless:
    """The same bytes until the client goes away, with a pause after each."""

    data: bytes
    pause: float = 0


@dataclass(frozen=True)
class Pause:
    """Nothing for some seconds."""

    seconds: float


class Stall:
    """Nothing more, until the client goes away."""


@dataclass(frozen=True)
class Deaf:
    """Nothing more, and nothing read for some seconds; then what there is, until the client goes away."""

    seconds: float


class Close:
    """The end of the connection, in good order."""


class Reset:
    """The end of the connection, by force (RST)."""


Act = bytes | Send | Endless | Pause | Stall | Deaf | Close | Reset
Reply = tuple[Act, ...]


@dataclass(frozen=True)
class Arrived:
    """A request as it came."""

    line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


class _GoneError(Exception):
    """The connection is over."""


@dataclass
class FaultyServer:
    """Listens on a free loopback port while its `with` block runs.

    Attributes:
        replies: What is answered to the first request, the second, ...; the last one repeats.
        is_early: Whether the answer comes before the request's body is read.
        requests: What arrived.
    """

    replies: list[Reply] = field(default_factory=list)
    is_early: bool = False
    requests: list[Arrived] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._changed = threading.Condition()
        self._busy: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        self.connections = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(LONGEST)
        self.wait_for(lambda: not self._open)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def let_go(self, seconds: float = 5.0) -> bool:
        """Tell whether the client lets go of every connection: each is closed, or ready for another request."""
        return self.wait_for(lambda: not self._busy, seconds)

    def closed(self, seconds: float = 5.0) -> bool:
        """Tell whether every connection is closed."""
        return self.wait_for(lambda: not self._open, seconds)

    def asked(self, times: int = 1, seconds: float = 5.0) -> bool:
        """Tell whether that many requests came."""
        return self.wait_for(lambda: len(self.requests) >= times, seconds)

    def wait_for(self, predicate: object, seconds: float = LONGEST) -> bool:
        with self._changed:
            return self._changed.wait_for(predicate, seconds)  # type: ignore[arg-type]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with self._changed:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(LONGEST)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = connection.makefile("rb")
        with suppress(OSError, _GoneError):
            while True:
                self._mark(connection, busy=False)
                head = self._read_head(reader)
                self._mark(connection, busy=True)
                self._answer(connection, reader, head)
        reader.close()
        connection.close()
        with self._changed:
            self._open.discard(connection)
            self._busy.discard(connection)
            self._changed.notify_all()

    def _mark(self, connection: socket.socket, *, busy: bool) -> None:
        with self._changed:
            (self._busy.add if busy else self._busy.discard)(connection)
            self._changed.notify_all()

    @staticmethod
    def _read_head(reader: object) -> list[str]:
        lines = []
        while line := reader.readline():  # type: ignore[attr-defined]
            if line == b"\r\n":
                return lines
            lines.append(line.decode("latin-1").strip())
        raise _GoneError

    def _answer(self, connection: socket.socket, reader: object, head: list[str]) -> None:
        headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in head[1:]))
        size = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        body = b"" if self.is_early else reader.read(size)  # type: ignore[attr-defined]
        with self._changed:
            turn = len(self.requests)
            self.requests.append(Arrived(head[0], headers, body))
            self._changed.notify_all()
        for act in self.replies[min(turn, len(self.replies) - 1)]:
            _perform(connection, act)


def _perform(connection: socket.socket, act: Act) -> None:
    match act:
        case bytes():
            connection.sendall(act)
        case Send():
            for _ in range(act.times):
                connection.sendall(act.data)
        case Endless():
            _send_endlessly(connection, act)
        case Pause():
            _wait_for_the_end(connection, act.seconds)
        case Stall():
            _wait_for_the_end(connection, LONGEST)
            raise _GoneError
        case Deaf():
            _wait_without_reading(connection, act.seconds)
            _wait_for_the_end(connection, LONGEST)
            raise _GoneError
        case Close():
            connection.shutdown(socket.SHUT_WR)
            raise _GoneError
        case Reset():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise _GoneError


def _wait_without_reading(connection: socket.socket, seconds: float) -> None:
    """Wait for some seconds, or for the end of the test, which shuts the connection down."""
    gone = select.poll()
    gone.register(connection, 0)
    gone.poll(seconds * 1000)


def _send_endlessly(connection: socket.socket, act: Endless) -> None:
    while True:
        connection.sendall(act.data)
        if act.pause and _wait_for_the_end(connection, act.pause):
            raise _GoneError


def _wait_for_the_end(connection: socket.socket, seconds: float) -> bool:
    """Wait for the client to close; tell whether it did in that time."""
    connection.settimeout(seconds)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    finally:
        connection.settimeout(LONGEST)
    return True
