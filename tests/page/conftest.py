"""What the tests of the page share: a gateway with some traffic, and one browser for all that need it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from aigw.local import LocalGateway
from aigw.local._logs._record import LogRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

TLS = ssl.create_default_context()  # made once: it takes longer than everything else a test does
HTML = {"accept": "text/html,application/xhtml+xml"}
HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>\"'{{ 7 * 7 }}"
LOGS = "/client/v4/accounts/acme/ai-gateway/gateways/default/logs"


class Visitor:
    """Somebody with a browser's header, who can also call models."""

    HTML = HTML
    HOSTILE = HOSTILE
    LOGS = LOGS

    def __init__(self, gateway: LocalGateway, client: httpx.Client) -> None:
        self.gateway = gateway
        self.client = client

    def see(self, path: str = "/", status: int = 200, **headers: str) -> str:
        """Give the HTML at a path."""
        reply = self.client.get(path, headers={**HTML, **headers})
        assert reply.status_code == status, reply.text
        return reply.text

    def call(self, text: str = "Say hello.", model: str = "openai/gpt-4.1-mini", **more: Any) -> str:
        """Call a model and give the log id."""
        headers = {"authorization": "Bearer sesame", **more.pop("headers", {})}
        account, gateway = more.pop("account", "acme"), more.pop("gateway", "default")
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        path = f"/client/v4/accounts/{account}/ai/v1/chat/completions"
        reply = self.client.post(path, json=body, headers={**headers, "cf-aig-gateway-id": gateway})
        return reply.headers["cf-aig-log-id"]

    def fill(self, count: int, **more: Any) -> None:
        """Put logs into the store that nobody called for."""
        base = {"account": "acme", "gateway": "default", "provider": "openai", "model": "gpt", "path": "embeddings"}
        self.gateway._engine.store.add_many(
            LogRecord(**{**base, "id": f"log-{n:05}", "created_at": 1_790_000_000_000 + n, **more})
            for n in range(count)
        )

    def log(self, log_id: str) -> dict[str, Any]:
        """Read a log by the API."""
        reply = self.client.get(f"{LOGS}/{log_id}", headers={"authorization": "Bearer sesame"})
        return reply.json()["result"]


@pytest.fixture(params=["memory", "disk"])
def data(request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    """Keep the logs in memory, and on disk."""
    return None if request.param == "memory" else tmp_path


@pytest.fixture
def open_visitor() -> Iterator[Any]:
    """Open a gateway and give somebody who looks at it."""
    opened: list[tuple[LocalGateway, httpx.Client]] = []

    def open_visitor(**settings: Any) -> Visitor:
        gateway = LocalGateway(**settings).__enter__()
        opened.append((gateway, httpx.Client(base_url=gateway.base_url, verify=TLS)))
        return Visitor(*opened[-1])

    yield open_visitor
    for gateway, client in opened:
        client.close()
        gateway.__exit__(None, None, None)


@pytest.fixture
def visitor(open_visitor: Any) -> Visitor:
    return open_visitor(settings={"cache_ttl": 300}, switches={"costs": "as-asked"})
