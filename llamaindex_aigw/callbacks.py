"""`AIGatewayEventHandler` for a whole process, beside `capture_logs()` for one block: which calls a span led to.

LlamaIndex swallows what a handler raises, so what goes wrong in this one is logged.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Self

from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index_instrumentation import get_dispatcher
from pydantic import Field, PrivateAttr

from aigw import (
    UNSET,
    AIGateway,
    AsyncAIGateway,
    ConfigurationError,
    Feedback,
    LoggedCall,
    LogNotFoundError,
    MetadataValue,
    ResponseInfo,
    Unset,
    Which,
    arate_logs,
    rate_logs,
)
from llamaindex_aigw._captured import CapturedSpans, capture_logs
from llamaindex_aigw._events import AIGatewayCallEvent
from llamaindex_aigw._ledger import Ledger
from llamaindex_aigw._rating import areconcile_reports, calls_of, choose_calls, reconcile_reports
from llamaindex_aigw._recorded import CallReport, RecordedCall
from llamaindex_aigw._span_options import event_id_of
from llamaindex_aigw._spans import start_watching, stop_watching

__all__ = ["AIGatewayCallEvent", "AIGatewayEventHandler", "CapturedSpans", "RecordedCall", "capture_logs"]

_LOG: Final = logging.getLogger(__name__)


class UnknownSpanError(ConfigurationError, KeyError):
    """A span is not known here, and the gateway has no log of it either; it is a `KeyError` too."""

    def __str__(self) -> str:
        """Give the sentence; a `KeyError` would quote it."""
        return self.message


class AIGatewayEventHandler(BaseEventHandler):
    """Records which calls through the gateway stand beneath each span and workflow run, and sends feedback to them.

        handler = AIGatewayEventHandler().attach()
        response = query_engine.query("...")
        handler.feedback(None, 1)

    It hears of calls in every thread and task of the process, of the models of this package. `attach` also has spans
    watched, so that every outer span finds its calls; with LlamaIndex's `add_event_handler` alone, a call is found by
    its own span and its workflow run.

    Args:
        max_calls: Calls that are kept; the least recently used is forgotten first.
        max_age: Seconds a call is kept after it was last used.
        client: Your own `AIGateway` for feedback, in place of the models'.
        async_client: Your own `AsyncAIGateway`, likewise.
    """

    max_calls: int = Field(default=10_000, ge=1)
    max_age: float = Field(default=86_400.0, gt=0)
    client: AIGateway | None = Field(default=None, exclude=True, repr=False)
    async_client: AsyncAIGateway | None = Field(default=None, exclude=True, repr=False)

    _ledger: Ledger = PrivateAttr()
    _is_attached: bool = PrivateAttr(default=False)

    def model_post_init(self, context: Any, /) -> None:
        """Begin with no calls."""
        super().model_post_init(context)
        self._ledger = Ledger(self.max_calls, self.max_age)

    @classmethod
    def class_name(cls) -> str:
        """Give the name LlamaIndex knows the class by."""
        return "AIGatewayEventHandler"

    def attach(self) -> Self:
        """Hear of every call of the process from now on; give the handler back."""
        root = get_dispatcher()
        if not self._is_attached:
            self._is_attached = True
            root.event_handlers = [*root.event_handlers, self]
            start_watching()
        return self

    def detach(self) -> None:
        """Hear of no more calls; what is recorded stays."""
        root = get_dispatcher()
        if self._is_attached:
            self._is_attached = False
            root.event_handlers = [other for other in root.event_handlers if other is not self]
            stop_watching()

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        """Record a call; LlamaIndex calls this."""
        del kwargs
        if not isinstance(event, AIGatewayCallEvent):
            return
        try:
            self._ledger.add(event.report)
        except Exception:  # noqa: BLE001 LlamaIndex would swallow it without a word
            _LOG.exception("a call through the gateway could not be recorded")

    def calls(self, span_id: str | None = None) -> list[RecordedCall]:
        """Give the calls beneath a span or a workflow run, oldest first.

        Args:
            span_id: The id of any span around the calls, their own one, or a workflow's run; all calls when left out.
        """
        return calls_of(self._ledger.reports() if span_id is None else self._ledger.find(span_id))

    def log_ids(self, span_id: str | None = None) -> list[str]:
        """Give the log ids of the calls beneath a span or a workflow run, oldest first; of all when left out."""
        return [call.log_id for call in self.calls(span_id) if call.log_id]

    def feedback(
        self,
        target: Any = None,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
        wait: float = 5.0,
    ) -> list[str]:
        """Rate calls, one request per log.

        Args:
            target: What is rated. The id of a span or a workflow run: the calls beneath it; one that is not known here
                is looked up at the gateway, where it is the event id. A response of an LLM or an agent, its `aigw`
                dict, or a `RecordedCall`: that call. `None`: what ran last, from its outermost span on.
            feedback: 1 (good), -1 (bad), 0, `None` to clear; `aigw.UNSET` leaves it alone.
            score: A finite number, or `None` to clear.
            metadata: At most five entries of str, int, float or bool, or `None` to clear.
            which: `last` rates the last chat call, `all` every call, embeddings too.
            wait: Seconds a log that is not there yet is waited for.

        Returns:
            The ids of the rated logs.

        Raises:
            UnknownSpanError: The span is not known here, nor at the gateway.
            ConfigurationError: A value is not allowed, the target has no call, or no client is known; nothing was sent.
            LogNotFoundError: A log is not there, also not after `wait`.
            AIGatewayError: The gateway could not be reached, or said no.
        """
        calls = self._choose(target, which)
        with _unknown(target, calls):
            return rate_logs(calls, feedback, score=score, metadata=metadata, which=which, wait=wait)

    async def afeedback(
        self,
        target: Any = None,
        feedback: Unset | Feedback = 1,
        *,
        score: Unset | float | None = UNSET,
        metadata: Unset | Mapping[str, MetadataValue] | None = UNSET,
        which: Which = "last",
        wait: float = 5.0,
    ) -> list[str]:
        """As `feedback`, with `await`."""
        calls = self._choose(target, which)
        with _unknown(target, calls):
            return await arate_logs(calls, feedback, score=score, metadata=metadata, which=which, wait=wait)

    def reconcile(self, span_id: str | None = None, *, wait: float = 0) -> list[RecordedCall]:
        """Read the logs of the calls beneath a span, at most eight at once, so that the calls have their cost.

        Args:
            span_id: As in `calls`.
            wait: Seconds a log is waited for that is not there yet, or not complete.

        Returns:
            The calls.

        Raises:
            AIGatewayError: The gateway could not be reached, or said no; a log that is not there is no error.
        """
        reports = self._ledger.reports() if span_id is None else self._ledger.find(span_id)
        return reconcile_reports(reports, wait)

    async def areconcile(self, span_id: str | None = None, *, wait: float = 0) -> list[RecordedCall]:
        """As `reconcile`, with `await`."""
        reports = self._ledger.reports() if span_id is None else self._ledger.find(span_id)
        return await areconcile_reports(reports, wait)

    def _choose(self, target: Any, which: Which) -> list[LoggedCall]:
        if target is None:
            return self._with_clients(choose_calls(calls_of(self._last_tree()), which))
        if isinstance(target, str):
            known = choose_calls(calls_of(self._ledger.find(target)), which)
            return self._with_clients(known) or [self._elsewhere(ResponseInfo(event_id=event_id_of(target)))]
        if isinstance(target, RecordedCall):
            return self._with_clients([target.logged])
        info = _facts(target)
        known = [call.logged for call in calls_of(self._ledger.find(info.log_id or "")) if call.log_id == info.log_id]
        return self._with_clients(known) or [self._elsewhere(info)]

    def _last_tree(self) -> list[CallReport]:
        """Give the calls beneath the outermost span of the newest call."""
        reports = self._ledger.reports()
        place = reports[-1].caller.place if reports else None
        if place is None:
            return []
        return self._ledger.find(place.spans[0]) if place.spans else reports[-1:]

    def _with_clients(self, calls: list[LoggedCall]) -> list[LoggedCall]:
        """Put the handler's own clients, as far as there are any, in place of the models'."""
        return [self._through(call.info, call) for call in calls]

    def _elsewhere(self, info: ResponseInfo) -> LoggedCall:
        """Give a call that was made elsewhere, or is forgotten here: the newest call's clients must do."""
        newest = next((call.logged for call in reversed(self.calls())), None)
        return self._through(info, newest or LoggedCall(info, _no_client, _no_async_client))

    def _through(self, info: ResponseInfo, call: LoggedCall) -> LoggedCall:
        client, async_client = self.client, self.async_client
        return LoggedCall(
            info,
            call.sync_client if client is None else lambda: client,
            call.async_client if async_client is None else lambda: async_client,
        )


