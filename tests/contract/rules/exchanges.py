"""Cases as data: requests to send one after another, and what each answer must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .matching import differences
from .world import TOKEN

if TYPE_CHECKING:
    import httpx

    from .world import Place, World

REST: Final = {"authorization": f"Bearer {TOKEN}", "cf-aig-gateway-id": "{gw}"}
"""What a call on the REST host brings along; it is ignored on the gateway host's paths only where a case says so."""

SAY: Final = "Say hello to {gw}."
COMPAT: Final = "POST {host}/compat/chat/completions"
OPENAI: Final = "POST {host}/openai/chat/completions"
CHAT: Final = "POST {rest}/v1/chat/completions"
RUN: Final = "POST {rest}/run"
LLAMA: Final = "@cf/meta/llama-3.1-8b-instruct"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what its answer must be.

    Attributes:
        line: The method and the path.
        body: What is sent as JSON; bytes go as they are.
        headers: The request's fields.
        status: The answer's status.
        json: What the answer's JSON must fit.
        fields: What the answer's header fields must fit.
        text: What the answer's text must fit, for answers that are no JSON.
    """

    line: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    json: Any = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    text: Any = None

    def run(self, place: Place) -> httpx.Response:
        """Send it and compare."""
        reply = place.ask(self.line, self.body, self.headers)
        found = differences(self.status, reply.status_code, "status")
        found += differences(self.fields, dict(reply.headers), "headers")
        if self.json is not None and not found:
            found += differences(_filled(self.json, place), reply.json(), "body")
        if self.text is not None:
            found += differences(self.text, reply.text, "text")
        assert not found, "\n".join([f"{place.fill(self.line)}:", *found, reply.text[:500]])
        return reply


@dataclass(frozen=True, slots=True)
class Story:
    """Exchanges one after another on one gateway.

    Attributes:
        exchanges: What is asked.
        server: The configuration.
        settings: What the gateway is set to before.
        script: What the upstream answers, turn by turn; always the same when there is none.
        logged: What the gateway's newest log must fit in the end.
    """

    exchanges: tuple[Exchange, ...]
    server: str = "open"
    settings: Mapping[str, Any] = field(default_factory=dict)
    script: tuple[Any, ...] = ()
    logged: Any = None

    def __call__(self, world: World) -> None:
        """Play it."""
        place = world.at(self.server, **self.settings)
        if self.script:
            place.script(*self.script)
        for exchange in self.exchanges:
            reply = exchange.run(place)
        if self.logged is not None:
            found = differences(self.logged, place.logs()[0], "log")
            assert not found, "\n".join([*found, reply.text[:500]])


def asks(line: str, body: Any = None, headers: Mapping[str, str] | None = None, **expected: Any) -> Story:
    """Make a case of one exchange; `server`, `settings`, `script` and `logged` are the story's."""
    story = {name: expected.pop(name) for name in ("server", "settings", "script", "logged") if name in expected}
    return Story((Exchange(line, body, headers or {}, **expected),), **story)


def story(*exchanges: Exchange, **more: Any) -> Story:
    """Make a case of several exchanges."""
    return Story(exchanges, **more)


def chat(model: str = "openai/gpt-5-mini", text: str = SAY, **more: Any) -> dict[str, Any]:
    """Give an OpenAI body that names the gateway, so that the upstream knows whose it is."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def run(model: str = "openai/gpt-5-mini", **more: Any) -> dict[str, Any]:
    """Give a body of `ai/run`."""
    return {"model": model, "input": {"messages": chat()["messages"]}, **more}


def inputs(**more: Any) -> dict[str, Any]:
    """Give a Workers AI body."""
    return {"messages": chat()["messages"], **more}


def refusal(status: int, code: int, message: Any = str, **more: Any) -> dict[str, Any]:
    """Give what a refusal of the gateway host is, for `asks(**...)`."""
    body = {
        "success": False,
        "result": [],
        "messages": [],
        "error": [{"code": code, "message": message}],
        "name": "AiGatewayError",
        "httpCode": status,
        "internalCode": code,
        "message": message,
        "description": str,
    }
    return {"status": status, "json": body, **more}


def rest_refusal(status: int, code: int, message: Any = str, **more: Any) -> dict[str, Any]:
    """Give what a refusal of the REST host is."""
    errors = [{"code": code, "message": message}]
    return {"status": status, "json": {"result": None, "success": False, "errors": errors, "messages": []}, **more}


def _filled(pattern: Any, place: Place) -> Any:
    if isinstance(pattern, str):
        return place.fill(pattern)
    if isinstance(pattern, Mapping):
        return {key: _filled(value, place) for key, value in pattern.items()}
    return [_filled(value, place) for value in pattern] if isinstance(pattern, list) else pattern
