"""What both queues are made of, whichever way they wait: their settings, their client, their backlog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from aigw._async_client import AsyncAIGateway
from aigw._client import AIGateway
from aigw._errors import ConfigurationError
from aigw.feedback._backlog import Backlog, check_queue
from aigw.feedback._patience import Patience

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from aigw._finding._search import CallMemory
    from aigw.feedback._backlog import FeedbackCounts
    from aigw.feedback._sinks import Sink

C = TypeVar("C", AIGateway, AsyncAIGateway)

_REQUEST_SECONDS: Final = 30.0


class EitherQueue(Generic[C]):
    """A queue without its waiting; `FeedbackQueue` says what the arguments are."""

    _new_client: ClassVar[type[Any]]

    def __init__(
        self,
        client: C | None = None,
        *,
        gateway_id: str | None = None,
        spool: str | os.PathLike[str] | None = None,
        mirror: Sequence[Sink] = (),
        memory: CallMemory | None = None,
        concurrency: int = 8,
        max_pending: int = 10_000,
        accept_timeout: float = 5.0,
        late: float = 300.0,
        unreachable: float = 86_400.0,
    ) -> None:
        check_queue(
            gateway_id,
            {"concurrency": concurrency, "max_pending": max_pending},
            {"accept_timeout": accept_timeout, "late": late, "unreachable": unreachable},
        )
        if client is not None and not isinstance(client, self._new_client):
            kind = self._new_client.__name__
            raise ConfigurationError(
                f"client of {type(self).__name__} cannot be a {type(client).__name__}: it is an {kind}"
            )
        given: C = client or self._new_client(timeout=_REQUEST_SECONDS)
        self._client: C = given.without_retries()
        self._gateway_id = gateway_id or given.gateway_id
        self._memory = memory
        self._accept_timeout = accept_timeout
        self._backlog = Backlog(
            given.account_id,
            spool,
            mirror,
            concurrency=concurrency,
            max_pending=max_pending,
            patience=Patience(late, unreachable),
        )
        self._is_closed = False
        self._start_up()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._client!r}, spool={self._backlog.path!r})"

    @property
    def counts(self) -> FeedbackCounts:
        """What this process did so far."""
        return self._backlog.counts

    def _start_up(self) -> None:
        raise NotImplementedError
