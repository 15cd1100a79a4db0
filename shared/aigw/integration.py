"""What an adapter for a framework is built from: clients to share, calls to note, logs to find, options to pass on.

Apart from `aigw` because who only uses a model needs none of it. `langchain_aigw` and `llamaindex_aigw` stand on these
names and on those of `aigw`, and on nothing else of the core.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw._lazy import lazy

if TYPE_CHECKING:
    from aigw._asking import ask_completions, ask_embeddings, ask_stream
    from aigw._bookkeeping import Bookkeeping
    from aigw._captured import CallCaptures, CapturedCalls
    from aigw._chat_request import ChatRequest, merge_parameters
    from aigw._clients import Clients
    from aigw._contexts import leave
    from aigw._cost_callback import CostCallback
    from aigw._costs import sum_costs
    from aigw._feedback import CallKind, LoggedCall, arate_logs, rate_logs
    from aigw._forwarding import chosen_event_id, event_id_of, forward_metadata, metadata_of
    from aigw._given import check_texts, shown
    from aigw._ledger import Ledger
    from aigw._log_reading import aread_logs, read_logs, readings_of
    from aigw._option_layers import context_options
    from aigw._queues import FeedbackTaker
    from aigw._rater import Rater, is_rating
    from aigw._recorded import Caller, CallReport, RecordedCall, calls_of
    from aigw._search import CallMemory
    from aigw._shared_writer import SharedWriter
    from aigw._signatures import with_known_signature
    from aigw._told_again import tell_again, told_again
    from aigw._verdicts import Verdict

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
    "Ledger",
    "LoggedCall",
    "Rater",
    "RecordedCall",
    "SharedWriter",
    "Verdict",
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
    "rate_logs",
    "read_logs",
    "readings_of",
    "shown",
    "sum_costs",
    "tell_again",
    "told_again",
    "with_known_signature",
]

_MODULES: Final = {
    "Bookkeeping": "_bookkeeping",
    "CallCaptures": "_captured",
    "CallKind": "_feedback",
    "CallMemory": "_search",
    "CallReport": "_recorded",
    "Caller": "_recorded",
    "CapturedCalls": "_captured",
    "ChatRequest": "_chat_request",
    "Clients": "_clients",
    "CostCallback": "_cost_callback",
    "FeedbackTaker": "_queues",
    "Ledger": "_ledger",
    "LoggedCall": "_feedback",
    "Rater": "_rater",
    "RecordedCall": "_recorded",
    "SharedWriter": "_shared_writer",
    "Verdict": "_verdicts",
    "arate_logs": "_feedback",
    "aread_logs": "_log_reading",
    "ask_completions": "_asking",
    "ask_embeddings": "_asking",
    "ask_stream": "_asking",
    "calls_of": "_recorded",
    "check_texts": "_given",
    "chosen_event_id": "_forwarding",
    "context_options": "_option_layers",
    "event_id_of": "_forwarding",
    "forward_metadata": "_forwarding",
    "is_rating": "_rater",
    "leave": "_contexts",
    "merge_parameters": "_chat_request",
    "metadata_of": "_forwarding",
    "rate_logs": "_feedback",
    "read_logs": "_log_reading",
    "readings_of": "_log_reading",
    "shown": "_given",
    "sum_costs": "_costs",
    "tell_again": "_told_again",
    "told_again": "_told_again",
    "with_known_signature": "_signatures",
}

__getattr__, __dir__ = lazy(__name__, _MODULES, home="aigw")
