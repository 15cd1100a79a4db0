"""What hears of the calls of a whole process: an event handler at LlamaIndex's root, and the spans watched with it.

What is known of the calls, and what is done with it, is `callbacks`'.
"""

import logging
from typing import Any, Final, Self

from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index_instrumentation import get_dispatcher
from pydantic import PrivateAttr

from aigw.integration import ForkSafeLock, is_rating
from llamaindex_aigw._events import AIGatewayCallEvent
from llamaindex_aigw._listening import Choosy
from llamaindex_aigw._recorded import CallReport
from llamaindex_aigw._spans import Place, start_watching, stop_watching

_LOG: Final = logging.getLogger("llamaindex_aigw.callbacks")
_LOCK: Final = ForkSafeLock()


class CallHandler(Choosy, BaseEventHandler):
    """Hears of calls; of answers, and of spans that end, only if it wants to.

    LlamaIndex swallows what a handler raises, so what goes wrong in this one is logged.
    """

    _is_attached: bool = PrivateAttr(default=False)

    def attach(self) -> Self:
        """Hear of every call of the process from now on; give the handler back."""
        root = get_dispatcher()
        with _LOCK:
            if not self._is_attached:
                self._is_attached = True
                root.event_handlers = [*root.event_handlers, self]
                start_watching(self._span_ended if self.wants_answers() else None)
        return self

    def detach(self) -> None:
        """Hear of no more calls; what is recorded stays."""
        root = get_dispatcher()
        with _LOCK:
            if self._is_attached:
                self._is_attached = False
                root.event_handlers = [other for other in root.event_handlers if other is not self]
                stop_watching(self._span_ended if self.wants_answers() else None)

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        """Hear of a call, and of what becomes of it; LlamaIndex calls this."""
        del kwargs
        is_call = isinstance(event, AIGatewayCallEvent)
        if not (is_call or self.wants_answers()) or is_rating():
            return
        try:
            if isinstance(event, AIGatewayCallEvent):
                self._called(event.report)
            else:
                self._answered(event)
        except Exception:  # noqa: BLE001 LlamaIndex would swallow it without a word
            _LOG.exception("a call through the gateway could not be recorded")

    def _span_ended(self, place: Place, result: Any) -> None:
        try:
            self._ended(place, result)
        except Exception:  # noqa: BLE001 as above
            _LOG.exception("what a span gave could not be looked at")

    def _called(self, report: CallReport) -> None:
        """Take a call that the gateway has answered, also with an error."""
        raise NotImplementedError

    def _answered(self, event: BaseEvent) -> None:
        """Take any other event; only who wants answers is given one."""
        raise NotImplementedError

    def _ended(self, place: Place, result: Any) -> None:
        """Take what a span gave; likewise."""
        raise NotImplementedError
