"""Amazon Bedrock: Claude's own body by `invoke`, and Bedrock's `converse` for any model; whole and in event streams.

Source: Amazon Bedrock API reference, InvokeModel, InvokeModelWithResponseStream, Converse, ConverseStream. Bodies of
other model families than Claude's are not known to `invoke` here. No answer tells how long it took.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.local._dialects import _messages, _messages_ask
from aigw.local._dialects._bedrock_ask import ask, ask_stream
from aigw.local._dialects._dialect import Body, Dialect, parse_arguments
from aigw.local._dialects._eventstream import EVENT_STREAM_TYPE, chunk_frame, event_frame, exception_frame
from aigw.local._dialects._openai import CHAT_ENDPOINT, first_choice, no_stream, stop_of
from aigw.local._dialects._steps import Block, Step, StepStream, blocks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REASONS: Final[Mapping[str | None, str]] = {
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "content_filtered",
}


def answer(openai_json: Body, *, model: str) -> Body:  # noqa: ARG001 -- Bedrock names no model
    """Translate a whole answer."""
    blocks = blocks_of(openai_json)
    return {
        "output": {"message": {"role": "assistant", "content": [_written(block) for block in blocks]}},
        "stopReason": _reason(first_choice(openai_json)[1], stop_of(openai_json), blocks),
        "usage": _usage(openai_json.get("usage")),
        "metrics": {"latencyMs": 0},
    }


def error(status: int, message: str) -> Body:  # noqa: ARG001 -- Bedrock says the status apart
    """Write an error as Bedrock does."""
    return {"message": message}


def ask_claude_stream(body: Body) -> Body:
    """Translate Claude's body, for a stream.

    Raises:
        InvalidBody: As for Anthropic's Messages.
    """
    return _messages_ask.ask({**body, "stream": True})


class ClaudeStream(_messages.MessageStream):
    """Chunks in, Anthropic's events out, each in Bedrock's envelope."""

    def write(self, event: Body) -> bytes:
        """Frame one event."""
        return chunk_frame(event)


class ConverseStream(StepStream):
    """Chunks in, Bedrock's events out."""

    __slots__ = ()

    def _write(self, step: Step) -> bytes:
        return b"".join(self._frames(step))

    def _frames(self, step: Step) -> Iterator[bytes]:
        if step.kind == "begin":
            yield event_frame("messageStart", {"role": "assistant"})
        elif step.kind == "error":
            yield exception_frame("modelStreamErrorException", step.delta)
        elif step.kind == "end":
            reason = _reason(self._steps.finish, self._steps.stop, self._steps.blocks)
            yield event_frame("messageStop", {"stopReason": reason})
            yield event_frame("metadata", {"usage": _usage(self._steps.usage), "metrics": {"latencyMs": 0}})
        elif step.block is not None:
            yield from _block_frames(step, step.block)


def _block_frames(step: Step, block: Block) -> Iterator[bytes]:
    place = {"contentBlockIndex": block.index}
    if step.kind == "open" and block.kind == "tool":
        start = {"toolUse": {"toolUseId": block.id, "name": block.name}}
        yield event_frame("contentBlockStart", {"start": start, **place})
    elif step.kind == "delta":
        delta = {"text": step.delta} if block.kind == "text" else {"toolUse": {"input": step.delta}}
        yield event_frame("contentBlockDelta", {"delta": delta, **place})
    elif step.kind == "stop":
        yield event_frame("contentBlockStop", place)


def _written(block: Block) -> Body:
    if block.kind == "text":
        return {"text": block.content}
    return {"toolUse": {"toolUseId": block.id, "name": block.name, "input": parse_arguments(block.content)}}


def _reason(finish: str | None, stop: str | None, blocks: list[Block]) -> str:
    if stop is not None:
        return "stop_sequence"
    called = any(block.kind == "tool" for block in blocks)
    return _REASONS.get(finish, "tool_use" if called else "end_turn")


def _usage(usage: Body | None) -> dict[str, Any]:
    usage = usage or {}
    asked, said = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    return {"inputTokens": asked, "outputTokens": said, "totalTokens": asked + said}


CLAUDE: Final[Dialect] = Dialect("bedrock-claude", CHAT_ENDPOINT, _messages_ask.ask, _messages.answer, no_stream, error)
CLAUDE_STREAM: Final[Dialect] = Dialect(
    "bedrock-claude-stream",
    CHAT_ENDPOINT,
    ask_claude_stream,
    _messages.answer,
    ClaudeStream,
    error,
    EVENT_STREAM_TYPE,
)
CONVERSE: Final[Dialect] = Dialect("converse", CHAT_ENDPOINT, ask, answer, no_stream, error)
CONVERSE_STREAM: Final[Dialect] = Dialect(
    "converse-stream", CHAT_ENDPOINT, ask_stream, answer, ConverseStream, error, EVENT_STREAM_TYPE
)
