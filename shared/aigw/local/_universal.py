"""The universal endpoint's body: steps, each a call of its own, tried until one succeeds.

Where the docs are silent: a single object is one step; an `authorization` field stands for the header; a step's own
`cf-aig-*` headers come before its `config`, which comes before the request's headers; of the request's headers only the
gateway's options reach the steps, never a provider's key; any answer of 400 or more moves on to the next step, and when
all have failed the caller gets the last one's answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aigw._json import dump_json
from aigw.local._bodies import read_json
from aigw.local._refusal import RefusalError
from aigw.local._routes import Surface, native_surface

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CONFIG_FIELDS: Final = {
    "requestTimeout": "cf-aig-request-timeout",
    "maxAttempts": "cf-aig-max-attempts",
    "retryDelay": "cf-aig-retry-delay",
    "backoff": "cf-aig-backoff",
}


@dataclass(frozen=True, slots=True)
class UniversalStep:
    """One step.

    Attributes:
        surface: How its model is asked.
        fields: Its header fields, with what it has from the request; names in lower case.
        content: Its query as JSON.
    """

    surface: Surface
    fields: tuple[tuple[str, str], ...]
    content: bytes


def read_steps(content: bytes, fields: Iterable[tuple[str, str]]) -> list[UniversalStep]:
    """Read the steps of a universal request.

    Args:
        content: The request's body.
        fields: The request's header fields.

    Raises:
        RefusalError: 400: the body has not the shape of steps, or a provider does not exist. No step is asked then.
    """
    try:
        value = read_json(content)
    except ValueError:
        value = None
    steps = value if isinstance(value, list) else [value]
    if not steps or not all(isinstance(step, dict) for step in steps):
        raise _bad_steps("the body must be an array of steps")
    shared = {name.lower(): text for name, text in fields if _is_shared(name.lower())}
    return [_read_step(step, shared) for step in steps]


def _is_shared(name: str) -> bool:
    return name.startswith(("cf-aig-", "aigw-local-")) or name in {"cf-cache-ttl", "cf-skip-cache", "user-agent"}


def _read_step(step: Mapping[str, Any], shared: Mapping[str, str]) -> UniversalStep:
    provider, endpoint = step.get("provider"), step.get("endpoint")
    if not isinstance(provider, str) or not isinstance(endpoint, str):
        raise _bad_steps("a step needs provider and endpoint")
    own, config = step.get("headers") or {}, step.get("config") or {}
    if not isinstance(own, dict) or not isinstance(config, dict):
        raise _bad_steps("a step's headers and config must be objects")
    fields = {
        "content-type": "application/json",
        **shared,
        **{name: _text(config[key]) for key, name in _CONFIG_FIELDS.items() if config.get(key) is not None},
        **({"authorization": _text(step["authorization"])} if step.get("authorization") else {}),
        **{name.lower(): _text(value) for name, value in own.items() if value is not None},
    }
    return UniversalStep(
        native_surface(provider, endpoint.lstrip("/")), tuple(fields.items()), dump_json(step.get("query"))
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dump_json(value).decode()


def _bad_steps(message: str) -> RefusalError:
    return RefusalError(400, 2019, f"Universal request bad format: {message}")
