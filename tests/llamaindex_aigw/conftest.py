"""What the tests of the LlamaIndex adapter share: models on a local gateway, and an upstream with written turns."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from aigw import AIGateway
from aigw.local import LocalGateway, Reply, json_reply
from llamaindex_aigw import CloudflareAIGateway, CloudflareAIGatewayEmbedding

from ..redis_server import redis_url as redis_url  # noqa: PLC0414, TID252  a fixture of both adapters

USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


class Scripted:
    """An upstream that keeps what it was asked; its turns are written down, and the last one repeats."""

    provider = "scripted"

    def __init__(self, *turns: Callable[[], Reply]) -> None:
        self.turns = list(turns)
        self.bodies: list[dict[str, Any]] = []

    async def send(self, endpoint: str, body: dict[str, Any], headers: tuple[tuple[str, str], ...]) -> Reply:  # noqa: ARG002 the protocol's
        self.bodies.append(body)
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        return turn()


def answered(message: dict[str, Any], usage: dict[str, int] | None = USAGE) -> Callable[[], Reply]:
    """A whole completion."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}],
        "usage": usage,
    }
    return lambda: json_reply(200, body)


def streamed(*chunks: dict[str, Any]) -> Callable[[], Reply]:
    """A stream of these chunks, with its end."""

    async def events() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield b"data: " + json.dumps(chunk).encode() + b"\n\n"
        yield b"data: [DONE]\n\n"

    return lambda: Reply(200, (("content-type", "text/event-stream"),), events())


def chunk(delta: dict[str, Any] | None = None, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    """One chunk of a stream; without a delta, one that has no choices."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "choices": choices, **more}


class Kit:
    """The helpers, as one fixture: test modules cannot import a conftest."""

    usage = USAGE
    Scripted = Scripted
    answered = staticmethod(answered)
    streamed = staticmethod(streamed)
    chunk = staticmethod(chunk)


@pytest.fixture
def kit() -> type[Kit]:
    return Kit


@pytest.fixture
def new_llm() -> Iterator[Callable[..., CloudflareAIGateway]]:
    """Make LLMs on a gateway; their sync connections are closed in the end."""
    made: list[CloudflareAIGateway] = []

    def new_llm(gateway: LocalGateway, **fields: Any) -> CloudflareAIGateway:
        fields = {"model": "openai/gpt-4.1-mini", "account_id": "acct", "api_token": "test-token", **fields}
        llm = CloudflareAIGateway(base_url=gateway.base_url, **fields)
        made.append(llm)
        return llm

    yield new_llm
    for llm in made:
        llm.close()


@pytest.fixture
def llm(aigw_local: LocalGateway, new_llm: Callable[..., CloudflareAIGateway]) -> CloudflareAIGateway:
    return new_llm(aigw_local)


@pytest.fixture
def embedding(aigw_local: LocalGateway) -> Iterator[CloudflareAIGatewayEmbedding]:
    model = CloudflareAIGatewayEmbedding(
        model="@cf/baai/bge-m3", account_id="acct", api_token="test-token", base_url=aigw_local.base_url
    )
    yield model
    model.close()


@pytest.fixture
def client(aigw_local: LocalGateway) -> Iterator[AIGateway]:
    """The core's client on the same gateway, to look into its logs."""
    with AIGateway("acct", "test-token", base_url=aigw_local.base_url) as client:
        yield client


@pytest.fixture
def scripted(
    new_llm: Callable[..., CloudflareAIGateway],
) -> Iterator[Callable[..., tuple[CloudflareAIGateway, Scripted]]]:
    """Make an LLM before an upstream that answers in written turns."""
    gateways: list[LocalGateway] = []

    def scripted(*turns: Callable[[], Reply], **fields: Any) -> tuple[CloudflareAIGateway, Scripted]:
        upstream = Scripted(*turns)
        gateway = LocalGateway(upstream=upstream)
        gateway.__enter__()
        gateways.append(gateway)
        return new_llm(gateway, **fields), upstream

    yield scripted
    for gateway in gateways:
        gateway.__exit__(None, None, None)
