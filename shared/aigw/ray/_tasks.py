"""What a worker does with a batch: read a window, judge logs, send verdicts. No Ray here, so that a test can call it.

Each is an object that is pickled with its settings and makes its client in the worker, for the time of one batch.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aigw.ray._rows import logs_of_rows, rows_of_logs, rows_of_verdicts, verdicts_of_rows
from aigw.scoring._bounded import for_each
from aigw.scoring._judges import load_judge
from aigw.scoring._sampling import is_sampled
from aigw.scoring._scorer import Scorer, deliver
from aigw.scoring._verdicts import is_marked
from aigw.scoring._windows import Window, read_window

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from aigw._calls._log_calls import LogFilter
    from aigw._facts import GatewayLog
    from aigw.ray._rows import Batch
    from aigw.ray._settings import ClientSettings
    from aigw.scoring._judges import Judge
    from aigw.scoring._summary import ScoredLog


@dataclass(frozen=True, slots=True)
class ReadWindows:
    """Read the logs of windows.

    Attributes:
        settings: Whose logs.
        filters: Which of them.
        sample: Which share.
        without: The judge whose logs are left out; empty for none.
    """

    settings: ClientSettings
    filters: Sequence[LogFilter]
    sample: float = 1.0
    without: str = ""

    def __call__(self, batch: Batch) -> dict[str, list[str]]:
        """Give the logs of each window as rows."""
        return rows_of_logs(asyncio.run(self._read(_windows(batch))))

    async def _read(self, windows: Iterable[Window]) -> list[GatewayLog]:
        async with self.settings.client() as client:
            gateway = client.gateway()
            return [
                log
                for window in windows
                async for log in read_window(gateway, self.filters, window)
                if is_sampled(log, self.sample) and not (self.without and is_marked(log, self.without))
            ]


@dataclass(frozen=True, slots=True)
class JudgeLogs:
    """Judge logs.

    Attributes:
        settings: Where their bodies are.
        judge: Who judges, or its name, which the worker imports.
        name: What the logs call it.
        bodies: Whether bodies are read before the judge is asked; as in `ascore_logs`.
        concurrency: How many logs are judged at once.
    """

    settings: ClientSettings
    judge: Judge | str = field(repr=False)
    name: str
    bodies: bool | None
    concurrency: int

    def __call__(self, batch: Batch) -> dict[str, list[str]]:
        """Give a verdict for each log."""
        return rows_of_verdicts(asyncio.run(self._judge(logs_of_rows(batch))))

    async def _judge(self, logs: list[GatewayLog]) -> list[ScoredLog]:
        judge = load_judge(self.judge) if isinstance(self.judge, str) else self.judge
        async with self.settings.client() as client:
            with Scorer(
                client, client.gateway_id, judge, name=self.name, bodies=self.bodies, threads=self.concurrency
            ) as scorer:
                return await _collect(logs, scorer.judge, self.concurrency)


@dataclass(frozen=True, slots=True)
class SendVerdicts:
    """Send verdicts that are not sent yet.

    Attributes:
        settings: To whose logs.
        concurrency: How many requests are under way at once.
    """

    settings: ClientSettings
    concurrency: int

    def __call__(self, batch: Batch) -> dict[str, list[str]]:
        """Give the verdicts with what became of them."""
        return rows_of_verdicts(asyncio.run(self._send(list(verdicts_of_rows(batch)))))

    async def _send(self, verdicts: list[ScoredLog]) -> list[ScoredLog]:
        async with self.settings.client() as client:
            gateway = client.gateway()

            async def send(verdict: ScoredLog) -> ScoredLog:
                if verdict.changes is None or verdict.state == "scored":
                    return verdict
                return await deliver(gateway, verdict.log_id, verdict.changes)

            return await _collect(verdicts, send, self.concurrency)


async def _collect(items: list[Any], work: Callable[[Any], Awaitable[ScoredLog]], at_once: int) -> list[ScoredLog]:
    """Give the results in the order of the items."""
    done: dict[int, ScoredLog] = {}

    async def one(numbered: tuple[int, Any]) -> None:
        done[numbered[0]] = await work(numbered[1])

    await for_each(_each(enumerate(items)), one, at_once)
    return [done[number] for number in sorted(done)]


async def _each(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


def _windows(batch: Batch) -> list[Window]:
    edges = [(start, end) for start, end in zip(batch["start"], batch["end"], strict=True) if end]
    read = datetime.fromisoformat
    return [Window(read(start) if start else None, read(end)) for start, end in edges]
