"""One step's line in the log, from its arrival to the one moment it is written.

What is kept of a payload: heads of 4096 bytes, whole bodies up to 10 MB (Source: AI Gateway docs, Limits); Cloudflare
does not say how long a head is. What an answer costs is said by the caller's custom cost, else by the price list where
the switch `costs` lets it; the offline model is free. Limits that count dollars hear of the cost here too, also of a
call that is not logged.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aigw.local._logs._record import LogRecord
from aigw.local._routing._model_names import named_by_answer
from aigw.local._spending._prices import price
from aigw.local._spending._usage import Usage, custom_cost

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.local._arrival import Arrival
    from aigw.local._logs._writer import LogWriter
    from aigw.local._routing._model_names import ModelName
    from aigw.local._settings._switches import Costs

HEAD_BYTES: Final = 4096
MAX_BODY_BYTES: Final = 10 * 1024 * 1024
FREE_UPSTREAM: Final = "local"
"""The provider name of the offline model, which costs nothing."""

_CACHE_HIT: Final = Usage(0, 0)
_MODEL_TYPES: Final = {"embeddings": "text-embeddings", "chat/completions": "text-generation"}


@dataclass(slots=True)
class LoggedBody:
    """A body on its way, counted whole and kept up to the limit.

    Attributes:
        size: The bytes that came.
        pieces: What is kept of them.
    """

    size: int
    pieces: list[bytes]

    @classmethod
    def of(cls, data: bytes = b"") -> LoggedBody:
        """Start with the bytes that are there."""
        body = cls(0, [])
        body.add(data)
        return body

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        if self.size <= MAX_BODY_BYTES:
            self.pieces.append(data)
        self.size += len(data)

    @property
    def whole(self) -> bytes | None:
        """The body, unless it is larger than a log may be."""
        return b"".join(self.pieces) if self.size <= MAX_BODY_BYTES else None

    @property
    def head(self) -> str:
        """The beginning as text; a character that the limit cuts in two is left out."""
        data = b"".join(self.pieces)
        return data[:HEAD_BYTES].decode("utf-8", "replace" if len(data) <= HEAD_BYTES else "ignore")


class Outcome(NamedTuple):
    """How a step ended.

    Attributes:
        status: The status the caller gets.
        media_type: The answer's content type.
        usage: The answer's tokens; of a cached answer, those it took when it was made.
        cached: Whether the answer came from the cache; its input tokens and its cost are 0 then.
        failed: Whether the answer broke off.
    """

    status: int
    media_type: str
    usage: Usage | None = None
    cached: bool = False
    failed: bool = False


class LogEntry:
    """What is known of one step so far; `write` puts it into the log, the first time it is called.

    Args:
        logs: What writes logs.
        arrival: The step.
        costs: Which answers are priced by the table.

    Attributes:
        model: The model, once it is known.
        endpoint: OpenAI's endpoint behind the call, once it is known.
        upstream: The name of who answers, once the model is known.
        body: The answer's body as far as it came.
        wholesale: Whether Unified Billing pays; `None` while nobody was asked.
        dlp_action: What DLP did, if it found anything.
        findings: What DLP found.
        bills: Whom to tell the cost.
    """

    def __init__(self, logs: LogWriter, arrival: Arrival, costs: Costs = "real") -> None:
        self._logs = logs
        self._arrival = arrival
        self._costs = costs
        self._written = False
        self.wholesale: bool | None = None
        self.dlp_action: str | None = None
        self.findings: list[dict[str, Any]] = []
        self.bills: list[Callable[[float], None]] = []
        self.model: ModelName | None = None
        self.endpoint = ""
        self.upstream = ""
        self.body = LoggedBody.of()

    def name_model(self, answering: str) -> None:
        """Take the model that an answer names, where the request named none."""
        if answering and self.model is not None and not self.model.asked:
            self.model = named_by_answer(self.model.provider, answering)

    def write(self, outcome: Outcome) -> None:
        """Write the log, if the step is logged, and tell the cost; once is enough."""
        record = self._close(outcome)
        if record is not None:
            self._logs.write(record)

    async def write_together(self, outcome: Outcome) -> None:
        """Do what `write` does, together with the other steps that end now."""
        record = self._close(outcome)
        if record is not None:
            await self._logs.write_together(record)

    def _close(self, outcome: Outcome) -> LogRecord | None:
        if self._written:
            return None
        self._written = True
        usage = outcome.usage or Usage()
        if outcome.cached:
            usage = Usage(0, (outcome.usage or _CACHE_HIT).tokens_out)
        cost = self._cost(usage, cached=outcome.cached)
        for bill in self.bills:
            bill(cost or 0.0)
        return self._record(outcome, usage, cost) if self._arrival.is_logged else None

    def _record(self, outcome: Outcome, usage: Usage, cost: float | None) -> LogRecord:
        arrival, model = self._arrival, self.model
        entrance = arrival.entrance
        request = LoggedBody.of(arrival.content)
        keeps = arrival.options.collect_log_payload
        return LogRecord(
            account=entrance.account_id,
            gateway=entrance.gateway_id,
            id=arrival.ids.log,
            created_at=arrival.created_ms,
            provider=self._provider,
            model=model.logged if model else arrival.surface.model,
            path=arrival.surface.endpoint,
            duration_ms=round((time.perf_counter() - arrival.began) * 1000),
            success=outcome.status < 400 and not outcome.failed,
            cached=outcome.cached,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            cost=cost,
            custom_cost=arrival.options.custom_cost is not None,
            metadata=arrival.options.metadata,
            model_type=_MODEL_TYPES.get(self.endpoint),
            request_type=arrival.kind,
            request_content_type=arrival.headers.media_type or None,
            response_content_type=outcome.media_type,
            status_code=outcome.status,
            step=arrival.step,
            event_id=arrival.ids.event,
            user_agent=arrival.headers.get("user-agent"),
            authentication=entrance.demands_token,
            wholesale=self.wholesale,
            dlp_action=self.dlp_action,
            compatibility_mode=arrival.surface.grammar == "compat",
            request_head=request.head if keeps else None,
            response_head=self.body.head if keeps else None,
            request_size=request.size,
            response_size=self.body.size,
            request_body=request.whole if keeps else None,
            response_body=self.body.whole if keeps else None,
        )

    @property
    def _provider(self) -> str:
        """Name who answered: the offline model under its own name, so that no log claims more than there was."""
        if self.upstream == FREE_UPSTREAM:
            return FREE_UPSTREAM
        return self.model.provider if self.model else self._arrival.surface.provider

    def _cost(self, usage: Usage, *, cached: bool) -> float | None:
        rates = self._arrival.options.custom_cost
        if cached or not self.upstream:
            return 0.0
        if rates is not None:
            return custom_cost(rates, usage)
        real = self.upstream == (self.model.provider if self.model else "")
        if self.model and (real or self._costs == "as-asked"):
            return price(self.model, usage)
        return 0.0 if self.upstream == FREE_UPSTREAM else None
