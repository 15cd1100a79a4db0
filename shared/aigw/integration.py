"""What an adapter for a framework is built from: clients to share, calls to note, logs to find, options to pass on.

Apart from `aigw` because who only uses a model needs none of it. `langchain_aigw` and `llamaindex_aigw` stand on these
names and on those of `aigw`, and on nothing else of the core.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw._lazy import lazy

if TYPE_CHECKING:
    from aigw._adapters._asking import ask_completions, ask_embeddings, ask_stream
    from aigw._adapters._chat_request import ChatRequest, merge_parameters, refuse_connection_keywords
    from aigw._adapters._clients import Clients
    from aigw._adapters._forwarding import chosen_event_id, event_id_of, forward_metadata, metadata_of
    from aigw._adapters._signatures import with_known_signature
    from aigw._adapters._told_again import tell_again, told_again
    from aigw._adapters._tool_calls import ToolCalls, WireToolCall, parse_arguments
    from aigw._contexts import leave
    from aigw._finding._search import CallMemory
    from aigw._finding._shared_writer import SharedWriter
    from aigw._forks import ForkSafeLock
    from aigw._given import check_texts, shown
    from aigw._handlers._bookkeeping import Bookkeeping
    from aigw._handlers._cost_callback import CostCallback
    from aigw._handlers._rater import Rater, is_rating
    from aigw._noted._captured import CallCaptures, CapturedCalls
    from aigw._noted._costs import sum_costs
    from aigw._noted._ledger import Ledger
    from aigw._noted._log_reading import aread_logs, read_logs, readings_of
    from aigw._noted._recorded import Caller, CallReport, RecordedCall, calls_of
    from aigw._option_layers import context_options
    from aigw._rating._feedback import CallKind, LoggedCall, arate_logs, rate_logs
    from aigw._rating._queues import FeedbackTaker
    from aigw._rating._verdicts import Verdict

__all__ = [
    "Bookkeeping",
    "CallCaptures",
    "CallKind",
    "CallMemory",
    "CallReport",
    "Caller",
    "CapturedCalls",
    "ChatRequest",
    "Clients",
    "CostCallback",
    "FeedbackTaker",
    "ForkSafeLock",
    "Ledger",
    "LoggedCall",
    "Rater",
    "RecordedCall",
    "SharedWriter",
    "ToolCalls",
    "Verdict",
    "WireToolCall",
    "arate_logs",
    "aread_logs",
    "ask_completions",
    "ask_embeddings",
    "ask_stream",
    "calls_of",
    "check_texts",
    "chosen_event_id",
    "context_options",
    "event_id_of",
    "forward_metadata",
    "is_rating",
    "lazy",
    "leave",
    "merge_parameters",
    "metadata_of",
    "parse_arguments",
    "rate_logs",
    "read_logs",
    "readings_of",
    "refuse_connection_keywords",
    "shown",
    "sum_costs",
    "tell_again",
    "told_again",
    "with_known_signature",
]

_MODULES: Final = {
    "Bookkeeping": "_handlers._bookkeeping",
    "CallCaptures": "_noted._captured",
    "CallKind": "_rating._feedback",
    "CallMemory": "_finding._search",
    "CallReport": "_noted._recorded",
    "Caller": "_noted._recorded",
    "CapturedCalls": "_noted._captured",
    "ChatRequest": "_adapters._chat_request",
    "Clients": "_adapters._clients",
    "CostCallback": "_handlers._cost_callback",
    "FeedbackTaker": "_rating._queues",
    "ForkSafeLock": "_forks",
    "Ledger": "_noted._ledger",
    "LoggedCall": "_rating._feedback",
    "Rater": "_handlers._rater",
    "RecordedCall": "_noted._recorded",
    "SharedWriter": "_finding._shared_writer",
    "ToolCalls": "_adapters._tool_calls",
    "Verdict": "_rating._verdicts",
    "WireToolCall": "_adapters._tool_calls",
    "arate_logs": "_rating._feedback",
    "aread_logs": "_noted._log_reading",
    "ask_completions": "_adapters._asking",
    "ask_embeddings": "_adapters._asking",
    "ask_stream": "_adapters._asking",
    "calls_of": "_noted._recorded",
    "check_texts": "_given",
    "chosen_event_id": "_adapters._forwarding",
    "context_options": "_option_layers",
    "event_id_of": "_adapters._forwarding",
    "forward_metadata": "_adapters._forwarding",
    "is_rating": "_handlers._rater",
    "leave": "_contexts",
    "merge_parameters": "_adapters._chat_request",
    "metadata_of": "_adapters._forwarding",
    "parse_arguments": "_adapters._tool_calls",
    "rate_logs": "_rating._feedback",
    "read_logs": "_noted._log_reading",
    "readings_of": "_noted._log_reading",
    "refuse_connection_keywords": "_adapters._chat_request",
    "shown": "_given",
    "sum_costs": "_noted._costs",
    "tell_again": "_adapters._told_again",
    "told_again": "_adapters._told_again",
    "with_known_signature": "_adapters._signatures",
}

__getattr__, __dir__ = lazy(__name__, _MODULES, home="aigw")
