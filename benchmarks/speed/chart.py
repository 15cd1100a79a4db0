"""The chart of the README: CPU time of the client, by what is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from benchmarks.speed.measure import middle

if TYPE_CHECKING:
    from pathlib import Path

_PANELS: Final = {
    "call": "CPU a call, us",
    "chunk of 500": "CPU a streamed chunk, us",
    "100 in flight": "CPU a call, 100 in flight, us",
    "200 messages": "CPU a call with 200 messages, us",
}
_BARS: Final = ("ours, LangChain", "langchain-cloudflare", "ChatOpenAI", "ours, LlamaIndex", "OpenAILike", "openai SDK")
_COLORS: Final = {True: "#f6821f", False: "#9aa5b1"}


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw the chart into a PNG."""
    import matplotlib as mpl  # noqa: PLC0415 -- in the environment of `make bench` alone

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 -- the same

    panels = {case: title for case, title in _PANELS.items() if case in found["cases"]}
    figure, places = plt.subplots(1, len(panels), figsize=(3.6 * len(panels), 2.9), sharey=True, squeeze=False)
    for place, (case, title) in zip(places[0], panels.items(), strict=True):
        _draw_panel(place, found["cases"][case]["rounds"], title)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def _draw_panel(place: Any, rounds: dict[str, list[float]], title: str) -> None:
    names = [name for name in reversed(_BARS) if name in rounds]
    values = [middle(rounds[name]) for name in names]
    lows = [value - min(rounds[name]) for name, value in zip(names, values, strict=True)]
    highs = [max(rounds[name]) - value for name, value in zip(names, values, strict=True)]
    colors = [_COLORS[name.startswith("ours")] for name in names]
    place.barh(names, values, color=colors, xerr=[lows, highs], ecolor="#555555", capsize=2)
    for row, (value, high) in enumerate(zip(values, highs, strict=True)):
        place.text(value + high, row, f"  {value:,.0f}", va="center", fontsize=8)
    place.set_title(title, fontsize=10)
    place.set_xlim(0, max(values) * 1.25)
    place.spines[["top", "right"]].set_visible(False)
