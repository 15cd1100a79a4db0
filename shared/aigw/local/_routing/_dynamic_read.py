"""The JSON of a dynamic route, read into elements that can be walked without a surprise.

Source: AI Gateway docs, Dynamic routing, JSON configuration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aigw._given import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES: Final = ("start", "conditional", "percentage", "rate", "model", "end")
_NEEDED: Final[Mapping[str, Mapping[str, tuple[type, ...]]]] = {
    "model": {"provider": (str,), "model": (str,)},
    "rate": {"limit": (int, float), "window": (int, float)},
}
PERCENT: Final = re.compile(r"(\d{1,3}(?:\.\d+)?)%?")
"""The name of a percentage's output, such as `10%`."""

_MAX_OUTPUTS: Final = 5


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a route.

    Attributes:
        id: Its id.
        type: `start`, `conditional`, `percentage`, `rate`, `model` or `end`.
        outputs: The id of the next element, by the output's name.
        properties: What else it says.
    """

    id: str
    type: str
    outputs: Mapping[str, str]
    properties: Mapping[str, Any]


def read_route(name: str, route: Any) -> dict[str, Element]:
    """Read one route.

    Args:
        name: Its name, for the error's text.
        route: Its elements, or an object with `elements`.

    Raises:
        ValueError: It has not the shape of a route; the text names the element.
    """
    given = route.get("elements") if isinstance(route, dict) else route
    if not isinstance(given, list):
        raise _wrong(f"route {shown(name)}: expected an array of elements")
    elements = {element.id: element for element in (_read_element(name, one) for one in given)}
    if sum(element.type == "start" for element in elements.values()) != 1:
        raise _wrong(f"route {shown(name)}: expected one start element")
    for element in elements.values():
        unknown = [target for target in element.outputs.values() if target not in elements]
        if unknown:
            raise ValueError(
                f"route {shown(name)}, element {shown(element.id)}: there is no element {shown(unknown[0])}"
            )
    return elements


def _read_element(name: str, given: Any) -> Element:
    where = f"route {shown(name)}"
    if not isinstance(given, dict) or not isinstance(given.get("id"), str):
        raise _wrong(f"{where}: each element needs an id")
    where = f"{where}, element {shown(given['id'])}"
    if given.get("type") not in _TYPES:
        raise _wrong(f"{where}: expected a type of {', '.join(_TYPES)}; got {shown(given.get('type'))}")
    try:
        outputs = {key: output["elementId"] for key, output in (given.get("outputs") or {}).items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise _wrong(f"{where}: each output is an object with elementId") from error
    element = Element(given["id"], given["type"], outputs, given.get("properties") or {})
    _check(where, element)
    return element


def _check(where: str, element: Element) -> None:
    for key, kinds in _NEEDED.get(element.type, {}).items():
        if not isinstance(element.properties.get(key), kinds):
            raise _wrong(f"{where}: properties.{key} is missing or of the wrong type")
    for key in ("timeout", "retries"):
        if not isinstance(element.properties.get(key, 0), int | float):
            raise _wrong(f"{where}: properties.{key} must be a number")
    if element.type == "conditional":
        _check_condition(where, element.properties.get("conditions") or {})
    if element.type == "rate" and element.properties["window"] <= 0:
        raise _wrong(f"{where}: properties.window must be more than 0")
    if element.type == "percentage":
        shares = [float(match[1]) for match in map(PERCENT.fullmatch, element.outputs) if match]
        total = sum(shares)
        if len(element.outputs) > _MAX_OUTPUTS or total > 100 or (total < 100 and "else" not in element.outputs):
            raise _wrong(f"{where}: expected at most {_MAX_OUTPUTS} outputs that make 100 %, such as 90% and else")


def _check_condition(where: str, condition: Any) -> None:
    if not isinstance(condition, dict):
        raise _wrong(f"{where}: each condition is an object; got {shown(condition)}")
    for name in ("$and", "$or"):
        parts = condition.get(name, [])
        if not isinstance(parts, list):
            raise _wrong(f"{where}: {name} wants an array of conditions")
        for part in parts:
            _check_condition(where, part)


def _wrong(message: str) -> ValueError:
    return ValueError(message)
