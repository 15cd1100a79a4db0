"""One log judged and its verdict delivered: what one machine and many do alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Self

from aigw._error_bodies import hide
from aigw._errors import (
    AIGatewayError,
    APIConnectionError,
    AuthenticationError,
    GatewayNotFoundError,
    PermissionDeniedError,
)
from aigw._rating._verdicts import read_verdict
from aigw.scoring._judged_log import Bodies, JudgedLog
from aigw.scoring._judges import ask, is_async
from aigw.scoring._summary import ScoredLog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from aigw._async_client import AsyncAIGateway
    from aigw._async_gateway import AsyncGateway
    from aigw._facts import GatewayLog
    from aigw.scoring._judges import Judge

_FATAL: Final = (APIConnectionError, AuthenticationError, PermissionDeniedError, GatewayNotFoundError)
"""What the next log would meet, too."""


class Scorer:
    """A judge at work on the logs of one gateway; a context manager in one event loop.

    Args:
        client: Whose gateway it is.
        gateway_id: The gateway.
        judge: Who judges.
        name: What the logs call it.
        bodies: Whether bodies are read before the judge is asked; `None` does so for an async judge, and lets a sync
            one read what it looks at.
        threads: How many sync judges work at once.
    """

    def __init__(
        self,
        client: AsyncAIGateway,
        gateway_id: str,
        judge: Judge,
        *,
        name: str,
        bodies: bool | None = None,
        threads: int = 8,
    ) -> None:
        self.gateway = client.gateway(gateway_id)
        self._secrets = client._account.secrets  # noqa: SLF001 -- to take them out of what a judge raises
        self._judge = judge
        self._name = name
        self._reads_first = is_async(judge) if bodies is None else bodies
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="aigw-judge")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def judge(self, log: GatewayLog) -> ScoredLog:
        """Ask the judge of one log; the result is `undelivered`, `skipped` or `failed`.

        Raises:
            AIGatewayError: The bodies cannot be read, and those of other logs could not either.
        """
        bodies = Bodies(self.gateway, log.id)
        try:
            await self._read_first(bodies)
        except _FATAL:
            raise
        except AIGatewayError as error:
            return self._failure(log.id, error)
        try:
            changes = read_verdict(await ask(self._judge, JudgedLog.of(log, bodies), self._threads), self._name)
        except Exception as error:  # noqa: BLE001 -- a judge is anybody's code
            return self._failure(log.id, error)
        return ScoredLog(log.id, "undelivered" if changes else "skipped", changes)

    async def _read_first(self, bodies: Bodies) -> None:
        if self._reads_first:
            await bodies.aread("request")
            await bodies.aread("response")

    def _failure(self, log_id: str, error: Exception) -> ScoredLog:
        return ScoredLog(log_id, "failed", None, hide(_text(error), self._secrets))


async def deliver(gateway: AsyncGateway, log_id: str, changes: Mapping[str, Any]) -> ScoredLog:
    """Send a verdict to its log; the result is `scored` or `undelivered`.

    Raises:
        AIGatewayError: The gateway cannot be reached, or takes no feedback from this token at all.
    """
    try:
        await gateway.patch_log(log_id, **changes)
    except _FATAL:
        raise
    except AIGatewayError as error:
        return ScoredLog(log_id, "undelivered", changes, _text(error))
    return ScoredLog(log_id, "scored", changes)


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
