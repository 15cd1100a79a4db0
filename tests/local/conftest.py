"""What the tests of the gateway's engine share: both carriers, and an upstream that says what a test wrote down."""

from __future__ import annotations

import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from aigw.local import LocalGateway, Reply, json_reply

TLS = ssl.create_default_context()  # made once: it takes longer than everything else a test does
OpenClient = Callable[[LocalGateway], httpx.Client]

REST = "/client/v4/accounts/acct/ai"
LOGS = "/client/v4/accounts/acct/ai-gateway/gateways/{gateway}/logs"


class Scripted:
    """An upstream whose turns are written down; the last one repeats. It keeps what it was asked."""

    provider = "scripted"

    def __init__(self, *turns: Reply | Exception | Callable[[], Reply]) -> None:
        self.turns = list(turns)
        self.asked: list[tuple[str, dict[str, Any], dict[str, str]]] = []

    async def send(self, endpoint: str, body: dict[str, Any], headers: tuple[tuple[str, str], ...]) -> Reply:
        self.asked.append((endpoint, body, dict(headers)))
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        if isinstance(turn, Exception):
            raise turn
        return turn if isinstance(turn, Reply) else turn()


def completion(text: str, usage: tuple[int, int] | None = (3, 2)) -> Reply:
    """An OpenAI answer that says `text`."""
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
    }
    if usage:
        body["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    return json_reply(200, body)


def failure(status: int, message: str) -> Reply:
    """An OpenAI error."""
    return json_reply(status, {"error": {"message": message, "type": "server_error", "param": None, "code": None}})


def streamed(*pieces: bytes | Exception) -> Callable[[], Reply]:
    """A stream of these bytes; an exception breaks it."""

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    return lambda: Reply(200, (("content-type", "text/event-stream"),), body())


class Kit:
    """What tests call, as one fixture: test modules cannot import a conftest."""

    Scripted = Scripted
    completion = staticmethod(completion)
    failure = staticmethod(failure)
    streamed = staticmethod(streamed)
    rest = REST
    token = {"authorization": "Bearer test-token"}  # noqa: RUF012 -- nobody changes it

    @staticmethod
    def chat(text: str = "Say hello.", model: str = "openai/gpt-5-mini", **more: Any) -> dict[str, Any]:
        return {"model": model, "messages": [{"role": "user", "content": text}], **more}

    @staticmethod
    def log(client: httpx.Client, log_id: str, gateway: str = "default") -> dict[str, Any]:
        reply = client.get(f"{LOGS.format(gateway=gateway)}/{log_id}", headers=Kit.token)
        assert reply.status_code == 200, reply.text
        return reply.json()["result"]

    @staticmethod
    def logs(client: httpx.Client, gateway: str = "default") -> list[dict[str, Any]]:
        return client.get(LOGS.format(gateway=gateway), headers=Kit.token).json()["result"]


@pytest.fixture
def kit() -> type[Kit]:
    return Kit


@pytest.fixture
def socket_client(aigw_local: LocalGateway) -> Iterator[httpx.Client]:
    """An httpx client on a running gateway with a token, over a socket."""
    with httpx.Client(base_url=aigw_local.base_url, headers=Kit.token, verify=TLS) as client:
        yield client


@pytest.fixture(params=["socket", "transport"])
def open_client(request: pytest.FixtureRequest) -> Iterator[OpenClient]:
    """Open an httpx client on a gateway, over a socket and inside the process."""
    with ExitStack() as stack:

        def open_client(gateway: LocalGateway) -> httpx.Client:
            if request.param == "socket":
                stack.enter_context(gateway)
                return stack.enter_context(httpx.Client(base_url=gateway.base_url, verify=TLS))
            return stack.enter_context(httpx.Client(base_url="http://in.process", transport=gateway.transport()))

        yield open_client


@pytest.fixture
def threads():
    """Give a function that lists the local gateway's threads, but for those of gateways that outlast the test."""
    before = {*threading.enumerate()}
    return lambda: [each for each in threading.enumerate() if each.name.startswith("aigw-local") and each not in before]
