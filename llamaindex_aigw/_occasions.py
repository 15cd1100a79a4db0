"""What goes wrong after a model has answered, heard in LlamaIndex's events and spans, and which answer was at fault.

Only a handler that rates by itself has one of these.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.instrumentation.events.llm import LLMChatEndEvent, LLMCompletionEndEvent

from aigw import ResponseInfo
from llamaindex_aigw._events import AIGatewayParseErrorEvent
from llamaindex_aigw._tools import decode_tool_calls

if TYPE_CHECKING:
    from llama_index.core.instrumentation.events import BaseEvent

    from aigw.integration import Ledger, Rater
    from llamaindex_aigw._recorded import CallReport, RecordedCall
    from llamaindex_aigw._spans import Place

_MAX_KEPT: Final = 10_000


class Occasions:
    """Finds the call that something was the fault of, and has it rated; has answers judged.

    Args:
        ledger: The calls there are.
        rater: Rates calls.
    """

    def __init__(self, ledger: Ledger[CallReport], rater: Rater) -> None:
        self._ledger = ledger
        self._rater = rater
        self._askers: OrderedDict[tuple[str, str], ResponseInfo] = OrderedDict()

    def called(self, report: CallReport) -> None:
        """Watch a call for being blocked by the gateway."""
        if self._rater.occasions:
            report.when_failed(partial(self._failed, report))

    def hear(self, event: BaseEvent) -> None:
        """Take an event: an answer is judged and its tools are remembered, one that cannot be parsed is rated."""
        if isinstance(event, AIGatewayParseErrorEvent):
            self._rater.happened("output_parser", ResponseInfo(**event.aigw) if event.aigw else None)
        elif isinstance(event, LLMChatEndEvent | LLMCompletionEndEvent):
            call = self._call_in(event.span_id)
            message = _message_of(event)
            if call is not None and message is not None:
                self._answered(message, call)

    def span_ended(self, place: Place, result: Any) -> None:
        """Take what a span gave: a result of a tool in an agent's step, or an answer of `predict_and_call`."""
        if "tool" not in self._rater.occasions:
            return
        if _is_error(getattr(result, "tool_output", None)):
            key = (_scope(place), str(getattr(result, "tool_id", "")))
            self._rater.happened("tool", self._askers.get(key))
        elif any(_is_error(source) for source in _sources_of(result)):
            calls = [call for report in self._ledger.peek(place.spans[-1]) for call in report.calls()]
            self._rater.happened("tool", calls[-1].info if calls else None)

    def _failed(self, report: CallReport, error: BaseException) -> None:
        calls = report.calls()
        self._rater.failed(calls[-1].info if calls else None, error)

    def _answered(self, message: ChatMessage, call: RecordedCall) -> None:
        self._rater.answered(message, call)
        if "tool" in self._rater.occasions:
            for asked in decode_tool_calls(message):
                self._askers[_scope(call.caller.place), asked.tool_id] = call.info
            while len(self._askers) > _MAX_KEPT:
                self._askers.popitem(last=False)

    def _call_in(self, span_id: str | None) -> RecordedCall | None:
        reports = self._ledger.peek(span_id) if span_id else []
        calls = [call for report in reports if report.caller.spans[-1:] == (span_id,) for call in report.calls()]
        return calls[-1] if calls else None


def _message_of(event: LLMChatEndEvent | LLMCompletionEndEvent) -> ChatMessage | None:
    if isinstance(event, LLMChatEndEvent):
        return event.response.message if event.response else None
    return ChatMessage(role="assistant", content=event.response.text)


def _scope(place: Place) -> str:
    """Give what tool call ids are unique in: an outermost workflow run, else an outermost span."""
    return next(iter((*place.runs[:1], *place.spans[:1])), "")


def _is_error(output: Any) -> bool:
    return getattr(output, "is_error", False) is True


def _sources_of(result: Any) -> list[Any]:
    sources = getattr(result, "sources", None)
    return sources if isinstance(sources, list) else []
