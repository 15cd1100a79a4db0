"""A call of a model, told of to captures and to LlamaIndex.

Apart from the models, which are imported without it: it brings the core's clients and their HTTP library along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llama_index_instrumentation import get_dispatcher

from aigw.integration import chosen_event_id
from llamaindex_aigw._captured import CAPTURES
from llamaindex_aigw._events import AIGatewayCallEvent
from llamaindex_aigw._listening import is_dispatched
from llamaindex_aigw._recorded import Caller, CallReport
from llamaindex_aigw._spans import current_place, current_tags

if TYPE_CHECKING:
    from types import TracebackType

    from aigw import GatewayOptions
    from aigw.integration import CallKind
    from llamaindex_aigw._connection import Connection

_DISPATCHER: Final = get_dispatcher(__name__)


class _ToldReport(CallReport):
    """A report that LlamaIndex is told of as soon as its first block ends, in which the gateway answers.

    That is before the report has an error: who hears of it may ask to be told of one. Of a stream there is a second
    block, in which it is read.
    """

    __slots__ = ("_is_told",)

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller)
        self._is_told = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell LlamaIndex of the call, and note how it ended."""
        if not self._is_told:
            self._is_told = True
            if is_dispatched(_DISPATCHER):
                _DISPATCHER.event(AIGatewayCallEvent(self))
        super().__exit__(kind, error, trace)


def report_call(connection: Connection, model: str, options: GatewayOptions | None, kind: CallKind) -> CallReport:
    """Begin the report of a call, in the call's own span: the captures around it hear of it at once.

    Args:
        connection: What is asked.
        model: The model's id, as it is sent.
        options: The call's own gateway options.
        kind: Of the call.
    """
    event_id, place = chosen_event_id(connection.gateway_options, options), current_place()
    report = _ToldReport(Caller(kind, model, connection, event_id, place.spans, place.runs, current_tags()))
    CAPTURES.tell(report)
    return report
