"""One gateway of an async client's: `_gateway`'s twin, method for method, with `await`.

What a method takes, gives and raises is said there.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any

from aigw._calls import _log_calls, _model_calls, _universal
from aigw._calls._log_calls import MAX_PER_PAGE, UNSET
from aigw._driver import check_wait
from aigw._errors import LogNotFoundError
from aigw._retries import FIRST_POLL, next_poll, poll_deadline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from aigw._async_client import AsyncAIGateway
    from aigw._calls._log_calls import Direction, Feedback, LogFilter, OrderBy, Unset
    from aigw._calls._universal import Step
    from aigw._facts import GatewayLog, LogPage
    from aigw._models import RunResult, StreamEvent
    from aigw._options import GatewayOptions, MetadataValue
    from aigw._stream_readers import AsyncStream


class AsyncGateway:
    """One gateway's logs, feedback, URL and universal endpoint, as `env.AI.gateway(id)`.

    Attributes:
        gateway_id: The gateway.
    """

    def __init__(self, client: AsyncAIGateway, gateway_id: str) -> None:
        self._client = client
        self.gateway_id = gateway_id

    def __repr__(self) -> str:
        return f"Gateway({self.gateway_id!r})"

    async def patch_log(
        self,
        log_id: str | None,
        *,
        feedback: Unset | Feedback = UNSET,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
    ) -> None:
        """As `Gateway.patch_log`."""
        await self._client._perform(
            _log_calls.patch_log(
                self._account, self.gateway_id, log_id, feedback=feedback, score=score, metadata=metadata
            )
        )

    async def get_log(self, log_id: str | None, *, wait: float = 0) -> GatewayLog:
        """As `Gateway.get_log`."""
        call = _log_calls.get_log(self._account, self.gateway_id, log_id)
        deadline = time.monotonic() + check_wait(wait)
        delay = min(FIRST_POLL, wait)
        while True:
            remaining = deadline - time.monotonic()
            try:
                log = await self._client._perform(call)
            except LogNotFoundError:
                if remaining <= 0:
                    raise
            else:
                if log.is_complete or remaining <= 0:
                    return log
                deadline = poll_deadline(deadline, time.monotonic(), only_cost_missing=log.has_heads)
            await asyncio.sleep(delay)
            delay = next_poll(delay, deadline - time.monotonic())

    async def list_logs(
        self,
        *,
        filters: Sequence[LogFilter] = (),
        order_by: OrderBy = "created_at",
        direction: Direction = "desc",
        page: int = 1,
        per_page: int = 20,
        search: str | None = None,
    ) -> LogPage:
        """As `Gateway.list_logs`."""
        return await self._client._perform(
            _log_calls.list_logs(
                self._account,
                self.gateway_id,
                filters=filters,
                order_by=order_by,
                direction=direction,
                page=page,
                per_page=per_page,
                search=search,
            )
        )

    async def iter_logs(
        self,
        *,
        filters: Sequence[LogFilter] = (),
        order_by: OrderBy = "created_at",
        direction: Direction = "desc",
        per_page: int = MAX_PER_PAGE,
        search: str | None = None,
    ) -> AsyncIterator[GatewayLog]:
        """As `Gateway.iter_logs`."""
        seen: tuple[GatewayLog, ...] = ()
        for page in itertools.count(1):
            found = await self.list_logs(
                filters=filters, order_by=order_by, direction=direction, page=page, per_page=per_page, search=search
            )
            if found.logs == seen:
                return
            for log in (seen := found.logs):
                yield log
            if len(found.logs) < per_page:
                return

    async def find_logs(self, *, event_id: str) -> list[GatewayLog]:
        """As `Gateway.find_logs`."""
        found = self.iter_logs(filters=[{"key": "event_id", "operator": "eq", "value": [event_id]}], direction="asc")
        return [log async for log in found]

    async def log_request(self, log_id: str | None) -> Any:
        """As `Gateway.log_request`."""
        return await self._client._perform(_log_calls.log_body(self._account, self.gateway_id, log_id, "request"))

    async def log_response(self, log_id: str | None) -> Any:
        """As `Gateway.log_response`."""
        return await self._client._perform(_log_calls.log_body(self._account, self.gateway_id, log_id, "response"))

    async def get_url(self, provider: str | None = None) -> str:
        """As `Gateway.get_url`."""
        return _model_calls.url(self._account, self.gateway_id, provider)

    async def run(self, steps: Sequence[Step] | Step, *, options: GatewayOptions | None = None) -> RunResult:
        """As `Gateway.run`."""
        return await self._client._perform(_universal.run_steps(self._account, self._options(options), steps))

    def stream_run(
        self, steps: Sequence[Step] | Step, *, options: GatewayOptions | None = None
    ) -> AsyncStream[StreamEvent]:
        """As `Gateway.stream_run`."""
        return self._client._perform_stream(_universal.stream_steps(self._account, self._options(options), steps))

    @property
    def _account(self) -> Any:
        return self._client._account

    def _options(self, options: GatewayOptions | None) -> GatewayOptions:
        return self._client._merge(options, {"id": self.gateway_id})
