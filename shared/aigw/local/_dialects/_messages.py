"""Anthropic's Messages API: the answer, the stream and the error, from OpenAI's.

Source: Anthropic API reference, Create a Message, Streaming, Errors. OpenAI does not say which stop sequence ended an
answer: where the upstream does not either, `stop_sequence` is null and the reason `end_turn`. Nor does it say what the
input cost before the end of a stream, so `message_start` says zero and `message_delta` the truth, as the SDKs expect of
cumulative counts. Ids that OpenAI begins with `call_` begin with `toolu_` here; a result names its call by the same id.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.local._dialects._dialect import Body, Dialect, event_bytes, parse_arguments
from aigw.local._dialects._messages_ask import ask
from aigw.local._dialects._openai import CHAT_ENDPOINT, first_choice, stop_of
from aigw.local._dialects._steps import Block, Step, StepStream, bare_id, blocks_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_REASONS: Final[Mapping[str | None, str]] = {
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
_PREFIX: Final = re.compile("^call_")
_ERRORS: Final[Mapping[int, str]] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def answer(openai_json: Body, *, model: str) -> Body:
    """Translate a whole answer."""
    blocks = blocks_of(openai_json)
    return {
        **_message(openai_json.get("id") or "", model),
        "content": [_written(block) for block in blocks],
        **_end(first_choice(openai_json)[1], stop_of(openai_json), blocks),
        "usage": _usage(openai_json.get("usage")),
    }


def error(status: int, message: str) -> Body:
    """Write an error as Anthropic's API does."""
    kind = _ERRORS.get(status, "invalid_request_error" if status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": message}}


class MessageStream(StepStream):
    """Chunks in, Anthropic's events out, each with its `event:` line."""

    __slots__ = ()

    def _write(self, step: Step) -> bytes:
        if step.block is not None:
            return self.write(_block_event(step, step.block))
        return b"".join(map(self.write, self._message_events(step)))

    def write(self, event: Body) -> bytes:
        """Frame one event."""
        return event_bytes(event, event["type"])

    def _message_events(self, step: Step) -> list[Body]:
        if step.kind == "begin":
            return [
                {"type": "message_start", "message": {**_message(self._steps.id, self.model), "usage": _usage(None)}}
            ]
        if step.kind == "error":
            return [error(500, step.delta)]
        delta = _end(self._steps.finish, self._steps.stop, self._steps.blocks)
        return [
            {"type": "message_delta", "delta": delta, "usage": _usage(self._steps.usage)},
            {"type": "message_stop"},
        ]


def _block_event(step: Step, block: Block) -> Body:
    fields: Mapping[str, Body] = {
        "open": {"content_block": _opened(block)},
        "delta": {"delta": _delta(block, step.delta)},
        "stop": {},
    }
    kind = {"open": "start"}.get(step.kind, step.kind)
    return {"type": f"content_block_{kind}", "index": block.index, **fields[step.kind]}


def _delta(block: Block, delta: str) -> Body:
    if block.kind == "text":
        return {"type": "text_delta", "text": delta}
    return {"type": "input_json_delta", "partial_json": delta}


def _opened(block: Block) -> Body:
    if block.kind == "text":
        return {"type": "text", "text": ""}
    return {"type": "tool_use", "id": _PREFIX.sub("toolu_", block.id), "name": block.name, "input": {}}


def _written(block: Block) -> Body:
    filled = {"text": block.content} if block.kind == "text" else {"input": parse_arguments(block.content)}
    return {**_opened(block), **filled}


def _message(completion: str, model: str) -> Body:
    return {
        "id": f"msg_{bare_id(completion)}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _end(finish: str | None, stop: str | None, blocks: list[Block]) -> Body:
    if stop is not None:
        return {"stop_reason": "stop_sequence", "stop_sequence": stop}
    called = any(block.kind == "tool" for block in blocks)
    return {"stop_reason": _REASONS.get(finish, "tool_use" if called else "end_turn"), "stop_sequence": None}


def _usage(usage: Body | None) -> Body:
    usage = usage or {}
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return {
        "input_tokens": (usage.get("prompt_tokens") or 0) - cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.get("completion_tokens") or 0,
    }


MESSAGES: Final[Dialect] = Dialect("messages", CHAT_ENDPOINT, ask, answer, MessageStream, error)
