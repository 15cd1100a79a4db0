"""What the constructors here are given, refused where it cannot be, before anything is opened.

A value that may be a secret is not shown.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aigw._errors import ConfigurationError
from aigw._given import shown
from aigw.local._origins import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from aigw.local._upstreams._upstream import Upstream

F = TypeVar("F", bound="Callable[..., Any]")
P = TypeVar("P", bound="str | os.PathLike[str] | None")

_MAX_PORT: Final = 65_535
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


def read_dict(name: str, given: Any) -> dict[str, Any]:
    """Take a dict whose keys are texts.

    Raises:
        ConfigurationError: It is none.
    """
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{name}: expected a dict; got {shown(given)}")
    for key in given:
        if not isinstance(key, str):
            raise ConfigurationError(f"{name}: expected a dict by text; got the key {shown(key)}")
    return dict(given)


def read_models(given: str | Iterable[str]) -> tuple[str, ...]:
    """Take the pattern of a model, or many.

    Raises:
        ConfigurationError: One is no text.
    """
    models = _one_or_many("models", given)
    for number, model in enumerate(models, 1):
        if not isinstance(model, str):
            raise ConfigurationError(f"models: number {number} cannot be {shown(model)}: it is text")
    return models


def read_tokens(given: str | Iterable[str]) -> tuple[str, ...]:
    """Take a token, or many; an empty one would let everybody in, as a variable that is not set does in a shell.

    Raises:
        ConfigurationError: One is none.
    """
    tokens = _one_or_many("tokens", given)
    for number, token in enumerate(tokens, 1):
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise ConfigurationError(
                f"tokens: number {number} is empty, or has a space or what else no header can carry"
            )
    return tokens


def read_upstreams(given: Mapping[str, Upstream] | None) -> dict[str, Upstream]:
    """Take upstreams by the provider's slug.

    Raises:
        ConfigurationError: One is none.
    """
    upstreams = read_dict("upstreams", {} if given is None else given)
    return {slug: check_upstream(f"upstreams[{shown(slug)}]", one) for slug, one in upstreams.items()}


def check_upstream(name: str, given: Any) -> Upstream:
    """Give an upstream back if it is one.

    Raises:
        ConfigurationError: It is not.
    """
    if isinstance(given, type) or not hasattr(given, "provider") or not callable(getattr(given, "send", None)):
        raise ConfigurationError(f"{name}: expected an upstream, with provider and send; got {shown(given)}")
    upstream: Upstream = given
    return upstream


def check_callable(name: str, given: F) -> F:
    """Give a function back if it is one.

    Raises:
        ConfigurationError: It cannot be called.
    """
    if not callable(given):
        raise ConfigurationError(f"{name}: expected a function; got {shown(given)}")
    return given


def check_path(name: str, given: P) -> P:
    """Give a path back if it is one, or nothing.

    Raises:
        ConfigurationError: It is neither.
    """
    if given is not None and not isinstance(given, str | os.PathLike):
        raise ConfigurationError(f"{name}: expected a path; got {shown(given)}")
    return given


def check_port(port: int) -> int:
    """Give a port back if it can be listened on.

    Raises:
        ConfigurationError: It cannot.
    """
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= _MAX_PORT:
        raise ConfigurationError(f"port cannot be {shown(port)}: it is a whole number, 0 (a free one) to {_MAX_PORT}")
    return port


def check_host(host: str, tokens: Collection[str]) -> str:
    """Give an address to listen on back, if it is safe to.

    Raises:
        ConfigurationError: It is no text, or other machines would need no token.
    """
    if not isinstance(host, str):
        raise ConfigurationError(f"host cannot be {shown(host)}: it is an address, such as '127.0.0.1'")
    if tokens or is_loopback(host):
        return host
    raise ConfigurationError(
        f"host {shown(host)} is reached from other machines, who could read all logs: name the tokens that are good "
        "(tokens=, --token), or listen on 127.0.0.1"
    )


def _one_or_many(name: str, given: Any) -> tuple[Any, ...]:
    if isinstance(given, str):
        return (given,)
    if isinstance(given, bytes) or not isinstance(given, Iterable):
        raise ConfigurationError(f"{name}: expected a list of texts; got a {type(given).__name__}")
    return tuple(given)
