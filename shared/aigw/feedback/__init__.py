"""Feedback that arrives: accepted at once, sent in the background, kept until it is in its log.

Apart from the client because none of it is needed to call a model. Retries, tokens and the app for browsers come from
the extra `aigw[feedback]`, each other place that is told from an extra of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw._lazy import lazy

if TYPE_CHECKING:
    from aigw.feedback._app import feedback_app
    from aigw.feedback._async_queue import AsyncFeedbackQueue
    from aigw.feedback._backlog import FeedbackCounts, FeedbackQueueFullError
    from aigw.feedback._entries import TraceLink
    from aigw.feedback._queue import FeedbackQueue
    from aigw.feedback._rows import FailedFeedback
    from aigw.feedback._sink_langfuse import LangfuseSink
    from aigw.feedback._sink_langsmith import LangSmithSink
    from aigw.feedback._sink_otel import OTelSink
    from aigw.feedback._sinks import SentFeedback, Sink
    from aigw.feedback._tokens import FeedbackTarget, FeedbackTokenError, FeedbackTokens

__all__ = [
    "AsyncFeedbackQueue",
    "FailedFeedback",
    "FeedbackCounts",
    "FeedbackQueue",
    "FeedbackQueueFullError",
    "FeedbackTarget",
    "FeedbackTokenError",
    "FeedbackTokens",
    "LangSmithSink",
    "LangfuseSink",
    "OTelSink",
    "SentFeedback",
    "Sink",
    "TraceLink",
    "feedback_app",
]

_MODULES: Final = {
    "AsyncFeedbackQueue": "_async_queue",
    "FailedFeedback": "_rows",
    "FeedbackCounts": "_backlog",
    "FeedbackQueue": "_queue",
    "FeedbackQueueFullError": "_backlog",
    "FeedbackTarget": "_tokens",
    "FeedbackTokenError": "_tokens",
    "FeedbackTokens": "_tokens",
    "LangSmithSink": "_sink_langsmith",
    "LangfuseSink": "_sink_langfuse",
    "OTelSink": "_sink_otel",
    "SentFeedback": "_sinks",
    "Sink": "_sinks",
    "TraceLink": "_entries",
    "feedback_app": "_app",
}

_EXTRAS: Final = {
    "itsdangerous": "feedback",
    "langfuse": "langfuse",
    "langsmith": "langsmith",
    "opentelemetry": "otel",
    "starlette": "feedback",
    "tenacity": "feedback",
}
"""By what is missing: the extra that has it."""

__getattr__, __dir__ = lazy(__name__, _MODULES, _EXTRAS)
