"""A stream of chat completion chunks as neutral steps: begin, open a block, add to it, stop it, end.

Anthropic's events and those of the Responses API tell the same story in other words. The story is found here once; each
dialect only writes it down. A block is a run of text or one tool call, and at most one is open at a time. Reasoning
text is left out, for neither API takes it without a signature of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from aigw._json import dump_json
from aigw.local._dialects._openai import first_choice, stop_hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.local._dialects._dialect import Body


@dataclass(slots=True)
class Block:
    """A run of text, or one tool call, as far as it has come.

    Attributes:
        index: Its place in the answer, from 0.
        kind: What it is.
        id: The tool call's id; empty for text.
        name: The tool's name; empty for text.
        parts: The pieces of the text, or of the arguments as JSON text.
    """

    index: int
    kind: Literal["text", "tool"]
    id: str = ""
    name: str = ""
    parts: list[str] = field(default_factory=list)

    @property
    def content(self) -> str:
        """The text, or the arguments, so far."""
        return "".join(self.parts)


class Step(NamedTuple):
    """One thing that happens in a stream.

    Attributes:
        kind: What happens.
        block: The block it happens to; none at the begin, the end and an error.
        delta: What is added to the block; an error's message.
    """

    kind: Literal["begin", "open", "delta", "stop", "end", "error"]
    block: Block | None = None
    delta: str = ""


@dataclass(slots=True)
class Steps:
    """What a stream has told so far.

    Attributes:
        id: The completion's id, from the first chunk.
        created: The completion's time in seconds since the epoch; 0 when it was not told.
        blocks: The blocks in order.
        finish: The finish reason; none before it came.
        stop: The stop sequence that was hit, if that is told.
        usage: The usage in OpenAI's words; none before it came.
    """

    id: str = ""
    created: int = 0
    blocks: list[Block] = field(default_factory=list)
    finish: str | None = None
    stop: str | None = None
    usage: Body | None = None
    _begun: bool = False
    _failed: bool = False
    _open: Block | None = None
    _tools: dict[int, Block] = field(default_factory=dict)

    def feed(self, chunk: Body) -> Iterator[Step]:
        """Take the next chunk; give the steps it stands for."""
        if self._failed:
            return
        yield from self._begin(chunk)
        if chunk.get("error"):
            self._failed = True
            yield Step("error", delta=_error_text(chunk["error"]))
            return
        self.usage = chunk.get("usage") or self.usage
        for choice in (chunk.get("choices") or ())[:1]:
            delta = choice.get("delta") or {}
            yield from self._text(_said(delta))
            for call in delta.get("tool_calls") or ():
                yield from self._call(call)
            self.finish = choice.get("finish_reason") or self.finish
            self.stop = stop_hit(choice) or self.stop

    def close(self) -> Iterator[Step]:
        """Say that the stream ended; give the steps that end it, none after an error."""
        if self._failed:
            return
        yield from self._begin({})
        yield from self._stop()
        yield Step("end")

    def _begin(self, chunk: Body) -> Iterator[Step]:
        if not self._begun:
            self._begun = True
            self.id = chunk.get("id") or ""
            self.created = chunk.get("created") or 0
            yield Step("begin")

    def _text(self, delta: str) -> Iterator[Step]:
        if not delta:
            return
        block = self._open
        if block is None or block.kind != "text":
            block = Block(len(self.blocks), "text")
            yield from self._start(block)
        yield from _add(block, delta)

    def _call(self, call: Body) -> Iterator[Step]:
        function = call.get("function") or {}
        index = call.get("index")
        if index is None:
            index = len(self._tools) if call.get("id") else max(len(self._tools) - 1, 0)
        block = self._tools.get(index)
        if block is None:
            place = len(self.blocks)
            block = Block(place, "tool", call_id(call.get("id"), self.id, place), function.get("name") or "")
            self._tools[index] = block
            yield from self._start(block)
        yield from _add(block, _arguments(function))

    def _start(self, block: Block) -> Iterator[Step]:
        yield from self._stop()
        self._open = block
        self.blocks.append(block)
        yield Step("open", block)

    def _stop(self) -> Iterator[Step]:
        if self._open is not None:
            yield Step("stop", self._open)
            self._open = None


@dataclass(slots=True)
class StepStream:
    """Chunks in, a dialect's bytes out; the dialect says how a step is written.

    Attributes:
        model: The model to name.
    """

    model: str
    _steps: Steps = field(default_factory=Steps)

    def feed(self, chunk: Body) -> bytes:
        """Take the next chunk; give what it is written as."""
        return b"".join([self._write(step) for step in self._steps.feed(chunk)])

    def close(self) -> bytes:
        """Give what ends the answer."""
        return b"".join([self._write(step) for step in self._steps.close()])

    def _write(self, step: Step) -> bytes:
        raise NotImplementedError


def blocks_of(openai_json: Body) -> list[Block]:
    """Give the blocks of a whole answer: its text first, then its tool calls."""
    message, _ = first_choice(openai_json)
    content = _said(message)
    blocks = [Block(0, "text", parts=[content])] if content else []
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        place = len(blocks)
        key = call_id(call.get("id"), openai_json.get("id") or "", place)
        blocks.append(Block(place, "tool", key, function.get("name") or "", [_arguments(function)]))
    return blocks


def call_id(given: str | None, completion: str, place: int) -> str:
    """Give a tool call's id; an upstream that sends none gets one made of the completion's id and the place."""
    return given or f"call_{bare_id(completion)}_{place}"


def bare_id(completion: str) -> str:
    """Take OpenAI's prefix off a completion's id, so that another dialect can put its own."""
    return completion.removeprefix("chatcmpl-") or "0"


def _add(block: Block, delta: str) -> Iterator[Step]:
    if delta:
        block.parts.append(delta)
        yield Step("delta", block, delta)


def _said(message: Body) -> str:
    """Give a message's text; some upstreams send it in parts, of which only text is text."""
    content = message.get("content") or message.get("refusal") or ""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))


def _arguments(function: Body) -> str:
    """Give a call's arguments as JSON text; some upstreams send them as the object itself."""
    arguments = function.get("arguments") or ""
    return arguments if isinstance(arguments, str) else dump_json(arguments).decode()


def _error_text(error: Any) -> str:
    return str(error.get("message") or error) if isinstance(error, dict) else str(error)