@contextmanager
def _unknown(target: Any, calls: list[LoggedCall]) -> Iterator[None]:
    """Say of a span that was looked up and not found that it is unknown."""
    try:
        yield
    except LogNotFoundError as error:
        if not isinstance(target, str) or any(call.info.log_id for call in calls):
            raise
        raise UnknownSpanError(
            f"span {target} is not known to this handler, and the gateway has no log with that event id: only the span "
            "of a call is sent as one, not those around it"
        ) from error


def _no_client() -> AIGateway:
    raise ConfigurationError("no call is recorded whose client could be used: give client= to the handler")


def _no_async_client() -> AsyncAIGateway:
    raise ConfigurationError("no call is recorded whose client could be used: give async_client= to the handler")


def _facts(target: Any) -> ResponseInfo:
    """Read the gateway's facts from a response of an LLM, the output of an agent, or a dict of facts.

    Raises:
        ConfigurationError: It has none.
    """
    for place in (getattr(target, "additional_kwargs", None), getattr(target, "raw", None), target, {"aigw": target}):
        facts = place.get("aigw") if isinstance(place, Mapping) else None
        if isinstance(facts, Mapping) and (facts.get("log_id") or facts.get("event_id")):
            return ResponseInfo(**facts)
    raise ConfigurationError(
        f"{type(target).__name__} does not tell which call it is of: give the id of a span, or use capture_logs()"
    )
