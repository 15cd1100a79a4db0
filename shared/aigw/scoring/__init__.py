"""Evaluation at scale: every log that fits is judged, and its verdict becomes feedback in the gateway.

Apart from the client because none of it is needed to call a model. `aigw.ray` does the same on many machines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw._lazy import lazy

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

__getattr__, __dir__ = lazy(__name__, _MODULES)
