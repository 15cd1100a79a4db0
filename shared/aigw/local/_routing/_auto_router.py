"""The Auto Router: `cloudflare/auto` becomes the cheapest model that the call allows.

Source: AI Gateway docs, Auto Router (a beta). A turn keeps its model, and so does a session unless the call says
otherwise. Where the docs are silent: cheapest is the sum of the list prices of a token in and a token out, an allowed
entry may name any priced model, a provider that matches nothing is 400 like a model, and a model that a session keeps
is given the reason of its first choice.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

from aigw.local._ids import new_id
from aigw.local._refusal import RefusalError
from aigw.local._routing._model_names import read_model
from aigw.local._spending._policies import fits
from aigw.local._spending._prices import chat_models, price
from aigw.local._spending._usage import Usage

if TYPE_CHECKING:
    from collections.abc import Collection

    from aigw.local._arrival import Arrival
    from aigw.local._routing._model_names import ModelName

AUTO: Final = "cloudflare/auto"
"""The model id that asks for it."""

DEFAULT_POOL: Final = ("openai/gpt-5-mini", "anthropic/claude-haiku-4-5", "google-ai-studio/gemini-2.5-flash")
"""The models of a call that allows none by name; Cloudflare's own pool is not published."""

_MAX_PINS: Final = 10_000
_COST, _FORCED, _PINNED = "cost_optimal_within_pool", "forced_by_candidate_pool", "pinned_by_turn"
_GONE: Final = "fallback_key_not_in_candidates"


class AutoRouter:
    """What chooses models, and remembers those of turns and sessions; safe in threads.

    Args:
        pool: The models of a call that allows none by name.
    """

    def __init__(self, pool: Collection[str] = DEFAULT_POOL) -> None:
        self._pool = tuple(pool)
        self._lock = Lock()
        self._pins: OrderedDict[tuple[str, ...], str] = OrderedDict()

    def route(self, arrival: Arrival) -> tuple[ModelName, tuple[tuple[str, str], ...]]:
        """Choose a model; give it, and the header fields that say why.

        Raises:
            RefusalError: 400: an allowed entry matches nothing, or nothing matches all of them.
        """
        candidates = self._candidates(arrival)
        pins = _pins(arrival)
        with self._lock:
            kept = next(((key, self._pins[key]) for key in pins if key in self._pins), None)
            model, reason = _choose(candidates, kept)
            for key in pins:
                self._pins[key] = model
            while len(self._pins) > _MAX_PINS:
                self._pins.popitem(last=False)
        fields = (
            ("cf-aig-routed-model", model),
            ("cf-aig-routing-reason", reason),
            ("cf-aig-routing-decision-id", new_id()),
        )
        return read_model("compat", "", model), fields

    def _candidates(self, arrival: Arrival) -> list[str]:
        known = list(dict.fromkeys((*self._pool, *chat_models())))
        models = _entries(arrival, "cf-aig-allowed-models")
        providers = _entries(arrival, "cf-aig-allowed-providers")
        found = [name for name in (known if models else self._pool) if not models or _any_fits(models, name)]
        for entry in models:
            if not any(fits(entry, name) for name in known):
                raise RefusalError(400, 7003, f"cf-aig-allowed-models: no model matches {entry}"[:300])
        for entry in providers:
            if not any(name.startswith(f"{entry}/") for name in known):
                raise RefusalError(400, 2008, f"cf-aig-allowed-providers: no model of {entry}"[:300])
        found = [name for name in found if not providers or name.partition("/")[0] in providers]
        if not found:
            raise RefusalError(400, 7003, "No model matches cf-aig-allowed-models and cf-aig-allowed-providers")
        return found


def _choose(candidates: list[str], kept: tuple[tuple[str, ...], str] | None) -> tuple[str, str]:
    best = min(candidates, key=_cost)
    reason = _FORCED if len(candidates) == 1 else _COST
    if kept is None:
        return best, reason
    key, model = kept
    if model not in candidates:
        return best, _GONE
    return model, _PINNED if key[0] == "turn" else reason


def _pins(arrival: Arrival) -> list[tuple[str, ...]]:
    headers, entrance = arrival.headers, arrival.entrance
    gateway = (entrance.account_id, entrance.gateway_id)
    session, turn = headers.get("cf-aig-session-id", ""), headers.get("cf-aig-turn-id", "")
    is_free = headers.get("cf-aig-no-session-affinity", "").strip().lower() == "true"
    pins = [("turn", *gateway, session, turn)] if turn else []
    return [*pins, *([("session", *gateway, session)] if session and not is_free else [])]


def _cost(name: str) -> float:
    cost = price(read_model("compat", "", name), Usage(1, 1))
    return float("inf") if cost is None else cost


def _entries(arrival: Arrival, name: str) -> list[str]:
    return [entry for part in arrival.headers.get(name, "").split(",") if (entry := part.strip())]


def _any_fits(patterns: list[str], name: str) -> bool:
    return any(fits(pattern, name) for pattern in patterns)
