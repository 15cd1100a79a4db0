"""Google's generateContent, streamGenerateContent and embedContent: answers, streams and errors, from OpenAI's.

Source: Gemini API reference, Generating content, Embeddings; Google Cloud API design guide, Errors. A stream comes as
server-sent events with `alt=sse`, and as one JSON array that grows without it. A function call comes whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aigw._json import dump_json
from aigw.local._dialects._dialect import Body, Dialect, event_bytes, parse_arguments
from aigw.local._dialects._google_ask import ask, ask_embedding, ask_embeddings, ask_stream
from aigw.local._dialects._openai import CHAT_ENDPOINT, EMBEDDINGS_ENDPOINT, first_choice, no_stream, vectors_of
from aigw.local._dialects._steps import Block, Step, StepStream, bare_id, blocks_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_REASONS: Final[Mapping[str | None, str]] = {"length": "MAX_TOKENS", "content_filter": "SAFETY"}
_STATUSES: Final[Mapping[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def answer(openai_json: Body, *, model: str) -> Body:
    """Translate a whole answer."""
    parts = [_part(block) for block in blocks_of(openai_json)]
    reason = first_choice(openai_json)[1]
    return _response(openai_json.get("id") or "", model, parts, reason or "stop", openai_json.get("usage"))


def error(status: int, message: str) -> Body:
    """Write an error as Google's APIs do."""
    name = _STATUSES.get(status, "INVALID_ARGUMENT" if status < 500 else "UNKNOWN")
    return {"error": {"code": status, "message": message, "status": name}}


def answer_embedding(openai_json: Body, *, model: str) -> Body:  # noqa: ARG001 -- Google names no model here
    """Translate one vector."""
    return {"embedding": _vectors(openai_json)[0]}


def answer_embeddings(openai_json: Body, *, model: str) -> Body:  # noqa: ARG001 -- Google names no model here
    """Translate several vectors, in the order of the requests."""
    return {"embeddings": _vectors(openai_json)}


class ContentStream(StepStream):
    """Chunks in, Google's responses out, as server-sent events."""

    __slots__ = ()

    def write(self, response: Body) -> bytes:
        """Frame one response."""
        return event_bytes(response)

    def _write(self, step: Step) -> bytes:
        if step.kind == "error":
            return self.write(error(500, step.delta))
        if step.kind == "end":
            end = _response(self._steps.id, self.model, [], self._steps.finish or "stop", self._steps.usage)
            return self.write(end)
        if step.block is not None and step.kind == _COMES_AT[step.block.kind]:
            part = {"text": step.delta} if step.block.kind == "text" else _part(step.block)
            return self.write(_response(self._steps.id, self.model, [part]))
        return b""


_COMES_AT: Final = {"text": "delta", "tool": "stop"}


@dataclass(slots=True)
class ContentArray(ContentStream):
    """The same as one JSON array."""

    _begun: bool = False

    def close(self) -> bytes:
        """Give the last response, and the end of the array."""
        return ContentStream.close(self) + b"\n]\n"

    def write(self, response: Body) -> bytes:
        """Write one item."""
        begin = b"\n,\r\n" if self._begun else b"["
        self._begun = True
        return begin + dump_json(response)


def _response(completion: str, model: str, parts: list[Body], finish: str = "", usage: Body | None = None) -> Body:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = _REASONS.get(finish, "STOP")
    counts = {"usageMetadata": _usage(usage)} if usage else {}
    return {"candidates": [candidate], **counts, "modelVersion": model, "responseId": bare_id(completion)}


def _part(block: Block) -> Body:
    if block.kind == "text":
        return {"text": block.content}
    return {"functionCall": {"id": block.id, "name": block.name, "args": parse_arguments(block.content)}}


def _usage(usage: Body) -> Body:
    asked, said = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    return {"promptTokenCount": asked, "candidatesTokenCount": said, "totalTokenCount": asked + said}


def _vectors(openai_json: Body) -> list[Body]:
    return [{"values": vector} for vector in vectors_of(openai_json)]


GOOGLE: Final[Dialect] = Dialect("google", CHAT_ENDPOINT, ask, answer, ContentStream, error)
GOOGLE_SSE: Final[Dialect] = Dialect("google-sse", CHAT_ENDPOINT, ask_stream, answer, ContentStream, error)
GOOGLE_ARRAY: Final[Dialect] = Dialect(
    "google-array", CHAT_ENDPOINT, ask_stream, answer, ContentArray, error, "application/json"
)
GOOGLE_EMBED: Final[Dialect] = Dialect(
    "google-embed", EMBEDDINGS_ENDPOINT, ask_embedding, answer_embedding, no_stream, error
)
GOOGLE_EMBED_BATCH: Final[Dialect] = Dialect(
    "google-embed-batch", EMBEDDINGS_ENDPOINT, ask_embeddings, answer_embeddings, no_stream, error
)
