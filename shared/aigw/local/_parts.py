"""What an engine is put together from: the one place that knows which part needs which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aigw.local._asking import Asking
from aigw.local._cache import ResponseCache
from aigw.local._for_tests._faults import Faults
from aigw.local._guarding._guard import Guard
from aigw.local._logs._writer import LogWriter
from aigw.local._pipeline import Pipeline
from aigw.local._routing._auto_router import AutoRouter
from aigw.local._spending._budget import Budget
from aigw.local._spending._key_ring import KeyRing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from aigw.local._guarding._checks import Check
    from aigw.local._logs._store import LogStore
    from aigw.local._routing._dynamic import Router
    from aigw.local._settings._switches import Switches
    from aigw.local._spending._windows import Windows
    from aigw.local._upstreams._upstream import Upstream


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one engine.

    Attributes:
        pipeline: What answers model calls.
        store: Where logs are kept.
        cache: Where answers are kept.
        keys: The stored provider keys.
        windows: What limits count with.
        upstreams: Everybody who answers.
    """

    pipeline: Pipeline
    store: LogStore
    cache: ResponseCache
    keys: KeyRing
    windows: Windows
    upstreams: tuple[Upstream, ...]

    def forget_gateway(self, account: str, gateway: str, gone: bool) -> None:  # noqa: FBT001 -- called by position
        """Forget what a gateway has in the cache; once it is gone, also its keys and counts. Its logs stay."""
        self.cache.forget(account, gateway)
        if gone:
            self.keys.remove(account, gateway)
            for kind in ("rate", "spend", "unified", "route"):
                self.windows.forget(kind, account, gateway)


def assemble(
    *,
    upstream: Upstream,
    upstreams: Mapping[str, Upstream],
    store: LogStore,
    models: Collection[str],
    switches: Switches,
    router: Router,
    windows: Windows,
    checks: tuple[Check, Check],
    clock: Callable[[], float],
) -> Parts:
    """Put an engine's parts together.

    Args:
        upstream: Who answers for providers without an upstream of their own.
        upstreams: Who answers, by the provider's slug.
        store: Where logs are kept.
        models: Patterns of the models that exist; all when empty.
        switches: The named switches.
        router: The dynamic routes.
        windows: What limits and the routes' rates count with.
        checks: The checks of guardrails and of DLP.
        clock: Gives the time in seconds since 1970.
    """
    cache, keys = ResponseCache(clock), KeyRing()
    budget = Budget(windows, switches)
    asking = Asking(upstream, upstreams, keys, budget, router, Faults(), AutoRouter(switches.auto_pool))
    pipeline = Pipeline(asking, LogWriter(store), cache, models, budget, Guard(*checks, budget, switches), switches)
    return Parts(
        pipeline, store, cache, keys, windows, tuple({id(one): one for one in (upstream, *upstreams.values())}.values())
    )
