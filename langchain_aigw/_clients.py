"""The core's clients of one model: made on first use, never copied.

Pickling or copying a model copies its settings; the copy makes clients of its own.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from aigw import AIGateway, AsyncAIGateway


class Clients:
    """One sync and one async client, each made by the first call that needs it, and anew when the settings change."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sync: tuple[dict[str, Any], AIGateway] | None = None
        self._async: tuple[dict[str, Any], AsyncAIGateway] | None = None

    def __reduce__(self) -> tuple[type[Clients], tuple[()]]:
        """Pickle and copy to an empty one."""
        return Clients, ()

    def sync_client(self, settings: dict[str, Any]) -> AIGateway:
        """Give the client of these constructor arguments."""
        with self._lock:
            if self._sync is None or self._sync[0] != settings:
                self._sync = settings, AIGateway(**settings)
            return self._sync[1]

    def async_client(self, settings: dict[str, Any]) -> AsyncAIGateway:
        """Give the client of these constructor arguments."""
        with self._lock:
            if self._async is None or self._async[0] != settings:
                self._async = settings, AsyncAIGateway(**settings)
            return self._async[1]
