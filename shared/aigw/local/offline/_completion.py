"""The shape of an answer on the wire: a chat completion, whole or in chunks that add up to it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from aigw.local.offline._answer import Answer, answer
from aigw.local.offline._errors import InvalidRequest
from aigw.local.offline._messages import read_messages
from aigw.local.offline._tokens import count_tokens, first_tokens
from aigw.local.offline._tools import Call

MAX_CHOICES: Final = 128
_MESSAGE_TOKENS: Final = 3
_PIECE: Final = re.compile(r"\s*\S+\s*|\s+")
_NOT_CONTENT: Final = frozenset({"stream", "stream_options"})
_FINGERPRINT: Final = "fp_offline"
_NUMBER: Final = (int | float, "a number")
_TYPES: Final[Mapping[str, tuple[Any, str]]] = {
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "frequency_penalty": _NUMBER,
    "presence_penalty": _NUMBER,
    "seed": (int, "a whole number"),
    "top_logprobs": (int, "a whole number"),
    "logprobs": (bool, "true or false"),
    "stream": (bool, "true or false"),
}
"""Of what type what does not change an answer must be nevertheless; null is the same as nothing."""


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer, cut as the request demands, with all that its wire form needs."""

    id: str
    created: int
    model: str
    choices: int
    text: str
    calls: tuple[Call, ...]
    finish_reason: str
    stop: str | None
    usage: dict[str, int]

    def head(self, kind: str) -> dict[str, Any]:
        """Give the fields that every object of this completion begins with."""
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": _FINGERPRINT,
        }

    def end(self) -> dict[str, Any]:
        """Say why it ended; the stop sequence that was hit, if one was, as vLLM does."""
        hit = {} if self.stop is None else {"stop_reason": self.stop}
        return {"finish_reason": self.finish_reason, **hit}

    def tool_calls(self, choice: int) -> list[dict[str, Any]]:
        """Give the calls on the wire; each has an id of its own."""
        return [
            {
                "id": _digest("call_", f"{self.id}/{choice}/{at}"),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for at, call in enumerate(self.calls)
        ]


def chat(body: dict[str, Any], *, created: int = 0) -> dict[str, Any]:
    """Answer the body of a chat completion request as one `chat.completion` object.

    Args:
        body: The request: `messages`, and optionally `model`, `tools`, `tool_choice`, `parallel_tool_calls`,
            `response_format`, `n` (1 to 128), `max_tokens` or `max_completion_tokens` (1 or more; cuts text, not tool
            calls), `stop`. Sampling parameters change nothing, but must be of their types.
        created: The time to state, in seconds since 1970.

    Raises:
        InvalidRequest: The request is malformed; the error names the field.
    """
    completion = complete(body, created)
    choices = [
        {
            "index": index,
            "message": _message(completion, index),
            "logprobs": None,
            **completion.end(),
        }
        for index in range(completion.choices)
    ]
    return {**completion.head("chat.completion"), "choices": choices, "usage": completion.usage}


def stream_chat(body: dict[str, Any], *, created: int = 0) -> Iterator[dict[str, Any]]:
    """Answer as `chat.completion.chunk` objects that add up to what `chat` answers to the same body.

    The role comes first, then words with the white space after them, or tool calls (id and name, then their arguments
    in pieces), then the finish reason, and the usage last if `stream_options.include_usage` is true.

    Raises:
        InvalidRequest: The request is malformed; raised here, before the first chunk.
    """
    completion = complete(body, created)
    options = body.get("stream_options")
    include_usage = isinstance(options, dict) and options.get("include_usage") is True
    return _chunks(completion, include_usage=include_usage)


def count_prompt(body: Mapping[str, Any]) -> int:
    """Count the tokens of a request: of its messages and the tools it offers.

    Raises:
        InvalidRequest: The messages are malformed.
    """
    read_messages(body.get("messages"))
    return _count_read(body)


def _count_read(body: Mapping[str, Any]) -> int:
    """Count the tokens of a request whose messages have been read."""
    offered = json.dumps(body["tools"], default=str) if body.get("tools") else ""
    return count_tokens(offered) + sum(
        _MESSAGE_TOKENS + count_tokens(_text_of(message.get("content"))) for message in body["messages"]
    )


def complete(body: Mapping[str, Any], created: int) -> Completion:
    """Answer a request and cut the answer to what it allows."""
    _check_types(body)
    choices = _read_count(body, "n", MAX_CHOICES) or 1
    limit = _read_count(body, "max_completion_tokens") or _read_count(body, "max_tokens")
    stops = _read_stops(body.get("stop"))
    model = body.get("model") or "offline"
    if not isinstance(model, str):
        raise InvalidRequest("model must be a string", "model")
    found = answer(body)
    text, finish_reason, stop = _cut(found, stops, limit)
    return Completion(
        id=_digest("chatcmpl-", _canonical(body)),
        created=created,
        model=model,
        choices=choices,
        text=text,
        calls=found.calls,
        finish_reason=finish_reason,
        stop=stop,
        usage=_usage(body, text, found.calls, choices),
    )


def _message(completion: Completion, index: int) -> dict[str, Any]:
    if completion.calls:
        return {"role": "assistant", "content": None, "tool_calls": completion.tool_calls(index)}
    return {"role": "assistant", "content": completion.text}


def _chunks(completion: Completion, *, include_usage: bool) -> Iterator[dict[str, Any]]:
    tail: dict[str, Any] = {"usage": None} if include_usage else {}
    head = completion.head("chat.completion.chunk")
    for index in range(completion.choices):
        for delta in _deltas(completion, index):
            yield {**head, "choices": [_choice(index, delta, {"finish_reason": None})], **tail}
        yield {**head, "choices": [_choice(index, {}, completion.end())], **tail}
    if include_usage:
        yield {**head, "choices": [], "usage": completion.usage}


def _choice(index: int, delta: dict[str, Any], end: dict[str, Any]) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, **end}


