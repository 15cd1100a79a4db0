"""Cohere's second API: chat and embeddings, to and from OpenAI's.

Source: Cohere API reference, Chat v2, Chat with streaming v2, Embed v2. Its messages and tools are OpenAI's but for
their names; documents become part of the prompt; there are no citations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw._json import dump_json
from aigw.local._dialects._dialect import (
    Body,
    Dialect,
    InvalidBody,
    entries,
    entry,
    event_bytes,
    one_of,
    pick,
    stream_fields,
    text,
)
from aigw.local._dialects._openai import (
    CHAT_ENDPOINT,
    EMBEDDINGS_ENDPOINT,
    first_choice,
    no_stream,
    stop_of,
    vectors_of,
)
from aigw.local._dialects._steps import Block, Step, StepStream, bare_id, blocks_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAMPLING: Final = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "p": "top_p",
    "stop_sequences": "stop",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "tools": "tools",
}
_CHOICES: Final = {"REQUIRED": "required", "NONE": "none"}
_REASONS: Final[Mapping[str | None, str]] = {
    "length": "MAX_TOKENS",
    "tool_calls": "TOOL_CALL",
    "content_filter": "ERROR",
}
_KEPT: Final = ("role", "tool_calls", "tool_call_id")


def ask(body: Body) -> Body:
    """Translate the request.

    Raises:
        InvalidBody: A field is missing, or of the wrong type.
    """
    messages = [_message(message, where) for where, message in entries(body.get("messages"), "messages")]
    if not messages:
        raise InvalidBody("messages: at least one message is required")
    choice = body.get("tool_choice")
    return {
        "model": text(body.get("model"), "model"),
        "messages": [*_documents(body.get("documents")), *messages],
        **pick(body, _SAMPLING),
        **({"tool_choice": one_of(choice, _CHOICES, "tool_choice")} if choice is not None else {}),
        **_format(entry(body.get("response_format") or {}, "response_format")),
        **stream_fields(body),
    }


def answer(openai_json: Body, *, model: str) -> Body:  # noqa: ARG001 -- Cohere names no model
    """Translate a whole answer."""
    blocks = blocks_of(openai_json)
    message: dict[str, Any] = {"role": "assistant"}
    words = [{"type": "text", "text": block.content} for block in blocks if block.kind == "text"]
    calls = [_call(block, block.content) for block in blocks if block.kind == "tool"]
    return {
        "id": bare_id(openai_json.get("id") or ""),
        "finish_reason": _reason(first_choice(openai_json)[1], stop_of(openai_json), blocks),
        "message": message | ({"content": words} if words else {}) | ({"tool_calls": calls} if calls else {}),
        "usage": _usage(openai_json.get("usage")),
    }


def error(status: int, message: str) -> Body:  # noqa: ARG001 -- Cohere says the status apart
    """Write an error as Cohere does."""
    return {"message": message}


def ask_embeddings(body: Body) -> Body:
    """Translate a request for vectors.

    Raises:
        InvalidBody: There are no texts, or other vectors than of floats are asked for.
    """
    texts = body.get("texts")
    if not isinstance(texts, list) or not texts:
        raise InvalidBody("texts: expected a non-empty array of strings")
    if body.get("embedding_types") not in (None, ["float"]):
        raise InvalidBody("embedding_types: only float is supported")
    words = [text(item, f"texts.{index}") for index, item in enumerate(texts)]
    fields = pick(body, {"model": "model", "output_dimension": "dimensions"})
    return {**fields, "input": words, "encoding_format": "float"}


def answer_embeddings(openai_json: Body, *, model: str) -> Body:  # noqa: ARG001 -- Cohere names no model
    """Translate the vectors, in the order of the texts."""
    tokens = (openai_json.get("usage") or {}).get("prompt_tokens") or 0
    return {
        "id": "0",
        "embeddings": {"float": vectors_of(openai_json)},
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": tokens}},
        "response_type": "embeddings_by_type",
    }


class ChatStream(StepStream):
    """Chunks in, Cohere's events out, then `[DONE]`."""

    __slots__ = ()

    def _write(self, step: Step) -> bytes:
        if step.block is not None:
            return _block_event(step, step.block)
        if step.kind == "begin":
            message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
            return _event("message-start", {"message": message}, id=bare_id(self._steps.id))
        if step.kind == "error":
            return _event("message-end", {"finish_reason": "ERROR", "error": step.delta})
        reason = _reason(self._steps.finish, self._steps.stop, self._steps.blocks)
        ended = _event("message-end", {"finish_reason": reason, "usage": _usage(self._steps.usage)})
        return ended + b"data: [DONE]\n\n"


