"""From OpenAI's wire to LlamaIndex's responses.

`Answer` gathers one message, whole or bit by bit: on the wire both have the same fields. `decode_completion` reads a
whole answer with it, `_stream` a streamed one. What a provider leaves out, sends as null or sends in another shape is
no error here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from aigw import APIStatusError
from aigw.integration import ToolCalls, parse_arguments
from llamaindex_aigw._encode import encode_tool_call
from llamaindex_aigw._text_responses import text_message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llama_index.core.base.llms.types import ContentBlock

    from aigw import ResponseInfo
    from aigw.integration import WireToolCall

_THOUGHTS: Final = ("reasoning_content", "reasoning")
_TEXT_FIELDS: Final = frozenset({"content", "role"})
INVALID_CALLS: Final = "invalid_tool_calls"
"""Where a finished message's `additional_kwargs` has the ids of calls whose arguments are no JSON object."""

_KEPT: Final = frozenset({"annotations", "audio", "function_call"})
_TOLD_ONCE: Final = frozenset({"id", "name", "type"})
_COUNTS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")


def decode_completion(body: Mapping[str, Any], info: ResponseInfo) -> ChatResponse:
    """Decode a chat completion.

    Returns:
        Its first choice. `raw` is the completion with the gateway's facts under `aigw`; `additional_kwargs` has them
        too, and the token counts.

    Raises:
        APIStatusError: The answer is no chat completion.
    """
    if not isinstance(body.get("choices"), list):
        raise APIStatusError("The answer has no choices", status_code=info.status_code, info=info)
    answer, choice = Answer(), first_choice(body)
    answer.add(as_object(choice.get("message")), completion_id=body.get("id"), is_whole=True)
    facts = info.to_dict()
    logprobs = choice.get("logprobs")
    return ChatResponse(
        message=answer.message(is_finished=True),
        raw={**body, "aigw": facts},
        additional_kwargs=decode_facts(body.get("usage"), facts),
        logprobs=(decode_logprobs(logprobs) or None) if logprobs else None,
    )


def decode_logprobs(logprobs: Any) -> list[list[LogProb]]:
    """Give for each token how likely it and others were: the `top_logprobs`, or if there are none the token's own."""
    tokens = as_list(as_object(logprobs).get("content"))
    return [[_decode_logprob(each) for each in as_list(token.get("top_logprobs")) or [token]] for token in tokens]


def _decode_logprob(token: Mapping[str, Any]) -> LogProb:
    return LogProb(token=token.get("token") or "", logprob=token.get("logprob") or 0.0, bytes=token.get("bytes") or [])


