"""Streamed chat completions of the wire to LangChain's chunks: bring your own I/O.

LangChain adds chunks up: equal strings are concatenated, equal numbers summed. So whatever is no part of the answer's
text is told on exactly one chunk: what the answer says of itself and the gateway's facts as soon as they are known, and
how it ended, what it used and why it refused on the last one. Only the provider is on each, which LangChain does not
concatenate: it finds the translator of a chunk's content by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from aigw.integration import ToolCalls
from langchain_aigw._decode import (
    ANSWER_FIELDS,
    GATEWAY_KEY,
    PROVIDER,
    choice_metadata,
    decode_content,
    decode_extras,
    decode_sources,
)
from langchain_aigw._examples import Example
from langchain_aigw._tool_calls import CALL_EXTRAS, decode_ends, decode_parts
from langchain_aigw._tracing import tracer_facts
from langchain_aigw._usage import decode_usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.messages.ai import UsageMetadata


class ChunkDecoder:
    """Decodes one streamed answer; the chunks it gives add up to the message of a whole one.

    A stream is one message: of several choices (`n`) the first is decoded.

    Args:
        model: The model that was asked, for answers that do not name theirs.
    """

    def __init__(self, *, model: str = "") -> None:
        self._model = model
        self._told: dict[str, Any] = {}
        self._untold = dict(ANSWER_FIELDS)
        self._calls = ToolCalls()
        self._finish_reason: str | None = None
        self._usage: UsageMetadata | None = None
        self._refusal = ""
        self._extra: Any = None
        self._sources: dict[str, Any] = {}

    def feed(self, chunk: Mapping[str, Any], info: Mapping[str, Any] | None = None) -> ChatGenerationChunk | None:
        """Take the next object of the stream; give the chunk it stands for, if it says anything now.

        Args:
            chunk: The decoded JSON.
            info: The gateway's facts, with the first object.
        """
        text = None if info else self._plain_text(chunk)
        if text is not None:
            return _text_chunk(text)
        metadata = self._answer_metadata(chunk, info)
        self._sources |= decode_sources(chunk)
        self._usage = decode_usage(chunk.get("usage")) or self._usage
        choice = _first_choice(chunk)
        generation_info = choice_metadata(choice)
        self._finish_reason = generation_info.pop("finish_reason", None) or self._finish_reason
        delta = choice.get("delta") or {}
        extras = decode_extras(delta)
        self._refusal += str(extras.pop("refusal", ""))
        self._extra = extras.pop("extra_content", None) or self._extra
        said = {
            "content": decode_content(delta.get("content")),
            "additional_kwargs": extras,
            "tool_call_chunks": decode_parts(self._calls, delta.get("tool_calls")),
            "response_metadata": {**metadata, **generation_info},
        }
        if not any(said.values()):
            return None
        return _make_chunk(_MESSAGE, said, {**generation_info, **tracer_facts(metadata.get(GATEWAY_KEY))})

    def close(self) -> ChatGenerationChunk:
        """Say that the stream has ended well; give the last chunk."""
        generation_info = {"finish_reason": self._finish_reason} if self._finish_reason else {}
        metadata = self._answer_metadata({"model": self._model}, None)
        call_extras = self._calls.extras(self._told.get("id"))
        extras = {"refusal": self._refusal, "extra_content": self._extra, CALL_EXTRAS: call_extras, **self._sources}
        said = {
            "content": "",
            "additional_kwargs": {name: extra for name, extra in extras.items() if extra},
            "tool_call_chunks": decode_ends(self._calls, self._told.get("id")),
            "response_metadata": {**metadata, **generation_info},
            "usage_metadata": self._usage,
            "chunk_position": "last",
        }
        return _make_chunk(_LAST_MESSAGE, said, generation_info)

    def _plain_text(self, chunk: Mapping[str, Any]) -> str | None:
        """Give what an object says that says some text and nothing else."""
        choices = chunk.get("choices")
        if not isinstance(choices, list) or len(choices) != 1 or chunk.get("usage") or self._is_news(chunk):
            return None
        choice = choices[0]
        if not isinstance(choice, dict) or choice.get("index") or choice.get("finish_reason") or choice.get("logprobs"):
            return None
        delta = choice.get("delta")
        if not isinstance(delta, dict) or not _is_only_text(delta):
            return None
        text = delta.get("content")
        return text if text and isinstance(text, str) else None

    def _is_news(self, chunk: Mapping[str, Any]) -> bool:
        """Tell whether an object says of the answer what was not told yet."""
        return bool(self._untold) and any(map(chunk.get, self._untold))

    def _answer_metadata(self, chunk: Mapping[str, Any], info: Mapping[str, Any] | None) -> dict[str, Any]:
        """Give what became known with this object and was not told yet."""
        known = {ours: chunk[theirs] for theirs, ours in ANSWER_FIELDS.items() if chunk.get(theirs)}
        if info:
            known[GATEWAY_KEY] = dict(info)
        new = {key: value for key, value in known.items() if key not in self._told}
        self._told |= new
        self._untold = {theirs: ours for theirs, ours in ANSWER_FIELDS.items() if ours not in self._told}
        return new


def _is_only_text(delta: dict[str, Any]) -> bool:
    return delta.keys() <= _TEXT_FIELDS or not any(value for name, value in delta.items() if name not in _TEXT_FIELDS)


_TEXT_FIELDS: Final = frozenset({"content", "role"})
_MESSAGE: Final = Example(
    AIMessageChunk(
        content="", additional_kwargs={}, tool_call_chunks=[], response_metadata={"model_provider": PROVIDER}
    )
)
_LAST_MESSAGE: Final = Example(
    AIMessageChunk(
        content="",
        additional_kwargs={},
        tool_call_chunks=[],
        response_metadata={},
        usage_metadata=None,
        chunk_position="last",
    )
)
_CHUNK: Final = Example(ChatGenerationChunk(message=_MESSAGE.make({}), generation_info=None))


def _text_chunk(text: str) -> ChatGenerationChunk:
    return _CHUNK.make({"message": _MESSAGE.make({"content": text}), "text": text})


def _make_chunk(
    like: Example[AIMessageChunk], said: dict[str, Any], generation_info: dict[str, Any]
) -> ChatGenerationChunk:
    said["response_metadata"]["model_provider"] = PROVIDER
    if said["tool_call_chunks"] or not isinstance(said["content"], str):
        return ChatGenerationChunk(message=AIMessageChunk(**said), generation_info=generation_info or None)
    made = {"message": like.make(said), "text": said["content"], "generation_info": generation_info or None}
    return _CHUNK.make(made)


def _first_choice(chunk: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = (choice for choice in chunk.get("choices") or () if isinstance(choice, dict))
    return next((choice for choice in choices if not choice.get("index")), {})
