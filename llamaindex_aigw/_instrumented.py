"""What the models have besides their connection: the gateway is told of LlamaIndex, and LlamaIndex of the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llama_index.core.instrumentation.span import active_span_id
from llama_index_instrumentation.dispatcher import active_instrument_tags

from aigw import ConfigurationError
from aigw.integration import context_options, shown
from llamaindex_aigw._connection import Connection
from llamaindex_aigw._span_options import span_options
from llamaindex_aigw._spans import NOWHERE, current_place

if TYPE_CHECKING:
    from aigw import GatewayOptions
    from aigw.integration import CallKind
    from llamaindex_aigw._recorded import CallReport


class Instrumented(Connection):
    """A model whose calls are known by their span, and heard of by captures and handlers.

    Attributes:
        send_span_id: Whether LlamaIndex's span id is the event id of each call (`cf-aig-event-id`), so that a log can
            be found by it from anywhere; an `event_id` of the gateway options wins.
        metadata_keys: The `instrument_tags` that are sent as metadata of each call, the most important first. The
            gateway keeps five entries in all; those of the gateway options come first. No other tag is ever sent.
            `root_span_id` is the outermost span, as far as a handler or a capture knows it, and `workflow_run_id` the
            workflow's run: with these, feedback finds all logs beneath them from any process.
    """

    send_span_id: bool = True
    metadata_keys: tuple[str, ...] = ()

    def __init__(self, /, **data: Any) -> None:
        super().__init__(**data)
        refused = [key for key in self.metadata_keys if not key or key.startswith("cf.")]
        if refused:
            raise ConfigurationError(
                f"metadata_keys cannot hold {shown(refused[0])}: a key is not empty and does not begin with 'cf.'"
            )

    def _call_options(self, options: GatewayOptions | None = None) -> Any:
        """Give a call's gateway options with what LlamaIndex knows of it; to be asked for in the call's own span."""
        return span_options(
            options,
            span_id=active_span_id.get(),
            tags=active_instrument_tags.get(),
            place=current_place() if self.metadata_keys else NOWHERE,
            beneath=(self.gateway_options or {}, context_options()),
            metadata_keys=self.metadata_keys,
            sends_span_id=self.send_span_id,
        )

    def _calling(self, model: str, options: GatewayOptions | None, kind: CallKind = "chat") -> CallReport:
        """Begin the report of a call, whose block the request is sent in; to be asked for in the call's own span."""
        from llamaindex_aigw._reporting import report_call  # noqa: PLC0415 -- not wanted before the first call

        return report_call(self, model, options, kind)
