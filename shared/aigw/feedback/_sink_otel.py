"""Feedback told to OpenTelemetry, as the event that its conventions for generative AI have for evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry._logs import get_logger
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from aigw._errors import ConfigurationError
from aigw._version import __version__
from aigw.feedback._entries import check_sink_names, entries_of, labels_of, link_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry._logs import LoggerProvider

    from aigw.feedback._entries import Entry, TraceLink
    from aigw.feedback._sinks import SentFeedback

EVENT: Final = "gen_ai.evaluation.result"

_LABELS: Final = {1: "good", 0: "neutral", -1: "bad"}


class OTelSink:
    """Emits an event `gen_ai.evaluation.result` for each field of feedback.

    Its attributes: `gen_ai.evaluation.name` (`user_feedback`, `user_score`, `user_comment`),
    `gen_ai.evaluation.score.value`, `gen_ai.evaluation.score.label` (`good`, `neutral`, `bad`, or `cleared`),
    `gen_ai.evaluation.explanation` (the metadata entry `comment`), `aigw_gateway_id`, `aigw_log_id`, `aigw_event_id`,
    other metadata, and `aigw_entry_id`, which is the same for the same field of the same log: of several events with
    one id the newest holds, so that an event emitted twice says nothing twice. It belongs to the trace of the call
    where that is known, and to no trace where it is not.

    When `send` returns, the event is the provider's to export; flush or shut that down at the end of the process.

    Args:
        provider: The logger provider; the process's when left out.
        prefix: What the names begin with.
        find_trace: Says where a call stands; left out, its event id does where it is a trace id (32 hexadecimal digits,
            a UUID) or a W3C `traceparent`.
        name: The sink's name in counts and dead letters.

    Raises:
        ConfigurationError: `name` or `prefix` is empty.
        ModuleNotFoundError: The extra `aigw[otel]` is not installed.

    Source: OpenTelemetry semantic conventions for generative AI, event `gen_ai.evaluation.result`.
    """

    def __init__(
        self,
        provider: LoggerProvider | None = None,
        *,
        prefix: str = "user",
        find_trace: Callable[[SentFeedback], TraceLink | None] | None = None,
        name: str = "otel",
    ) -> None:
        check_sink_names(name, prefix)
        self.name = name
        self._prefix = prefix
        self._find_trace = find_trace
        self._provider = provider

    def __repr__(self) -> str:
        return f"OTelSink(name={self.name!r})"

    def send(self, feedback: SentFeedback) -> None:
        """Emit the events.

        Raises:
            ConfigurationError: No logger provider takes them.
        """
        logger = get_logger("aigw.feedback", __version__, self._provider)
        if not logger.enabled(event_name=EVENT):
            raise ConfigurationError("OpenTelemetry takes no events: set a logger provider, or give provider=")
        context = _context(link_of(feedback, self._find_trace))
        for entry in entries_of(feedback, self._prefix):
            logger.emit(context=context, event_name=EVENT, attributes=_attributes(entry) | labels_of(feedback))


def _context(link: TraceLink | None) -> Context:
    if link is None:
        return Context()
    span_id = int(link.span_id or "0", 16)
    span = SpanContext(int(link.trace_id, 16), span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(span), Context())


def _attributes(entry: Entry) -> dict[str, Any]:
    said: dict[str, Any] = {"name": entry.name}
    if isinstance(entry.value, str):
        said["explanation"] = entry.value
    elif entry.value is None:
        said["score.label"] = "cleared"
    else:
        said["score.value"] = float(entry.value)
        said |= {"score.label": _LABELS[int(entry.value)]} if entry.name.endswith("_feedback") else {}
    return {f"gen_ai.evaluation.{key}": value for key, value in said.items()} | {"aigw_entry_id": str(entry.id)}
