"""OpenAI's own chat completions and embeddings: nothing is translated, and the upstream judges the body.

Also OpenAI's error body, which the Responses API shares.
"""

from __future__ import annotations

from typing import Any, Final

from aigw.local._dialects._dialect import Body, Dialect, InvalidBody, StreamTranslator, event_bytes

CHAT_ENDPOINT: Final = "chat/completions"
EMBEDDINGS_ENDPOINT: Final = "embeddings"

_TYPES: Final = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


def same(body: Body) -> Body:
    """Ask what was asked."""
    return body


def same_answer(openai_json: Body, *, model: str) -> Body:  # noqa: ARG001 -- the upstream named its model
    """Answer what was answered."""
    return openai_json


def openai_error(status: int, message: str) -> Body:
    """Write an error as OpenAI's APIs do. Source: OpenAI API reference, Errors."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


class ChunkStream:
    """The chunks as they are, then `[DONE]`."""

    def feed(self, chunk: Body) -> bytes:
        """Write the chunk."""
        return event_bytes(chunk)

    def close(self) -> bytes:
        """Write the end."""
        return b"data: [DONE]\n\n"


def _chunks(model: str) -> StreamTranslator:  # noqa: ARG001 -- the upstream named its model
    return ChunkStream()


def no_stream(model: str) -> StreamTranslator:
    """Refuse to stream.

    Raises:
        InvalidBody: Always: embeddings come whole.
    """
    raise InvalidBody(f"stream: embeddings of {model} come whole")


CHAT: Final[Dialect] = Dialect("chat", CHAT_ENDPOINT, same, same_answer, _chunks, openai_error)
RAW: Final[Dialect] = Dialect("raw", "", same, same_answer, _chunks, openai_error)
"""Anything a provider takes that no dialect here can say."""

EMBEDDINGS: Final[Dialect] = Dialect("embeddings", EMBEDDINGS_ENDPOINT, same, same_answer, no_stream, openai_error)


def stop_hit(choice: Body) -> str | None:
    """Give the stop sequence that ended a choice, which some upstreams tell in a field that OpenAI does not have."""
    hit = choice.get("stop_reason")
    return hit if isinstance(hit, str) and choice.get("finish_reason") == "stop" else None


def stop_of(openai_json: Body) -> str | None:
    """Give the stop sequence that ended a whole answer, if that is told."""
    choices: list[Any] = openai_json.get("choices") or [{}]
    return stop_hit(choices[0])


def first_choice(openai_json: Body) -> tuple[Body, str | None]:
    """Give the first choice's message and its finish reason; an empty message when there is no choice."""
    choices: list[Any] = openai_json.get("choices") or [{}]
    return choices[0].get("message") or {}, choices[0].get("finish_reason")


def vectors_of(openai_json: Body) -> list[list[float]]:
    """Give the vectors of an answer, in the order of the texts."""
    items = sorted(openai_json.get("data") or (), key=lambda item: item.get("index") or 0)
    return [item["embedding"] for item in items]
