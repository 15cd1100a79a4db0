"""The response cache: whether a call uses it, under which key, for how long, and what is in it.

Cloudflare's documented rules hold: caching is off until the gateway has a `cache_ttl` or the call a `cf-aig-cache-key`.
Where the docs are silent: a `cf-aig-cache-ttl` of 0 turns caching off for its call, `cf-aig-skip-cache` neither reads
nor writes and is reported as a miss, streams are never stored and always a miss, only answers with status 200 are
stored, and an entry belongs to one gateway of one account.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw.local._call_options import CallOptions
    from aigw.local._reply import Reply
    from aigw.local._spending._usage import Usage

DEFAULT_TTL: Final = 300
"""Seconds, for a call with a cache key on a gateway without a TTL. Source: AI Gateway docs, Caching."""

MAX_REQUEST_BYTES: Final = 25 * 1024 * 1024
"""The largest request body that is cached. Source: AI Gateway docs, Limits."""

MAX_ENTRIES: Final = 4096
"""The entries kept; the one that was used longest ago goes first."""

_KEY_FIELDS: Final = ("authorization", "x-api-key", "api-key", "x-goog-api-key", "xi-api-key")


@dataclass(frozen=True, slots=True)
class CachePlan:
    """How one call uses the cache.

    Attributes:
        key: The entry's key.
        ttl: Seconds an answer is kept.
        active: Whether the entry is read and written; if not, the call is a miss whatever is there.
    """

    key: str
    ttl: int
    active: bool


@dataclass(frozen=True, slots=True)
class CachedReply:
    """One cached answer, and the tokens it took when it was made."""

    reply: Reply
    usage: Usage | None


def plan_cache(
    options: CallOptions, gateway_ttl: int | None, *, key: Callable[[], str], stream: bool, size: int
) -> CachePlan | None:
    """Decide how a call uses the cache; `None` when caching is not in play.

    Args:
        options: What the call asks for.
        gateway_ttl: The gateway's own TTL in seconds; 0 or `None` is off.
        key: Computes the default key, only when it is wanted.
        stream: Whether a stream was asked for.
        size: The bytes of the request's body.
    """
    ttl = options.cache_ttl if options.cache_ttl is not None else gateway_ttl or DEFAULT_TTL
    if ttl == 0 or not (gateway_ttl or options.cache_key) or size > MAX_REQUEST_BYTES:
        return None
    active = not (stream or options.skip_cache)
    return CachePlan(options.cache_key or key() if active else "", ttl, active)


def default_key(provider: str, endpoint: str, model: str, headers: Mapping[str, str], body: bytes) -> str:
    """Give the SHA-256 of what makes two calls the same call.

    Args:
        provider: The slug, or `compat`.
        endpoint: The path below it.
        model: The model as asked for.
        headers: The request's fields, of which the provider's credentials count.
        body: The request's body.
    """
    auth = "\n".join(f"{name}:{headers[name]}" for name in _KEY_FIELDS if name in headers)
    digest = hashlib.sha256()
    for part in (provider, endpoint, model, auth):
        digest.update(part.encode())
        digest.update(b"\0")
    digest.update(body)
    return digest.hexdigest()


class ResponseCache:
    """Answers by gateway and key, in memory; safe to use from any thread.

    Args:
        clock: Gives the time in seconds; it only has to go forward.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._entries: OrderedDict[tuple[str, ...], tuple[float, CachedReply]] = OrderedDict()

    def get(self, key: tuple[str, ...]) -> CachedReply | None:
        """Give the answer under a key unless it has expired."""
        with self._lock:
            expires, cached = self._entries.get(key, (0.0, None))
            if cached is None:
                return None
            if self._clock() >= expires:
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
            return cached

    def put(self, key: tuple[str, ...], cached: CachedReply, ttl: int) -> None:
        """Keep an answer for `ttl` seconds, in place of any that was there."""
        with self._lock:
            self._entries[key] = (self._clock() + ttl, cached)
            self._entries.move_to_end(key)
            while len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)

    def forget(self, *start: str) -> None:
        """Forget the answers whose keys begin so: those of an account, or of one of its gateways."""
        with self._lock:
            for key in [key for key in self._entries if key[: len(start)] == start]:
                del self._entries[key]
