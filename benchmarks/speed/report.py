"""What was found, as one table: medians, how far the rounds lay apart, and each client's share of ChatOpenAI's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.speed.measure import middle, ratios
from benchmarks.speed.subjects import IMPORTS, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE: Final = "ChatOpenAI"


@dataclass(frozen=True, slots=True)
class Target:
    """What one of ours may cost of what others cost in the same run.

    Attributes:
        case: The case.
        name: Which of ours.
        others: Whose costs are added up.
        limit: The largest share.
        other_case: The case of the others, where it is another.
    """

    case: str
    name: str
    others: tuple[str, ...]
    limit: float
    other_case: str = ""


_LANGCHAIN: Final = "ours, LangChain"
_LLAMAINDEX: Final = "ours, LlamaIndex"
_F, _L, _H = "LangChain, no network", "LlamaIndex, no network", "plain httpx"
TARGETS: Final = (
    *(
        Target(case, name, others, limit)
        for name, floor in ((_LANGCHAIN, _F), (_LLAMAINDEX, _L))
        for case, others, limit in (
            ("call", (floor, _H), 1.25),
            ("call", (BASE,), 0.40),
            ("call, async", (BASE,), 0.28),
            ("chunk of 500", (floor, _H), 0.95),
            ("chunk of 500", (BASE,), 0.16),
            ("chunk of 500, async", (BASE,), 0.10),
            ("100 in flight", (BASE,), 0.13),
            ("1,000 in flight", (BASE,), 0.15),
            ("200 messages", (BASE,), 0.03),
            ("1 MB prompt", (BASE,), 0.38),
            ("32 threads", (BASE,), 0.45),
            ("time to first chunk", (BASE,), 0.35),
            ("another client", (BASE,), 0.5),
            ("an open stream", (BASE,), 1.05),
        )
    ),
    Target("call", _LANGCHAIN, ("langchain-cloudflare",), 0.95),
    Target("chunk of 500", _LANGCHAIN, ("langchain-cloudflare",), 0.70),
    Target("200 messages", _LANGCHAIN, ("langchain-cloudflare",), 0.75),
    Target("call", _LLAMAINDEX, ("OpenAILike",), 0.33),
    Target("chunk of 500", _LLAMAINDEX, ("OpenAILike",), 0.14),
    Target("1,000 in flight", _LANGCHAIN, (_LANGCHAIN,), 1.6, "100 in flight"),
    Target("1,000 in flight", _LLAMAINDEX, (_LLAMAINDEX,), 1.6, "100 in flight"),
)


def table(found: dict[str, Any]) -> str:
    """Give everything that was measured as Markdown."""
    machine = found["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    head = (
        f"CPython {machine['python']}, {machine['cores']} cores, load {machine['load']}; {packages}. CPU time of the "
        f"client, user and system. A cell is `median ±spread (share of {BASE}'s)`: the spread is half of what lies "
        "between the least and the greatest round, or `once`; the share the median of the rounds' own."
    )
    parts = ([head], *(list(rows(found)) for rows in (_rows, _import_rows, _leak_rows, _targets)))
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _rows(found: dict[str, Any]) -> Iterator[str]:
    names = [name for name in SUBJECTS if any(name in case["rounds"] for case in found["cases"].values())]
    yield _line("", *names)
    yield _line("---", *["---:"] * len(names))
    for case, measured in found["cases"].items():
        yield _line(f"{case}, {measured['unit']}", *(_cell(measured["rounds"], name) for name in names))


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(rounds: dict[str, list[float]], name: str) -> str:
    if name not in rounds:
        return ""
    share = ratios(rounds, name, BASE)
    return _spread(rounds[name]) + (f" ({middle(share):.3g})" if share else "")


def _spread(values: list[float]) -> str:
    center = middle(values)
    if len(values) == 1:
        return f"{_number(center)} once"
    half = (max(values) - min(values)) / 2
    return f"{_number(center)} ±{half / center * 100 if center else 0:.0f}%"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _import_rows(found: dict[str, Any]) -> Iterator[str]:
    if found["imports"]:
        yield _line("import", "CPU ms", "statement")
        yield _line("---", "---:", "---")
        for name, values in found["imports"].items():
            yield _line(name, _spread(values), f"`{IMPORTS[name][1]}`")


def _leak_rows(found: dict[str, Any]) -> Iterator[str]:
    calls = found["sizes"]["leak_calls"]
    if calls:
        yield _line(f"leak, the last half of {calls:,} calls", "KiB for 1,000 calls", "objects for 1,000 calls")
        yield _line("---", "---:", "---:")
        for name, left in found["leak"].items():
            yield _line(name, f"{left['kib']:.1f}", f"{left['objects']:.1f}")


def _targets(found: dict[str, Any]) -> Iterator[str]:
    yield _line("target", "of", "at most", "is", "")
    yield _line("---", "---", "---:", "---:", "---")
    for target in TARGETS:
        share = _share(found["cases"], target)
        if share is not None:
            of = " + ".join(target.others) + (f", {target.other_case}" if target.other_case else "")
            is_met = "met" if share <= target.limit else "**missed**"
            yield _line(f"{target.name}: {target.case}", of, f"{target.limit:.2f}", f"{share:.3f}", is_met)


def _share(cases: dict[str, Any], target: Target) -> float | None:
    ours = cases.get(target.case, {}).get("rounds", {}).get(target.name)
    theirs = cases.get(target.other_case or target.case, {}).get("rounds", {})
    if not ours or any(name not in theirs for name in target.others):
        return None
    sums = [sum(turn) for turn in zip(*(theirs[name] for name in target.others), strict=False)]
    return middle([one / all_ for one, all_ in zip(ours, sums, strict=False)])
