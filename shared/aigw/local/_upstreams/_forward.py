"""The upstream that forwards: to a provider's own API, or to any server with an OpenAI API.

A `ForwardUpstream` that is named after a provider is that provider. Calls on the provider's own paths go there as they
came, of any method, shape and content; all others in OpenAI's shape. Under another name it is a server with an OpenAI
API (Ollama, vLLM, another gateway) and is asked in OpenAI's shape alone.

Status and body come back as they are, errors and redirects too, streams piece by piece. The environment's proxies are
used for `https` alone: a plain `http` server is one on this machine or next to it.
"""

from __future__ import annotations

import asyncio
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import httpx

from aigw._errors import ConfigurationError
from aigw._given import check_text_or_none, shown
from aigw._json import dump_json
from aigw._providers import PROVIDERS
from aigw.local._reply import EVENT_STREAM, JSON, Reply
from aigw.local._upstreams._attempts import close_body
from aigw.local._upstreams._forward_fields import (
    encoded,
    is_decoded,
    native_answer_fields,
    native_fields,
    openai_answer_fields,
    openai_fields,
)
from aigw.local._upstreams._native_path import has_address, query_has_key, upstream_url
from aigw.local._upstreams._upstream import NativeRequest, UpstreamEndpoint, UpstreamUnreachableError

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Sequence

    from aigw._providers import Operation

_TIMEOUT: Final = httpx.Timeout(None, connect=10.0)
_LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=100)
"""Any number of streams at once: whoever asks the gateway has limits of its own."""
_OPERATIONS: Final[dict[str, Operation]] = {"chat/completions": "chat", "embeddings": "embeddings"}
_WHOLE: Final = ("text/", "image/")


class ForwardUpstream:
    """Asks a provider, or a server with an OpenAI API.

    Args:
        name: The provider's slug (`elevenlabs`, `custom-mine`), or any other name for a server with an OpenAI API. It
            is in the `cf-aig-provider` header, and taken off the front of a model id.
        url: What stands in place of the provider's own address, or the OpenAI API's base URL. Left out, the provider's
            own address. `{region}` and the like are filled from the path for providers with several hosts.
        api_key: The key sent when the caller sends none of its own, in the provider's own header.

    Attributes:
        provider: The name.

    Raises:
        ValueError: There is no `url`, and the name is of no provider whose address is known; or an argument is no text.
    """

    def __init__(self, name: str, url: str | None = None, api_key: str | None = None) -> None:
        if not isinstance(name, str):
            raise ConfigurationError(f"ForwardUpstream: the name cannot be {shown(name)}: it is text")
        check_text_or_none(url=url, api_key=api_key)
        if url is None and not has_address(name):
            raise ConfigurationError(f"ForwardUpstream: the address of {shown(name)} is not known; give its url")
        self.provider = name
        self._url = url.rstrip("/") if url is not None else None
        self._api_key = api_key
        self._tls = None if (self._url or "").startswith("http:") else httpx.create_ssl_context()
        self._lock = Lock()
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopClient] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"ForwardUpstream({self.provider!r}, {self._url!r})"

    def is_native(self, provider: str, *, has_dialect: bool) -> bool:
        """Tell whether this is that provider; see `NativeUpstream.is_native`."""
        del has_dialect
        return provider == self.provider

    async def send(
        self, endpoint: UpstreamEndpoint, body: dict[str, Any], headers: tuple[tuple[str, str], ...]
    ) -> Reply:
        """Ask in OpenAI's shape; see `Upstream.send`."""
        fields = list(openai_fields(headers, self._api_key).items())
        response = await self._ask("POST", self._openai_path(endpoint), fields, dump_json(body))
        kept = openai_answer_fields(response.headers)
        if _media_type(response) == EVENT_STREAM and response.status < 400:
            return Reply(response.status, kept, response)
        return Reply(response.status, kept, await response.read())

    async def forward(self, request: NativeRequest) -> Reply:
        """Ask in the provider's own shape; see `NativeUpstream.forward`.

        Errors, JSON, texts and images come whole, so that they can be checked and cached; streams and all else do not.
        """
        has_key = query_has_key(request.path)
        fields = native_fields(request.provider, request.headers, self._api_key, has_key=has_key)
        response = await self._ask(request.method, request.path, fields, request.content)
        kept = native_answer_fields(response.headers.multi_items())
        media_type = _media_type(response)
        is_whole = media_type in {"", JSON} or media_type.endswith("+json") or media_type.startswith(_WHOLE)
        if response.status >= 400 or (is_whole and media_type != EVENT_STREAM and not request.is_stream):
            return Reply(response.status, kept, await response.read())
        return Reply(response.status, kept, response)

    async def aclose(self) -> None:
        """Close the connections of the running event loop; those in use close when their answer ends."""
        with self._lock:
            client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.retire()

    async def _ask(self, method: str, path: str, fields: Sequence[tuple[str, str]], content: bytes) -> _Body:
        url = upstream_url(self.provider, path, self._url)
        if url is None:
            raise UpstreamUnreachableError(f"{self.provider}: the path names no host; give ForwardUpstream a url")
        client = self._borrow()
        try:
            request = client.http.build_request(method, url, content=content or None, headers=encoded(fields))
            response = await client.http.send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            await client.give_back()
            raise _unreachable(error) from error
        except BaseException:
            await client.give_back()
            raise
        return _Body(response, client)

    def _openai_path(self, endpoint: UpstreamEndpoint) -> str:
        row, operation = PROVIDERS.get(self.provider), _OPERATIONS[endpoint]
        if row is None:
            return endpoint
        return row.paths.get(operation) or row.openai_paths.get(operation) or endpoint

    def _borrow(self) -> _LoopClient:
        loop = asyncio.get_running_loop()
        with self._lock:
            client = self._clients.get(loop)
            if client is None:
                client = self._clients[loop] = _LoopClient(self._tls)
            client.users += 1
            return client


class _LoopClient:
    """The HTTP client of one event loop, closed when it is retired and nobody uses it."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self.http = httpx.AsyncClient(timeout=_TIMEOUT, limits=_LIMITS, verify=tls or False, trust_env=tls is not None)
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
        known = is_decoded(response.headers.items())
        self._pieces: AsyncIterator[bytes] = response.aiter_bytes() if known else response.aiter_raw()
        self.status = response.status_code
        self.headers = response.headers

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


def _media_type(response: _Body) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _unreachable(error: httpx.HTTPError | httpx.InvalidURL) -> UpstreamUnreachableError:
    return UpstreamUnreachableError(f"{type(error).__name__}: {error}")
