"""Dynamic routes: a graph of elements that ends in models, walked for one call at a time.

Source: AI Gateway docs, Dynamic routing, JSON configuration. Where those are silent: a percentage output `else` takes
what the others leave; an output that is not there ends the route; a condition looks at `metadata.*`, `body.*` and
`headers.*`; `retries` of a model are further attempts after the first.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aigw._errors import ConfigurationError
from aigw._json import parse_json
from aigw.local._logs._record import scalar_text
from aigw.local._refusal import RefusalError
from aigw.local._routing._dynamic_read import PERCENT, read_route

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from aigw.local._routing._dynamic_read import Element
    from aigw.local._spending._windows import Windows

MAX_STEPS: Final = 100
"""The most elements one call passes; a graph that goes in circles ends there."""


@dataclass(frozen=True, slots=True)
class ModelStep:
    """A model that a route wants asked.

    Attributes:
        provider: The provider's slug.
        model: The provider's name of the model.
        timeout: Milliseconds to the first part of an answer; `None` waits.
        attempts: Attempts in all.
        has_fallback: Whether the route goes on if it fails.
    """

    provider: str
    model: str
    timeout: int | None
    attempts: int
    has_fallback: bool


@dataclass(slots=True)
class Walk:
    """What a route knows of one call.

    Attributes:
        scope: What keeps this gateway's counts apart: account, gateway, route.
        facts: `metadata`, `body` and `headers`.
        bills: Whom to tell the cost; rate elements that count cost add themselves.
    """

    scope: tuple[str, ...]
    facts: Mapping[str, Mapping[str, Any]]
    bills: list[Callable[[float], None]] = field(default_factory=list)


class Router:
    """The routes by name.

    Args:
        routes: Each route's elements, or an object with `elements`; a path is a JSON file with such an object.
        windows: What rate elements count with.
        chance: Gives a number from 0 to 1, for percentages.

    Raises:
        ValueError: A route has not the shape of one.
    """

    def __init__(
        self,
        routes: Mapping[str, Any] | str | Path | None,
        windows: Windows,
        chance: Callable[[], float] = random.random,
    ) -> None:
        found = parse_json(Path(routes).read_bytes()) if isinstance(routes, str | Path) else routes
        if not isinstance(found, Mapping | None):
            raise ConfigurationError("routes: expected an object of routes by name")
        self._routes = {name: read_route(name, route) for name, route in (found or {}).items()}
        self._windows = windows
        self._chance = chance

    def has(self, asked: str) -> bool:
        """Tell whether a model id is a route of this gateway.

        Raises:
            RefusalError: 404/7003: it is a route's name, but there are other routes only.
        """
        prefix, _, name = asked.partition("/")
        if prefix != "dynamic" or not self._routes:
            return False
        if name not in self._routes:
            raise RefusalError(404, 7003, f"Model not found: {asked}")
        return True

    def walk(self, asked: str, walk: Walk) -> Generator[ModelStep, bool, None]:
        """Walk a route: gives the models to ask, and wants to be sent whether each answered.

        Raises:
            RefusalError: 429/2003: a rate is used up, and the route says nothing of what then.
        """
        elements = self._routes[asked.partition("/")[2]]
        element = next(one for one in elements.values() if one.type == "start")
        for _ in range(MAX_STEPS):
            if element.type == "model":
                answered = yield _model_step(element)
                output = "success" if answered else "fallback"
                if answered:
                    return
            else:
                output = self._output(element, walk)
            if element.outputs.get(output) is None:
                return
            element = elements[element.outputs[output]]

    def _output(self, element: Element, walk: Walk) -> str:
        if element.type == "conditional":
            return "true" if _holds(element.properties.get("conditions") or {}, walk.facts) else "false"
        if element.type == "percentage":
            return _by_chance(element.outputs, self._chance() * 100)
        if element.type == "rate":
            return self._by_rate(element, walk)
        return "next"

    def _by_rate(self, element: Element, walk: Walk) -> str:
        rate = element.properties
        value = _fact(rate.get("key") or "", walk.facts)
        key = ("route", *walk.scope, element.id, "" if value is None else scalar_text(value))
        if rate.get("limitType") == "cost":
            within = self._windows.used(key, rate["window"], "fixed") < rate["limit"]
            if within:
                walk.bills.append(partial(self._windows.add, key, window=rate["window"]))
        else:
            within = self._windows.take(key, rate["limit"], rate["window"], "fixed")
        if not within and "fallback" not in element.outputs:
            raise RefusalError(429, 2003, "Rate limited")
        return "success" if within else "fallback"


def _model_step(element: Element) -> ModelStep:
    properties = element.properties
    return ModelStep(
        provider=properties["provider"],
        model=properties["model"],
        timeout=int(properties.get("timeout") or 0) or None,
        attempts=min(int(properties.get("retries") or 0) + 1, 5),
        has_fallback="fallback" in element.outputs,
    )


def _by_chance(outputs: Mapping[str, str], drawn: float) -> str:
    reached = 0.0
    for name in outputs:
        match = PERCENT.fullmatch(name)
        reached += float(match[1]) if match else 0.0
        if match and drawn < reached:
            return name
    return "else" if "else" in outputs else next(reversed(list(outputs)), "next")


def _holds(condition: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> bool:
    return all(_holds_one(name, wanted, facts) for name, wanted in condition.items())


def _holds_one(name: str, wanted: Any, facts: Mapping[str, Mapping[str, Any]]) -> bool:
    if name == "$and":
        return all(_holds(part, facts) for part in wanted)
    if name == "$or":
        return any(_holds(part, facts) for part in wanted)
    value = _fact(name, facts)
    if not isinstance(wanted, dict):
        return bool(value == wanted)
    return all(operator in _OPERATORS and _OPERATORS[operator](value, operand) for operator, operand in wanted.items())


_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "$eq": lambda value, wanted: bool(value == wanted),
    "$ne": lambda value, wanted: bool(value != wanted),
    "$in": lambda value, wanted: isinstance(wanted, list) and value in wanted,
    "$nin": lambda value, wanted: isinstance(wanted, list) and value not in wanted,
}


def _fact(name: str, facts: Mapping[str, Mapping[str, Any]]) -> Any:
    group, _, key = name.partition(".")
    value: Any = facts.get(group) or {}
    for part in [key] if key in value else key.split("."):
        value = value.get(part) if hasattr(value, "get") else None
    return value
