"""What the tests of the LangChain adapter share: an upstream that says what a test wrote down, and models before it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from aigw.local import LocalGateway, Reply, json_reply
from langchain_aigw import ChatCloudflareAIGateway, CloudflareAIGatewayEmbeddings

from ..redis_server import redis_url as redis_url  # noqa: PLC0414, TID252  a fixture of both adapters

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Scripted:
    """Answers each call with the next thing written down, the last one again and again; keeps the bodies it was asked.

    A dict is a whole answer, a list the chunks of a stream.
    """

    provider = "scripted"

    def __init__(self, *answers: dict[str, Any] | list[dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.bodies: list[dict[str, Any]] = []

    async def send(self, endpoint: str, body: dict[str, Any], headers: tuple[tuple[str, str], ...]) -> Reply:
        del endpoint, headers
        self.bodies.append(body)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, dict):
            return json_reply(200, answer)
        return Reply(200, (("content-type", "text/event-stream"),), _frames(answer))


async def _frames(chunks: list[dict[str, Any]]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield b"data: " + json.dumps(chunk).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


class Stage:
    """A gateway before a scripted upstream, and models that reach it."""

    def __init__(self) -> None:
        self.upstream = Scripted(answer("Hello."))
        self.gateway = LocalGateway(upstream=self.upstream)

    def play(self, *answers: dict[str, Any] | list[dict[str, Any]]) -> None:
        self.upstream.answers = list(answers)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return self.upstream.bodies

    def chat(self, **fields: Any) -> ChatCloudflareAIGateway:
        return ChatCloudflareAIGateway(**{**self._fields("openai/gpt-5-mini"), **fields})

    def embeddings(self, **fields: Any) -> CloudflareAIGatewayEmbeddings:
        return CloudflareAIGatewayEmbeddings(**{**self._fields("openai/text-embedding-3-small"), **fields})

    def _fields(self, model: str) -> dict[str, Any]:
        return {
            "model": model,
            "account_id": "acct",
            "api_token": "test-token",
            "base_url": self.gateway.base_url,
        }


def answer(text: str | None, **more: Any) -> dict[str, Any]:
    """A whole completion that says `text`."""
    message = {"role": "assistant", "content": text, **more}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-5-mini-2026",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }


def delta(**delta: Any) -> dict[str, Any]:
    """One chunk of a stream that adds `delta`."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-5-mini-2026",
        "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
    }


def end(reason: str = "stop", **more: Any) -> dict[str, Any]:
    """The chunk that says why a stream ended."""
    return {**delta(), "choices": [{"index": 0, "delta": {}, "finish_reason": reason}], **more}


class Wire:
    """The makers of wire objects, as one fixture: test modules cannot import a conftest."""

    answer = staticmethod(answer)
    delta = staticmethod(delta)
    end = staticmethod(end)


@pytest.fixture
def wire() -> type[Wire]:
    return Wire


@pytest.fixture
def stage() -> Iterator[Stage]:
    staged = Stage()
    with staged.gateway:
        yield staged


@pytest.fixture
def local_fields(aigw_local: LocalGateway) -> dict[str, Any]:
    """The fields of a model that reaches the offline model."""
    return {"account_id": "acct", "api_token": "test-token", "base_url": aigw_local.base_url}


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_AI_GATEWAY_ID", "AIGW_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
