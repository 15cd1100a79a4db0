"""The local gateway without any carrier: a `Request` in, a `Reply` out.

It holds no state of an event loop and no lock for longer than a look-up, so that one engine answers from a server's
loop, a caller's loop and a synchronous client's thread at the same time. A bug in it becomes an answer with status 500
and a line in the log; it never ends the carrier.

Cloudflare sends a Workers AI model without `cf-aig-gateway-id` past any gateway, or so it seems; here every call goes
through one, `default` if none is named, because a call that leaves no log would help nobody who debugs.
"""

from __future__ import annotations

import logging
import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from aigw._http import Headers
from aigw._version import __version__
from aigw.local._arrival import Entrance, arrive
from aigw.local._auth import authenticate, without_credentials
from aigw.local._envelopes import rest_result
from aigw.local._ids import new_id
from aigw.local._management._gateways import GatewaysApi
from aigw.local._management._logs import answer_logs
from aigw.local._management._provider_keys import answer_provider_configs
from aigw.local._management._requests import Ask
from aigw.local._refusal import RefusalError
from aigw.local._reply import Reply, json_reply
from aigw.local._routes import Surface, Target, find_target, gateway_url, is_provider, native_surface, split_provider
from aigw.local._universal import UniversalStep, read_steps
from aigw.local._upstreams._attempts import turn_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from aigw._http import Request
    from aigw.local._logs._store import LogStore
    from aigw.local._parts import Parts
    from aigw.local._settings._directory import Directory

_log: Final = logging.getLogger("aigw.local")
_NO_GATEWAY: Final = (400, 2001, "Please configure AI Gateway in the Cloudflare dashboard")
_NO_MANAGED_GATEWAY: Final = (404, 7002, "Gateway not found")
_NO_WEBSOCKET: Final = (
    "The local gateway has no WebSockets, neither the universal endpoint's nor a provider's realtime API: ask by HTTP"
)
_NO_PREVIEW: Final = (
    "The local gateway does not have the gateway host's preview of run: POST /client/v4/accounts/{account}/ai/run"
)
_ABOUT: Final = (
    "This is aigw's local gateway: it answers the paths of Cloudflare AI Gateway and its REST API on your own machine. "
    "Set AIGW_BASE_URL to this address, and any CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN."
)