def decode_facts(usage: Any, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Give what `additional_kwargs` has on a finished answer: token counts, as far as they are told, and `aigw`."""
    counts = as_object(usage)
    told = {name: counts[name] for name in _COUNTS if isinstance(counts.get(name), int | float)}
    return {**told, "aigw": dict(facts)}


def to_completion(response: ChatResponse) -> CompletionResponse:
    """Give a chat response as a completion, with dicts of its own."""
    return CompletionResponse(
        text=response.message.content or "",
        delta=response.delta,
        raw=response.raw,
        logprobs=response.logprobs,
        additional_kwargs={**response.message.additional_kwargs, **response.additional_kwargs},
    )


class Added(NamedTuple):
    """What one part of an answer added to it."""

    text: str = ""
    thoughts: str = ""
    is_more: bool = False


class Answer:
    """One message of a model, as far as it has come."""

    def __init__(self) -> None:
        self._text = ""
        self._thoughts = ""
        self._refusal = ""
        self._extra: Any = None
        self._more: dict[str, Any] = {}
        self._calls = ToolCalls()
        self._completion_id: Any = None

    def add(self, delta: Mapping[str, Any], *, completion_id: Any = None, is_whole: bool = False) -> Added:
        """Take a whole message or the next part of one; tell what it added.

        Args:
            delta: What was said.
            completion_id: Of the answer it stands in, from which calls without an id get one.
            is_whole: Whether it is a whole message.
        """
        text = _text_of(delta.get("content"))
        thoughts = _thoughts_of(delta)
        refusal = str(delta.get("refusal") or "")
        more = {} if _KEPT.isdisjoint(delta) else {name: delta[name] for name in sorted(_KEPT) if delta.get(name)}
        calls = as_list(delta.get("tool_calls"))
        self._text += text
        self._thoughts += thoughts
        self._refusal += refusal
        self._extra = delta.get("extra_content") or self._extra
        if more:
            self._more = _joined(self._more, more)
        if calls:
            self._completion_id = completion_id or self._completion_id
            (self._calls.add_whole if is_whole else self._calls.add_parts)(calls)
        return Added(text, thoughts, bool(text or thoughts or refusal or more or calls))

    def add_text(self, delta: Any) -> str:
        """Take a part that is text and nothing else; give the text, and nothing where the part says more."""
        if type(delta) is not dict or not delta.keys() <= _TEXT_FIELDS:
            return ""
        text = delta.get("content")
        if type(text) is not str:
            return ""
        self._text += text
        return text

    @property
    def only_text(self) -> str | None:
        """What was said so far, if it is text and nothing else."""
        is_more = self._thoughts or self._refusal or self._calls.calls or self._extra or self._more
        return None if is_more else self._text

    def message(self, *, is_finished: bool = False) -> ChatMessage:
        """Give the message so far, with blocks and dicts of its own.

        Args:
            is_finished: Whether no more comes; arguments that are no JSON object then are marked as such.
        """
        if self.only_text is not None:
            return text_message(self._text)
        blocks: list[ContentBlock] = []
        if self._thoughts:
            blocks.append(ThinkingBlock(content=self._thoughts))
        calls = self._calls.calls
        if self._text or not calls:
            blocks.append(TextBlock(text=self._text))
        called = [self._block(call) for call in calls]
        more: dict[str, Any] = dict(self._more)
        if calls:
            more["tool_calls"] = [_to_wire(block, call) for block, call in zip(called, calls, strict=True)]
        if is_finished and (broken := [call.id_in(self._completion_id) for call in calls if _is_broken(call)]):
            more[INVALID_CALLS] = broken
        if self._refusal:
            more["refusal"] = self._refusal
        if self._extra:
            more["extra_content"] = self._extra
        return ChatMessage(role=MessageRole.ASSISTANT, blocks=[*blocks, *called], additional_kwargs=more)

    def _block(self, call: WireToolCall) -> ToolCallBlock:
        call_id = call.id_in(self._completion_id)
        return ToolCallBlock(tool_call_id=call_id, tool_name=call.name or "", tool_kwargs=call.arguments or {})


def first_choice(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give the first choice of a completion or a chunk; empty when it has none."""
    choices = body.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("index") in (0, None):
            return choice
    return {}


def as_object(value: Any) -> dict[str, Any]:
    """Give a JSON object, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[dict[str, Any]]:
    """Give the JSON objects of a list, and none for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _is_broken(call: WireToolCall) -> bool:
    try:
        parse_arguments(call.arguments)
    except ValueError:
        return True
    return False


def _to_wire(block: ToolCallBlock, call: WireToolCall) -> dict[str, Any]:
    """Give a call on the wire, with what the model must be told again of it."""
    wire = encode_tool_call(block, call.place)
    return {**wire, "extra_content": call.extra} if call.extra else wire


def _joined(said: Any, more: Any, name: str = "") -> Any:
    """Join two parts of what an answer says: texts and lists grow, but for names, which are told once."""
    if isinstance(said, dict) and isinstance(more, dict):
        return {**said, **{key: _joined(said[key], more[key], key) if key in said else more[key] for key in more}}
    if isinstance(said, list) and isinstance(more, list):
        return [*said, *more]
    if isinstance(said, str) and isinstance(more, str):
        return said if name in _TOLD_ONCE else said + more
    return more


def _thoughts_of(delta: Mapping[str, Any]) -> str:
    for name in _THOUGHTS:
        value = delta.get(name)
        if value and isinstance(value, str):
            return value
    content = delta.get("content")
    return "".join(_text_of(part.get("thinking")) for part in as_list(content))


def _text_of(content: Any) -> str:
    """Give the text of an answer's content: that of its parts, and what is neither text nor parts as JSON text."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return "" if content is None or content == {} else json.dumps(content, ensure_ascii=False)
    texts = (part.get("text") if isinstance(part, dict) else part for part in content)
    return "".join(text for text in texts if isinstance(text, str))
