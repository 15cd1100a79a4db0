"""The two charts as rectangles in a fixed box: durations and tokens, call after call, oldest on the left.

Time would leave a developer's bursts in one corner of an empty chart, so the calls themselves are the axis: up to sixty
bars, each for as many calls in a row. The template draws them as SVG.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from aigw.local.page._figures import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aigw.local.page._figures import Log

WIDTH: Final = 600
HEIGHT: Final = 96
MAX_BARS: Final = 60
_MIN_SLOTS: Final = 20
_GAP: Final = 0.22


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of two parts, the lower from the ground, the upper on top of it.

    Attributes:
        x: Its left edge.
        width: Its width.
        lower: The lower part's height.
        upper: The upper part's height.
        values: What the two stand for: median and p95 milliseconds, or tokens in and out.
        count: The calls it stands for.
        first: When the first of them came, RFC 3339.
    """

    x: float
    width: float
    lower: float
    upper: float
    values: tuple[int, int]
    count: int
    first: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    Attributes:
        bars: The bars, oldest first.
        top: What the whole height stands for.
    """

    bars: tuple[Bar, ...]
    top: int


def latency_chart(logs: Sequence[Log]) -> Chart:
    """Draw the median duration past the cache, and how far the 95th percentile is above it.

    Args:
        logs: The logs, newest first.
    """
    return _chart([log for log in logs if not log["cached"]], _latency)


def token_chart(logs: Sequence[Log]) -> Chart:
    """Draw the tokens in, and the tokens out on top of them.

    Args:
        logs: The logs, newest first.
    """
    return _chart(logs, _tokens)


def _latency(group: Sequence[Log]) -> tuple[int, int]:
    durations = sorted(log["duration"] for log in group)
    return percentile(durations, 50), percentile(durations, 95)


def _tokens(group: Sequence[Log]) -> tuple[int, int]:
    return sum(log["tokens_in"] or 0 for log in group), sum(log["tokens_out"] or 0 for log in group)


def _chart(logs: Sequence[Log], measure: Callable[[Sequence[Log]], tuple[int, int]]) -> Chart:
    groups = _groups(list(reversed(logs)))
    values = [measure(group) for group in groups]
    heights = [_stack(measure, low, high) for low, high in values]
    top = max([sum(stack) for stack in heights], default=0)
    slot = WIDTH / max(len(groups), _MIN_SLOTS)
    scale = HEIGHT / (top or 1)
    return Chart(
        tuple(
            Bar(
                round((index + _GAP / 2) * slot, 1),
                round((1 - _GAP) * slot, 1),
                round(stack[0] * scale, 1),
                round(stack[1] * scale, 1),
                value,
                len(group),
                group[0]["created_at"],
            )
            for index, (group, value, stack) in enumerate(zip(groups, values, heights, strict=True))
        ),
        top,
    )


def _stack(measure: object, low: int, high: int) -> tuple[int, int]:
    return (low, high - low) if measure is _latency else (low, high)


def _groups(logs: Sequence[Log]) -> list[Sequence[Log]]:
    size = ceil(len(logs) / MAX_BARS) or 1
    return [logs[start : start + size] for start in range(0, len(logs), size)]
