"""What upstreams were asked: the last requests, without their secrets, as a test looks at them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, overload

from aigw._given import check_whole
from aigw._http import HIDDEN, SECRET_HEADERS
from aigw._json import dump_json, parse_json
from aigw._providers import KEY_HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES: Final = 16 * 1024 * 1024
"""How much is kept of all bodies together; the last one is kept whatever its size."""

_HIDDEN_HEADERS: Final = SECRET_HEADERS | KEY_HEADERS


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """One request to an upstream, after cache, limits and checks, and before its answer.

    Attributes:
        provider: The slug of the provider that was to answer (`openai`), whoever stands in for it.
        path: `chat/completions` or `embeddings`, to which other dialects are translated; the provider's own path of a
            call that is passed on as it came.
        headers: The header fields, names in lower case; the values of keys and tokens are `***`.
        body: The JSON body in OpenAI's shape, with the model as that provider names it; as it came on a path of the
            provider's own.
    """

    provider: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)


class _Kept(NamedTuple):
    provider: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class UpstreamRequests(Sequence[UpstreamRequest]):
    """The last requests to the upstreams, oldest first; it can be read while calls run, and grows with them.

    An attempt, a step and a call under a script are a request each; an answer from the cache is none.

    Args:
        kept: How many are kept at most, those of all bodies together up to 16 MiB; 0 keeps none.

    Raises:
        ConfigurationError: `kept` is no whole number, or below 0.
    """

    def __init__(self, kept: int) -> None:
        check_whole("keep_requests", kept, least=0)
        self._kept = kept
        self._lock = Lock()
        self._requests: deque[_Kept] = deque()
        self._bytes = 0

    def record(self, provider: str, path: str, headers: tuple[tuple[str, str], ...], body: dict[str, Any]) -> None:
        """Add one request, and let go of the oldest beyond the bounds."""
        if not self._kept:
            return
        request = _Kept(provider, path, tuple(map(_without_secret, headers)), dump_json(body))
        with self._lock:
            self._requests.append(request)
            self._bytes += len(request.body)
            while len(self._requests) > self._kept or (self._bytes > MAX_BYTES and len(self._requests) > 1):
                self._bytes -= len(self._requests.popleft().body)

    def clear(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self._requests.clear()
            self._bytes = 0

    @overload
    def __getitem__(self, index: int) -> UpstreamRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[UpstreamRequest]: ...
    def __getitem__(self, index: int | slice) -> UpstreamRequest | list[UpstreamRequest]:
        kept = self._copy()[index]
        return [_shown(one) for one in kept] if isinstance(kept, list) else _shown(kept)

    def __len__(self) -> int:
        return len(self._requests)

    def __iter__(self) -> Iterator[UpstreamRequest]:
        return map(_shown, self._copy())

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        return repr(list(self))

    def _copy(self) -> list[_Kept]:
        with self._lock:
            return list(self._requests)


def _shown(kept: _Kept) -> UpstreamRequest:
    return UpstreamRequest(kept.provider, kept.path, dict(kept.headers), parse_json(kept.body))


def _without_secret(pair: tuple[str, str]) -> tuple[str, str]:
    return (pair[0], HIDDEN) if pair[0] in _HIDDEN_HEADERS else pair
