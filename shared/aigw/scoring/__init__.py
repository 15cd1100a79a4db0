"""Evaluation at scale: every log that fits is judged, and its verdict becomes feedback in the gateway.

Apart from the client because none of it is needed to call a model. `aigw.ray` does the same on many machines.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aigw.scoring._judged_log import JudgedLog
    from aigw.scoring._judges import Judge, judge_name, load_judge
    from aigw.scoring._run import ascore_logs, score_logs
    from aigw.scoring._summary import ScoredLog, ScoringSummary

__all__ = [
    "Judge",
    "JudgedLog",
    "ScoredLog",
    "ScoringSummary",
    "ascore_logs",
    "judge_name",
    "load_judge",
    "score_logs",
]

_MODULES: Final = {
    "Judge": "_judges",
    "JudgedLog": "_judged_log",
    "ScoredLog": "_summary",
    "ScoringSummary": "_summary",
    "ascore_logs": "_run",
    "judge_name": "_judges",
    "load_judge": "_judges",
    "score_logs": "_run",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
