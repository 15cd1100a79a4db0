"""Measures every client in turns: a process for each, and one round after the other, so that noise meets all alike."""

from __future__ import annotations

import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from benchmarks.speed.cases import CASES, MANY
from benchmarks.speed.server import Server
from benchmarks.speed.subjects import IMPORTS, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.speed.cases import Case, Sizes

_ROOT: Final = Path(__file__).parents[2]
_ROUNDS_OF_MANY: Final = 3
_ROUNDS_OF_OURS: Final = 3
"""How often a round of ours is made where cases are measured together, and one is held against the other."""
_PACKAGES: Final = (
    "aiohttp", "httpx", "httpx-aiohttp", "langchain-cloudflare", "langchain-core", "langchain-openai",
    "llama-index-core", "llama-index-llms-openai-like", "openai", "orjson", "pydantic", "urllib3",
)  # fmt: skip


class Worker:
    """One client's process.

    Args:
        name: Which client.
        base_url: The server.
    """

    def __init__(self, name: str, base_url: str) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.speed.worker", name, base_url]
        self._process = subprocess.Popen(  # noqa: S603 -- our own command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=_ROOT
        )
        self._listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, **asked: Any) -> Any:
        """Have it do something, and give what it found."""
        assert self._process.stdin is not None  # noqa: S101 -- a pipe, as asked
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._listen()

    def _listen(self) -> Any:
        assert self._process.stdout is not None  # noqa: S101 -- the same
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended early")
        return json.loads(line)


def measure(sizes: Sizes, names: Iterable[str] = tuple(SUBJECTS)) -> dict[str, Any]:
    """Measure everything; the keys are those of the JSON output."""
    names = list(names)
    found: dict[str, Any] = {"machine": _machine(), "sizes": {**asdict(sizes), "without": sorted(sizes.without)}}
    with ExitStack() as stack:
        server = stack.enter_context(Server())
        workers = {name: stack.enter_context(Worker(name, server.base_url)) for name in names}
        found["cases"] = {}
        cases = (case for case in CASES if case.name not in sizes.without)
        for _, together in itertools.groupby(cases, lambda case: case.together or case.name):
            found["cases"] |= _measured(workers, list(together), sizes)
        asked = [name for name in names if name.startswith("ours")] if sizes.leak_calls else []
        found["leak"] = {name: workers[name].ask(do="leak", calls=sizes.leak_calls) for name in asked}
    found["imports"] = _imports(sizes.imports) if sizes.imports else {}
    return found


def _measured(workers: dict[str, Worker], cases: list[Case], sizes: Sizes) -> dict[str, Any]:
    """Measure cases round by round: all clients at the first, all at the next, and again."""
    found: dict[str, Any] = {case.name: {"unit": case.unit, "rounds": {}} for case in cases}
    for turn in range(sizes.rounds * _ROUNDS_OF_OURS):
        for case in cases:
            asked = {name: worker for name, worker in workers.items() if turn < _rounds_of(case, name, sizes)}
            for name, worker in asked.items():
                told = worker.ask(do="measure", case=asdict(case), seconds=sizes.seconds)
                if told and "error" in told:
                    print(f"  {case.name}: {name}: {told['error']}", file=sys.stderr)
                elif told:
                    found[case.name]["rounds"].setdefault(name, []).append(told["value"])
    print(f"  {', '.join(found)}", file=sys.stderr, flush=True)
    return found


def _rounds_of(case: Case, name: str, sizes: Sizes) -> int:
    """Give how often a case is measured: memory shows once, and a thousand calls at once take others long."""
    if case.kind == "held":
        return 1
    if case.together and name.startswith("ours"):
        return sizes.rounds * _ROUNDS_OF_OURS
    return min(sizes.rounds, _ROUNDS_OF_MANY) if case.in_flight >= MANY else sizes.rounds


def _imports(repeats: int) -> dict[str, list[float]]:
    """Give the CPU milliseconds of each import, in turns, less those of an interpreter that imports nothing."""
    found: dict[str, list[float]] = {}
    for turn in range(repeats + 1):
        bare = _import_ms("pass")
        for name, (_, statement) in IMPORTS.items():
            took = _import_ms(statement) - bare
            if turn:  # the first writes the byte code
                found.setdefault(name, []).append(took)
    return found


def _import_ms(statement: str) -> float:
    code = f"{statement}\nimport time\nprint(time.process_time())"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=_ROOT)  # noqa: S603
    return float(told.stdout.splitlines()[-1]) * 1000


def _machine() -> dict[str, Any]:
    versions = {name: metadata.version(name) for name in _PACKAGES if _is_installed(name)}
    load = os.getloadavg() if hasattr(os, "getloadavg") else ()
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "load": [round(value, 1) for value in load],
        "packages": versions,
    }


def _is_installed(name: str) -> bool:
    return bool(list(metadata.distributions(name=name)))


def ratios(rounds: dict[str, list[float]], name: str, base: str) -> list[float]:
    """Give a client's share of another's, round by round: those that were measured one after the other."""
    return [ours / theirs for ours, theirs in zip(rounds.get(name, ()), rounds.get(base, ()), strict=False) if theirs]


def middle(values: list[float]) -> float:
    """Give the median."""
    return statistics.median(values)
