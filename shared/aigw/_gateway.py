"""One gateway of a client's: its logs, feedback to them, its URL, and its universal endpoint.

What is sent is described in `_calls`; the client performs it. `_async_gateway` is the twin, method
for method; a test compares their signatures.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

from aigw._calls import _log_calls, _model_calls, _universal
from aigw._calls._log_calls import MAX_PER_PAGE, UNSET
from aigw._driver import check_wait
from aigw._errors import LogNotFoundError
from aigw._retries import FIRST_POLL, next_poll, poll_deadline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aigw._calls._log_calls import Direction, Feedback, LogFilter, OrderBy, Unset
    from aigw._calls._universal import Step
    from aigw._client import AIGateway
    from aigw._facts import GatewayLog, LogPage
    from aigw._models import RunResult, StreamEvent
    from aigw._options import GatewayOptions, MetadataValue
    from aigw._stream_readers import Stream


class Gateway:
    """One gateway's logs, feedback, URL and universal endpoint, as `env.AI.gateway(id)`.

    Attributes:
        gateway_id: The gateway.
    """

    def __init__(self, client: AIGateway, gateway_id: str) -> None:
        self._client = client
        self.gateway_id = gateway_id

    def __repr__(self) -> str:
        return f"Gateway({self.gateway_id!r})"

    def patch_log(
        self,
        log_id: str | None,
        *,
        feedback: Unset | Feedback = UNSET,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
    ) -> None:
        """Send feedback, a score or metadata to a log; what is left out stays, `None` clears.

        Args:
            log_id: The log, as `.info.log_id` gave it; `None`, of a call without a log, is refused.
            feedback: 1 (good), -1 (bad), 0, or `None`.
            score: A finite number, or `None`. Cloudflare documents no range; its example is 100.
            metadata: At most five entries of str, int, float or bool, or `None`. Whether they are merged with the
                log's or replace them is the gateway's to say; Cloudflare documents neither.

        Raises:
            ConfigurationError: Refused before any request: no log id, nothing to change, or a value that cannot be.
            LogNotFoundError: No such log, or not yet.
            APIStatusError: The token may not edit logs, or the gateway said no.
            APIConnectionError: No answer arrived.

        Source: AI Gateway docs, Workers bindings and Add human feedback.
        """
        self._client._perform(
            _log_calls.patch_log(
                self._account, self.gateway_id, log_id, feedback=feedback, score=score, metadata=metadata
            )
        )

    def get_log(self, log_id: str | None, *, wait: float = 0) -> GatewayLog:
        """Read one log.

        Args:
            log_id: The log, as `.info.log_id` gave it; `None`, of a call without a log, is refused.
            wait: Seconds to go on asking while the log is not there yet, or has no heads or cost yet; the gateway
                writes them a moment after the answer. A cost that is not there a second after the heads is not waited
                for. When time is up, an incomplete log is returned as it is.

        Raises:
            ConfigurationError: Refused before any request.
            LogNotFoundError: No such log, also not after `wait`.
            APIStatusError: The token may not read logs, or the gateway said no.
            APIConnectionError: No answer arrived.
        """
        call = _log_calls.get_log(self._account, self.gateway_id, log_id)
        deadline = time.monotonic() + check_wait(wait)
        delay = min(FIRST_POLL, wait)
        while True:
            remaining = deadline - time.monotonic()
            try:
                log = self._client._perform(call)
            except LogNotFoundError:
                if remaining <= 0:
                    raise
            else:
                if log.is_complete or remaining <= 0:
                    return log
                deadline = poll_deadline(deadline, time.monotonic(), only_cost_missing=log.has_heads)
            time.sleep(delay)
            delay = next_poll(delay, deadline - time.monotonic())

    def list_logs(
        self,
        *,
        filters: Sequence[LogFilter] = (),
        order_by: OrderBy = "created_at",
        direction: Direction = "desc",
        page: int = 1,
        per_page: int = 20,
        search: str | None = None,
    ) -> LogPage:
        """Read one page of logs.

        Args:
            filters: Conditions that must all hold, each `{"key", "operator", "value"}`.
            order_by: `created_at`, `provider`, `model`, `model_type`, `success` or `cached`.
            direction: `desc` (newest first) or `asc`.
            page: From 1.
            per_page: 1 to 50.
            search: Free text, looked for in the metadata.

        Raises:
            ConfigurationError: Refused before any request.
            APIStatusError: The token may not read logs, or the gateway said no.
            APIConnectionError: No answer arrived.
        """
        return self._client._perform(
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

    def iter_logs(
        self,
        *,
        filters: Sequence[LogFilter] = (),
        order_by: OrderBy = "created_at",
        direction: Direction = "desc",
        per_page: int = MAX_PER_PAGE,
        search: str | None = None,
    ) -> Iterator[GatewayLog]:
        """Read all logs that fit, page after page; takes and raises what `list_logs` does.

        A log that arrives meanwhile shifts the pages: order by `created_at` and `asc` to see each log once. A server
        that gives the same page twice is asked no further.
        """
        seen: tuple[GatewayLog, ...] = ()
        for page in itertools.count(1):
            found = self.list_logs(
                filters=filters, order_by=order_by, direction=direction, page=page, per_page=per_page, search=search
            )
            if found.logs == seen:
                return
            yield from (seen := found.logs)
            if len(found.logs) < per_page:
                return

    def find_logs(self, *, event_id: str) -> list[GatewayLog]:
        """Find the logs of a call by the event id it was sent with, oldest first.

        Raises:
            ConfigurationError: Refused before any request.
            APIStatusError: The token may not read logs, or the gateway said no.
            APIConnectionError: No answer arrived.
        """
        found = self.iter_logs(filters=[{"key": "event_id", "operator": "eq", "value": [event_id]}], direction="asc")
        return list(found)

    def log_request(self, log_id: str | None) -> Any:
        """Read the request body a log keeps: decoded JSON, or bytes.

        Raises:
            ConfigurationError: Refused before any request.
            LogNotFoundError: No such log, or its payload was not kept; a 404 does not tell which.
        """
        return self._client._perform(_log_calls.log_body(self._account, self.gateway_id, log_id, "request"))

    def log_response(self, log_id: str | None) -> Any:
        """Read the response body a log keeps: decoded JSON, or bytes.

        Raises:
            ConfigurationError: Refused before any request.
            LogNotFoundError: No such log, or its payload was not kept; a 404 does not tell which.
        """
        return self._client._perform(_log_calls.log_body(self._account, self.gateway_id, log_id, "response"))

    def get_url(self, provider: str | None = None) -> str:
        """Give the URL other clients are pointed at; nothing is sent.

        Args:
            provider: A provider's slug, as in `openai`; for the gateway's own URL, with its trailing slash, leave it
            out.

        Raises:
            ConfigurationError: There is no account id, or `provider` is no slug.

        Source: AI Gateway docs, Workers bindings.
        """
        return _model_calls.url(self._account, self.gateway_id, provider)

    def run(self, steps: Sequence[Step] | Step, *, options: GatewayOptions | None = None) -> RunResult:
        """Try several providers in order until one answers; `info.step` says which did.

        Args:
            steps: What to try, each `{"provider", "endpoint", "query", "headers", "config"}`; or one of them.
            options: Gateway options of the whole request.

        Returns:
            The winning provider's own answer.

        Raises:
            ConfigurationError: Refused before any request.
            APIStatusError: Every step failed; the last one's answer.
            APIConnectionError: No answer arrived.

        Source: AI Gateway docs, Universal endpoint.
        """
        return self._client._perform(_universal.run_steps(self._account, self._options(options), steps))

    def stream_run(self, steps: Sequence[Step] | Step, *, options: GatewayOptions | None = None) -> Stream[StreamEvent]:
        """Try several providers in order and read the winner's answer as it comes."""
        return self._client._perform_stream(_universal.stream_steps(self._account, self._options(options), steps))

    @property
    def _account(self) -> Any:
        return self._client._account

    def _options(self, options: GatewayOptions | None) -> GatewayOptions:
        return self._client._merge(options, {"id": self.gateway_id})
