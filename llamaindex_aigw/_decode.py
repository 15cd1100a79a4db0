"""From OpenAI's wire to LlamaIndex's responses.

`Answer` gathers one message, whole or bit by bit: on the wire both have the same fields. `decode_completion` reads a
whole answer with it, `_stream` a streamed one. What a provider leaves out, sends as null or sends in another shape is
no error here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
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
from llamaindex_aigw._encode import encode_tool_call
from llamaindex_aigw._text_responses import text_message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llama_index.core.base.llms.types import ContentBlock

    from aigw import ResponseInfo

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
    answer.add(_with_indexes(as_object(choice.get("message"))))
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


@dataclass(slots=True)
class ToolCall:
    """One tool call as far as it is known."""

    index: int | None = None
    id: str | None = None
    name: str = ""
    arguments: str = ""
    extra: Any = None

    def add(self, call: dict[str, Any]) -> None:
        """Take the next part: arguments grow, id and name are told once and sometimes repeated."""
        function = as_object(call.get("function"))
        self.id = self.id or _id_of(call)
        self.name = self.name or str(function.get("name") or "")
        self.extra = self.extra or call.get("extra_content")
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            self.arguments += arguments
        elif arguments is not None:
            self.arguments = json.dumps(arguments, ensure_ascii=False)

    def is_over(self, call: dict[str, Any]) -> bool:
        """Tell whether a part that has neither index nor id begins another call: its name says so."""
        name = as_object(call.get("function")).get("name")
        return bool(name) and (name != self.name or _is_json(self.arguments))

    @property
    def is_broken(self) -> bool:
        """Whether the arguments, which may still grow, are no JSON object."""
        return bool(self.arguments.strip()) and not _is_object(self.arguments)

    def id_at(self, place: int) -> str:
        """Give the id; a call that came without one is named by its place."""
        return self.id or f"call_{place}"

    def block(self, place: int) -> ToolCallBlock:
        """Give the call as a block."""
        return ToolCallBlock(tool_call_id=self.id_at(place), tool_name=self.name, tool_kwargs=self.arguments or {})

    def wire(self, block: ToolCallBlock, place: int) -> dict[str, Any]:
        """Give the call, which this is the block of, with what the model must be told again of it."""
        call = encode_tool_call(block, place)
        return {**call, "extra_content": self.extra} if self.extra else call


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
        self._calls: list[ToolCall] = []

    def add(self, delta: Mapping[str, Any]) -> Added:
        """Take a whole message or the next part of one; tell what it added."""
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
        for call in calls:
            self._find_call(call).add(call)
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
        is_more = self._thoughts or self._refusal or self._calls or self._extra or self._more
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
        if self._text or not self._calls:
            blocks.append(TextBlock(text=self._text))
        calls = [call.block(place) for place, call in enumerate(self._calls)]
        more: dict[str, Any] = dict(self._more)
        if calls:
            more["tool_calls"] = [call.wire(calls[place], place) for place, call in enumerate(self._calls)]
        if is_finished and (broken := self._broken_calls()):
            more[INVALID_CALLS] = broken
        if self._refusal:
            more["refusal"] = self._refusal
        if self._extra:
            more["extra_content"] = self._extra
        return ChatMessage(role=MessageRole.ASSISTANT, blocks=[*blocks, *calls], additional_kwargs=more)

    def _broken_calls(self) -> list[str]:
        """Give the ids of the calls whose arguments are no JSON object."""
        return [call.id_at(place) for place, call in enumerate(self._calls) if call.is_broken]

    def _find_call(self, call: dict[str, Any]) -> ToolCall:
        """Find the call a part belongs to: by index, else by id, else the last one.

        A new id begins a new call; so does a name where nothing else tells the calls apart.
        """
        index, call_id = call.get("index"), _id_of(call)
        found = self._last_call(index, call_id)
        is_other = found is not None and index is None and call_id is None and found.is_over(call)
        if found is None or is_other or (call_id and found.id and call_id != found.id):
            found = ToolCall(index)
            self._calls.append(found)
        return found

    def _last_call(self, index: int | None, call_id: str | None) -> ToolCall | None:
        calls = reversed(self._calls)
        if index is not None:
            return next((call for call in calls if call.index == index), None)
        return next((call for call in calls if call_id is None or call.id == call_id), None)


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


def _with_indexes(message: dict[str, Any]) -> dict[str, Any]:
    """Number the tool calls of a whole message: there each stands for itself."""
    if not message.get("tool_calls"):
        return message
    calls = as_list(message["tool_calls"])
    return {**message, "tool_calls": [{**call, "index": place} for place, call in enumerate(calls)]}


def _id_of(call: Mapping[str, Any]) -> str | None:
    """Give the id of a tool call, which some upstreams send as a number."""
    call_id = call.get("id")
    return None if call_id is None or call_id == "" else str(call_id)


def _joined(said: Any, more: Any, name: str = "") -> Any:
    """Join two parts of what an answer says: texts and lists grow, but for names, which are told once."""
    if isinstance(said, dict) and isinstance(more, dict):
        return {**said, **{key: _joined(said[key], more[key], key) if key in said else more[key] for key in more}}
    if isinstance(said, list) and isinstance(more, list):
        return [*said, *more]
    if isinstance(said, str) and isinstance(more, str):
        return said if name in _TOLD_ONCE else said + more
    return more


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text, strict=False), dict)
    except ValueError:
        return False


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


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
