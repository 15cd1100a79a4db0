"""What the fault tests share: servers that end with their test, no waits between tries, and limits soon reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .driving import ENGINES, ONE_CONNECTION, Driver
from .faulty_server import FaultyServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(autouse=True)
def one_connection_and_no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aigw._retries._FIRST_DELAY", 0.0)
    monkeypatch.setattr("aigw._engines._engine.LIMITS", ONE_CONNECTION)


@pytest.fixture
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach the limits of sizes soon; `test_limits` reaches the real ones."""
    monkeypatch.setattr("aigw._stream_readers.PATIENCE", 2.0)
    monkeypatch.setattr("aigw._client.MAX_ANSWER_BYTES", 4_000_000)
    monkeypatch.setattr("aigw._async_client.MAX_ANSWER_BYTES", 4_000_000)
    monkeypatch.setattr("aigw._streams.MAX_EVENT_BYTES", 4_000_000)
    monkeypatch.setattr("aigw._sse.SSEDecoder.__init__.__defaults__", (4_000_000,))


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[FaultyServer]:
    """Another server, that nothing may be sent to."""
    with FaultyServer() as server:
        yield server


@pytest.fixture(params=ENGINES)
async def driver(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    driver = Driver(request.param)
    yield driver
    await driver.close()
