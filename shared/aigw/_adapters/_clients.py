"""The clients behind a framework's model object: made on first use, never pickled, shared by shallow copies.

A model's copy with other parameters or gateway options keeps its connections; one that connects in another way gets
clients of its own. Apart from the drivers because only adapters need it.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from aigw._async_client import AsyncAIGateway
from aigw._client import AIGateway
from aigw._driver import with_options
from aigw._forks import ForkSafeLock

C = TypeVar("C", AIGateway, AsyncAIGateway)

_MAX_TWINS: Final = 64
_Key = tuple[Any, int]


class Clients:
    """One sync and one async client for each set of settings; safe in threads and tasks, empty when copied deeply."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._sync: dict[_Key, AIGateway] = {}
        self._async: dict[_Key, AsyncAIGateway] = {}
        self._twins: dict[tuple[object, str], Any] = {}

    def __reduce__(self) -> tuple[type[Clients], tuple[()]]:
        """Pickle and copy deeply to an empty one."""
        return Clients, ()

    @staticmethod
    def check(settings: dict[str, Any], http_client: Any, http_async_client: Any) -> None:
        """Refuse what no client can be made with; nothing is connected or kept, and nothing asked for that is missing.

        Args:
            settings: As `sync_client` takes them.
            http_client: The user's own `httpx.Client`, or `None`.
            http_async_client: The user's own `httpx.AsyncClient`, or `None`.

        Raises:
            ConfigurationError: The settings cannot work.
        """
        AIGateway(**settings, http_client=http_client)
        if http_async_client is not None:
            AsyncAIGateway(**settings, http_client=http_async_client)

    def sync_client(self, settings: dict[str, Any], http_client: Any) -> AIGateway:
        """Give the sync client of these constructor arguments, the same one each time.

        Args:
            settings: What `AIGateway` takes, but for the HTTP client.
            http_client: The user's own `httpx.Client`, or `None`.

        Raises:
            ConfigurationError: The settings cannot work.
        """
        return self._get(AIGateway, self._sync, settings, http_client)

    def async_client(self, settings: dict[str, Any], http_client: Any) -> AsyncAIGateway:
        """Give the async client of these constructor arguments; as `sync_client`, with an `httpx.AsyncClient`."""
        return self._get(AsyncAIGateway, self._async, settings, http_client)

    def close(self) -> None:
        """Close the sync clients; the next call opens them again."""
        with self._lock:
            made = list(self._sync.values())
        for client in made:
            client.close()

    async def aclose(self) -> None:
        """Close the async clients of this event loop; the next call opens them again."""
        with self._lock:
            made = list(self._async.values())
        for client in made:
            await client.aclose()

    def _get(self, kind: type[C], made: dict[_Key, C], settings: dict[str, Any], http_client: Any) -> C:
        options = settings.pop("options", None)
        key = (_hashable(settings), id(http_client))
        client = made.get(key)
        if client is None:
            with self._lock:
                client = made.setdefault(key, kind(**settings, http_client=http_client))
        return self._twin(client, options) if options else client

    def _twin(self, client: C, options: Any) -> C:
        """Give the client with these options; it shares the connections, so that some may be made again."""
        key = (client, repr(options))
        twin: C | None = self._twins.get(key)
        if twin is None:
            twin = with_options(client, options)
            with self._lock:
                if len(self._twins) >= _MAX_TWINS:
                    self._twins.clear()
                twin = self._twins.setdefault(key, twin)
        return twin


def _hashable(settings: dict[str, Any]) -> Any:
    values = tuple(settings.items())
    try:
        hash(values)
    except TypeError:  # an httpx.Timeout
        return repr(values)
    return values