def _deltas(completion: Completion, choice: int) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": None if completion.calls else ""}
    for piece in _PIECE.findall(completion.text):
        yield {"content": piece}
    for at, call in enumerate(completion.tool_calls(choice)):
        function = call["function"]
        yield {"tool_calls": [{**call, "index": at, "function": {"name": function["name"], "arguments": ""}}]}
        for piece in _PIECE.findall(function["arguments"]):
            yield {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}


def _cut(found: Answer, stops: tuple[str, ...], limit: int | None) -> tuple[str, str, str | None]:
    """Cut the text at the first stop and then to the limit; say why it ended, and at which stop."""
    if found.calls:
        return "", "tool_calls", None
    hits = [(at, stop) for stop in stops if (at := found.text.find(stop)) >= 0]
    end, hit = min(hits) if hits else (None, None)
    text = found.text[:end]
    short = text if limit is None else first_tokens(text, limit)
    return (short, "length", None) if len(short) < len(text) else (short, "stop", hit)


def _usage(body: Mapping[str, Any], text: str, calls: tuple[Call, ...], choices: int) -> dict[str, int]:
    prompt = _count_read(body)
    answered = choices * (count_tokens(text) + sum(count_tokens(f"{call.name} {call.arguments}") for call in calls))
    return {"prompt_tokens": prompt, "completion_tokens": answered, "total_tokens": prompt + answered}


def _text_of(content: Any) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) if isinstance(part, dict) else part for part in content)
    return content or ""


def _check_types(body: Mapping[str, Any]) -> None:
    for name, (kind, expected) in _TYPES.items():
        value = body.get(name)
        is_other_bool = isinstance(value, bool) and kind is not bool
        if value is not None and (is_other_bool or not isinstance(value, kind)):
            raise InvalidRequest(f"{name} must be {expected}", name)


def _read_count(body: Mapping[str, Any], name: str, largest: int | None = None) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1 or (largest is not None and value > largest):
        limit = "at least 1" if largest is None else f"from 1 to {largest}"
        raise InvalidRequest(f"{name} must be a whole number, {limit}", name)
    return value


def _read_stops(value: Any) -> tuple[str, ...]:
    stops = [value] if isinstance(value, str) else value or []
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise InvalidRequest("stop must be a string or a list of strings", "stop")
    return tuple(filter(None, stops))


def _canonical(body: Mapping[str, Any]) -> str:
    said = {key: value for key, value in body.items() if key not in _NOT_CONTENT}
    return json.dumps(said, sort_keys=True, ensure_ascii=True, default=str)


def _digest(prefix: str, text: str) -> str:
    return prefix + blake2b(text.encode(), digest_size=12).hexdigest()
