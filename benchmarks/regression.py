"""Has a hot path become dearer? `python -m benchmarks.regression [--update]`; it fails by more than 15 %.

A path's cost is its CPU time as a multiple of that of a fixed piece of plain Python in the same process. Both are
measured in turns of a few milliseconds, and the cheapest turn of each counts: other work on the machine makes turns
dearer, never cheaper. A path that looks too dear is measured again, several times, with pauses. The multiples depend on
the Python and on the libraries, so the baseline is kept for each Python and remembers the libraries' versions.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from benchmarks.hot_paths import hot_paths, seconds, yardstick

BASELINE: Final = Path(__file__).with_suffix(".json")
ALLOWED: Final = 1.15
_TURN: Final = 0.0015
_TURNS: Final = 120
_AGAIN: Final = 5
_PAUSE: Final = 1.0
_PACKAGES: Final = ("httpx", "langchain-core", "llama-index-core", "orjson", "pydantic")


class Meter:
    """Measures paths against the yardstick, as often as it is asked; the cheapest turns count."""

    def __init__(self) -> None:
        self.paths = {path.name: path for path in hot_paths()}
        self._best = dict.fromkeys(self.paths, float("inf"))
        self._yard = float("inf")
        self._yard_count = self._calibrate(yardstick)
        self._counts = {name: self._calibrate(path.run) for name, path in self.paths.items()}

    def measure(self, names: list[str], turns: int) -> None:
        """Take so many turns of each of these paths, and of the yardstick between them."""
        gc.collect()
        for _ in range(turns):
            for name in names:
                path, count = self.paths[name], self._counts[name]
                self._yard = min(self._yard, seconds(yardstick, self._yard_count) / self._yard_count)
                self._best[name] = min(self._best[name], seconds(path.run, count) / count / path.units)

    def costs(self) -> dict[str, float]:
        """Give each path's cost in yardsticks."""
        return {name: round(best / self._yard, 4) for name, best in self._best.items()}

    @staticmethod
    def _calibrate(run: Any) -> int:
        seconds(run, 3)
        return max(1, round(_TURN / max(seconds(run, 10) / 10, 1e-7)))


def too_dear(costs: dict[str, float], baseline: dict[str, float]) -> list[str]:
    """Name the paths that cost more than the baseline allows."""
    return [name for name, cost in costs.items() if name in baseline and cost > baseline[name] * ALLOWED]


def check(meter: Meter, baseline: dict[str, float]) -> list[str]:
    """Measure, again what looks too dear; name what still does."""
    dear = list(meter.paths)
    for attempt in range(_AGAIN):
        time.sleep(_PAUSE * bool(attempt))
        meter.measure(dear, _TURNS)
        dear = too_dear(meter.costs(), baseline)
        if not dear:
            break
    return dear


def main() -> int:
    """Measure, print the table, and give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="make what is measured now the baseline of this Python")
    arguments = parser.parse_args()
    saved = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    version = f"{platform.python_implementation()} {sys.version_info[0]}.{sys.version_info[1]}"
    known = saved.get(version, {})
    meter = Meter()
    if arguments.update or not known:
        meter.measure(list(meter.paths), _TURNS * _AGAIN)
        dear: list[str] = []
    else:
        dear = check(meter, known["costs"])
    costs = meter.costs()
    print(_table(costs, known.get("costs", {}), dear))
    if arguments.update:
        BASELINE.write_text(json.dumps({**saved, version: {"packages": _versions(), "costs": costs}}, indent=2) + "\n")
    elif not known:
        print(f"\nThere is no baseline for {version}: nothing was compared. `--update` writes one.")
    if dear:
        print(f"\nToo dear: {', '.join(dear)}.{_changed(known['packages'])}\nIf it is worth it: --update")
    return bool(dear)


def _table(costs: dict[str, float], baseline: dict[str, float], dear: list[str]) -> str:
    lines = [f"{'yardsticks':<34}{'now':>10}{'baseline':>10}{'change':>9}"]
    for name, cost in costs.items():
        was = baseline.get(name)
        change = f"{was:>10.4f}{(cost / was - 1) * 100:>+8.1f}%" if was else f"{'new':>10}"
        lines.append(f"{name:<34}{cost:>10.4f}{change}{'  TOO DEAR' if name in dear else ''}")
    return "\n".join(lines)


def _versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in _PACKAGES if list(metadata.distributions(name=name))}


def _changed(packages: dict[str, str]) -> str:
    now = _versions()
    changed = [f"{name} {was} -> {now.get(name)}" for name, was in packages.items() if now.get(name) != was]
    return f" Other versions than the baseline's: {', '.join(changed)}." if changed else ""


if __name__ == "__main__":
    sys.exit(main())
