"""Evaluation at scale on Ray Data, for logs that outgrow one machine: `aigw.scoring` with the same verdicts.

Ray is the extra `aigw[ray]`, and imported when something is run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aigw.ray._datasets import judge_logs, read_logs, score_logs, send_verdicts
    from aigw.ray._settings import ClientSettings

__all__ = ["ClientSettings", "judge_logs", "read_logs", "score_logs", "send_verdicts"]

_MODULES: Final = {
    "ClientSettings": "_settings",
    "judge_logs": "_datasets",
    "read_logs": "_datasets",
    "score_logs": "_datasets",
    "send_verdicts": "_datasets",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
