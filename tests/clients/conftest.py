"""Local gateways for clients that are not ours, and their logs as the API gives them."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aigw.local import LocalGateway

TLS = ssl.create_default_context()  # made once: it takes longer than a call


class Logs:
    """One gateway's logs, read over the API without any client's help."""

    def __init__(self, client: httpx.Client, url: str) -> None:
        self._client = client
        self._url = url

    def get(self, log_id: str) -> dict[str, Any]:
        """Read one log."""
        return self._read(f"{self._url}/{log_id}")

    def newest(self, **wish: str) -> list[dict[str, Any]]:
        """Read the newest logs, the newest first."""
        return self._read(self._url, **wish)

    def soon(self) -> dict[str, Any]:
        """Read the newest log, once there is one: the gateway learns a little later that a caller left."""
        until = time.monotonic() + 5
        while not (logs := self.newest()):
            assert time.monotonic() < until, "no log was written"
            time.sleep(0.01)
        return logs[0]

    def _read(self, url: str, **wish: str) -> Any:
        reply = self._client.get(url, params=wish)
        assert reply.status_code == 200, reply.text
        return reply.json()["result"]


@pytest.fixture
def read_logs() -> Iterator[Callable[..., Logs]]:
    """Give the logs of a gateway on a running local gateway."""
    with httpx.Client(headers={"authorization": "Bearer test-token"}, verify=TLS) as client:

        def read_logs(local: LocalGateway, gateway_id: str = "default") -> Logs:
            return Logs(client, f"{local.base_url}/client/v4/accounts/acct/ai-gateway/gateways/{gateway_id}/logs")

        yield read_logs


@pytest.fixture
def logs(aigw_local: LocalGateway, read_logs: Callable[..., Logs]) -> Logs:
    """Give the logs of the test's own gateway."""
    return read_logs(aigw_local)
