"""What comes back, as frozen pydantic models that keep the fields nobody told us of.

`parse_info` reads the gateway's response headers; everything else reads JSON. A field that a provider may leave out, or
send as null, is optional here: the models describe, they do not judge.
"""

from __future__ import annotations

import base64
import binascii
import struct
from datetime import datetime  # noqa: TC003  pydantic reads it
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, PrivateAttr

from aigw._errors import APIStatusError
from aigw._json import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aigw._http import Headers


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=(), arbitrary_types_allowed=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return ((name, value) for name, value in super().__repr_args__() if value is not None)


class ResponseInfo(_Model):
    """What the `cf-aig-*` response headers of one call said; a header that was not sent is `None`.

    Unknown `cf-aig-*` headers are kept as extra attributes (`cf-aig-run-id` as `run_id`).

    Attributes:
        log_id: The id of the gateway's log of this call, opaque: UUIDv7, or ULID before October 2026.
        event_id: The caller's own id of the call, or the gateway's.
        request_id: The id of the request; equal to the log id when one step answered.
        gateway_id: The gateway the call was sent to; `None` where the account's default one was.
        cache_status: `HIT` or `MISS` when the gateway looked into its cache.
        step: Which step of a universal request answered, from 0.
        provider: The provider that answered, where the gateway says so (dynamic routes).
        model: The model that answered, likewise.
        dlp: What data loss prevention found.
        routed_model: The model the Auto Router chose.
        routing_reason: Why it did.
        routing_decision_id: The id of that decision.
        status_code: The HTTP status; `None` when no answer arrived.

    Source: AI Gateway docs, Header glossary.
    """

    log_id: str | None = None
    event_id: str | None = None
    request_id: str | None = None
    gateway_id: str | None = None
    cache_status: str | None = None
    step: int | None = None
    provider: str | None = None
    model: str | None = None
    dlp: dict[str, Any] | None = None
    routed_model: str | None = None
    routing_reason: str | None = None
    routing_decision_id: str | None = None
    status_code: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the fields that are set as a plain dict, fit for JSON."""
        return self.model_dump(exclude_none=True)


_PREFIX: Final = "cf-aig-"


def parse_info(headers: Headers, *, status: int, gateway_id: str | None = None) -> ResponseInfo:
    """Read the gateway's facts from response headers; what cannot be read is left out, never guessed."""
    fields: dict[str, Any] = {"gateway_id": gateway_id}
    for name, value in headers.items():
        if name[:7] == _PREFIX and value and "authorization" not in name:
            fields[name[7:].replace("-", "_")] = value
    fields["status_code"] = status
    if "step" in fields:
        fields["step"] = int(fields["step"]) if fields["step"].isascii() and fields["step"].isdigit() else None
    if "log_id" in fields:  # a proxy that repeats the field must not make it unknown to the logs API
        fields["log_id"] = fields["log_id"].partition(",")[0].strip()
    if "dlp" in fields:
        fields["dlp"] = _object(fields["dlp"])
    return ResponseInfo(**fields)


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = parse_json(text.encode())
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _metadata(value: Any) -> Any:
    """The API reference says a string, the Workers runtime an object: read either."""
    return _object(value) if isinstance(value, str) else value


class GatewayLog(_Model):
    """One log of the gateway; the list leaves out what only the single log has (heads, sizes).

    Attributes:
        id: The log's id.
        created_at: When the call began, UTC.
        provider: Who answered.
        model: The model as the gateway names it, which can differ from the one asked for.
        path: The path below the provider.
        duration: Milliseconds.
        success: Whether the call succeeded.
        cached: Whether the cache answered.
        tokens_in: Prompt tokens; 0 on a cache hit.
        tokens_out: Answer tokens.
        cost: US dollars.
        feedback: -1, 0, 1 or `None`, as patched.
        score: As patched.
        metadata: The caller's labels.
        event_id: The caller's own id of the call.
        status_code: The status of the answer.
        step: Which step of a universal request this was, from 0.

    Source: AI Gateway API reference, Logs.
    """

    id: str
    created_at: datetime | None = None
    provider: str | None = None
    model: str | None = None
    model_type: str | None = None
    path: str | None = None
    duration: float | None = None
    success: bool | None = None
    cached: bool | None = None
    tokens_in: int | float | None = None
    tokens_out: int | float | None = None
    cost: float | None = None
    custom_cost: bool | None = None
    feedback: int | float | None = None
    score: int | float | None = None
    metadata: Annotated[dict[str, Any] | None, BeforeValidator(_metadata)] = None
    event_id: str | None = None
    status_code: int | None = None
    step: int | None = None
    request_type: str | None = None
    request_content_type: str | None = None
    response_content_type: str | None = None
    request_size: int | None = None
    request_head: str | None = None
    request_head_complete: bool | None = None
    response_size: int | None = None
    response_head: str | None = None
    response_head_complete: bool | None = None

    @property
    def has_heads(self) -> bool:
        """Whether the beginnings of request and response are there, which come a moment after the answer."""
        return None not in (self.request_head, self.response_head)

    @property
    def is_complete(self) -> bool:
        """Whether all is there that the gateway writes a moment after the answer: heads and cost.

        A log whose payload is not collected never has heads, and one of a model without a known price no cost.
        """
        return self.has_heads and self.cost is not None

    @property
    def is_settled(self) -> bool:
        """Whether it says what the call cost, or never will: failed calls and answers of the cache may have no cost."""
        return self.cost is not None or self.success is False or self.cached is True


class LogPage(_Model):
    """One page of logs.

    Attributes:
        logs: The logs, in the order asked for.
        page: The number of this page, from 1.
        per_page: Logs a page holds at most.
        count: Logs on this page.
        total_count: Logs that fit the filters.
    """

    logs: tuple[GatewayLog, ...] = ()
    page: int | None = None
    per_page: int | None = None
    count: int | None = None
    total_count: int | None = None


class RunResult(_Model):
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


class FunctionCall(_Model):
    """The function a model calls; `arguments` is JSON text as the model wrote it."""

    name: str | None = None
    arguments: Any = None


class ToolCall(_Model):
    """One call of a tool, or in a stream a part of one, joined by `index`."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionCall | None = None


class Message(_Model):
    """What the model said: a whole message, or in a stream what was added to it."""

    role: str | None = None
    content: Any = None
    refusal: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None


class Choice(_Model):
    """One answer of a completion."""

    index: int | None = None
    message: Message | None = None
    finish_reason: str | None = None


class ChunkChoice(_Model):
    """One answer's part in a chunk."""

    index: int | None = None
    delta: Message | None = None
    finish_reason: str | None = None


class Usage(_Model):
    """Tokens used, as the provider counted them."""

    prompt_tokens: int | float | None = None
    completion_tokens: int | float | None = None
    total_tokens: int | float | None = None


class _Completion(_Model):
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


class Embedding(_Model):
    """One text's vector, and its place among the texts."""

    index: int | None = None
    embedding: Any = None


class EmbeddingResult(_Model):
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
