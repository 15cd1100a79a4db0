"""What models answer, as frozen pydantic models that keep the fields nobody told us of.

A field that a provider may leave out, or send as null, is optional here: the models describe, they do not judge. Each
answer carries as `info` what the gateway said of the call.
"""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any

from pydantic import PrivateAttr

from aigw._errors import APIStatusError
from aigw._facts import FrozenModel, ResponseInfo


class RunResult(FrozenModel):
    """The answer of a model, unwrapped from Cloudflare's envelope.

    An `output` that is a JSON object or list can be indexed directly: `result["usage"]`.

    Attributes:
        output: The decoded JSON, or the bytes of an answer that is none (images, audio).
        content_type: The media type of the answer.
        info: What the gateway said of the call.
    """

    output: Any
    info: ResponseInfo
    content_type: str = "application/json"

    def __getitem__(self, key: Any) -> Any:
        """Look into `output`."""
        return self.output[key]


class StreamEvent(dict[str, Any]):
    """One decoded JSON object of a raw stream; a plain dict which, on the first event, also has `info`."""

    __slots__ = ("info",)

    info: ResponseInfo | None

    def __init__(self, value: dict[str, Any], info: ResponseInfo | None = None) -> None:
        super().__init__(value)
        self.info = info


class FunctionCall(FrozenModel):
    """The function a model calls; `arguments` is JSON text as the model wrote it."""

    name: str | None = None
    arguments: Any = None


class ToolCall(FrozenModel):
    """One call of a tool, or in a stream a part of one, joined by `index`."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionCall | None = None


class Message(FrozenModel):
    """What the model said: a whole message, or in a stream what was added to it."""

    role: str | None = None
    content: Any = None
    refusal: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None


class Choice(FrozenModel):
    """One answer of a completion."""

    index: int | None = None
    message: Message | None = None
    finish_reason: str | None = None


class ChunkChoice(FrozenModel):
    """One answer's part in a chunk."""

    index: int | None = None
    delta: Message | None = None
    finish_reason: str | None = None


class Usage(FrozenModel):
    """Tokens used, as the provider counted them."""

    prompt_tokens: int | float | None = None
    completion_tokens: int | float | None = None
    total_tokens: int | float | None = None


class _Completion(FrozenModel):
    id: str | None = None
    object: str | None = None
    created: int | float | None = None
    model: str | None = None
    usage: Usage | None = None

    _raw: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def raw(self) -> dict[str, Any]:
        """The decoded JSON as it came."""
        return self._raw


class ChatCompletion(_Completion):
    """A chat completion in OpenAI's shape.

    Attributes:
        choices: The answers.
        info: What the gateway said of the call.
    """

    choices: tuple[Choice, ...] = ()
    info: ResponseInfo

    @classmethod
    def from_raw(cls, raw: dict[str, Any], info: ResponseInfo) -> ChatCompletion:
        """Make one of decoded JSON."""
        completion = cls.model_validate({**raw, "info": info})
        completion._raw = raw  # noqa: SLF001  its own class
        return completion

    @property
    def text(self) -> str:
        """The text of the first answer; empty when it has none."""
        message = self.choices[0].message if self.choices else None
        return message.content if message and isinstance(message.content, str) else ""


class ChatCompletionChunk(_Completion):
    """One chunk of a streamed chat completion in OpenAI's shape.

    Attributes:
        choices: What was added to each answer; empty on a chunk that only tells the usage.
        info: What the gateway said of the call, on the first chunk of a stream.
    """

    choices: tuple[ChunkChoice, ...] = ()
    info: ResponseInfo | None = None

    @classmethod
    def from_raw(cls, raw: dict[str, Any], info: ResponseInfo | None) -> ChatCompletionChunk:
        """Make one of decoded JSON."""
        chunk = cls.model_validate({**raw, "info": info} if info else raw)
        chunk._raw = raw  # noqa: SLF001  its own class
        return chunk

    @property
    def text(self) -> str:
        """The text this chunk adds to the first answer; empty when it adds none."""
        delta = self.choices[0].delta if self.choices else None
        return delta.content if delta and isinstance(delta.content, str) else ""


class Embedding(FrozenModel):
    """One text's vector, and its place among the texts."""

    index: int | None = None
    embedding: Any = None


class EmbeddingResult(FrozenModel):
    """Vectors for texts.

    Attributes:
        data: One entry per text.
        model: The model that made them.
        usage: Tokens used.
        info: What the gateway said of the call.
    """

    data: tuple[Embedding, ...] = ()
    model: str | None = None
    usage: Usage | None = None
    info: ResponseInfo

    @property
    def vectors(self) -> list[list[float]]:
        """The vectors in the order of the texts, whatever order they came in; base64 is decoded.

        Raises:
            APIStatusError: A vector cannot be read.
        """
        places = [place if item.index is None else item.index for place, item in enumerate(self.data)]
        ordered = sorted(zip(places, self.data, strict=True), key=lambda pair: pair[0])
        try:
            return [_vector(item.embedding) for _, item in ordered]
        except (binascii.Error, struct.error, TypeError, ValueError) as error:
            raise self._unreadable(f"the answer has a vector that cannot be read: {error}") from None

    def vectors_of(self, count: int) -> list[list[float]]:
        """Give one vector for each of `count` texts that were sent.

        Raises:
            APIStatusError: There are more or fewer, or one cannot be read.
        """
        if len(self.data) != count:
            raise self._unreadable(f"the answer has {len(self.data)} vectors for {count} texts")
        return self.vectors

    def _unreadable(self, message: str) -> APIStatusError:
        return APIStatusError(message, status_code=self.info.status_code, info=self.info)


def _vector(value: Any) -> list[float]:
    """Read a list of numbers, or the base64 text of 32-bit floats, lowest byte first."""
    if isinstance(value, str):
        data = base64.b64decode(value, validate=True)
        return list(struct.unpack(f"<{len(data) // 4}f", data))
    return [float(number) for number in value]
