"""Whether a log says itself who has judged it; what a verdict comes to is in `aigw._rating`, as for handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw._rating._verdicts import SOURCE_KEY

if TYPE_CHECKING:
    from aigw._facts import GatewayLog


def is_marked(log: GatewayLog, name: str) -> bool:
    """Tell whether the log itself says that this judge has judged it."""
    return (log.metadata or {}).get(SOURCE_KEY) == name
