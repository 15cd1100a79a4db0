"""Where upstreams are asked: it writes down what for, and lets a test's scripts answer in their place.

It stands between the gateway and whichever upstreams are configured, so that both work with any. Without a script a
call costs a look at an empty list, and the note of what was asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Self

from aigw.local._for_tests._asked import UpstreamRequests
from aigw.local._for_tests._script import play
from aigw.local._for_tests._script_turn import NATIVE, Turn, read_turns
from aigw.local._upstreams._native_path import without_keys
from aigw.local._upstreams._upstream import NativeUpstream, UpstreamUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from aigw.local._for_tests._script import Written
    from aigw.local._reply import Reply
    from aigw.local._upstreams._upstream import NativeRequest, Upstream, UpstreamEndpoint

_TOO_MANY: Final = 500
_NAMED: Final = 5
_OFFLINE_VECTORS: Final = Turn({})


class Script:
    """A list of replies that a gateway was given: the next calls are answered from it, each by one turn.

    As a context manager it answers every call made inside the block: one call too many gets status 500, and at the end
    of the block an `AssertionError` tells the turns that were not played, or the calls too many. Without, the gateway
    goes on to its upstream after the last turn, and the turns left are told when it ends.

    Attributes:
        played: How many turns were taken.
        left: The turns to come; one that is taken forever is not among them.
    """

    def __init__(self, turns: Iterable[Written], stage: Stage) -> None:
        self._turns = deque(read_turns(turns))
        self._count = len(self._turns)
        self._stage = stage
        self._excess = 0
        self.played = 0

    @property
    def left(self) -> int:
        """How many turns were not taken yet."""
        return len(self._unplayed())

    @property
    def is_over(self) -> bool:
        """Whether no turn is left, not even one that is taken forever."""
        return not self._turns

    def take(self, endpoint: UpstreamEndpoint) -> Turn:
        """Take the next turn; a call for embeddings that finds none meant for it gets the offline model's vectors."""
        if endpoint == "embeddings" and not (self._turns and self._turns[0].suits(endpoint)):
            return _OFFLINE_VECTORS
        if not self._turns:
            self._excess += 1
            return Turn({"status": _TOO_MANY, "message": self._too_many()})
        self.played += 1
        return self._turns[0] if self._turns[0].forever else self._turns.popleft()

    def assert_played(self) -> None:
        """Raise unless every turn was taken, and no call was left without one.

        Raises:
            AssertionError: The text names the turns.
        """
        __tracebackhide__ = True
        unplayed = self._unplayed()
        if unplayed:
            names = list(dict.fromkeys(map(str, unplayed)))
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            text = f"{len(unplayed)} of the script's {self._count} turns not played: {', '.join(names[:_NAMED])}{more}"
            raise AssertionError(text)
        if self._excess:
            raise AssertionError(self._too_many())

    def __enter__(self) -> Self:
        self._stage.begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        self._stage.end(self)
        if kind is None:
            self.assert_played()

    def __repr__(self) -> str:
        return f"<Script: {self.played} turns played, {self.left} left>"

    def _unplayed(self) -> list[Turn]:
        return [turn for turn in self._turns if not turn.forever]

    def _too_many(self) -> str:
        return f"the script has {self._count} turns, and call {self._count + self._excess} came"


class Stage(Mapping[str, "Upstream"]):
    """Who answers, by a provider's slug: every slug is in it.

    Args:
        upstream: Who answers for the providers that have nobody of their own.
        upstreams: Who answers, by the provider's slug.
        kept: How many requests are kept.

    Attributes:
        requests: What was asked so far.
    """

    def __init__(self, upstream: Upstream, upstreams: Mapping[str, Upstream], kept: int) -> None:
        self._upstream = upstream
        self._upstreams = upstreams
        self._lock = Lock()
        self._blocks: list[Script] = []
        self._queue: deque[Script] = deque()
        self._answers = 0
        self.requests = UpstreamRequests(kept)

    def __getitem__(self, slug: str) -> Upstream:
        return _Seat(slug, self._upstreams.get(slug, self._upstream), self)

    def __iter__(self) -> Iterator[str]:
        return iter(self._upstreams)

    def __len__(self) -> int:
        return len(self._upstreams)

    @property
    def has_script(self) -> bool:
        """Whether the next call is answered from a script."""
        return bool(self._blocks or self._queue)

    def add(self, script: Script) -> Script:
        """Play a script after those added before."""
        with self._lock:
            self._queue.extend([] if script.is_over else [script])
        return script

    def begin(self, script: Script) -> None:
        """Play a script now, before all others, until `end`."""
        with self._lock:
            if script in self._queue:
                self._queue.remove(script)
            self._blocks.append(script)

    def end(self, script: Script) -> None:
        """Play it no longer."""
        with self._lock:
            self._blocks.remove(script)

    def take(self, endpoint: UpstreamEndpoint) -> Turn | None:
        """Take the next turn of the script that plays now; `None` when none does."""
        with self._lock:
            if not (self._blocks or self._queue):
                return None
            self._answers += 1
            if self._blocks:
                return self._blocks[-1].take(endpoint).taken(self._answers)
            turn = self._queue[0].take(endpoint)
            if self._queue[0].is_over:
                self._queue.popleft()
            return turn.taken(self._answers)

    def assert_played(self) -> None:
        """Raise unless the scripts that were added have been played.

        Raises:
            AssertionError: The text names the turns that were not.
        """
        __tracebackhide__ = True
        with self._lock:
            scripts, self._queue = list(self._queue), deque()
        for script in scripts:
            script.assert_played()


class _Seat:
    """One provider's place for one call: it answers from the script that plays, else asks the provider's upstream."""

    __slots__ = ("_slug", "_stage", "_upstream", "provider")

    def __init__(self, slug: str, upstream: Upstream, stage: Stage) -> None:
        self._slug = slug
        self._upstream = upstream
        self._stage = stage
        self.provider = slug if stage.has_script else upstream.provider

    async def send(
        self, endpoint: UpstreamEndpoint, body: dict[str, Any], headers: tuple[tuple[str, str], ...]
    ) -> Reply:
        self._stage.requests.record(self._slug, endpoint, headers, body)
        turn = self._stage.take(endpoint) if self._stage.has_script else None
        return await (self._upstream.send(endpoint, body, headers) if turn is None else play(turn, endpoint, body))

    def is_native(self, provider: str, *, has_dialect: bool) -> bool:
        if self._stage.has_script:
            return not has_dialect
        is_native = getattr(self._upstream, "is_native", None)  # every call asks; isinstance of a protocol is slow
        return is_native is not None and bool(is_native(provider, has_dialect=has_dialect))

    async def forward(self, request: NativeRequest) -> Reply:
        self._stage.requests.record(self._slug, without_keys(request.path), request.headers, request.body)
        turn = self._stage.take("chat/completions") if self._stage.has_script else None
        if turn is not None:
            return await play(turn, NATIVE, request.body)
        if isinstance(self._upstream, NativeUpstream):
            return await self._upstream.forward(request)
        raise UpstreamUnreachableError("the script has ended, and the upstream takes no calls as they came")

    async def aclose(self) -> None:
        close = getattr(self._upstream, "aclose", None)
        if close is not None:
            await close()
