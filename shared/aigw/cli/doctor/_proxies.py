"""Which proxy a call would take, by the environment; the rules are those httpx follows."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


def proxy_for(url: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Give the variable and the proxy, without its password; `None` when the call goes straight.

    Args:
        url: What is called.
        environment: The variables; lower case wins over upper.
    """
    parts = urlsplit(url)
    if _is_exempt((parts.hostname or "").lower(), _value("no_proxy", environment)[1]):
        return None
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        variable, value = _value(name, environment)
        if value:
            return variable, value.rpartition("@")[2].rpartition("//")[2].rstrip("/")
    return None


def _value(name: str, environment: Mapping[str, str]) -> tuple[str, str]:
    for variable in (name, name.upper()):
        if environment.get(variable):
            return variable, environment[variable].strip()
    return name, ""


def _is_exempt(host: str, exemptions: str) -> bool:
    names = [name.strip().lower().rpartition("://")[2] for name in exemptions.split(",")]
    return any(
        name and (name == "*" or host == name.strip("[]") or host.endswith("." + name.lstrip("."))) for name in names
    )
