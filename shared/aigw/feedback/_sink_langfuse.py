"""Feedback told to Langfuse, as scores of a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from langfuse import Langfuse, get_client
from langfuse.api import NotFoundError
from langfuse.api.scores import CreateScoreBatchResults, CreateScoreRequest

from aigw._errors import ConfigurationError
from aigw.feedback._entries import check_sink_names, chosen_event_id, entries_of, labels_of, link_of, time_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse.api import LangfuseAPI
    from langfuse.api.core import RequestOptions

    from aigw.feedback._entries import Entry, TraceLink
    from aigw.feedback._sinks import SentFeedback

_ONCE: Final[RequestOptions] = {"max_retries": 0}  # the queue knows when to try again


class LangfuseSink:
    """Scores the Langfuse trace of a call.

    A trace gets up to three scores, `user_feedback`, `user_score` (numbers) and `user_comment` (text, the metadata
    entry `comment`), each under an id and a time made of the log's: what is told again is changed, not told twice.
    Other metadata and the ids of the call go into the score's metadata. What is cleared is deleted.

    The client's background queue is not used: it drops what it cannot send, and this one must know.

    Args:
        client: The Langfuse client; the one of the process, or of the environment, when left out.
        prefix: What the names begin with.
        find_trace: Says where a call stands; left out, its event id does, which then is a trace id (32 hexadecimal
            digits, a UUID) or a W3C `traceparent`.
        name: The sink's name in counts and dead letters.

    Raises:
        ConfigurationError: `name` or `prefix` is empty.
        ModuleNotFoundError: The extra `aigw[langfuse]` is not installed.
    """

    def __init__(
        self,
        client: Langfuse | None = None,
        *,
        prefix: str = "user",
        find_trace: Callable[[SentFeedback], TraceLink | None] | None = None,
        name: str = "langfuse",
    ) -> None:
        check_sink_names(name, prefix)
        self.name = name
        self._prefix = prefix
        self._find_trace = find_trace
        self._client = client

    def __repr__(self) -> str:
        return f"LangfuseSink(name={self.name!r})"

    def send(self, feedback: SentFeedback) -> None:
        """Tell Langfuse, and wait for its answer.

        Raises:
            ConfigurationError: The call stands in no trace that is known, Langfuse refused a score, or it has no keys.
            ApiError: Langfuse said no.
            httpx.TransportError: It could not be reached.
        """
        link = link_of(feedback, self._find_trace)
        if link is None:
            event_id = chosen_event_id(feedback)
            raise ConfigurationError(
                f"the event id {event_id!r} is no trace id of Langfuse: make it one, or give find_trace="
            )
        api = self._connect()
        scores = []
        for entry in entries_of(feedback, self._prefix):
            if entry.value is None:
                _delete(api, entry)
            else:
                scores.append(_score(entry, link, feedback))
        if scores:
            _create(api, scores)

    def _connect(self) -> LangfuseAPI:
        if self._client is None:
            self._client = get_client()
        try:
            return self._client.api
        except AttributeError:
            raise ConfigurationError("Langfuse has no keys: set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY") from None


def _score(entry: Entry, link: TraceLink, feedback: SentFeedback) -> CreateScoreRequest:
    value: Any = entry.value
    return CreateScoreRequest(
        id=str(entry.id),
        trace_id=link.trace_id,
        observation_id=link.span_id,
        name=entry.name,
        value=value,
        data_type="TEXT" if isinstance(value, str) else "NUMERIC",
        metadata=labels_of(feedback),
        timestamp=time_of(feedback),
    )


def _create(api: LangfuseAPI, scores: list[CreateScoreRequest]) -> None:
    answer = api.scores.create(request=scores, request_options=_ONCE)
    if isinstance(answer, CreateScoreBatchResults) and answer.rejected:
        raise ConfigurationError(f"Langfuse refused {answer.rejected} of {len(scores)} scores")


def _delete(api: LangfuseAPI, entry: Entry) -> None:
    try:
        api.scores.delete(str(entry.id), request_options=_ONCE)
    except NotFoundError:
        return
