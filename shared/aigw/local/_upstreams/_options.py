"""`--upstream` and `--upstream-key-env`: who answers, as it is told on a command line.

A provider's slug stands for that provider and its calls alone; any other name for a server with an OpenAI API, which
answers for all providers that have nobody of their own.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aigw._given import shown
from aigw.local._routes import is_provider
from aigw.local._upstreams._forward import ForwardUpstream
from aigw.local._upstreams._native_path import has_address

if TYPE_CHECKING:
    from collections.abc import Iterable


def read_upstreams(
    options: Iterable[str], key_variables: Iterable[str]
) -> tuple[ForwardUpstream | None, dict[str, ForwardUpstream]]:
    """Read who answers for everybody, and who for single providers.

    Args:
        options: Each `NAME=URL`, or the slug of a provider whose address is known.
        key_variables: Each the name of an environment variable with a key, or `NAME=VARIABLE` for one upstream.

    Raises:
        ValueError: One is none of these, or a variable is not set.
    """
    everybody: ForwardUpstream | None = None
    providers: dict[str, ForwardUpstream] = {}
    keys = _read_keys(key_variables)
    for option in options:
        name, url = _read_upstream(option)
        upstream = ForwardUpstream(name, url, keys.get(name, keys.get("")))
        if is_provider(name):
            providers[name] = upstream
        elif everybody is None:
            everybody = upstream
        else:
            raise ValueError(
                f"--upstream: {everybody.provider} and {name} cannot both answer for all; name a provider, such as "
                "openai=URL"
            )
    return everybody, providers


def _read_upstream(option: str) -> tuple[str, str | None]:
    name, equals, url = option.partition("=")
    if has_address(name) and not equals:
        return name, None
    if not (name and url.startswith(("http://", "https://"))):
        raise ValueError(
            "--upstream: expected NAME=URL, such as ollama=http://localhost:11434/v1, or the slug of a provider, such "
            f"as elevenlabs; got {shown(option)}"
        )
    return name, url


def _read_keys(variables: Iterable[str]) -> dict[str, str]:
    keys = {}
    for option in variables:
        name, equals, variable = option.rpartition("=")
        if not os.environ.get(variable):
            raise ValueError(f"--upstream-key-env: the environment variable {variable} is not set")
        keys[name if equals else ""] = os.environ[variable]
    return keys