_KINDS: Final = {"text": "content", "tool": "tool-call"}
_ENDS: Final = {"open": "start", "delta": "delta", "stop": "end"}


def _block_event(step: Step, block: Block) -> bytes:
    delta = None if step.kind == "stop" else {"message": _said(step, block)}
    return _event(f"{_KINDS[block.kind]}-{_ENDS[step.kind]}", delta, index=block.index)


def _said(step: Step, block: Block) -> Body:
    opens = step.kind == "open"
    if block.kind == "text":
        return {"content": {**({"type": "text"} if opens else {}), "text": step.delta}}
    return {"tool_calls": _call(block, "") if opens else {"function": {"arguments": step.delta}}}


def _event(kind: str, delta: Body | None, **more: Any) -> bytes:
    return event_bytes({"type": kind, **more, **({"delta": delta} if delta else {})}, kind)


def _message(message: Body, where: str) -> Body:
    kept = {name: message[name] for name in _KEPT if message.get(name) is not None}
    return {**kept, "content": _content(message.get("content"), where)}


def _content(value: Any, where: str) -> Any:
    if value is None or isinstance(value, str):
        return value
    parts = [_part(part) for _, part in entries(value, f"{where}.content")]
    plain = all(part.get("type") == "text" for part in parts)
    return "\n".join(part["text"] for part in parts) if plain else parts


def _part(part: Body) -> Body:
    """Give a part as OpenAI has it; a tool's result is a document, of which the data are the text."""
    if part.get("type") == "document":
        data = (part.get("document") or {}).get("data")
        return {"type": "text", "text": data if isinstance(data, str) else dump_json(data).decode()}
    return part if part.get("type") != "text" else {"type": "text", "text": str(part.get("text"))}


def _documents(value: object) -> list[Body]:
    if not value or not isinstance(value, list):
        return []
    return [
        {"role": "system", "content": item if isinstance(item, str) else dump_json(item).decode()} for item in value
    ]


def _format(form: Body) -> Body:
    schema = form.get("json_schema") or form.get("schema")
    if schema:
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}}
    return {"response_format": {"type": "json_object"}} if form.get("type") == "json_object" else {}


def _call(block: Block, arguments: str) -> Body:
    return {"id": block.id, "type": "function", "function": {"name": block.name, "arguments": arguments}}


def _reason(finish: str | None, stop: str | None, blocks: list[Block]) -> str:
    if stop is not None:
        return "STOP_SEQUENCE"
    called = any(block.kind == "tool" for block in blocks)
    return _REASONS.get(finish, "TOOL_CALL" if called else "COMPLETE")


def _usage(usage: Body | None) -> Body:
    usage = usage or {}
    tokens = {"input_tokens": usage.get("prompt_tokens") or 0, "output_tokens": usage.get("completion_tokens") or 0}
    return {"billed_units": tokens, "tokens": tokens}


COHERE: Final[Dialect] = Dialect("cohere", CHAT_ENDPOINT, ask, answer, ChatStream, error)
COHERE_EMBED: Final[Dialect] = Dialect(
    "cohere-embed", EMBEDDINGS_ENDPOINT, ask_embeddings, answer_embeddings, no_stream, error
)