class Engine:
    """What answers every request of one local gateway.

    Args:
        parts: What it is put together from; its log store is closed when the engine is gone.
        directory: Which gateways exist.
        tokens: The known tokens; any is good when there are none.
        clock: Gives the time in seconds since 1970.
    """

    def __init__(
        self,
        parts: Parts,
        directory: Directory,
        tokens: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._parts = parts
        self._store = parts.store
        self._directory = directory
        self._tokens = frozenset(tokens)
        self._clock = clock
        self._pipeline = parts.pipeline
        self._gateways = GatewaysApi(directory, bool(self._tokens), parts.forget_gateway)
        self.close = weakref.finalize(self, parts.store.close)
        """Closes the store; once is enough."""

    @property
    def store(self) -> LogStore:
        """Where the logs are kept."""
        return self._store

    @property
    def tokens(self) -> frozenset[str]:
        """The known tokens; any is good when there are none."""
        return self._tokens

    async def answer(self, request: Request) -> Reply:
        """Answer one request; errors are answers too."""
        target = find_target(request.method, request.url)
        try:
            return await self._answer(request, target)
        except RefusalError as refusal:
            return refusal.reply(target.host)
        except Exception:  # noqa: BLE001 - a bug of ours is an answer too, and is logged with its traceback
            _log.exception("the local gateway failed on %s %s", request.method, urlsplit(request.url).path)
            return RefusalError(500, 7000, "Internal error of the local gateway").reply(target.host)

    async def aclose(self) -> None:
        """Let go of what the upstream holds in the running event loop."""
        for upstream in self._parts.upstreams:
            close = getattr(upstream, "aclose", None)
            if close is not None:
                await close()

    async def _answer(self, request: Request, target: Target) -> Reply:
        if target.kind == "index":
            return json_reply(200, {"name": "aigw local gateway", "version": __version__, "about": _ABOUT})
        if target.host == "gateway" and _is_websocket(request):
            raise RefusalError(501, 7000, _NO_WEBSOCKET)
        if target.kind == "preview":
            raise RefusalError(501, 7000, _NO_PREVIEW)
        if target.kind == "openapi":
            from aigw.local._openapi._document import describe  # noqa: PLC0415 - who never asks does not wait for it

            return json_reply(200, describe())
        if target.kind == "nothing":
            raise RefusalError(404, 7002, _no_route(request))
        if target.kind == "gateways":
            authenticate("rest", Headers(request.headers), self._tokens, required=True)
            return self._gateways.answer(self._management(request, target, target.gateway_id))
        entrance = self._enter(target, Headers(request.headers))
        if target.kind in {"model", "universal"}:
            return await self._ask(request, target, entrance)
        return self._manage(request, target)

    def _enter(self, target: Target, headers: Headers) -> Entrance:
        gateway_id = target.gateway_id or headers.get("cf-aig-gateway-id") or "default"
        settings = self._directory.settings(target.account_id, gateway_id)
        own = settings.authentication
        demands = target.host == "rest" or (bool(self._tokens) if own is None else own)
        authenticate(target.host, headers, self._tokens, required=demands)
        if self._directory.find(target.account_id, gateway_id, self._now_ms) is None:
            raise RefusalError(*(_NO_GATEWAY if target.kind in {"model", "universal"} else _NO_MANAGED_GATEWAY))
        return Entrance(target.host, target.account_id, gateway_id, settings, demands)

    async def _ask(self, request: Request, target: Target, entrance: Entrance) -> Reply:
        if target.kind == "universal":
            return await self._ask_steps(read_steps(request.content, request.headers), entrance)
        provider, below = split_provider(target.rest)
        fields = without_credentials(target.host, request.headers, self._tokens)
        come_in = partial(arrive, entrance, fields=fields, content=request.content, now=self._clock())
        try:
            surface = target.surface or native_surface(provider, below, request.method)
        except RefusalError as refusal:
            endpoint = unquote(below.partition("?")[0]).strip("/")
            unknown = Surface("raw", "native", "" if provider == "compat" else provider, endpoint)
            return await self._pipeline.refuse(come_in(unknown), refusal)
        return await self._pipeline.answer(come_in(surface))

    async def _ask_steps(self, steps: list[UniversalStep], entrance: Entrance) -> Reply:
        request_id = new_id()
        reply = Reply(500)
        for index, step in enumerate(steps):
            fields = without_credentials("gateway", step.fields, self._tokens)
            now = self._clock()
            arrival = arrive(entrance, step.surface, fields, step.content, now=now, request_id=request_id, step=index)
            turn = turn_of("only", is_followed=index < len(steps) - 1, is_first=index == 0)
            reply = await self._pipeline.answer(arrival, turn)
            if reply.status < 400:
                break
        return reply

    def _manage(self, request: Request, target: Target) -> Reply:
        if target.kind == "planned":
            raise RefusalError(501, 7000, f"The local gateway does not have {urlsplit(request.url).path} yet")
        if target.kind == "url":
            origin = _gateway_origin(request.url)
            return rest_result(gateway_url(origin, target.account_id, target.gateway_id, target.rest))
        if target.kind == "provider_configs":
            return answer_provider_configs(self._parts.keys, self._management(request, target, target.rest))
        tail = tuple(target.rest.split("/")[1:])
        query = urlsplit(request.url).query
        content = request.content
        return answer_logs(self._store, request.method, target.account_id, target.gateway_id, tail, query, content)

    def _management(self, request: Request, target: Target, item: str) -> Ask:
        query = urlsplit(request.url).query
        content = request.content
        return Ask(request.method, target.account_id, target.gateway_id, item, query, content, self._now_ms)

    @property
    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _is_websocket(request: Request) -> bool:
    return request.method == "GET" and Headers(request.headers).get("upgrade", "").lower() == "websocket"


def _no_route(request: Request) -> str:
    path = urlsplit(request.url).path
    provider = path.lstrip("/").partition("/")[0]
    message = f"No route for {request.method} {path}"
    if provider == "compat" or is_provider(provider):
        return f"{message}: custom domains are not here, use /v1/{{account}}/{{gateway}}{path}"
    return message


def _gateway_origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.netloc == "api.cloudflare.com":
        return "https://gateway.ai.cloudflare.com"
    return f"{parts.scheme}://{parts.netloc}"
