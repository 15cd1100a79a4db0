"""One client in a process of its own, that measures itself when it is told to.

`python -m benchmarks.speed.worker SUBJECT BASE_URL`: a JSON object a line on the standard input, one a line back.
"""

# ruff: noqa: D102 -- the methods between `measure` and `leak` are the kinds of cases

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.speed.cases import MANY, Case
from benchmarks.speed.server import pin
from benchmarks.speed.subject import conversation
from benchmarks.speed.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.speed.subject import Subject

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Round:
    """One round: `count` units, and what each took.

    Attributes:
        value: Of one unit, in the case's unit.
        wall: Seconds of one unit by the clock on the wall.
        count: Units.
    """

    value: float
    wall: float
    count: int


class Bench:
    """One client, and the event loop its async calls share.

    Args:
        subject: The client.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._runner = asyncio.Runner()
        self._counts: dict[str, int] = {}
        self._threads = ThreadPoolExecutor(32)

    def measure(self, case: Case, seconds: float) -> Round | None:
        """Measure a case for about so many seconds of CPU; `None` if the client cannot do it."""
        kind, can = KINDS[case.kind]
        if not can(self.subject):
            return None
        question = self.subject.ask(conversation(case.prompt, f"[chunks={case.chunks}]"))
        if case.kind == "held":  # memory that was used before does not show again
            return self._timed(kind, case, question, 1)
        turns = case.turns if seconds else 1
        if case.in_flight > 1 or case.name not in self._counts:  # connections that idled meanwhile are gone
            warm = self._timed(kind, case, question, case.in_flight * turns)
        if case.name not in self._counts:
            if case.in_flight < MANY:
                warm = self._timed(kind, case, question, case.in_flight)
            used = max(warm.value * 1e-6 * max(case.chunks, 1) * warm.count, 1e-6)
            self._counts[case.name] = max(turns, min(2000, int(seconds / used))) * case.in_flight
        return self._timed(kind, case, question, self._counts[case.name])

    def _timed(self, kind: Callable[..., Any], case: Case, question: Any, count: int) -> Round:
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        told = kind(self, case, question, count)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        units = count * max(case.chunks, 1)
        return Round(cpu / units * 1e6 if told is None else told, wall / units, count)

    def calls(self, _case: Case, question: Any, count: int) -> None:
        call = self.subject.call
        for _ in range(count):
            call(question)

    def acalls(self, case: Case, question: Any, count: int) -> None:
        async def ask() -> None:
            for _ in range(count // case.in_flight):
                await self.subject.acall(question)

        self._run(ask, case.in_flight)

    def tools(self, _case: Case, question: Any, count: int) -> None:
        for _ in range(count):
            self.subject.call_tools(question)

    def threads(self, case: Case, question: Any, count: int) -> None:
        def ask(_: int) -> None:
            for _ in range(count // case.in_flight):
                self.subject.call(question)

        list(self._threads.map(ask, range(case.in_flight)))

    def stream(self, _case: Case, question: Any, count: int) -> None:
        for _ in range(count):
            for _ in self.subject.stream(question):
                pass

    def astream(self, _case: Case, question: Any, count: int) -> None:
        async def ask() -> None:
            for _ in range(count):
                async for _ in self.subject.astream(question):
                    pass

        self._run(ask)

    def first(self, _case: Case, question: Any, count: int) -> float:
        waits = []
        for _ in range(min(count, 20)):
            began = time.perf_counter()
            items = self.subject.stream(question)
            next(items)
            waits.append(time.perf_counter() - began)
            for _ in items:
                pass
        return _median(waits) * 1000

    def afirst(self, _case: Case, question: Any, count: int) -> float:
        waits = []

        async def ask() -> None:
            for _ in range(min(count, 20)):
                began = time.perf_counter()
                items = self.subject.astream(question)
                await anext(items)
                waits.append(time.perf_counter() - began)
                async for _ in items:
                    pass

        self._run(ask)
        return _median(waits) * 1000

    def constructs(self, _case: Case, _question: Any, count: int) -> None:
        made = [self.subject.construct() for _ in range(count)]
        del made

    def held(self, _case: Case, _question: Any, _count: int) -> float:
        return self._runner.run(self._hold(100))

    async def _hold(self, count: int) -> float:
        question = self.subject.ask(conversation("small", "[hold]"))
        first = self.subject.astream(question)  # what a client loads at its first call is not a stream's
        await anext(first)
        await first.aclose()  # type: ignore[attr-defined]  # as below
        before = _resident()
        streams = [self.subject.astream(question) for _ in range(count)]
        await asyncio.gather(*(anext(stream) for stream in streams))
        used = (_resident() - before) / count / 1024
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]  # all of them are generators, or have it too
        return used

    def leak(self, calls: int) -> dict[str, float]:
        """Call and call again; give what the second half left behind, for 1,000 calls."""
        question = self.subject.ask(conversation("small"))
        case, half = Case("", "calls"), max(calls // 2, 1)
        ask = self.calls if self.subject.is_sync else self.acalls
        ask(case, question, half)
        gc.collect()
        memory, objects = _resident(), len(gc.get_objects())
        ask(case, question, half)
        gc.collect()
        return {
            "kib": (_resident() - memory) / 1024 / half * 1000,
            "objects": (len(gc.get_objects()) - objects) / half * 1000,
        }

    def _run(self, ask: Callable[[], Any], in_flight: int = 1) -> None:
        async def together() -> None:
            await asyncio.gather(*(ask() for _ in range(in_flight)))

        self._runner.run(together())


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _sync(subject: Subject) -> bool:
    return subject.is_sync


def _async(subject: Subject) -> bool:
    return subject.is_async


KINDS: Final[dict[str, tuple[Callable[..., Any], Callable[[Subject], bool]]]] = {
    "calls": (Bench.calls, _sync),
    "acalls": (Bench.acalls, _async),
    "threads": (Bench.threads, lambda subject: subject.is_sync and type(subject).__name__ != "RawSocket"),
    "stream": (Bench.stream, _sync),
    "astream": (Bench.astream, _async),
    "first": (Bench.first, _sync),
    "afirst": (Bench.afirst, _async),
    "tools": (Bench.tools, lambda subject: subject.takes_tools),
    "constructs": (Bench.constructs, lambda subject: subject.takes_tools),
    "held": (Bench.held, lambda subject: subject.is_async and not type(subject).__name__.startswith("Fake")),
}
"""How each kind of case is measured, and by whom it can be."""


def main() -> None:
    """Obey, line by line."""
    pin(0)
    name, base_url = sys.argv[1:]
    began = time.process_time()
    bench = Bench(SUBJECTS[name](base_url))
    answers: dict[str, Callable[[dict[str, Any]], Any]] = {
        "measure": lambda asked: bench.measure(Case(**asked["case"]), asked["seconds"]),
        "leak": lambda asked: bench.leak(asked["calls"]),
    }
    _tell({"ready": (time.process_time() - began) * 1000})
    for line in itertools.takewhile(str.strip, sys.stdin):
        asked = json.loads(line)
        try:
            told = answers[asked["do"]](asked)
        except Exception as error:  # noqa: BLE001 -- a client that fails at one thing is measured at the others
            told = {"error": f"{type(error).__name__}: {error}"}
        _tell({"value": told.value, "wall": told.wall, "count": told.count} if isinstance(told, Round) else told)
    os._exit(0)  # connections of a dozen libraries are left open


def _tell(value: Any) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
