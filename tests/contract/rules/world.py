"""What the cases run against: a local gateway for each configuration, over a socket, and a gateway id for each case.

A case has a gateway of its own, so that no cache, count or log is shared; what it sets it sets through the management
API. Prompts name the gateway, so that one upstream can tell whose call it has been asked.
"""

from __future__ import annotations

import json
import ssl
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from aigw import AIGateway
from aigw.local import LocalGateway, ScriptRequest, ScriptUpstream

from .configurations import CONFIGURATIONS
from .providers import EchoProvider

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT: Final = "acct"
TOKEN: Final = "good-token"
TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nothing here speaks TLS
START: Final = 1_800_000_000.0
_NULLS: Final = {
    "cache_invalidate_on_update": False,
    "cache_ttl": None,
    "collect_logs": True,
    "rate_limiting_interval": None,
    "rate_limiting_limit": None,
}


class Clock:
    """A time that stands still until a case moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class Upstream:
    """Answers each gateway by that gateway's script, and remembers what was asked; `provider` is OpenAI's slug."""

    provider = "openai"

    def __init__(self) -> None:
        self._scripts: dict[str, ScriptUpstream] = {}
        self._hello = ScriptUpstream([{"text": "Hello.", "usage": [10, 4], "times": "forever"}])

    def script(self, gateway: str, turns: tuple[Any, ...]) -> None:
        self._scripts[gateway] = ScriptUpstream(turns)

    def requests(self, gateway: str) -> list[ScriptRequest]:
        scripted = self._scripts.get(gateway, self._hello)
        return [request for request in scripted.requests if gateway in json.dumps(request.body)]

    async def send(self, endpoint: Any, body: dict[str, Any], headers: tuple[tuple[str, str], ...]) -> Any:
        text = json.dumps(body)
        script = next((script for name, script in self._scripts.items() if name in text), self._hello)
        return await script.send(endpoint, body, headers)


@dataclass
class Server:
    """One running configuration."""

    gateway: LocalGateway
    http: httpx.Client
    clock: Clock
    upstream: Upstream


@dataclass
class Place:
    """One gateway of one server, for one case."""

    server: Server
    id: str
    tokens: Mapping[str, str] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        return self.server.clock

    @property
    def requests(self) -> list[ScriptRequest]:
        """What the upstream was asked by this gateway."""
        return self.server.upstream.requests(self.id)

    def script(self, *turns: Any) -> Self:
        """Let the upstream answer this gateway turn by turn."""
        self.server.upstream.script(self.id, turns)
        return self

    def ask(self, line: str, body: Any = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Send one request: `"POST {native}/openai/chat/completions"`."""
        method, _, url = self.fill(line).partition(" ")
        fields = {name: self.fill(value) for name, value in (headers or {}).items()}
        content = body
        if body is not None and not isinstance(body, bytes):
            content = self.fill(json.dumps(body)).encode()
            fields.setdefault("content-type", "application/json")
        return self.server.http.request(method, url, content=content, headers=fields)

    def fill(self, text: str) -> str:
        """Put the paths and ids of this place into a text."""
        rest = f"/client/v4/accounts/{ACCOUNT}"
        names = {
            "{rest}": f"{rest}/ai",
            "{gateways}": f"{rest}/ai-gateway/gateways",
            "{manage}": f"{rest}/ai-gateway/gateways/{self.id}",
            "{account}": f"{rest}/ai-gateway",
            "{host}": f"/v1/{ACCOUNT}/{self.id}",
            "{gw}": self.id,
        }
        for name, value in names.items():
            text = text.replace(name, value)
        return text

    def set(self, **settings: Any) -> httpx.Response:
        """Set the gateway through the management API."""
        reply = self.ask("PUT {manage}", {**_NULLS, **settings}, _MANAGER)
        if reply.status_code == 404:
            reply = self.ask("POST {gateways}", {**_NULLS, "id": self.id, **settings}, _MANAGER)
        assert reply.status_code == 200, reply.text
        return reply

    def store_key(self, provider: str = "openai", secret: str = "stored-secret-1", alias: str = "default") -> None:  # noqa: S107
        """Store a provider's key."""
        config = {"provider_slug": provider, "secret": secret, "alias": alias}
        reply = self.ask("POST {manage}/provider_configs", config, _MANAGER)
        assert reply.status_code == 200, reply.text

    def logs(self, query: str = "") -> list[dict[str, Any]]:
        """Give the logs, newest first."""
        reply = self.ask(f"GET {{manage}}/logs{query}", headers=_MANAGER)
        assert reply.status_code == 200, reply.text
        logs: list[dict[str, Any]] = reply.json()["result"]
        return logs

    def log(self, of: httpx.Response | str) -> dict[str, Any]:
        """Give the one log of an answer, or of an id."""
        log_id = of if isinstance(of, str) else of.headers["cf-aig-log-id"]
        reply = self.ask(f"GET {{manage}}/logs/{log_id}", headers=_MANAGER)
        assert reply.status_code == 200, reply.text
        log: dict[str, Any] = reply.json()["result"]
        return log

    def client(self, **more: Any) -> AIGateway:
        """Give our client on this gateway; closing it leaves the connection to the others."""
        given = {"api_token": TOKEN, "gateway_id": self.id, "max_retries": 0, **more}
        base_url = str(self.server.http.base_url).rstrip("/")
        return AIGateway(ACCOUNT, base_url=base_url, http_client=self.server.http, **given)


_MANAGER: Final = {"authorization": f"Bearer {TOKEN}"}


class World:
    """All servers of a test run, started when they are first asked for."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._servers: dict[str, Server] = {}
        self._numbers = count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def at(self, server: str = "open", **settings: Any) -> Place:
        """Give a new gateway on a server, with these settings."""
        place = Place(self.server(server), f"case-{next(self._numbers):05d}-x")
        if settings:
            place.set(**settings)
        return place

    def server(self, name: str) -> Server:
        """Give the server of a configuration."""
        if name not in self._servers:
            self._servers[name] = self._start(name)
        return self._servers[name]

    def _start(self, name: str) -> Server:
        clock, upstream = Clock(), Upstream()
        given = {"upstream": upstream, "clock": clock, **CONFIGURATIONS[name]}
        if given.get("upstreams") is EchoProvider:
            given["upstreams"] = self._stack.enter_context(EchoProvider()).upstreams()
        gateway = self._stack.enter_context(LocalGateway(**given))
        http = self._stack.enter_context(
            httpx.Client(base_url=gateway.base_url, verify=TLS, trust_env=False, timeout=60)
        )
        return Server(gateway, http, clock, upstream)
