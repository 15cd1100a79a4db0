"""The upstream that forwards to a server with an OpenAI API: Ollama, vLLM, a provider, another gateway.

Status and body come back as they are, errors too, streams piece by piece. Only fields that OpenAI's API knows go out,
so neither the gateway's options nor its tokens nor another provider's key can leave by accident. The environment's
proxies are used for `https` alone: a plain `http` server is one on this machine or next to it.
"""

from __future__ import annotations

import asyncio
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import httpx

from aigw._json import dump_json
from aigw.local._attempts import close_body
from aigw.local._reply import EVENT_STREAM, Reply
from aigw.local._upstream import UpstreamEndpoint, UpstreamUnreachableError

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

_ASKED: Final = frozenset(
    {"authorization", "openai-organization", "openai-project", "user-agent", "idempotency-key", "x-request-id"}
)
_ANSWERED: Final = frozenset({"content-type", "retry-after", "retry-after-ms", "x-request-id"})
_TIMEOUT: Final = httpx.Timeout(None, connect=10.0)


class ForwardUpstream:
    """Asks a server with an OpenAI API.

    Args:
        name: The provider's name: in the `cf-aig-provider` header, and taken off the front of a model id.
        url: The API's base URL, to which `/chat/completions` is added.
        api_key: The key sent when the caller sends none of its own.

    Attributes:
        provider: The name.
    """

    def __init__(self, name: str, url: str, api_key: str | None = None) -> None:
        self.provider = name
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._tls = httpx.create_ssl_context() if self._url.startswith("https:") else None
        self._lock = Lock()
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopClient] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"ForwardUpstream({self.provider!r}, {self._url!r})"

    async def send(
        self, endpoint: UpstreamEndpoint, body: dict[str, Any], headers: tuple[tuple[str, str], ...]
    ) -> Reply:
        """Ask the server; see `Upstream.send`."""
        client = self._borrow()
        try:
            request = client.http.build_request(
                "POST", f"{self._url}/{endpoint}", content=dump_json(body), headers=self._fields(headers)
            )
            response = await client.http.send(request, stream=True)
        except httpx.HTTPError as error:
            await client.give_back()
            raise _unreachable(error) from error
        except BaseException:
            await client.give_back()
            raise
        answer = _Body(response, client)
        fields = tuple((name, value) for name, value in response.headers.items() if name.lower() in _ANSWERED)
        if response.headers.get("content-type", "").startswith(EVENT_STREAM) and response.status_code < 400:
            return Reply(response.status_code, fields, answer)
        return Reply(response.status_code, fields, await answer.read())

    async def aclose(self) -> None:
        """Close the connections of the running event loop; those in use close when their answer ends."""
        with self._lock:
            client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.retire()

    def _borrow(self) -> _LoopClient:
        loop = asyncio.get_running_loop()
        with self._lock:
            client = self._clients.get(loop)
            if client is None:
                client = self._clients[loop] = _LoopClient(self._tls)
            client.users += 1
            return client

    def _fields(self, headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
        fields = {name.lower(): value for name, value in headers if name.lower() in _ASKED}
        if self._api_key:
            fields.setdefault("authorization", f"Bearer {self._api_key}")
        return fields | {"content-type": "application/json", "accept-encoding": "identity"}


class _LoopClient:
    """The HTTP client of one event loop, closed when it is retired and nobody uses it."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self.http = httpx.AsyncClient(timeout=_TIMEOUT, verify=tls or False, trust_env=tls is not None)
        self.users = 0
        self._retired = False

    async def give_back(self) -> None:
        self.users -= 1
        await self._close_if_idle()

    async def retire(self) -> None:
        self._retired = True
        await self._close_if_idle()

    async def _close_if_idle(self) -> None:
        if self._retired and self.users == 0:
            await self.http.aclose()


class _Body:
    """The body of one answer, closed at its end or when it is let go."""

    def __init__(self, response: httpx.Response, client: _LoopClient) -> None:
        self._response = response
        self._client: _LoopClient | None = client
        self._pieces: AsyncIterator[bytes] = response.aiter_bytes()

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._pieces)
        except httpx.HTTPError as error:
            await close_body(self)
            raise _unreachable(error) from error
        except BaseException:
            await close_body(self)
            raise

    async def read(self) -> bytes:
        return b"".join([piece async for piece in self])

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await close_body(self._pieces)
            await self._response.aclose()
            await client.give_back()


def _unreachable(error: httpx.HTTPError) -> UpstreamUnreachableError:
    return UpstreamUnreachableError(f"{type(error).__name__}: {error}")
