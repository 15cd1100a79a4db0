"""Chat completions of the wire to LangChain's messages, and the pieces that whole and streamed answers share.

The metadata of an answer is the same whichever way it came: `_stream` gives each entry on exactly one chunk.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from aigw.integration import ToolCalls
from langchain_aigw._examples import Example
from langchain_aigw._tool_calls import CALL_EXTRAS, decode_tool_calls
from langchain_aigw._tracing import tracer_facts
from langchain_aigw._usage import decode_usage

if TYPE_CHECKING:
    from collections.abc import Mapping

PROVIDER: Final = "cloudflare_ai_gateway"
"""`model_provider` of every message, and `ls_provider` of every trace: middleware compares the two."""

GATEWAY_KEY: Final = "aigw"
"""Where the gateway's facts are in `response_metadata`."""

ANSWER_FIELDS: Final = {
    "id": "id",
    "model": "model_name",
    "system_fingerprint": "system_fingerprint",
    "service_tier": "service_tier",
}
"""What an answer says of itself on the wire, and its name in `response_metadata`."""

_KEPT: Final = ("refusal", "audio", "annotations", "images", "function_call", "extra_content")
_SOURCES: Final = frozenset({"citations", "search_results"})
_PROSE: Final = ({"type", "text"}, {"type", "thinking"})


def decode_completion(
    completion: Mapping[str, Any], *, model: str = "", info: Mapping[str, Any] | None = None
) -> ChatResult:
    """Decode a whole completion: one generation for each of its choices.

    Args:
        completion: The decoded JSON.
        model: The model that was asked, for answers that do not name theirs.
        info: The gateway's facts.

    Raises:
        ValueError: There are no choices.
    """
    choices = [choice for choice in completion.get("choices") or () if isinstance(choice, dict)]
    if not choices:
        raise ValueError("the answer has no choices")
    metadata = _answer_metadata(completion, model, info)
    generations = [_decode_choice(choice, metadata, completion.get("id")) for choice in choices]
    message = generations[0].message
    if not _SOURCES.isdisjoint(completion):
        message.additional_kwargs |= decode_sources(completion)
    if isinstance(message, AIMessage):  # counted once for all choices, so told once
        message.usage_metadata = decode_usage(completion.get("usage"))
    generations[0].generation_info = {**(generations[0].generation_info or {}), **tracer_facts(info)}
    return _RESULT.make({"generations": generations, "llm_output": {"model_name": metadata["model_name"]}})


def decode_content(content: Any) -> str | list[str | dict[str, Any]]:
    """Decode an answer's content: parts that are all text or thoughts become the text, what is no content JSON text."""
    if not content and not isinstance(content, int | float):
        return ""
    if isinstance(content, list):
        return _joined(content, "text") if _is_prose(content) else content
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def decode_extras(message: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a message or a delta says beside its content, as `additional_kwargs`."""
    extras = {key: message[key] for key in _KEPT if message.get(key)}
    content = message.get("content")
    thoughts = _joined(content, "thinking") if isinstance(content, list) and _is_prose(content) else None
    reasoning = message.get("reasoning_content") or message.get("reasoning") or thoughts
    if reasoning and isinstance(reasoning, str):
        extras["reasoning_content"] = reasoning
    return extras


def decode_sources(completion: Mapping[str, Any]) -> dict[str, Any]:
    """Give what an answer or a chunk says of its sources, beside its choices, as `additional_kwargs`.

    Who tells them in a stream does so with its first or last chunk, and often with each.
    """
    return {name: completion[name] for name in sorted(_SOURCES) if completion.get(name)}


def _is_prose(parts: Any) -> bool:
    """Tell whether parts hold text and thoughts alone, as some upstreams cut a plain answer."""
    return all(isinstance(part, str) or (isinstance(part, dict) and set(part) in _PROSE) for part in parts)


def _joined(parts: Any, kind: str) -> str:
    """Join what parts say of a kind; a thought may be a list of parts itself."""
    if isinstance(parts, str):
        return parts
    texts = ({"type": "text", "text": part} if isinstance(part, str) else part for part in parts)
    said = (part[kind] for part in texts if part.get("type") == kind)
    return "".join(text if isinstance(text, str) else _joined(text or (), "text") for text in said)


def choice_metadata(choice: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a choice says of its end and its tokens."""
    return {key: choice[key] for key in ("finish_reason", "logprobs") if choice.get(key)}


def _answer_metadata(completion: Mapping[str, Any], model: str, info: Mapping[str, Any] | None) -> dict[str, Any]:
    metadata = {ours: completion[theirs] for theirs, ours in ANSWER_FIELDS.items() if completion.get(theirs)}
    metadata = {"model_name": model, **metadata, "model_provider": PROVIDER}
    return {**metadata, GATEWAY_KEY: info} if info else metadata


def _decode_choice(choice: Mapping[str, Any], metadata: Mapping[str, Any], completion_id: str | None) -> ChatGeneration:
    message = choice.get("message") or {}
    generation_info = choice_metadata(choice)
    own = {key: dict(value) if isinstance(value, dict) else value for key, value in metadata.items()}
    said: dict[str, Any] = {
        "content": decode_content(message.get("content")),
        "additional_kwargs": decode_extras(message),
        "response_metadata": {**own, **generation_info},
    }
    if isinstance(said["content"], str) and not message.get("tool_calls"):
        plain = {"message": _MESSAGE.make(said), "generation_info": generation_info, "text": said["content"]}
        return _GENERATION.make(plain)
    calls = ToolCalls()
    calls.add_whole(message.get("tool_calls"))
    tool_calls, invalid_tool_calls = decode_tool_calls(calls, completion_id)
    if call_extras := calls.extras(completion_id):
        said["additional_kwargs"][CALL_EXTRAS] = call_extras
    decoded = AIMessage(tool_calls=tool_calls, invalid_tool_calls=invalid_tool_calls, **said)
    return ChatGeneration(message=decoded, generation_info=generation_info)


_MESSAGE: Final = Example(
    AIMessage(content="", additional_kwargs={}, tool_calls=[], invalid_tool_calls=[], response_metadata={})
)
_GENERATION: Final = Example(ChatGeneration(message=_MESSAGE.make({}), generation_info={}))
_RESULT: Final = Example(ChatResult(generations=[], llm_output={}))
