"""The figures over a list of logs, and what the cache saved; pure arithmetic.

A hit costs nothing and does not say what it would have cost. It is counted as the mean of the calls to the same model
that were paid for; with none in the list, as nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import ceil
from statistics import mean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Log = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of some logs.

    Attributes:
        count: How many logs.
        failed: How many failed.
        hits: How many came from the cache.
        cost: US dollars, as far as known.
        saved: US dollars that the hits would have cost, about.
        tokens_in: Input tokens.
        tokens_out: Output tokens.
        median_ms: The median duration of what the cache did not answer, in milliseconds.
        p95_ms: The duration that 95 of 100 of those stay within.
    """

    count: int
    failed: int
    hits: int
    cost: float
    saved: float
    tokens_in: int
    tokens_out: int
    median_ms: int
    p95_ms: int

    @property
    def hit_rate(self) -> float:
        """The share of the hits, from 0 to 1."""
        return self.hits / self.count if self.count else 0.0

    @property
    def failure_rate(self) -> float:
        """The share of the failures, from 0 to 1."""
        return self.failed / self.count if self.count else 0.0


def figures(logs: Sequence[Log]) -> Figures:
    """Count over logs in the API's short shape."""
    durations = sorted(log["duration"] for log in logs if not log["cached"])
    return Figures(
        count=len(logs),
        failed=sum(not log["success"] for log in logs),
        hits=sum(log["cached"] for log in logs),
        cost=sum(log.get("cost") or 0.0 for log in logs),
        saved=_saved(logs),
        tokens_in=sum(log["tokens_in"] or 0 for log in logs),
        tokens_out=sum(log["tokens_out"] or 0 for log in logs),
        median_ms=percentile(durations, 50),
        p95_ms=percentile(durations, 95),
    )


def percentile(ordered: Sequence[int], share: int) -> int:
    """Give the least value that `share` of 100 stay within; 0 of none."""
    return ordered[max(0, ceil(len(ordered) * share / 100) - 1)] if ordered else 0


def _saved(logs: Sequence[Log]) -> float:
    paid = _mean_costs(logs)
    return sum(paid.get(log["model"], 0.0) for log in logs if log["cached"])


def _mean_costs(logs: Sequence[Log]) -> Mapping[str, float]:
    costs: defaultdict[str, list[float]] = defaultdict(list)
    for log in logs:
        if log["success"] and not log["cached"] and log.get("cost") is not None:
            costs[log["model"]].append(log["cost"])
    return {model: mean(found) for model, found in costs.items()}
