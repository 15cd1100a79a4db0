"""Who hears of a call: the captures around it, and the "last log" of its task or thread.

Two context variables are all the state there is. What a capture holds may be written from many threads and tasks; what
the last log of a task or thread is, no other task or thread can change, and none inherits it.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Protocol, overload

from aigw._contexts import leave

if TYPE_CHECKING:
    from aigw._facts import ResponseInfo


class Listener(Protocol):
    """Somebody who hears of calls."""

    def record(self, info: ResponseInfo) -> None:
        """Take what the gateway said of one call."""


class CapturedLogs(Sequence["ResponseInfo"]):
    """What the gateway said of every call in a `capture_logs()` block, in the order the answers arrived.

    Streams count when their headers arrive; retries and failures count each. A call that got no answer at all stands
    here too, without a log id and without a status code. It can be read while calls still run.
    """

    def __init__(self) -> None:
        self._infos: list[ResponseInfo] = []  # added to and copied in one step each, which needs no lock

    @property
    def log_ids(self) -> list[str]:
        """The log ids of the calls that have one."""
        return [info.log_id for info in self._copy() if info.log_id]

    def record(self, info: ResponseInfo) -> None:
        """Add one call."""
        self._infos.append(info)

    @overload
    def __getitem__(self, index: int) -> ResponseInfo: ...
    @overload
    def __getitem__(self, index: slice) -> list[ResponseInfo]: ...
    def __getitem__(self, index: int | slice) -> ResponseInfo | list[ResponseInfo]:
        return self._copy()[index]

    def __len__(self) -> int:
        return len(self._infos)

    def __iter__(self) -> Iterator[ResponseInfo]:
        return iter(self._copy())

    def __repr__(self) -> str:
        return f"CapturedLogs(log_ids={self.log_ids!r})"

    def _copy(self) -> list[ResponseInfo]:
        return self._infos.copy()


_CAPTURES: Final[ContextVar[tuple[Listener, ...]]] = ContextVar("aigw.captures", default=())


@contextmanager
def capture_logs() -> Iterator[CapturedLogs]:
    """Collect what the gateway says of every call made inside the `with` block.

    Calls count that are made in this task or thread, in tasks started from it, and in threads that run in a copy of its
    context (`asyncio.to_thread`, LangChain's executors). A thread of a plain `ThreadPoolExecutor` has none: submit
    `contextvars.copy_context().run` with the function, a copy for each call. Blocks nest: the outer one hears of the
    inner one's calls. In a synchronous generator that Starlette or FastAPI reads, each step has a context of its own:
    there the block hears of the calls, and of the streams begun, in the step that it was entered in.

    Yields:
        A growing sequence of `ResponseInfo`, with `log_ids`.
    """
    captured = CapturedLogs()
    token = _CAPTURES.set((*_CAPTURES.get(), captured))
    try:
        yield captured
    finally:
        leave(_CAPTURES, token)


def current_captures() -> tuple[Listener, ...]:
    """Give those who hear of the calls of this code."""
    return _CAPTURES.get()


class _Last:
    """The last call of one client in one task or thread."""

    __slots__ = ("client", "info", "owner")

    def __init__(self, client: weakref.ref[object], owner: object, info: ResponseInfo) -> None:
        self.client = client
        self.owner = owner
        self.info = info


_LAST: Final[ContextVar[tuple[_Last, ...]]] = ContextVar("aigw.last", default=())


def remember_last(client: object, owner: object, info: ResponseInfo) -> None:
    """Note the last call of a client.

    Args:
        client: Whose call it was.
        owner: The task or thread it was made in, as something that equals itself alone.
        info: What the gateway said of it.
    """
    others = tuple(last for last in _LAST.get() if last.client() not in (None, client))
    _LAST.set((*others, _Last(weakref.ref(client), owner, info)))


def last_info(client: object, owner: object) -> ResponseInfo | None:
    """Give the last call of a client that this owner made; never one that another made, inherited or not."""
    for last in _LAST.get():
        if last.client() is client and last.owner == owner:
            return last.info
    return None
