"""OpenAI's Responses API: the answer and the stream, from a chat completion's.

Source: OpenAI API reference, The response object, Streaming events. An answer does not repeat the request: fields that
echo it (`tools`, `instructions`, `temperature`) have their empty values.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aigw.local._dialects._dialect import Body, Dialect, event_bytes
from aigw.local._dialects._openai import CHAT_ENDPOINT, first_choice, openai_error
from aigw.local._dialects._responses_ask import ask
from aigw.local._dialects._steps import Block, Step, StepStream, bare_id, blocks_of

_INCOMPLETE: Final[Mapping[str | None, str]] = {"length": "max_output_tokens", "content_filter": "content_filter"}

_ECHO: Final[Mapping[str, Any]] = {
    "background": False,
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "store": False,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "usage": None,
    "user": None,
}


def answer(openai_json: Body, *, model: str) -> Body:
    """Translate a whole answer."""
    completion = openai_json.get("id") or ""
    output = [_item(block, completion) for block in blocks_of(openai_json)]
    response = _response(completion, openai_json.get("created") or int(time.time()), model)
    return {**response, **_outcome(first_choice(openai_json)[1], output, openai_json.get("usage"))}


@dataclass(slots=True)
class ResponseStream(StepStream):
    """Chunks in, the Responses API's events out, numbered from 0."""

    _number: int = 0
    _created: int = 0

    def _write(self, step: Step) -> bytes:
        return b"".join([self._numbered(*event) for event in self._events(step)])

    def _numbered(self, kind: str, fields: Body) -> bytes:
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return event_bytes(event, kind)

    def _events(self, step: Step) -> Iterator[tuple[str, Body]]:
        if step.block is not None:
            events = _TEXT_EVENTS if step.block.kind == "text" else _TOOL_EVENTS
            yield from events[step.kind](step.block, self._steps.id, step.delta)
            return
        if step.kind == "begin":
            self._created = self._steps.created or int(time.time())
            for moment in ("created", "in_progress"):
                yield f"response.{moment}", {"response": self._response()}
        elif step.kind == "error":
            failure = {"status": "failed", "error": {"code": "server_error", "message": step.delta}}
            yield "response.failed", {"response": {**self._response(), **failure}}
        else:
            outcome = _outcome(self._steps.finish, self._output(), self._steps.usage)
            yield f"response.{outcome['status']}", {"response": {**self._response(), **outcome}}

    def _response(self) -> Body:
        return _response(self._steps.id, self._created, self.model)

    def _output(self) -> list[Body]:
        return [_item(block, self._steps.id) for block in self._steps.blocks]


Events = Iterator[tuple[str, Body]]


def _open_text(block: Block, completion: str, _: str) -> Events:
    item = _item(block, completion)
    opened = {**item, "status": "in_progress", "content": []}
    yield "response.output_item.added", {"output_index": block.index, "item": opened}
    yield "response.content_part.added", {**_at(item, block), "content_index": 0, "part": _part("")}


def _more_text(block: Block, completion: str, delta: str) -> Events:
    place = {**_at(_item_id(block, completion), block), "content_index": 0}
    yield "response.output_text.delta", {**place, "delta": delta, "logprobs": []}


def _stop_text(block: Block, completion: str, _: str) -> Events:
    item = _item(block, completion)
    place = {**_at(item, block), "content_index": 0}
    yield "response.output_text.done", {**place, "text": block.content, "logprobs": []}
    yield "response.content_part.done", {**place, "part": item["content"][0]}
    yield "response.output_item.done", {"output_index": block.index, "item": item}


def _open_call(block: Block, completion: str, _: str) -> Events:
    opened = {**_item(block, completion), "status": "in_progress", "arguments": ""}
    yield "response.output_item.added", {"output_index": block.index, "item": opened}


def _more_call(block: Block, completion: str, delta: str) -> Events:
    yield "response.function_call_arguments.delta", {**_at(_item_id(block, completion), block), "delta": delta}


def _stop_call(block: Block, completion: str, _: str) -> Events:
    item = _item(block, completion)
    done = {**_at(item, block), "name": block.name, "arguments": block.content}
    yield "response.function_call_arguments.done", done
    yield "response.output_item.done", {"output_index": block.index, "item": item}


_TEXT_EVENTS: Final = {"open": _open_text, "delta": _more_text, "stop": _stop_text}
_TOOL_EVENTS: Final = {"open": _open_call, "delta": _more_call, "stop": _stop_call}


def _at(item: Body, block: Block) -> Body:
    return {"item_id": item["id"], "output_index": block.index}


def _item_id(block: Block, completion: str) -> Body:
    key = f"msg_{bare_id(completion)}_{block.index}" if block.kind == "text" else f"fc_{block.id}"
    return {"id": key}


def _item(block: Block, completion: str) -> Body:
    key = _item_id(block, completion)
    if block.kind == "text":
        content = [_part(block.content)]
        return {**key, "type": "message", "status": "completed", "role": "assistant", "content": content}
    call = {"call_id": block.id, "name": block.name, "arguments": block.content}
    return {**key, "type": "function_call", "status": "completed", **call}


def _part(text: str) -> Body:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _response(completion: str, created: int, model: str) -> Body:
    return {
        "id": f"resp_{bare_id(completion)}",
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "model": model,
        "output": [],
        **_ECHO,
    }


def _outcome(finish: str | None, output: list[Body], usage: Body | None) -> Body:
    reason = _INCOMPLETE.get(finish)
    status = "incomplete" if reason else "completed"
    details = {"reason": reason} if reason else None
    return {"status": status, "incomplete_details": details, "output": output, "usage": _usage(usage)}


def _usage(usage: Body | None) -> Body | None:
    if not usage:
        return None
    prompt, completion = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    read = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    thought = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": 0},
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": usage.get("total_tokens") or prompt + completion,
    }


RESPONSES: Final[Dialect] = Dialect("responses", CHAT_ENDPOINT, ask, answer, ResponseStream, openai_error)
