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


class reported_call:  # noqa: N801  read as what it gives in a `with` statement
    """Hear what the gateway says of the request that is sent in this block, in the call's own span.

    LlamaIndex is told as soon as the block ends, and before the report has an error: who hears of it may ask to be told
    of one.

    Args:
        connection: What is asked.
        model: The model's id, as it is sent.
        options: The call's own gateway options.
        kind: Of the call.
    """

    __slots__ = ("_report",)

    def __init__(self, connection: Connection, model: str, options: GatewayOptions | None, kind: CallKind) -> None:
        self._report = CallReport(
            Caller(
                kind=kind,
                model=model,
                sync_client=connection._sync_client,  # noqa: SLF001 the models' own
                async_client=connection._async_client,  # noqa: SLF001 as above
                place=current_place(),
                tags=current_tags(),
                event_id=chosen_event_id(connection.gateway_options, options),
            )
        )

    def __enter__(self) -> CallReport:
        CAPTURES.tell(self._report)
        return self._report

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if is_dispatched(_DISPATCHER):
            _DISPATCHER.event(AIGatewayCallEvent(self._report))
        self._report.__exit__(kind, error, trace)
