"""Workers AI's bare inputs: text generation over chat completions, and text embeddings over embeddings.

Source: Workers AI docs, Models; its error codes, Errors. Answers are the unwrapped `result`; who serves the REST API
wraps it. Sampling parameters that OpenAI has no word for (`top_k`, `repetition_penalty`, `raw`, `lora`) are left out.
The `response` is always text, in JSON mode too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.local._dialects._dialect import (
    Body,
    Dialect,
    InvalidBody,
    entries,
    entry,
    event_bytes,
    function_tool,
    parse_arguments,
    pick,
    stream_fields,
    text,
)
from aigw.local._dialects._openai import CHAT_ENDPOINT, EMBEDDINGS_ENDPOINT, no_stream, vectors_of
from aigw.local._dialects._steps import Block, Step, StepStream, blocks_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAME: Final = (
    *("model", "max_tokens", "temperature", "top_p", "seed", "stop"),
    *("frequency_penalty", "presence_penalty", "tool_choice"),
)
_SAMPLING: Final = {name: name for name in _SAME}
_EMBEDDING_KEYS: Final = frozenset(("model", "text", "pooling", "truncate_inputs"))
_SUPPORTED: Final = "inputs: the local gateway supports {messages}, {prompt}, and {text} for embeddings"

_CODES: Final[Mapping[int, int]] = {400: 5004, 403: 5018, 404: 5007, 405: 5019, 408: 3007, 413: 3006, 429: 3040}
_UNKNOWN_CODE: Final = 7000


def workers_ai_for(inputs: Body) -> Dialect:
    """Give the dialect that a model's inputs are in: text generation or embeddings.

    Raises:
        InvalidBody: They are for another task; the text says which are supported.
    """
    if "messages" in inputs or "prompt" in inputs:
        return WORKERS_AI
    if "text" in inputs and inputs.keys() <= _EMBEDDING_KEYS:
        return WORKERS_AI_EMBEDDINGS
    raise InvalidBody(_SUPPORTED)


def ask(inputs: Body) -> Body:
    """Translate the inputs of a text generation model.

    Raises:
        InvalidBody: There is neither `messages` nor `prompt`, or a field is of the wrong type.
    """
    return {
        **pick(inputs, _SAMPLING),
        "messages": _messages(inputs),
        **_tools(inputs.get("tools")),
        **_format(inputs.get("response_format")),
        **stream_fields(inputs),
    }


def answer(openai_json: Body, *, model: str) -> Body:  # noqa: ARG001 -- Workers AI names no model
    """Translate a whole answer to `{response, usage, tool_calls}`."""
    blocks = blocks_of(openai_json)
    words = "".join(block.content for block in blocks if block.kind == "text")
    return {"response": words, **_calls(blocks), **pick(openai_json, {"usage": "usage"})}


def error(status: int, message: str) -> Body:
    """Write an error in the REST envelope, with the Workers AI code that has this status."""
    code = _CODES.get(status, _UNKNOWN_CODE)
    return {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []}


def ask_embeddings(inputs: Body) -> Body:
    """Translate the inputs of an embedding model.

    Raises:
        InvalidBody: `text` is neither a string nor an array of strings.
    """
    value = inputs.get("text")
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts:
        raise InvalidBody("text: expected a string or a non-empty array of strings")
    words = [text(item, f"text.{index}") for index, item in enumerate(texts)]
    return {**pick(inputs, {"model": "model"}), "input": words, "encoding_format": "float"}


def answer_embeddings(openai_json: Body, *, model: str) -> Body:  # noqa: ARG001 -- Workers AI names no model
    """Translate the vectors to `{shape, data, pooling}`, in the order of the texts."""
    vectors = vectors_of(openai_json)
    return {"shape": [len(vectors), len(vectors[0]) if vectors else 0], "data": vectors, "pooling": "cls"}


class TokenStream(StepStream):
    """Chunks in, `{"response": token}` events out; the last has the usage and the tool calls, then `[DONE]`."""

    __slots__ = ()

    def _write(self, step: Step) -> bytes:
        if step.kind == "error":
            return event_bytes(error(500, step.delta))
        if step.kind == "delta" and step.block is not None and step.block.kind == "text":
            return event_bytes({"response": step.delta})
        if step.kind == "end":
            usage = {"usage": self._steps.usage} if self._steps.usage else {}
            return event_bytes({"response": "", **_calls(self._steps.blocks), **usage}) + b"data: [DONE]\n\n"
        return b""


def _messages(inputs: Body) -> list[Body]:
    if "messages" in inputs:
        found = [message for _, message in entries(inputs["messages"], "messages")]
    elif "prompt" in inputs:
        found = [{"role": "user", "content": text(inputs["prompt"], "prompt")}]
    else:
        raise InvalidBody(_SUPPORTED)
    if not found:
        raise InvalidBody("messages: at least one message is required")
    return found


def _tools(value: object) -> Body:
    return {"tools": [_tool(tool, where) for where, tool in entries(value, "tools")]} if value else {}


def _tool(tool: Body, where: str) -> Body:
    flat = "function" not in tool
    return function_tool(tool, tool.get("parameters"), where) if flat else {"type": "function", **tool}


def _format(value: object) -> Body:
    """Give JSON mode in OpenAI's words, where a schema has a name and lies one level deeper."""
    if not value:
        return {}
    form = entry(value, "response_format")
    schema = form.get("json_schema")
    if isinstance(schema, dict) and "schema" not in schema:
        form = {**form, "json_schema": {"name": "response", "schema": schema}}
    return {"response_format": form}


def _calls(blocks: list[Block]) -> dict[str, Any]:
    calls = [
        {"name": block.name, "arguments": parse_arguments(block.content)} for block in blocks if block.kind == "tool"
    ]
    return {"tool_calls": calls} if calls else {}


WORKERS_AI: Final[Dialect] = Dialect("workers-ai", CHAT_ENDPOINT, ask, answer, TokenStream, error)
WORKERS_AI_EMBEDDINGS: Final[Dialect] = Dialect(
    "workers-ai-embeddings", EMBEDDINGS_ENDPOINT, ask_embeddings, answer_embeddings, no_stream, error
)
