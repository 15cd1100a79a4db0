"""The questions of a search, asked: of a shared store, and of the gateway; in a sync and an async twin.

What is asked, and in which order, is planned in `_search`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

from aigw._errors import AIGatewayError, LogNotFoundError
from aigw._finding._search import AskLog, AskLogs, AskStore
from aigw._given import shown
from aigw._noted._log_reading import anewest_logs, newest_logs

if TYPE_CHECKING:
    from aigw._async_gateway import AsyncGateway
    from aigw._facts import GatewayLog
    from aigw._finding._search import Question, Search
    from aigw._finding._shared_logs import SharedLogs
    from aigw._gateway import Gateway

T = TypeVar("T")


class Seeker:
    """Answers what searches ask.

    Args:
        shared: The shared store, if there is one.
    """

    def __init__(self, shared: SharedLogs | None) -> None:
        self._shared = shared

    @property
    def has_store(self) -> bool:
        """Whether there is a shared store to ask."""
        return self._shared is not None

    def drive(self, search: Search[T]) -> T:
        """Give what a search finds.

        Raises:
            UnknownTargetError: Nobody knows of what is looked for.
            AIGatewayError: The gateway could not be reached, or said no.
        """
        answer: Any = None
        while True:
            try:
                question = search.send(answer)
            except StopIteration as found:
                result: T = found.value
                return result
            answer = self._ask(question)

    async def adrive(self, search: Search[T]) -> T:
        """As `drive`, with `await`."""
        answer: Any = None
        while True:
            try:
                question = search.send(answer)
            except StopIteration as found:
                result: T = found.value
                return result
            answer = await self._aask(question)

    def _ask(self, question: Question) -> Any:
        if isinstance(question, AskStore):
            return self._shared.recall(question.name) if self._shared else None
        if isinstance(question, AskLog | AskLogs):
            call = question.through
            return _look(call.sync_client().gateway(call.info.gateway_id), question)
        time.sleep(question.seconds)
        return None

    async def _aask(self, question: Question) -> Any:
        if isinstance(question, AskStore):
            return await self._shared.arecall(question.name) if self._shared else None
        if isinstance(question, AskLog | AskLogs):
            call = question.through
            return await _alook(call.async_client().gateway(call.info.gateway_id), question)
        await asyncio.sleep(question.seconds)
        return None


def _look(gateway: Gateway, question: AskLog | AskLogs) -> GatewayLog | list[GatewayLog] | None:
    try:
        if isinstance(question, AskLog):
            return gateway.get_log(question.log_id)
        return newest_logs(gateway, question.filters)
    except LogNotFoundError:
        return None
    except AIGatewayError as error:
        error.add_note(_note(question))
        raise


async def _alook(gateway: AsyncGateway, question: AskLog | AskLogs) -> GatewayLog | list[GatewayLog] | None:
    try:
        if isinstance(question, AskLog):
            return await gateway.get_log(question.log_id)
        return await anewest_logs(gateway, question.filters)
    except LogNotFoundError:
        return None
    except AIGatewayError as error:
        error.add_note(_note(question))
        raise


def _note(question: AskLog | AskLogs) -> str:
    wanted = question.log_id if isinstance(question, AskLog) else question.filters[-1]["value"][0]
    return f"while looking for {shown(wanted)} at the gateway: reading logs needs a token that may do so (logs_token)"
